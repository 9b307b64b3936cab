package function

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

const (
	// maxAsyncEvents and maxAsyncBytes bound the events that wait.
	maxAsyncEvents = 200_000
	maxAsyncBytes  = 4 << 30
	// asyncConcurrency bounds how many events of one function run at a time, so
	// that a backlog leaves room for others.
	asyncConcurrency = 50

	firstRetryAfter = time.Minute
	laterRetryAfter = 2 * time.Minute
	minBackOff      = time.Second
	maxBackOff      = 5 * time.Minute
)

// Destinations sends what there is to report of asynchronous events to queues,
// topics, functions and buckets. attributes are message attributes, key is the
// name of an object. An error that wraps ErrUndeliverable is final.
type Destinations interface {
	Send(ctx context.Context, arn string, body []byte, attributes map[string]string, key string) error
}

// asyncQueue runs the events that nobody waits for, and delivers what is to be
// reported of them. They are in the store until that is done; in memory they are
// only numbers and times. See the layout in asyncstore.go.
type asyncQueue struct {
	f            *Functions
	configs      *catalog.Collection[EventInvokeConfig]
	destinations Destinations

	mu     sync.Mutex
	next   uint64 // number of the next event
	events int
	bytes  int
	lanes  map[string]*asyncLane // by function
	open   bool                  // between Start and Close
	closed bool
	wg     sync.WaitGroup
}

// asyncLane is what waits for one function.
type asyncLane struct {
	function string
	waiting  asyncHeap
	running  int
	timer    *time.Timer // for what is due later; nil before the first
}

// asyncWait is an event that waits.
type asyncWait struct {
	number  uint64
	due     time.Time
	bytes   int
	backOff time.Duration // before the last attempt that was not the function's fault
}

// asyncHeap is a heap of events by the time they are due.
type asyncHeap []asyncWait

func (h asyncHeap) Len() int { return len(h) }
func (h asyncHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].number < h[j].number
	}
	return h[i].due.Before(h[j].due)
}
func (h asyncHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *asyncHeap) Push(x any)   { *h = append(*h, x.(asyncWait)) }
func (h *asyncHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// loadAsyncQueue returns a queue of the events in the store. None runs before
// start.
func loadAsyncQueue(f *Functions) (*asyncQueue, error) {
	q := &asyncQueue{f: f, lanes: map[string]*asyncLane{}, next: 1}
	var err error
	if q.configs, err = catalog.Load[EventInvokeConfig](f.db, "eventinvoke"); err != nil {
		return nil, err
	}
	err = scanEvents(f.db, func(number uint64, ev asyncEvent) {
		q.next = max(q.next, number+1)
		q.put(ev, number)
	})
	return q, err
}

// Start begins to run asynchronous events, those of earlier runs first. Before,
// they are only accepted. It is called once, when functions can reach the server
// and the destinations can deliver; with none, nothing can be reported.
func (f *Functions) Start(d Destinations) {
	q := f.async
	q.mu.Lock()
	defer q.mu.Unlock()
	q.destinations = d
	q.open = !q.closed
	for _, l := range q.lanes {
		q.dispatch(l)
	}
}

// InvokeAsync accepts an event for a function: it returns when the event is on
// disk, and the function runs afterwards. A function that fails is tried again
// after one and after two more minutes; an invocation that is throttled, until
// the event is too old. PutEventInvokeConfig changes these limits.
//
// The events that wait are bounded; when there are too many the error is of kind
// ErrThrottled.
func (f *Functions) InvokeAsync(ctx context.Context, in Invocation) error {
	if err := checkSize(in.Payload, MaxAsyncPayloadBytes, "Event"); err != nil {
		return err
	}
	if err := f.DryRun(in.Function); err != nil {
		return err
	}
	name, qualifier, err := f.locate(in.Function)
	if err != nil {
		return err
	}
	if in.RequestID == "" {
		in.RequestID = uuid.NewString()
	}
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	ev := asyncEvent{
		Function: name, Qualifier: qualifier, RequestID: in.RequestID, ClientContext: in.ClientContext,
		Received: time.Now(), Bytes: len(in.Payload),
	}
	if err := f.async.accept(ev, in.Payload); err != nil {
		return err
	}
	f.async.measure(name, "AsyncEventsReceived", "Count", 1)
	return ctx.Err()
}

// accept stores a new event and has it run.
func (q *asyncQueue) accept(ev asyncEvent, payload []byte) error {
	q.mu.Lock()
	closed, full := q.closed, q.events >= maxAsyncEvents || q.bytes+ev.Bytes > maxAsyncBytes
	q.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case full:
		return errorf(ErrThrottled, "Rate Exceeded.")
	}
	tx := q.f.db.Begin()
	defer tx.Discard()
	err := q.addIn(tx, ev, payload)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("queue event for %s: %w", ev.Function, err)
	}
	return nil
}

