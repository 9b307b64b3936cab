package mapping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// segment is records that are sent to the function together: a batch, or a part of
// one that failed, was cut in two or was too large for one event.
//
// Delivering a batch is a walk of a state machine, drawn in docs/mappings.md.
// Segments wait on a stack, the next one on top, so that the parts of a batch are
// processed in order. Each step takes the top one and ends in one of these ways:
//
//	settled     it succeeded, or was given up and reported: off the stack, checkpoint
//	partly      it failed from some record on: what is before is settled
//	cut         it is replaced by two, the first on top
//	waiting     it stays, to be tried again after a pause
type segment struct {
	recs      []Record // none in the final invocation of a window
	final     bool
	attempts  int // that failed and count against the retry limit
	refusals  int // in a row, that do not count: the function did not run
	conflicts int // in a row: what the invocation read had changed
	last      invocation
}

// invocation is how an attempt went.
type invocation struct {
	ran           bool
	requestID     string
	version       string
	functionError string
	role          string
}

// deliver processes a batch, or the end of a window.
func (ln *lane) deliver(ctx context.Context, seg segment) error {
	ln.work = append(ln.work[:0], seg)
	if len(seg.recs) > 0 {
		ln.status.oldest = seg.recs[0].Arrival
	}
	for len(ln.work) > 0 {
		if w := ln.window; w != nil && w.terminated && !ln.top().final {
			ln.work = append(ln.work, segment{final: true}) // what is left comes after it
		}
		if err := ln.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (ln *lane) top() *segment { return &ln.work[len(ln.work)-1] }

// step takes the segment on top one step further.
func (ln *lane) step(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if changed, err := ln.expire(); changed || err != nil {
		return err
	}
	f, err := ln.run.mp.owner.cfg.Invoker.Lookup(ln.def.FunctionARN)
	if err != nil && !errors.Is(err, ErrFunctionNotFound) {
		return err
	}
	seg := ln.top()
	seg.last.role = f.Role
	n, err := ln.encode(*seg)
	if err != nil {
		return err
	}
	if n == 0 && !seg.final || len(ln.event) > ln.maxEvent() {
		return ln.tooLarge(ctx)
	}
	if n < len(seg.recs) {
		ln.cut(n)
	}
	return ln.attempt(ctx)
}

// cut replaces the segment on top by its first n records and the others.
func (ln *lane) cut(n int) {
	seg := ln.top()
	first, second := segment{recs: seg.recs[:n:n]}, segment{recs: seg.recs[n:]}
	first.last, second.last = seg.last, seg.last
	ln.work = append(ln.work[:len(ln.work)-1], second, first)
}

// encode builds the event of a segment from as many records as fit and returns how
// many.
func (ln *lane) encode(seg segment) (n int, err error) {
	tail := len("]}")
	if ln.window != nil {
		tail += len(ln.window.state) + 512 // names, ARNs, times
	}
	ln.event = append(ln.event[:0], `{"Records":[`...)
	for _, r := range seg.recs {
		before := len(ln.event)
		if n > 0 {
			ln.event = append(ln.event, ',')
		}
		if ln.event, err = ln.src.AppendEvent(ln.event, seg.last.role, r); err != nil {
			return 0, fmt.Errorf("record %d of %s: %w", r.Position, ln.shard.ID, err)
		}
		if len(ln.event)+tail > ln.maxEvent() {
			ln.event = ln.event[:before]
			break
		}
		n++
	}
	ln.event = append(ln.event, ']')
	if ln.window != nil {
		ln.event = ln.window.appendAttributes(ln.event, ln.shard.ID, ln.def.SourceARN, seg.final)
	}
	ln.event = append(ln.event, '}')
	return n, nil
}

// appendRecords appends the events of records, separated by commas.
func (ln *lane) appendRecords(dst []byte, recs []Record, role string) (_ []byte, err error) {
	for i, r := range recs {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = ln.src.AppendEvent(dst, role, r); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// attempt invokes the function once with the event in hand. The invocation is not
// cut off when the mapping stops: its outcome decides whether the records have to
// come again.
func (ln *lane) attempt(ctx context.Context) error {
	seg := ln.top()
	if n := len(seg.recs); n > 0 {
		age := since(seg.recs[n-1].Arrival)
		ln.run.metrics.iteratorAge.Observe(float64(age) / float64(time.Millisecond))
	}
	if ln.window != nil {
		ln.window.invoked = true
	}
	ln.activity(Invoking)
	owner := ln.run.mp.owner
	began := time.Now()
	outcome, err := owner.cfg.Invoker.Invoke(owner.hard, ln.def.FunctionARN, ln.event, nil)
	ln.status.invoked(len(seg.recs), time.Since(began))
	if err != nil {
		return ln.notRun(ctx, err)
	}
	observe(ln.run.metrics.invoked, len(seg.recs))
	seg.refusals = 0
	seg.last = invocation{ran: true, requestID: outcome.RequestID, version: outcome.ExecutedVersion,
		functionError: outcome.FunctionError, role: seg.last.role}
	if outcome.FunctionError != "" {
		discard(outcome.Effects)
		return ln.failed(ctx, functionError(outcome))
	}
	return ln.answered(ctx, outcome)
}

func discard(e Effects) {
	if e != nil {
		e.Discard()
	}
}

// answered looks at what the function's result says of the records.
func (ln *lane) answered(ctx context.Context, outcome Outcome) error {
	var a answer
	var err error
	if ln.def.ReportItemFailures || ln.window != nil {
		a, err = readAnswer(outcome.Payload)
	}
	if errors.Is(err, errBadFailures) && !ln.def.ReportItemFailures {
		err = nil
	}
	next := ln.window
	if err == nil && ln.window != nil {
		if a.state == nil && !ln.top().final {
			err = errNoState
		}
		next = ln.window.with(a.state, ln.run.mp.owner.maxState)
	}
	if err != nil {
		discard(outcome.Effects)
		return ln.failed(ctx, err)
	}
	if ln.def.ReportItemFailures && len(a.failed) > 0 {
		return ln.partly(ctx, a.failed, next, outcome.Effects)
	}
	if ln.top().final {
		next = ln.windowAfter()
	}
	return ln.succeeded(ctx, next, outcome.Effects)
}

// windowAfter is the window that follows a final invocation. One that ended early
// opens again, with a fresh state, for what is left of the batch.
func (ln *lane) windowAfter() *window {
	if len(ln.work) == 1 {
		return nil
	}
	return &window{start: ln.window.start, end: ln.window.end}
}

func (ln *lane) succeeded(ctx context.Context, next *window, effects Effects) error {
	n := len(ln.top().recs)
	err := ln.settle(ln.top().recs, nil, next, effects)
	if errors.Is(err, ErrConflict) {
		return ln.conflicted(ctx, err)
	}
	if err != nil {
		return err
	}
	ln.status.Problem, ln.status.Attempts = "", 0
	ln.run.mp.setResult(resultOK)
	ln.run.mp.delivered.Add(uint64(n))
	return nil
}

// partly settles the records before the first that failed. Where effects are to
// be counted once, those of the invocation cannot be told apart by record: they
// are dropped, and the records before are sent again by themselves.
func (ln *lane) partly(ctx context.Context, failed []string, next *window, effects Effects) error {
	seg := ln.top()
	first, ok := ln.firstFailed(seg.recs, failed)
	if !ok {
		discard(effects)
		return ln.failed(ctx, fmt.Errorf("%w of this batch: %.200q", errBadFailures, failed))
	}
	err := fmt.Errorf("the function reported that %d items failed, the first is number %d of %d", len(failed), first+1, len(seg.recs))
	if first == 0 {
		discard(effects)
		return ln.failed(ctx, err)
	}
	observe(ln.run.metrics.failed, len(seg.recs))
	if effects != nil {
		effects.Discard()
		ln.cut(first)
		return nil
	}
	if err := ln.settle(seg.recs[:first], seg.recs[first:], next, nil); err != nil {
		return err
	}
	ln.run.mp.delivered.Add(uint64(first))
	ln.top().attempts = 0
	return ln.pause(ctx, err, 1)
}

// firstFailed returns the index of the first record that failed; ok is false when
// an identifier is not of any of the records.
func (ln *lane) firstFailed(recs []Record, failed []string) (first int, ok bool) {
	at := make(map[string]int, len(recs))
	for i, r := range slices.Backward(recs) {
		at[ln.src.SequenceNumber(r)] = i
	}
	first = len(recs)
	for _, id := range failed {
		i, known := at[id]
		if !known {
			return 0, false
		}
		first = min(first, i)
	}
	return first, true
}

// failed takes the segment on top through a failed attempt of a function that ran.
func (ln *lane) failed(ctx context.Context, cause error) error {
	seg := ln.top()
	seg.attempts++
	observe(ln.run.metrics.failed, len(seg.recs))
	if ln.def.Bisect && len(seg.recs) > 1 {
		ln.problem(cause, seg.attempts)
		ln.cut((len(seg.recs) + 1) / 2)
		return nil
	}
	if ln.exhausted(seg.attempts) {
		return ln.giveUp(cause)
	}
	return ln.pause(ctx, cause, seg.attempts)
}

func (ln *lane) exhausted(attempts int) bool {
	return ln.def.RetryLimit != nil && attempts > *ln.def.RetryLimit
}

// tooLarge takes a segment whose first record does not fit into an event through an
// attempt. It counts, though the function does not run.
func (ln *lane) tooLarge(ctx context.Context) error {
	if len(ln.top().recs) > 1 {
		ln.cut(1)
	}
	seg := ln.top()
	seg.attempts++
	seg.last.ran = false
	observe(ln.run.metrics.failed, len(seg.recs))
	cause := fmt.Errorf("the event exceeds %d bytes, the limit of an invocation", ln.maxEvent())
	if ln.exhausted(seg.attempts) {
		return ln.giveUp(cause)
	}
	return ln.pause(ctx, cause, seg.attempts)
}

// notRun pauses after an attempt in which the function did not run, which does not
// count against the retry limit.
func (ln *lane) notRun(ctx context.Context, cause error) error {
	seg := ln.top()
	seg.refusals++
	cause = fmt.Errorf("invoke %s: %w", ln.def.FunctionName, cause)
	if errors.Is(cause, ErrThrottled) {
		return ln.pauseFor(ctx, cause, Throttled, ln.run.growing(firstBackoff, maxThrottleBackoff, seg.refusals))
	}
	observe(ln.run.metrics.failed, len(seg.recs))
	return ln.pause(ctx, cause, seg.refusals)
}

// conflicted repeats an invocation that read what has changed since; that is
// nobody's failure.
func (ln *lane) conflicted(ctx context.Context, cause error) error {
	seg := ln.top()
	seg.conflicts++
	ln.status.Conflicts++
	if seg.conflicts == 1 {
		return nil
	}
	ln.status.failed(cause, ln.status.Attempts)
	ln.activity(Retrying)
	return sleep(ctx, ln.run.conflictBackoff(seg.conflicts))
}

// giveUp discards the segment on top and reports it.
func (ln *lane) giveUp(cause error) error {
	seg := ln.top()
	ln.problem(cause, seg.attempts)
	d := discarded{recs: seg.recs, condition: retryAttemptsExhausted, count: seg.attempts, last: seg.last, window: ln.window, final: seg.final}
	if err := ln.report(d); err != nil {
		return err
	}
	return ln.drop(seg)
}

// drop settles a segment that is given up. A window keeps the state that it had.
func (ln *lane) drop(seg *segment) error {
	next := ln.window
	if seg.final {
		next = ln.windowAfter()
	}
	return ln.settle(seg.recs, nil, next, nil)
}

// expire takes the records out of the segment on top that are too old: those that
// the mapping's own limit ends are reported. changed says that there were any; as
// reporting takes time, others may be too old by then.
func (ln *lane) expire() (changed bool, err error) {
	seg := ln.top()
	if seg.final {
		return ln.expireFinal()
	}
	kept, aged, lost := ln.sortByAge(seg.recs)
	if len(aged)+len(lost) == 0 {
		return false, nil
	}
	if len(lost) > 0 {
		ln.run.mp.owner.cfg.Log.Warn("records left the source before the function succeeded",
			"mapping", ln.def.UUID, "function", ln.def.FunctionName, "shard", ln.shard.ID, "records", len(lost))
		ln.status.Lost += uint64(len(lost))
	}
	if len(aged) > 0 {
		d := discarded{recs: aged, condition: recordAgeExceeded, count: seg.attempts + 1, last: seg.last, window: ln.window}
		if err := ln.report(d); err != nil {
			return false, err
		}
	}
	return true, ln.settle(append(aged, lost...), kept, ln.window, nil)
}

// expireFinal gives up the final invocation of a window when a record at the end
// of the window would be too old. It is tried at least once: what it tells of was
// processed in time.
func (ln *lane) expireFinal() (changed bool, err error) {
	seg := ln.top()
	last := Record{Arrival: ln.arrival(seg)}
	if seg.attempts+seg.refusals == 0 || !ln.aged(last) && !ln.src.Expired(last) {
		return false, nil
	}
	d := discarded{condition: recordAgeExceeded, count: seg.attempts + 1, last: seg.last, window: ln.window, final: true}
	if err := ln.report(d); err != nil {
		return false, err
	}
	return true, ln.drop(seg)
}

// arrival is the time that the age of a segment counts from, in milliseconds.
func (ln *lane) arrival(seg *segment) int64 {
	if seg.final {
		return ln.window.end * 1000
	}
	return seg.recs[0].Arrival
}

// aged reports whether a record is older than the mapping allows.
func (ln *lane) aged(r Record) bool {
	limit := int64(ln.def.MaximumRecordAge) * 1000
	return limit > 0 && time.Now().UnixMilli()-r.Arrival >= limit
}

// sortByAge tells records that may be sent from those that exceed the mapping's
// limit and those that the source does not keep any longer.
func (ln *lane) sortByAge(recs []Record) (kept, aged, lost []Record) {
	if !slices.ContainsFunc(recs, func(r Record) bool { return ln.src.Expired(r) || ln.aged(r) }) {
		return recs, nil, nil
	}
	for _, r := range recs {
		switch {
		case ln.aged(r):
			aged = append(aged, r)
		case ln.src.Expired(r):
			lost = append(lost, r)
		default:
			kept = append(kept, r)
		}
	}
	return kept, aged, lost
}

// settle writes a checkpoint after records of the segment on top, of which rest is
// left to be delivered, and the window as it is then. With effects it commits
// together with them; when it fails everything is as before.
func (ln *lane) settle(processed, rest []Record, w *window, effects Effects) error {
	if err := ln.in.settle(ln, ln.firstLeft(rest), processed, w, effects); err != nil {
		return err
	}
	ln.window = w
	if len(rest) > 0 {
		ln.top().recs = rest
		return nil
	}
	ln.work = ln.work[:len(ln.work)-1]
	return nil
}

// finish brings the last checkpoint of a lane to disk; stopped is why it ends, nil
// when its shard is done. What fails while the lane is being stopped is told here,
// as whoever stops it asks for no error.
func (ln *lane) finish(stopped error) error {
	var err error
	if stopped != nil && ln.filters != nil {
		err = ln.park()
	}
	err = errors.Join(err, ln.points.flush())
	if err == nil || stopped == nil {
		return err
	}
	ln.run.mp.owner.cfg.Log.Error("keep last checkpoint", "mapping", ln.def.UUID, "shard", ln.shard.ID, "lane", ln.status.Lane, "error", err)
	ln.status.Problem = oneLine([]byte("the last checkpoint was not kept: " + err.Error()))
	ln.activity(ln.status.Activity)
	return err
}

// park writes how far reading came beyond what was processed: past records that no
// filter wanted, which must not come back when the filters change.
func (ln *lane) park() error {
	var rest []Record
	if len(ln.work) > 0 {
		rest = ln.top().recs
	}
	return ln.in.settle(ln, ln.firstLeft(rest), nil, ln.window, nil)
}

// firstLeft returns the first record in hand when the segment on top has come down
// to rest.
func (ln *lane) firstLeft(rest []Record) *Record {
	if len(rest) > 0 {
		return &rest[0]
	}
	for i := len(ln.work) - 2; i >= 0; i-- {
		if recs := ln.work[i].recs; len(recs) > 0 {
			return &recs[0]
		}
	}
	if len(ln.pending) > 0 {
		return &ln.pending[0]
	}
	return nil
}
