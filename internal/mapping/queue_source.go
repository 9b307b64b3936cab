package mapping

import (
	"context"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// Message is a message of a queue that was handed out.
type Message struct {
	ID     string
	Handle string
	Body   string
	// Event is the JSON object that the function gets for the message.
	Event []byte
}

// Queue is a queue as an event source. A message that is neither deleted nor given
// back is handed out again when its visibility timeout has passed.
type Queue interface {
	// Poll hands out up to most messages and keeps them from others for the time hide.
	// Without any it waits for the first one; nothing and no error when none came in
	// time. windowed says that batches wait for more messages, which events show.
	Poll(ctx context.Context, most int, wait, hide time.Duration, windowed bool) ([]Message, error)
	// Begin begins the visibility timeout of messages: the function gets them now. Only
	// then it is written down that they were handed out.
	Begin(handles []string) error
	// Delete deletes messages; handles that have expired are passed over.
	Delete(ctx context.Context, handles []string) error
	// DeleteIn is Delete as part of tx.
	DeleteIn(tx *store.Tx, handles []string) error
	// GiveBack lets messages be handed out again after a delay, as if they had not
	// been handed out this time.
	GiveBack(handles []string, delay time.Duration) error
	// Hold keeps messages from others for at least d more; false when one of them is
	// not there any more or has been handed out again.
	Hold(handles []string, d time.Duration) bool
	// VisibilityTimeout is how long messages are kept from others that somebody works
	// on.
	VisibilityTimeout() time.Duration
}

// Queues finds queues by ARN. It returns ErrSourceGone when there is none.
type Queues interface {
	Queue(arn string) (Queue, error)
}
