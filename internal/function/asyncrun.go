package function

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// condition is why there is nothing left to do for an event, as records name it.
type condition string

const (
	succeeded               condition = "Success"
	retriesExhausted        condition = "RetriesExhausted"
	eventAgeExceeded        condition = "EventAgeExceeded"
	zeroReservedConcurrency condition = "ZeroReservedConcurrency"
)

// ending is how an event ended.
type ending struct {
	condition condition
	result    *Result // of the last run, nil if that did not take place
	err       error   // why the last run did not take place
}

// process makes one attempt at an event or a delivery and returns when to come
// back; ok is false when it is done.
func (q *asyncQueue) process(ctx context.Context, w asyncWait) (again asyncWait, ok bool) {
	ev, payload, err := loadEvent(q.f.db, w.number)
	if err != nil {
		if ctx.Err() == nil {
			q.f.log.Error("asynchronous event cannot be read", "number", w.number, "error", err)
		}
		return q.postpone(w, time.Time{})
	}
	if ev.Delivery != nil {
		return q.deliver(ctx, w, ev, payload)
	}
	return q.run(ctx, w, ev, payload)
}

// postpone returns an event that is tried again after a longer pause than before,
// or ok false if that is after the deadline, unless it is zero.
func (q *asyncQueue) postpone(w asyncWait, deadline time.Time) (again asyncWait, ok bool) {
	w.backOff = min(max(2*w.backOff, minBackOff), maxBackOff)
	w.due = time.Now().Add(w.backOff)
	return w, deadline.IsZero() || w.due.Before(deadline)
}

// run lets a function have an event.
func (q *asyncQueue) run(ctx context.Context, w asyncWait, ev asyncEvent, payload []byte) (again asyncWait, ok bool) {
	config := q.config(ev)
	deadline := ev.Received.Add(config.eventAge())
	res, err := q.attempt(ctx, ev, payload)
	if res.Effects != nil && ctx.Err() != nil {
		res.Effects.Discard()
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, ErrClosed):
		return w, true // for the next start
	case err == nil && res.FunctionError == "":
		ev.Attempts++
		return q.finish(w, ev, payload, ending{condition: succeeded, result: &res})
	case err == nil:
		return q.failed(w, ev, payload, res)
	case errors.Is(err, ErrNotFound):
		q.f.log.Warn("asynchronous event is discarded", "function", ev.reference(), "request", ev.RequestID, "error", err)
		return q.finish(w, ev, payload, ending{err: err})
	case q.f.stopped(ev.Function):
		return q.finish(w, ev, payload, ending{condition: zeroReservedConcurrency, err: err})
	}
	if again, ok = q.postpone(w, deadline); ok {
		return again, true
	}
	return q.finish(w, ev, payload, ending{condition: eventAgeExceeded, err: err})
}

// stopped reports whether a function may not run at all.
func (f *Functions) stopped(name string) bool {
	def, ok := f.defs.Get(name)
	return ok && def.ReservedConcurrency != nil && *def.ReservedConcurrency == 0
}

// config returns how the events of a function are handled.
func (q *asyncQueue) config(ev asyncEvent) EventInvokeConfig {
	c := EventInvokeConfig{Function: ev.Function, Qualifier: ev.Qualifier}
	if c.Qualifier == "" {
		c.Qualifier = LatestVersion
	}
	if found, ok := q.configs.Get(c.key()); ok {
		return found
	}
	return c
}

func (q *asyncQueue) attempt(ctx context.Context, ev asyncEvent, payload []byte) (Result, error) {
	// Found anew each time: what is queued runs the code of its day.
	t, err := q.f.target(ev.reference())
	if err != nil {
		return Result{}, err
	}
	q.measure(ev.Function, "AsyncEventAge", "Milliseconds", milliseconds(time.Since(ev.Received)))
	return q.f.runConsistently(ctx, t, Invocation{
		Function: ev.reference(), Payload: payload, RequestID: ev.RequestID, ClientContext: ev.ClientContext,
	})
}

