package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/queue"
)

// destinations delivers what functions and mappings have to report to the queue,
// topic, function or bucket that an ARN names. Its parts are set while the server
// opens, before anything is sent.
type destinations struct {
	topics    *notify.Topics
	functions *function.Functions
	queues    *queue.Queues
	buckets   *object.Buckets
}

// undeliverable is a delivery that trying again will not cure: there is no such
// target, or it refuses what it is given.
type undeliverable struct{ error }

func (e undeliverable) Unwrap() error { return e.error }

// Is makes it the error by which each domain knows such a failure.
func (e undeliverable) Is(target error) bool {
	return target == notify.ErrUndeliverable || target == function.ErrUndeliverable || target == mapping.ErrUndeliverable
}

// Send delivers a document and returns when the target has it on disk. The
// attributes become message attributes of queues and topics, strings all but
// ErrorCode; key is the object that a bucket stores. An error that is
// undeliverable stays; others may pass.
func (d *destinations) Send(ctx context.Context, arn string, body []byte, attributes map[string]string, key string) error {
	target, err := catalog.ParseARN(arn)
	if err != nil {
		return undeliverable{err}
	}
	switch target.Service {
	case "sns":
		err = d.publish(ctx, arn, body, attributes)
	case "lambda":
		err = d.invoke(ctx, arn, body)
	case "sqs":
		err = d.enqueue(ctx, arn, body, attributes)
	case "s3":
		err = d.store(ctx, target.Resource, key, body)
	default:
		err = undeliverable{fmt.Errorf("weir does not deliver to %s yet", target.Service)}
	}
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", arn, err)
	}
	return nil
}

// attributeType tells the type of a message attribute: what failed invocations
// are reported with has one number.
func attributeType(name string) string {
	if name == "ErrorCode" {
		return "Number"
	}
	return "String"
}

func (d *destinations) publish(ctx context.Context, arn string, body []byte, attributes map[string]string) error {
	m := notify.Message{Body: string(body), Attributes: map[string]notify.Attribute{}}
	for name, value := range attributes {
		m.Attributes[name] = notify.Attribute{Type: attributeType(name), String: value}
	}
	_, err := d.topics.Publish(ctx, arn, m)
	if refused := (*notify.Error)(nil); errors.As(err, &refused) {
		return undeliverable{err}
	}
	return err
}

func (d *destinations) invoke(ctx context.Context, arn string, event []byte) error {
	err := d.functions.InvokeAsync(ctx, function.Invocation{Function: arn, Payload: event})
	if errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrTooLarge) || errors.Is(err, function.ErrInvalid) {
		return undeliverable{err}
	}
	return err
}

func (d *destinations) enqueue(ctx context.Context, arn string, body []byte, attributes map[string]string) error {
	m := queue.Message{Body: string(body), Attributes: map[string]queue.Attribute{}}
	for name, value := range attributes {
		m.Attributes[name] = queue.Attribute{Type: attributeType(name), String: value}
	}
	return sendTo(ctx, d.queues, arn, m)
}

// sendTo sends a message to a queue. What the queue refuses is undeliverable.
func sendTo(ctx context.Context, queues *queue.Queues, arn string, m queue.Message) error {
	_, err := queues.Send(ctx, arn, m)
	if refused := (*queue.Error)(nil); errors.As(err, &refused) {
		return undeliverable{err}
	}
	return err
}

// subscribedQueues lets topics send to queues.
type subscribedQueues struct{ queues *queue.Queues }

// SendToQueue implements notify.Queues.
func (s subscribedQueues) SendToQueue(ctx context.Context, arn string, published notify.Message) error {
	m := queue.Message{Body: published.Body, Attributes: map[string]queue.Attribute{}, TraceHeader: published.Trace}
	if published.Group != "" {
		m.Group = &published.Group
	}
	for name, a := range published.Attributes {
		m.Attributes[name] = queue.Attribute{Type: a.Type, String: a.String, Binary: a.Binary}
	}
	return sendTo(ctx, s.queues, arn, m)
}

func (d *destinations) store(ctx context.Context, bucket, key string, body []byte) error {
	err := d.buckets.Put(ctx, bucket, key, bytes.NewReader(body), object.Meta{ContentType: "application/octet-stream"})
	if refused := (*object.Error)(nil); errors.As(err, &refused) {
		return undeliverable{err}
	}
	return err
}
