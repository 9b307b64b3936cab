package notify

import (
	"container/heap"
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
	whatDelivery = 'd'
	whatIdentity = 'k'
	whatMail     = 'o'

	// maxConcurrent bounds the deliveries under way.
	maxConcurrent = 32
	// attemptTimeout bounds one try.
	attemptTimeout = 15 * time.Second
)

// delivery is one message for one subscriber, as it is stored.
type delivery struct {
	Notice notice
	Tries  int       `json:",omitempty"` // failed ones
	Due    time.Time `json:",omitzero"`  // not before
	Mail   *Mail     `json:",omitempty"` // for mail; the outbox may drop its copy earlier
}

func deliveryPrefix(subscriptionARN string) []byte {
	k := append(store.Key(store.DomainNotify, len(subscriptionARN)+16), whatDelivery)
	return store.AppendString(k, subscriptionARN)
}

func deliveryKey(subscriptionARN string, n uint64) []byte {
	return store.AppendUint64(deliveryPrefix(subscriptionARN), n)
}

// queue makes deliveries. Each subscription with something to deliver has a lane,
// a goroutine that ends when there is nothing left.
type queue struct {
	topics *Topics
	done   sync.WaitGroup
	slots  chan struct{}

	next uint64 // number of the next delivery; changed under Topics.changing

	mu     sync.Mutex
	closed bool
	lanes  map[string]*lane
}

// lane is what is to be delivered to one subscription, in memory by number only.
type lane struct {
	subscription string
	ready        []uint64
	waiting      waitHeap
	wake         chan struct{} // holds one token: something was added
	stop         context.CancelFunc
}

type wait struct {
	n   uint64
	due time.Time
}

// waitHeap is a heap of deliveries by the time they are due.
type waitHeap []wait

func (h waitHeap) Len() int           { return len(h) }
func (h waitHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h waitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *waitHeap) Push(x any)        { *h = append(*h, x.(wait)) }
func (h *waitHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// loadQueue continues with the deliveries in the store.
func loadQueue(t *Topics) (*queue, error) {
	q := &queue{topics: t, slots: make(chan struct{}, maxConcurrent), lanes: map[string]*lane{}, next: 1}
	prefix := append(store.Key(store.DomainNotify, 1), whatDelivery)
	it, err := t.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	type found struct {
		subscription string
		wait
	}
	var all []found
	for ok := it.First(); ok; ok = it.Next() {
		name, rest, err := store.CutString(it.Key()[len(prefix):])
		var d delivery
		if err := errors.Join(err, json.Unmarshal(it.Value(), &d)); err != nil || len(rest) != 8 {
			return nil, fmt.Errorf("delivery %x: malformed: %w", it.Key(), err)
		}
		n := binary.BigEndian.Uint64(rest)
		q.next = max(q.next, n+1)
		all = append(all, found{string(name), wait{n, d.Due}})
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	for _, f := range all {
		q.put(f.subscription, f.wait)
	}
	return q, nil
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for _, l := range q.lanes {
		l.stop()
	}
	q.mu.Unlock()
	q.done.Wait()
}

// addIn writes a delivery as part of tx and makes it once tx is on disk. The
// caller holds Topics.changing until tx was applied.
func (q *queue) addIn(tx *store.Tx, subscription string, d delivery) error {
	doc, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("delivery to %s: %w", subscription, err)
	}
	n := q.next
	q.next++
	tx.Set(deliveryKey(subscription, n), doc)
	tx.OnDurable(func() { q.put(subscription, wait{n: n, due: d.Due}) })
	return nil
}

// put has a delivery made when it is due.
func (q *queue) put(subscription string, w wait) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	l := q.lanes[subscription]
	if l == nil {
		ctx, stop := context.WithCancel(context.Background())
		l = &lane{subscription: subscription, wake: make(chan struct{}, 1), stop: stop}
		q.lanes[subscription] = l
		q.done.Go(func() {
			defer stop()
			q.run(ctx, l)
		})
	}
	if w.due.IsZero() {
		l.ready = append(l.ready, w.n)
	} else {
		heap.Push(&l.waiting, w)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run makes the deliveries of a lane until there are none left.
func (q *queue) run(ctx context.Context, l *lane) {
	timer := time.NewTimer(time.Hour) // set before each use
	defer timer.Stop()
	for {
		n, due, ok := q.take(l)
		if !ok {
			return
		}
		if n == 0 {
			timer.Reset(time.Until(due))
			select {
			case <-timer.C:
			case <-l.wake:
			case <-ctx.Done():
				return
			}
			continue
		}
		select {
		case q.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		next := time.Now().Add(q.topics.pauseOf(l.subscription))
		err := q.topics.attempt(ctx, l.subscription, n)
		<-q.slots
		if err != nil && ctx.Err() == nil {
			q.topics.log.Error("delivery", "subscription", l.subscription, "error", err)
		}
		if rest := time.Until(next); rest > 0 {
			timer.Reset(rest)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// take returns the next delivery that is ready, or number 0 and when the next is
// due; ok is false when there is none, and then the lane has ended.
func (q *queue) take(l *lane) (n uint64, due time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for len(l.waiting) > 0 && !l.waiting[0].due.After(now) {
		l.ready = append(l.ready, heap.Pop(&l.waiting).(wait).n)
	}
	switch {
	case len(l.ready) > 0:
		n = l.ready[0]
		l.ready = l.ready[1:]
		return n, time.Time{}, true
	case len(l.waiting) > 0:
		return 0, l.waiting[0].due, true
	}
	delete(q.lanes, l.subscription)
	return 0, time.Time{}, false
}
