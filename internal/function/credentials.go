package function

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/weirstream/weir/internal/transaction"
)

// Credentials are those of one execution environment. API calls that are signed
// with them come from the invocation that is in flight there.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// Caller is who signed a request with the credentials of an environment.
type Caller struct {
	Credentials Credentials
	// Function is the bare name, Role the ARN of its execution role.
	Function, Role string
	// RequestID is the invocation in flight, "" between two of them.
	RequestID string
	// Effects is the transaction of the invocation in flight of an exactly-once
	// function.
	Effects *transaction.Tx
	// PassOutside tells that an exactly-once function may make calls that cannot be
	// held back.
	PassOutside bool
}

func newCredentials(exactlyOnce bool) Credentials {
	key := "ASIA" + rand.Text()[:16]
	if exactlyOnce {
		key = onceKeyPrefix + rand.Text()[:12]
	}
	return Credentials{
		AccessKeyID:     key,
		SecretAccessKey: randomBase64(30),
		SessionToken:    randomBase64(96),
	}
}

func randomBase64(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return strings.TrimRight(base64.StdEncoding.EncodeToString(b), "=")
}

// Caller returns the environment that has the given access key, if it is
// alive.
func (f *Functions) Caller(accessKeyID string) (Caller, bool) {
	v, ok := f.callers.Load(accessKeyID)
	if !ok {
		return Caller{}, false
	}
	e := v.(*environment)
	e.mu.Lock()
	defer e.mu.Unlock()
	c := Caller{Credentials: e.credentials, Function: e.def.Name, Role: e.def.Role, PassOutside: e.def.Tags[OutsideTag] == PassOutside}
	if e.current != nil {
		c.RequestID, c.Effects = e.current.id, e.current.effects
	}
	return c, true
}
