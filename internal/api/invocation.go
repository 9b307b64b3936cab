package api

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"github.com/weirstream/weir/internal/transaction"
)

// Invocations knows the exactly-once invocations of functions that requests come
// from.
type Invocations interface {
	// Invocation returns the one whose credentials a request has; ok is false for a
	// request of anyone else.
	Invocation(accessKeyID, sessionToken string) (inv Invocation, ok bool)
}

// Invocation is what an API has to know of an exactly-once invocation.
type Invocation struct {
	// Expired tells that the credentials are not those of a living environment.
	Expired bool
	// Effects is what the invocation in flight does; nil between two of them.
	Effects *transaction.Tx
	// PassOutside tells that calls that cannot be held back are let through.
	PassOutside bool
}

// Held returns the operation as one that takes part in the transaction of its
// caller, see EffectsOf.
func (o Operation) Held() Operation {
	o.held = true
	return o
}

// EffectsOf returns the transaction that the operation which ctx belongs to is to be
// part of, nil if its effects are its own. Only operations that are Held have one.
func EffectsOf(ctx context.Context) *transaction.Tx {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c.effects
	}
	return nil
}

// reads reports whether an operation changes nothing, by its name.
func (o *Operation) reads() bool {
	for _, verb := range []string{"Describe", "List", "Get", "BatchGet", "Query", "Scan", "Filter", "Head"} {
		if strings.HasPrefix(o.Name, verb) {
			return true
		}
	}
	return o.Name == "SubscribeToShard"
}

// admit decides what becomes of a request of an exactly-once invocation: it takes
// part in the invocation's transaction, it goes its way because it only reads or
// because the function says so, or it is refused. If so admit answers, and returns
// false.
func (x *exchange) admit() bool {
	inv, ok := x.invocation()
	if !ok {
		return true
	}
	refusal := inv.refusal(&x.op.Operation)
	if refusal != nil {
		x.fail(refusal)
		return false
	}
	if x.op.held {
		x.caller.effects = inv.Effects
	}
	return true
}

// admitObjects is admit for S3, whose operations are not known here: what does not
// read cannot be held back.
func (x *exchange) admitObjects() bool {
	inv, ok := x.invocation()
	if !ok {
		return true
	}
	o := Operation{Name: x.r.Method + " of S3"}
	if x.r.Method == http.MethodGet || x.r.Method == http.MethodHead {
		o.Name = "GetObject"
	}
	refusal := inv.refusal(&o)
	if refusal == nil {
		return true
	}
	x.identify(Plain)
	x.ctype = []string{"application/xml"}
	var body bytes.Buffer
	body.WriteString(xml.Header + "<Error><Code>" + refusal.QueryCode + "</Code><Message>")
	_ = xml.EscapeText(&body, []byte(refusal.Message)) // into memory
	body.WriteString("</Message><RequestId>" + x.id + "</RequestId></Error>")
	x.send(http.StatusForbidden, body.Bytes())
	return false
}

// invocation returns the exactly-once invocation that the request comes from.
func (x *exchange) invocation() (Invocation, bool) {
	if x.h.cfg.Invocations == nil {
		return Invocation{}, false
	}
	token := x.r.Header.Get("X-Amz-Security-Token")
	if token == "" {
		token = x.query.Get("X-Amz-Security-Token")
	}
	return x.h.cfg.Invocations.Invocation(x.scope.accessKeyID, token)
}

func (inv *Invocation) refusal(o *Operation) *Error {
	switch {
	case inv.Expired:
		return &Error{Code: "ExpiredTokenException", QueryCode: "ExpiredToken", Message: "The security token included in the request is expired"}
	case o.reads():
		return nil
	case o.held && inv.Effects != nil:
		return nil
	case o.held:
		return denied(o.Name + " is called between two invocations of a function whose effects count once, so that it belongs to none")
	case inv.PassOutside:
		return nil
	}
	return denied(o.Name + " cannot be held back until the invocation counts, and the effects of this function count once. " +
		"The tag weir:outside with the value pass on the function lets such calls through; they may then take effect more than once")
}

func denied(message string) *Error {
	return &Error{Code: "AccessDeniedException", Message: message, QueryCode: "AccessDenied", Status: http.StatusBadRequest}
}

// heldError translates the errors of package transaction.
func heldError(err error) (*Error, bool) {
	switch {
	case errors.Is(err, transaction.ErrTooLarge):
		return Validation("The invocation does more than can be held back until it counts: " + err.Error()), true
	case errors.Is(err, transaction.ErrEnded):
		return denied("The invocation that this call belongs to has ended"), true
	}
	return nil, false
}
