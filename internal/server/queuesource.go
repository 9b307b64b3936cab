package server

import (
	"context"
	"errors"
	"time"

	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/store"
)

// queueSources finds the queues that event source mappings read.
type queueSources struct {
	queues *queue.Queues
	region string
}

// Queue implements mapping.Queues.
func (s queueSources) Queue(arn string) (mapping.Queue, error) {
	q, err := s.queues.ByARN(arn)
	if err != nil {
		return nil, queueGone(err)
	}
	return queueSource{q, s.region}, nil
}

func queueGone(err error) error {
	if errors.Is(err, queue.ErrNotFound) {
		return mapping.ErrSourceGone
	}
	return err
}

// queueSource lets mappings read a queue.
type queueSource struct {
	*queue.Queue
	region string
}

// busyPause is how long a queue with too many messages in flight is left alone.
const busyPause = time.Second

// Poll implements mapping.Queue.
func (s queueSource) Poll(ctx context.Context, most int, wait, hide time.Duration, windowed bool) ([]mapping.Message, error) {
	got, err := s.Queue.Poll(ctx, most, wait, hide)
	var e *queue.Error
	if errors.As(err, &e) && e.Code == queue.OverLimit {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(wait, busyPause)):
			return nil, nil
		}
	}
	if err != nil {
		return nil, queueGone(err)
	}
	arn := s.Definition().ARN
	messages := make([]mapping.Message, len(got))
	for i := range got {
		r := &got[i]
		event, err := r.AppendEvent(nil, arn, s.region, windowed)
		if err != nil {
			return nil, err
		}
		messages[i] = mapping.Message{ID: r.MessageID, Handle: r.Handle, Body: r.Body, Event: event}
	}
	return messages, nil
}

// Delete implements mapping.Queue. What is wrong with single handles does not
// matter: those messages come again.
func (s queueSource) Delete(ctx context.Context, handles []string) error {
	_, err := s.DeleteAll(ctx, handles)
	return deleted(err)
}

// DeleteIn implements mapping.Queue.
func (s queueSource) DeleteIn(tx *store.Tx, handles []string) error {
	_, err := s.Queue.DeleteIn(tx, handles)
	return deleted(err)
}

// deleted takes a queue that is gone for one whose messages are deleted.
func deleted(err error) error {
	if errors.Is(err, queue.ErrNotFound) {
		return nil
	}
	return err
}

// VisibilityTimeout implements mapping.Queue.
func (s queueSource) VisibilityTimeout() time.Duration {
	return time.Duration(s.Definition().VisibilitySeconds) * time.Second
}
