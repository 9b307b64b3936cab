package stack

import (
	"context"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// Event is a step of an operation on a stack.
type Event struct {
	// Number counts the events of a stack from 0.
	Number    uint64
	ID        string
	Time      time.Time
	StackID   string
	StackName string
	// LogicalID, PhysicalID and ResourceType are those of the stack itself for what
	// concerns all of it.
	LogicalID    string
	PhysicalID   string `json:",omitempty"`
	ResourceType string
	Status       Status
	Reason       string `json:",omitempty"`
}

// stackType is the resource type in events of a stack itself.
const stackType = "AWS::CloudFormation::Stack"

// keepEvents is how many events a stack keeps at least; older ones are dropped.
const keepEvents = 5000

// Events returns the events of a stack, by name or ARN, newest first.
func (s *Stacks) Events(stack string) ([]Event, error) {
	rec, err := s.lookup(stack)
	if err != nil {
		return nil, err
	}
	prefix := key("event", rec.ID)
	events, err := scanJSON[Event](s.cfg.DB, prefix)
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events, err
}

// trimEvents drops old events of a stack now and then.
func trimEvents(tx *store.Tx, stackID string, next uint64) {
	if next > keepEvents && next%1000 == 0 {
		tx.DeleteRange(eventKey(stackID, 0), eventKey(stackID, next-keepEvents))
	}
}

// operation is what can be seen of an operation under way from outside.
type operation struct {
	cancel context.CancelFunc

	mu     sync.Mutex
	events []Event
	ended  bool
	err    error
	more   chan struct{} // closed and replaced when something changes
}

func newOperation(cancel context.CancelFunc) *operation {
	return &operation{cancel: cancel, more: make(chan struct{})}
}

func (o *operation) publish(e Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
	close(o.more)
	o.more = make(chan struct{})
}

// end says that no event follows. err is set when the operation did not reach a
// final status.
func (o *operation) end(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended, o.err = true, err
	close(o.more)
	o.more = make(chan struct{})
}

func (o *operation) from(n int) (events []Event, ended bool, more <-chan struct{}, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.events[n:], o.ended, o.more, o.err
}

// wait hands the events to progress, which may be nil, until the operation ends.
func (o *operation) wait(ctx context.Context, progress func(Event)) error {
	for n := 0; ; {
		events, ended, more, err := o.from(n)
		for _, e := range events {
			if progress != nil {
				progress(e)
			}
		}
		n += len(events)
		if ended {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-more:
		}
	}
}
