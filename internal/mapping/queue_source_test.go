package mapping

import (
	"context"
	"errors"
	"time"

	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/store"
)

// realQueue is a queue as package server hands it to mappings.
type realQueue struct {
	*queue.Queue
	arn string
	st  *queueStory
}

func (q realQueue) Poll(ctx context.Context, most int, wait, hide time.Duration, windowed bool) ([]Message, error) {
	got, err := q.Queue.Poll(ctx, most, wait, hide)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, ErrSourceGone
	}
	q.st.mu.Lock()
	q.st.polled += len(got)
	q.st.mu.Unlock()
	messages := make([]Message, len(got))
	for i := range got {
		event, err := got[i].AppendEvent(nil, q.arn, "us-east-1", windowed)
		if err != nil {
			return nil, err
		}
		messages[i] = Message{got[i].MessageID, got[i].Handle, got[i].Body, event}
	}
	return messages, err
}

func (q realQueue) Delete(ctx context.Context, handles []string) error {
	_, err := q.DeleteAll(ctx, handles)
	return err
}

func (q realQueue) DeleteIn(tx *store.Tx, handles []string) error {
	_, err := q.Queue.DeleteIn(tx, handles)
	return err
}

func (q realQueue) VisibilityTimeout() time.Duration {
	return time.Duration(q.Definition().VisibilitySeconds) * time.Second
}
