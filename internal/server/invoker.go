package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// invoker lets mappings call functions.
type invoker struct {
	functions *function.Functions
	identity  catalog.Identity
}

// Lookup implements mapping.Invoker.
func (i invoker) Lookup(ref string) (mapping.Function, error) {
	def, err := i.functions.Get(ref)
	if errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrInvalid) {
		return mapping.Function{}, fmt.Errorf("%w: %w", mapping.ErrFunctionNotFound, err)
	}
	if err != nil {
		return mapping.Function{}, err
	}
	_, qualifier, err := function.NameOf(ref)
	if err != nil {
		return mapping.Function{}, err
	}
	return mapping.Function{Name: def.Name, ARN: function.ARN(i.identity, def.Name, qualifier), Role: def.Role,
		Timeout: time.Duration(def.TimeoutSeconds) * time.Second}, nil
}

// Invoke implements mapping.Invoker.
func (i invoker) Invoke(ctx context.Context, arn string, payload []byte, begins func()) (mapping.Outcome, error) {
	res, err := i.functions.InvokeHeld(ctx, function.Invocation{Function: arn, Payload: payload, Begins: begins})
	if errors.Is(err, function.ErrThrottled) {
		err = fmt.Errorf("%w: %w", mapping.ErrThrottled, err)
	}
	out := mapping.Outcome{RequestID: res.RequestID, FunctionError: res.FunctionError, ExecutedVersion: res.ExecutedVersion, Payload: res.Payload}
	if res.Effects != nil {
		out.Effects = effects{res.Effects}
	}
	return out, err
}

// effects lets mappings commit what an exactly-once invocation did.
type effects struct{ *transaction.Tx }

// Commit implements mapping.Effects.
func (e effects) Commit(add func(*store.Tx)) error {
	err := e.Tx.Commit(add)
	if errors.Is(err, transaction.ErrConflict) {
		return fmt.Errorf("%w: %w", mapping.ErrConflict, err)
	}
	return err
}

// Prepare implements mapping.Preparer.
func (i invoker) Prepare(arn string, n int) { i.functions.Prepare(arn, n) }

// asyncInvoker lets topics and alarms start functions.
type asyncInvoker struct{ functions *function.Functions }

// InvokeAsync implements notify.Invoker and metric.Invoker.
func (i asyncInvoker) InvokeAsync(ctx context.Context, functionARN string, event []byte) error {
	err := i.functions.InvokeAsync(ctx, function.Invocation{Function: functionARN, Payload: event})
	if errors.Is(err, function.ErrNotFound) {
		return fmt.Errorf("%w: %w", notify.ErrUndeliverable, err)
	}
	return err
}