// addIn writes an event, or a document to deliver, as part of tx and has it run
// when it is on disk.
func (q *asyncQueue) addIn(tx *store.Tx, ev asyncEvent, payload []byte) error {
	q.mu.Lock()
	number := q.next
	q.next++
	q.mu.Unlock()
	if err := putEventIn(tx, number, ev); err != nil {
		return err
	}
	tx.Set(asyncKey(asyncPayload, number), payload)
	tx.OnDurable(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.dispatch(q.put(ev, number))
	})
	return nil
}

// put lets an event in the store wait, and returns its lane; q.mu is held, or
// nobody else has q.
func (q *asyncQueue) put(ev asyncEvent, number uint64) *asyncLane {
	l := q.lanes[ev.Function]
	if l == nil {
		l = &asyncLane{function: ev.Function}
		q.lanes[ev.Function] = l
	}
	q.events++
	q.bytes += ev.Bytes
	l.push(asyncWait{number: number, due: ev.Due, bytes: ev.Bytes})
	return l
}

func (l *asyncLane) push(w asyncWait) { heap.Push(&l.waiting, w) }

// dispatch starts what is due and sees to it that what is due later is; q.mu is
// held.
func (q *asyncQueue) dispatch(l *asyncLane) {
	if !q.open {
		return
	}
	now := time.Now()
	for l.running < asyncConcurrency && len(l.waiting) > 0 && !l.waiting[0].due.After(now) {
		w := heap.Pop(&l.waiting).(asyncWait)
		l.running++
		q.wg.Go(func() { q.handle(l, w) })
	}
	switch {
	case l.running == asyncConcurrency: // whichever ends comes back here
	case len(l.waiting) > 0:
		l.wakeAt(l.waiting[0].due, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.dispatch(l)
		})
	case l.running == 0:
		l.sleep()
		delete(q.lanes, l.function)
	}
}

func (l *asyncLane) wakeAt(due time.Time, wake func()) {
	if l.timer == nil {
		l.timer = time.AfterFunc(time.Until(due), wake)
		return
	}
	l.timer.Reset(time.Until(due))
}

func (l *asyncLane) sleep() {
	if l.timer != nil {
		l.timer.Stop()
	}
}

// handle makes an attempt at an event.
func (q *asyncQueue) handle(l *asyncLane, w asyncWait) {
	again, ok := q.process(q.f.lifetime, w)
	q.mu.Lock()
	defer q.mu.Unlock()
	l.running--
	if ok {
		l.push(again)
	} else {
		q.events--
		q.bytes -= w.bytes
	}
	q.dispatch(l)
}

// close refuses further events and returns when none is being processed; the
// lifetime of the functions must have ended. What is not done is in the store.
func (q *asyncQueue) close() {
	q.mu.Lock()
	q.closed, q.open = true, false
	for _, l := range q.lanes {
		l.sleep()
	}
	q.mu.Unlock()
	q.wg.Wait()
}

// measure adds to a metric of the events of all functions, and of one unless it
// is gone.
func (q *asyncQueue) measure(function, name, unit string, value float64) {
	q.f.meter.Series(metricNamespace, name, unit).Observe(value)
	if _, ok := q.f.defs.Get(function); !ok {
		return
	}
	q.f.meter.Series(metricNamespace, name, unit, meter.Dimension{Name: "FunctionName", Value: function}).Observe(value)
}

// sleep returns after d, or false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
