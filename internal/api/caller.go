package api

import (
	"context"

	"github.com/weirstream/weir/internal/transaction"
)

// Caller describes the request that an operation is called for.
type Caller struct {
	// RequestID is the id that the response carries.
	RequestID string
	// AccessKeyID and Region come from the credential scope of the signature;
	// "" in an unsigned request.
	AccessKeyID, Region string
	// Host is what the client calls this server, with the port if it gave one.
	Host string
	// Trace is the X-Ray trace that the request belongs to, as the header
	// X-Amzn-Trace-Id gives it; "" for none.
	Trace string
	// Path is the path of the request's URL.
	Path string
	// Query tells that the request came by the query protocol.
	Query bool

	effects  *transaction.Tx
	document []byte // the request's body, in CBOR if binary
	binary   bool
}

type callerKey struct{}

// CallerOf returns the caller of the operation that ctx belongs to; the zero
// value outside of one.
func CallerOf(ctx context.Context) Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return *c
	}
	return Caller{}
}
