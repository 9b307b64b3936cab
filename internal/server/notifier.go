package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/notify"
)

// alarmNotifier lets alarms publish to topics.
type alarmNotifier struct{ topics *notify.Topics }

// Publish implements metric.Notifier: bodies are the texts by protocol, the
// one for all others under "default".
func (n alarmNotifier) Publish(ctx context.Context, topicARN, subject string, bodies map[string]string) error {
	_, err := n.topics.Publish(ctx, topicARN, notify.Message{Subject: subject, Body: bodies["default"], Bodies: bodies})
	return err
}

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
