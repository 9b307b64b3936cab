package server

import (
	"crypto/subtle"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

// callers tells the APIs which requests come from exactly-once invocations.
type callers struct{ functions *function.Functions }

// Invocation implements api.Invocations.
func (c callers) Invocation(accessKeyID, sessionToken string) (api.Invocation, bool) {
	if !function.IsOnceKey(accessKeyID) {
		return api.Invocation{}, false
	}
	caller, ok := c.functions.Caller(accessKeyID)
	if !ok || subtle.ConstantTimeCompare([]byte(caller.Credentials.SessionToken), []byte(sessionToken)) != 1 {
		return api.Invocation{Expired: true}, true
	}
	return api.Invocation{Effects: caller.Effects, PassOutside: caller.PassOutside}, true
}
