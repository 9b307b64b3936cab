package function

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// maxAsyncEvents and maxAsyncBytes bound the events that wait.
	maxAsyncEvents = 10_000
	maxAsyncBytes  = 256 << 20
	// asyncConcurrency bounds how many events of one function run at a time, so
	// that a backlog leaves room for others.
	asyncConcurrency = 50

	maxAsyncAge     = 6 * time.Hour
	firstRetryAfter = time.Minute
	laterRetryAfter = 2 * time.Minute
	asyncAttempts   = 3
	minBackOff      = time.Second
	maxBackOff      = 5 * time.Minute
)

// asyncQueue runs events that nobody waits for. It is in memory: events that
// have not run when the server ends are lost.
type asyncQueue struct {
	f *Functions

	mu     sync.Mutex
	events int
	bytes  int
	slots  map[string]chan struct{} // by function, asyncConcurrency each
	closed bool
	wg     sync.WaitGroup
}

func newAsyncQueue(f *Functions) *asyncQueue {
	return &asyncQueue{f: f, slots: map[string]chan struct{}{}}
}

// InvokeAsync queues an event for a function and returns. A function that fails
// is tried again after one and after two more minutes; an invocation that is
// throttled, until the event is six hours old.
//
// The queue is in memory and bounded: when it is full the error is of kind
// ErrThrottled.
func (f *Functions) InvokeAsync(_ context.Context, in Invocation) error {
	if err := checkSize(in.Payload, MaxAsyncPayloadBytes, "Event"); err != nil {
		return err
	}
	if err := f.DryRun(in.Function); err != nil {
		return err
	}
	in.Payload = bytes.Clone(in.Payload)
	in.LogTail = false
	if in.RequestID == "" {
		in.RequestID = uuid.NewString()
	}
	return f.async.add(in)
}

func (q *asyncQueue) add(in Invocation) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.events >= maxAsyncEvents || q.bytes+len(in.Payload) > maxAsyncBytes {
		return errorf(ErrThrottled, "Rate Exceeded.")
	}
	slots := q.slots[in.Function]
	if slots == nil {
		slots = make(chan struct{}, asyncConcurrency)
		q.slots[in.Function] = slots
	}
	q.events++
	q.bytes += len(in.Payload)
	q.wg.Go(func() {
		q.process(q.f.lifetime, in, slots)
		q.mu.Lock()
		defer q.mu.Unlock()
		q.events--
		q.bytes -= len(in.Payload)
	})
	return nil
}

// wait refuses further events and returns when none is being processed; the
// lifetime must have ended.
func (q *asyncQueue) wait() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wg.Wait()
}

// process runs an event until it succeeds or is given up.
func (q *asyncQueue) process(ctx context.Context, in Invocation, slots chan struct{}) {
	deadline := time.Now().Add(maxAsyncAge)
	attempts, backOff := 0, minBackOff
	for {
		res, err := q.attempt(ctx, in, slots)
		var pause time.Duration
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && res.FunctionError == "":
			return
		case err == nil:
			attempts++
			if attempts == asyncAttempts {
				q.giveUp(in, "it failed three times", nil)
				return
			}
			pause = laterRetryAfter
			if attempts == 1 {
				pause = firstRetryAfter
			}
		case errors.Is(err, ErrNotFound):
			q.giveUp(in, "the function is gone", err)
			return
		default:
			pause = backOff
			backOff = min(2*backOff, maxBackOff)
		}
		if time.Now().Add(pause).After(deadline) {
			q.giveUp(in, "it is too old", err)
			return
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

func (q *asyncQueue) attempt(ctx context.Context, in Invocation, slots chan struct{}) (Result, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	defer func() { <-slots }()
	// Found anew each time: what is queued runs the code of its day.
	t, err := q.f.target(in.Function)
	if err != nil {
		return Result{}, err
	}
	return q.f.run(ctx, t, in)
}

func (q *asyncQueue) giveUp(in Invocation, why string, err error) {
	q.f.log.Warn("asynchronous event is discarded", "function", in.Function, "request", in.RequestID, "because", why, "error", err)
}

// sleep returns after d, or false when ctx has ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
