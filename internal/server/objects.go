package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/queue"
)

// openObjects opens the buckets, and connects them to those that they tell of their
// objects.
func (s *Server) openObjects(p *parts) error {
	buckets, err := object.Open(object.Config{
		DB: p.db, Identity: s.cfg.Identity, Log: s.cfg.Log, Dir: filepath.Join(s.cfg.DataDir, objectsFolder),
		Functions: functionTarget{p.functions}, Topics: topicTarget{p.topics}, Queues: queueTarget{p.queues},
	})
	p.buckets, err = keep(p, buckets, err)
	return err
}

// untold marks an event that a destination will never take.
func untold(err error) error { return fmt.Errorf("%w: %w", object.ErrUndeliverable, err) }

// functionTarget lets buckets start functions.
type functionTarget struct{ functions *function.Functions }

// Find implements object.Target.
func (t functionTarget) Find(_ context.Context, arn string) error {
	if _, err := t.functions.Get(arn); err != nil {
		return untold(err)
	}
	return nil
}

// Deliver implements object.Target.
func (t functionTarget) Deliver(ctx context.Context, arn string, event []byte) error {
	err := t.functions.InvokeAsync(ctx, function.Invocation{Function: arn, Payload: event})
	if errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrTooLarge) || errors.Is(err, function.ErrInvalid) {
		return untold(err)
	}
	return err
}

// topicTarget lets buckets publish to topics.
type topicTarget struct{ topics *notify.Topics }

// Find implements object.Target.
func (t topicTarget) Find(ctx context.Context, arn string) error {
	if _, err := t.topics.Topic(ctx, arn); err != nil {
		return untold(err)
	}
	return nil
}

// Deliver implements object.Target.
func (t topicTarget) Deliver(ctx context.Context, arn string, event []byte) error {
	_, err := t.topics.Publish(ctx, arn, notify.Message{Subject: "Amazon S3 Notification", Body: string(event)})
	if refused := (*notify.Error)(nil); errors.As(err, &refused) {
		return untold(err)
	}
	return err
}

// queueTarget lets buckets send to queues.
type queueTarget struct{ queues *queue.Queues }

// Find implements object.Target.
func (t queueTarget) Find(_ context.Context, arn string) error {
	if _, err := t.queues.ByARN(arn); err != nil {
		return untold(err)
	}
	return nil
}

// Deliver implements object.Target.
func (t queueTarget) Deliver(ctx context.Context, arn string, event []byte) error {
	_, err := t.queues.Send(ctx, arn, queue.Message{Body: string(event)})
	if refused := (*queue.Error)(nil); errors.As(err, &refused) {
		return untold(err)
	}
	return err
}