// failed decides what comes after a run that ended with a function error.
func (q *asyncQueue) failed(w asyncWait, ev asyncEvent, payload []byte, res Result) (again asyncWait, ok bool) {
	config := q.config(ev)
	ev.Attempts++
	if ev.Attempts > config.retryAttempts() {
		return q.finish(w, ev, payload, ending{condition: retriesExhausted, result: &res})
	}
	pause := laterRetryAfter
	if ev.Attempts == 1 {
		pause = firstRetryAfter
	}
	ev.Due = time.Now().Add(pause)
	if !ev.Due.Before(ev.Received.Add(config.eventAge())) {
		return q.finish(w, ev, payload, ending{condition: eventAgeExceeded, result: &res})
	}
	tx := q.f.db.Begin()
	defer tx.Discard()
	err := putEventIn(tx, w.number, ev)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil { // the next start counts one attempt less
		q.f.log.Error("asynchronous event", "function", ev.Function, "request", ev.RequestID, "error", err)
	}
	return asyncWait{number: w.number, due: ev.Due, bytes: w.bytes}, true
}

// finish replaces an event by what is to be reported of it. If that cannot be
// written the event stays, and runs again.
func (q *asyncQueue) finish(w asyncWait, ev asyncEvent, payload []byte, end ending) (again asyncWait, ok bool) {
	reports, err := q.report(ev, payload, end)
	if err == nil {
		err = q.replace(w, reports, end.effects())
	}
	if errors.Is(err, transaction.ErrConflict) {
		return q.postpone(w, time.Time{}) // and run again
	}
	if err != nil {
		q.f.log.Error("asynchronous event", "function", ev.Function, "request", ev.RequestID, "error", err)
		return q.postpone(w, time.Time{})
	}
	if end.condition != succeeded {
		q.measure(ev.Function, "AsyncEventsDropped", "Count", 1)
	}
	return w, false
}

// effects is what the last run did, nil unless that is to be committed.
func (e *ending) effects() *transaction.Tx {
	if e.condition != succeeded {
		return nil
	}
	return e.result.Effects
}

// replace removes an event from the store and adds deliveries, in one with the
// effects of the run, unless they are nil.
func (q *asyncQueue) replace(w asyncWait, reports []outgoing, effects *transaction.Tx) error {
	var problem error
	write := func(tx *store.Tx) {
		dropEventIn(tx, w.number)
		for _, r := range reports {
			problem = errors.Join(problem, q.addIn(tx, r.event, r.body))
		}
	}
	if effects != nil {
		return errors.Join(effects.Commit(write), problem)
	}
	tx := q.f.db.Begin()
	defer tx.Discard()
	write(tx)
	if problem != nil {
		return problem
	}
	if len(reports) == 0 {
		// An event that a crash brings back runs once more, which it may at any rate.
		return tx.CommitLazily()
	}
	return tx.Commit()
}

// deliver sends a document to its target, again and again while that may help.
func (q *asyncQueue) deliver(ctx context.Context, w asyncWait, ev asyncEvent, body []byte) (again asyncWait, ok bool) {
	d := ev.Delivery
	err := errNoDestinations
	if q.destinations != nil {
		err = q.destinations.Send(ctx, d.Target, body, d.Attributes, d.Key)
	}
	if err != nil && ctx.Err() != nil {
		return w, true
	}
	if err != nil {
		if again, ok = q.postpone(w, ev.Received.Add(MaxEventAgeSeconds*time.Second)); ok && !errors.Is(err, ErrUndeliverable) {
			return again, true
		}
		q.f.log.Warn("record of an asynchronous event is discarded", "function", ev.Function, "request", ev.RequestID, "target", d.Target, "error", err)
		metric := "DestinationDeliveryFailures"
		if d.DeadLetter {
			metric = "DeadLetterErrors"
		}
		q.measure(ev.Function, metric, "Count", 1)
	}
	if err := q.replace(w, nil, nil); err != nil {
		q.f.log.Error("asynchronous event", "function", ev.Function, "request", ev.RequestID, "error", err)
		return q.postpone(w, time.Time{})
	}
	return w, false
}

var errNoDestinations = fmt.Errorf("there is nothing that delivers records: %w", ErrUndeliverable)
