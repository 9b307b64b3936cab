package function

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/weirstream/weir/internal/transaction"
)

// Tags of a function by which it asks for effects that count once.
const (
	// DeliveryTag is how often the effects of an invocation count: AtLeastOnce,
	// the default, or ExactlyOnce.
	DeliveryTag = "weir:delivery"
	AtLeastOnce = "at-least-once"
	ExactlyOnce = "exactly-once"
	// OutsideTag is what happens to calls of an exactly-once function that cannot
	// be held back: RefuseOutside, the default, or PassOutside.
	OutsideTag    = "weir:outside"
	RefuseOutside = "refuse"
	PassOutside   = "pass"
)

// ExactlyOnce reports whether the effects of the function's invocations are held
// back until they count.
func (d Definition) ExactlyOnce() bool { return d.Tags[DeliveryTag] == ExactlyOnce }

// validateTags refuses values that an exactly-once function could be meant by.
func validateTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalidf("Number of tags exceeds resource tag limit.")
	}
	for _, t := range []struct{ tag, standard, other string }{
		{DeliveryTag, AtLeastOnce, ExactlyOnce}, {OutsideTag, RefuseOutside, PassOutside},
	} {
		if v, ok := tags[t.tag]; ok && v != t.standard && v != t.other {
			return invalidf("Value '%s' of the tag %s is not valid: it is %s or %s", v, t.tag, t.standard, t.other)
		}
	}
	return nil
}

// sameDelivery reports whether two sets of tags ask for the same environments.
func sameDelivery(a, b map[string]string) bool {
	return a[DeliveryTag] == b[DeliveryTag] && a[OutsideTag] == b[OutsideTag]
}

// onceKeyPrefix begins the access keys of environments of exactly-once functions,
// and no others. So a request of such an environment is told from any other also
// when the environment, or the server that started it, is gone.
const onceKeyPrefix = "ASIAONCE"

// IsOnceKey reports whether an access key was made for an environment of an
// exactly-once function, be it alive or not.
func IsOnceKey(accessKeyID string) bool { return strings.HasPrefix(accessKeyID, onceKeyPrefix) }

// maxRepeats is how often an exactly-once invocation is repeated when what it read
// has changed before it could commit.
const maxRepeats = 20

// InvokeHeld is Invoke for a caller that has more to write with the effects of an
// exactly-once function: the result has a transaction then, to be committed or
// discarded.
func (f *Functions) InvokeHeld(ctx context.Context, in Invocation) (Result, error) {
	if err := checkSize(in.Payload, MaxPayloadBytes, "RequestResponse"); err != nil {
		return Result{}, err
	}
	t, err := f.target(in.Function)
	if err != nil {
		return Result{}, err
	}
	return f.runConsistently(ctx, t, in)
}

// maxContradicted is how often an invocation that fails is repeated when what it read
// has changed before it failed.
const maxContradicted = 3

// runConsistently runs a function. One that failed though it may only have read what
// contradicts itself is repeated: that is nobody's failure. The effects of one that
// has failed are discarded.
func (f *Functions) runConsistently(ctx context.Context, t target, in Invocation) (Result, error) {
	for repeated := 0; ; repeated++ {
		res, err := f.run(ctx, t, in)
		if err != nil || res.Effects == nil || res.FunctionError == "" {
			return res, err
		}
		if !res.Effects.Contradicted() || repeated == maxContradicted {
			return res, nil
		}
	}
}

// runCommitted runs a function and commits its effects, if they are held back, when
// it has succeeded; they are on disk then. An invocation that was told what has
// changed meanwhile is repeated, some times; then the error is of kind ErrConflict.
func (f *Functions) runCommitted(ctx context.Context, t target, in Invocation) (Result, error) {
	for range maxRepeats {
		res, err := f.runConsistently(ctx, t, in)
		if err != nil || res.Effects == nil || res.FunctionError != "" {
			return res, err
		}
		err = res.Effects.Commit(nil)
		if err == nil {
			err = res.Effects.Wait()
		}
		if err == nil {
			return res, nil
		}
		if !errors.Is(err, transaction.ErrConflict) {
			return Result{}, fmt.Errorf("invoke %s: %w", in.Function, err)
		}
	}
	return Result{}, errorf(ErrConflict, "The invocation was rolled back %d times: each time, what it read had changed before it ended.", maxRepeats)
}

// begin gives an invocation the transaction that its environment's operations are
// part of. e.mu is held.
func (e *environment) begin(inv *invocation) {
	if e.transactions != nil && e.def.ExactlyOnce() {
		inv.effects = e.transactions.Begin(e.def.Name, inv.turn)
	}
}

// enter waits for the turn of an invocation of an exactly-once function; it is nil
// for any other function.
func (f *Functions) enter(ctx context.Context, t target, in Invocation) (*transaction.Turn, error) {
	t.pool.mu.Lock()
	def := t.pool.def
	t.pool.mu.Unlock()
	if f.transactions == nil || !def.ExactlyOnce() {
		return nil, nil
	}
	if f.withinTurn(in.CallerKey) {
		return f.transactions.Join(def.Name, in.Payload), nil
	}
	return f.transactions.Enter(ctx, def.Name, in.Payload)
}

// withinTurn reports whether an access key is of an environment whose invocation has a
// turn, or was itself invoked by one that has, and so on.
func (f *Functions) withinTurn(accessKeyID string) bool {
	v, ok := f.callers.Load(accessKeyID)
	if !ok {
		return false
	}
	e := v.(*environment)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current != nil && (e.current.turn != nil || e.current.withinTurn)
}
