package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/maphash"
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

// Missing returns the operation as one that only says that it is not implemented, to
// whomever.
func (o Operation) Missing() Operation {
	o.missing = true
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
	if !x.op.held {
		return true
	}
	x.caller.effects = inv.Effects
	return x.attemptFirst()
}

// invocationHeader is where SDKs put the id that all attempts at a call have.
const (
	invocationHeader = "Amz-Sdk-Invocation-Id"
	maxInvocationID  = 128
)

// callSeed is of the hashes by which calls are known.
var callSeed = maphash.MakeSeed()

// attemptFirst reports whether a write of an invocation is to be performed. If the SDK
// sends it again, since the answer to an earlier attempt got lost, attemptFirst gives
// that answer and returns false: the write must not count twice.
func (x *exchange) attemptFirst() bool {
	id := x.r.Header.Get(invocationHeader)
	if x.attempt != nil || x.caller.effects == nil || x.op.reads() || id == "" || len(id) > maxInvocationID {
		return true
	}
	call := binary.BigEndian.AppendUint64([]byte(id+x.name()), maphash.Bytes(callSeed, x.body))
	attempt, answer, err := x.caller.effects.Attempt(x.r.Context(), string(call))
	switch {
	case errors.Is(err, transaction.ErrTooLarge):
		x.fail(err)
	case err != nil:
		x.abandon()
	case attempt == nil:
		x.send(http.StatusOK, answer)
	}
	x.attempt = attempt
	return attempt != nil
}

// endAttempt notes the answer to a write of an invocation; what failed may be
// attempted again.
func (x *exchange) endAttempt(status int, body []byte) {
	if x.attempt == nil || x.attemptEnded {
		return
	}
	x.attemptEnded = true
	if status != http.StatusOK {
		x.attempt.End(nil)
		return
	}
	x.attempt.End(append([]byte{}, body...))
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
	return x.h.cfg.Invocations.Invocation(x.signer())
}

// signer returns the access key and the session token that a request gives. Some
// SDKs still sign URLs of objects in the way that came before Signature Version 4.
func (x *exchange) signer() (accessKeyID, sessionToken string) {
	accessKeyID = x.scope.accessKeyID
	if old, ok := strings.CutPrefix(x.r.Header.Get("Authorization"), "AWS "); ok {
		accessKeyID, _, _ = strings.Cut(old, ":")
	}
	return cmp.Or(accessKeyID, x.query.Get("AWSAccessKeyId")),
		cmp.Or(x.r.Header.Get("X-Amz-Security-Token"), x.query.Get("X-Amz-Security-Token"), x.query.Get("x-amz-security-token"))
}

func (inv *Invocation) refusal(o *Operation) *Error {
	switch {
	case inv.Expired:
		return &Error{Code: "ExpiredTokenException", QueryCode: "ExpiredToken", Message: "The security token included in the request is expired"}
	case o.reads() || o.missing:
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
