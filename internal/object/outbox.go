package object

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	// maxEventAge is how long an event is tried.
	maxEventAge    = 24 * time.Hour
	minRetryDelay  = time.Second
	maxRetryDelay  = 5 * time.Minute
	attemptTimeout = time.Minute
	// maxConcurrent bounds the deliveries under way.
	maxConcurrent = 32
)

// entry is an event for a destination, as it is stored.
type entry struct {
	Target string
	Event  json.RawMessage
	Since  time.Time
}

// outbox delivers events. Each destination with something to deliver has a lane, a
// goroutine that delivers in order and ends when there is nothing left.
type outbox struct {
	b     *Buckets
	done  sync.WaitGroup
	slots chan struct{}
	next  uint64 // number of the next event; changed under Buckets.changing

	mu     sync.Mutex
	closed bool
	lanes  map[string]*lane // by destination
}

// lane is what is to be delivered to a destination, in memory by number only.
type lane struct {
	target string
	ready  []uint64
	stop   context.CancelFunc
}

func eventNumberKey(n uint64) []byte {
	return store.AppendUint64(append(store.Key(store.DomainObject, 9), whatEvent), n)
}

// openOutbox goes on with what is to be delivered.
func openOutbox(b *Buckets) (*outbox, error) {
	x := &outbox{b: b, slots: make(chan struct{}, maxConcurrent), next: 1, lanes: map[string]*lane{}}
	prefix := append(store.Key(store.DomainObject, 1), whatEvent)
	it, err := b.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	type found struct {
		target string
		n      uint64
	}
	var all []found
	for ok := it.First(); ok; ok = it.Next() {
		var e entry
		rest := it.Key()[len(prefix):]
		if err := json.Unmarshal(it.Value(), &e); err != nil || len(rest) != 8 {
			return nil, fmt.Errorf("event %x: malformed: %w", it.Key(), err)
		}
		n := binary.BigEndian.Uint64(rest)
		x.next = n + 1
		all = append(all, found{e.Target, n})
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	for _, f := range all {
		x.put(f.target, f.n)
	}
	return x, nil
}

func (x *outbox) close() {
	x.mu.Lock()
	x.closed = true
	for _, l := range x.lanes {
		l.stop()
	}
	x.mu.Unlock()
	x.done.Wait()
}

// addIn writes an event as part of tx and delivers it once tx is on disk. The
// caller holds Buckets.changing.
func (x *outbox) addIn(tx *store.Tx, target string, event []byte) error {
	doc, err := json.Marshal(entry{Target: target, Event: event, Since: time.Now()})
	if err != nil {
		return fmt.Errorf("event for %s: %w", target, err)
	}
	n := x.next
	x.next++
	tx.Set(eventNumberKey(n), doc)
	tx.OnDurable(func() { x.put(target, n) })
	return nil
}

func (x *outbox) put(target string, n uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	if l := x.lanes[target]; l != nil {
		l.ready = append(l.ready, n)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &lane{target: target, ready: []uint64{n}, stop: stop}
	x.lanes[target] = l
	x.done.Go(func() {
		defer stop()
		x.run(ctx, l)
	})
}

// take returns the next event of a lane; ok is false when there is none, and then
// the lane has ended.
func (x *outbox) take(l *lane) (n uint64, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(l.ready) == 0 {
		delete(x.lanes, l.target)
		return 0, false
	}
	n = l.ready[0]
	l.ready = l.ready[1:]
	return n, true
}

// run delivers to a destination until there is nothing left.
func (x *outbox) run(ctx context.Context, l *lane) {
	for n, ok := x.take(l); ok; n, ok = x.take(l) {
		err := x.deliver(ctx, n)
		if ctx.Err() != nil {
			return // closing; what is left is delivered when the store is opened again
		}
		if err != nil {
			x.b.log.Error("event of a bucket", "destination", l.target, "error", err)
		}
	}
}

// deliver tries an event until it is accepted or given up.
func (x *outbox) deliver(ctx context.Context, n uint64) error {
	key := eventNumberKey(n)
	doc, ok, err := x.b.db.Get(key)
	if err != nil || !ok {
		return err
	}
	var e entry
	if err := json.Unmarshal(doc, &e); err != nil {
		return fmt.Errorf("event %d: %w", n, err)
	}
	for delay := minRetryDelay; ; delay = min(2*delay, maxRetryDelay) {
		failure := x.attempt(ctx, e)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case failure == nil:
		case errors.Is(failure, ErrUndeliverable) || time.Since(e.Since)+delay > maxEventAge:
			x.b.log.Warn("event of a bucket given up", "destination", e.Target, "error", failure)
		default:
			select {
			case <-time.After(delay):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		tx := x.b.db.Begin()
		tx.Delete(key)
		// Losing this in a crash delivers the event once more, as may happen anyway.
		return tx.CommitLazily()
	}
}

func (x *outbox) attempt(ctx context.Context, e entry) error {
	target, _ := x.b.target(e.Target)
	if target == nil {
		return fmt.Errorf("%w: this server has no such destinations", ErrUndeliverable)
	}
	select {
	case x.slots <- struct{}{}:
		defer func() { <-x.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	bounded, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return target.Deliver(bounded, e.Target, e.Event)
}
