package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// begin checks whether the mapping may make the invocation now.
func (in *simInvocation) begin() error {
	w := in.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if in.e.dead {
		return context.Canceled
	}
	in.run, in.def = len(w.runs), w.run().def
	for _, r := range in.event.Records {
		in.recs = append(in.recs, w.src.recs[r.ID])
	}
	in.shard = w.shardOf(in)
	if in.shard == nil {
		w.violated("an event without records and shard")
		return errors.New("bad event")
	}
	key := fmt.Sprintf("%s %d %d", in.shard.id, in.first(), len(in.recs))
	w.tries[key]++
	in.try = w.tries[key]
	in.checkConcurrency()
	if in.event.Final {
		in.checkFinal()
	} else {
		in.checkBatch()
	}
	in.shard.at++
	for _, r := range in.recs {
		in.shard.busy[r.Key] = true
	}
	return nil
}

func (w *world) shardOf(in *simInvocation) *simShard {
	if len(in.recs) > 0 {
		return in.recs[0].shard
	}
	for _, sh := range w.src.shards {
		if sh.id == in.event.Shard {
			return sh
		}
	}
	return nil
}

// leave ends the invocation.
func (in *simInvocation) leave() {
	in.shard.at--
	for _, r := range in.recs {
		delete(in.shard.busy, r.Key)
	}
}

func (in *simInvocation) checkConcurrency() {
	if in.shard.at >= in.def.lanes() {
		in.w.violated("%s: %d invocations at a time", in, in.shard.at+1)
	}
	for _, r := range in.recs {
		if in.shard.busy[r.Key] {
			in.w.violated("%s: key %s is in two invocations", in, r.Key)
		}
	}
}

func (in *simInvocation) checkBatch() {
	w := in.w
	if len(in.recs) == 0 || len(in.recs) > in.def.BatchSize {
		w.violated("%s: batch of %d", in, len(in.recs))
		return
	}
	for i, r := range in.recs {
		if r.shard != in.shard || i > 0 && !in.recs[i-1].position().before(r.position()) {
			w.violated("%s: %s is out of order", in, r)
		}
		in.checkRecord(r)
	}
	for _, sh := range in.shard.ancestors() {
		for _, r := range sh.recs {
			if !w.gone(r) {
				w.violated("%s: %s of a parent was not processed", in, r)
			}
		}
	}
	in.checkOrder()
	in.checkWindow()
}

func (in *simInvocation) checkRecord(r *simRecord) {
	w := in.w
	switch age := time.Since(time.UnixMilli(r.Arrival)); {
	case !wants(in.def, r):
		w.violated("%s: %s is filtered out", in, r)
	case r.large:
		w.violated("%s: %s is too large", in, r)
	case w.tooOld(r, in.def, time.Now()), w.src.expired(r.Record):
		w.violated("%s: %s is %v old", in, r, age)
	case r.settled > 0:
		w.violated("%s: %s was processed before", in, r)
	case r.covered:
		w.violated("%s: %s is behind the checkpoint", in, r)
	}
	if r.run != in.run {
		r.run, r.fails = in.run, 0
	}
	if limit := in.def.RetryLimit; limit != nil && r.fails > *limit {
		w.violated("%s: %s is tried after %d failures", in, r, r.fails)
	}
}

// checkOrder wants all that comes before a record, of its key or, without lanes, of
// its shard, to be done with.
func (in *simInvocation) checkOrder() {
	for _, r := range in.shard.recs {
		if !r.position().before(in.recs[len(in.recs)-1].position()) {
			return
		}
		if in.w.gone(r) || slices.Contains(in.recs, r) {
			continue
		}
		for _, later := range in.recs {
			if r.position().before(later.position()) && (in.def.lanes() == 1 || later.Key == r.Key) {
				in.w.violated("%s: %s comes before it", in, r)
				return
			}
		}
	}
}

// tooOld reports whether the age limit of a definition ends a record at a time.
func (w *world) tooOld(r *simRecord, def Definition, at time.Time) bool {
	return def.MaximumRecordAge > 0 && at.UnixMilli()-r.Arrival >= int64(def.MaximumRecordAge)*1000
}

// gone reports whether the mapping may be done with a record.
func (w *world) gone(r *simRecord) bool {
	if r.settled > 0 || r.reported || r.silent || r.unwanted || w.src.expired(r.Record) {
		return true
	}
	for i, run := range w.runs {
		end := time.Now()
		if i+1 < len(w.runs) {
			end = w.runs[i+1].began
		}
		if run.def.OnFailure != "" || end.Before(r.put) {
			continue
		}
		if w.tooOld(r, run.def, end) || r.large && run.def.RetryLimit != nil {
			return true
		}
	}
	return false
}

// failedWhole notes a failed attempt that counts.
func (in *simInvocation) failedWhole() {
	if in.event.Final {
		in.shard.window.fails++
		if in.exhausted(in.shard.window.fails) && in.def.OnFailure == "" {
			in.shard.window = nil
			in.shard.settle(nil)
		}
		return
	}
	if in.def.Bisect && len(in.recs) > 1 {
		in.cutShort(in.recs)
		return
	}
	for _, r := range in.recs {
		r.fails++
		r.silent = r.silent || in.exhausted(r.fails) && in.def.OnFailure == ""
	}
	if in.exhausted(in.recs[0].fails) && in.def.OnFailure == "" {
		in.shard.settle(nil)
	}
}

func (in *simInvocation) exhausted(fails int) bool {
	return in.def.RetryLimit != nil && fails > *in.def.RetryLimit
}

// cutShort notes that records will come in another segment, which has all its
// attempts.
func (in *simInvocation) cutShort(recs []*simRecord) {
	for _, r := range recs {
		r.fails = 0
	}
}

func (in *simInvocation) succeeded(state string) { in.settle(in.recs, state) }

func (in *simInvocation) settle(recs []*simRecord, state string) {
	if in.event.Final {
		in.shard.window = nil
	} else if win := in.shard.window; win != nil {
		win.state, win.terminated = state, len(state) > simMaxState
	}
	in.shard.settle(recs)
}

// checkWindow wants the batch to be in the tumbling window that is open, or to open
// the right one.
func (in *simInvocation) checkWindow() {
	w, sh, ev := in.w, in.shard, in.event
	if in.finalDropped() && (ev.Window == nil || !sh.window.spans(ev)) {
		sh.window = nil
		sh.settle(nil)
	}
	if in.def.TumblingWindow == 0 {
		if ev.Window != nil || sh.window != nil {
			w.violated("%s: window is open: %v", in, sh.window)
		}
		return
	}
	if ev.Window == nil || ev.Shard != sh.id || ev.Source != sourceARN || ev.Early {
		w.violated("%s: bad attributes", in)
		return
	}
	if sh.window == nil {
		sh.window, sh.unsure = in.opens(), nil
	}
	win := sh.window
	if !win.spans(ev) || win.terminated {
		w.violated("%s: the window is [%d,%d)", in, win.start%10000, win.end%10000)
	}
	in.checkState(win)
	for _, r := range in.recs {
		if r.Arrival >= win.end*1000 {
			w.violated("%s: %s is of a later window", in, r)
		}
	}
}

func (in *simInvocation) checkState(win *simWindow) {
	want := win.state
	if want == "" {
		want = "{}"
	}
	if string(in.event.State) != want {
		in.w.violated("%s: state is %.60s, not %.60s", in, in.event.State, want)
	}
}

// opens returns the window that a batch opens. Where records before it may have
// been given up, or one ended early, the first of those decides.
func (in *simInvocation) opens() *simWindow {
	n := int64(in.def.TumblingWindow)
	of := func(arrival int64) *simWindow {
		start := arrival / 1000 / n * n
		return &simWindow{open: true, start: start, end: start + n}
	}
	for _, r := range in.shard.recs {
		if in.recs[0].position().before(r.position()) {
			break
		}
		if win := of(r.Arrival); win.spans(in.event) && r.settled == 0 {
			return win
		}
	}
	if u := in.shard.unsure; u != nil && u.spans(in.event) {
		return u
	}
	if last := in.shard.last(func(w simWindow) bool { return w.terminated }); last != nil && last.spans(in.event) {
		return &simWindow{open: true, start: last.start, end: last.end}
	}
	return of(in.recs[0].Arrival)
}

// last returns the last window of the shard's history of which something holds.
func (s *simShard) last(holds func(simWindow) bool) *simWindow {
	for _, w := range slices.Backward(s.trail) {
		if holds(w) {
			return &w
		}
	}
	return nil
}

// finalDropped reports whether the open window may have been given up without
// another invocation or a report.
func (in *simInvocation) finalDropped() bool {
	return in.shard.window != nil && in.w.closed(in.shard)
}

// checkFinal wants a reason for the end of the open window.
func (in *simInvocation) checkFinal() {
	w, sh, ev := in.w, in.shard, in.event
	if sh.window == nil {
		sh.window, sh.unsure = sh.unsure, nil
	}
	win := sh.window
	if win == nil || len(in.recs) > 0 {
		w.violated("%s: no window is open", in)
		sh.window = &simWindow{open: true}
		return
	}
	if ev.Window == nil || !win.spans(ev) || ev.Early != win.terminated {
		w.violated("%s: window is %v", in, win)
		return
	}
	in.checkState(win)
	if win.run != in.run {
		win.run, win.tries, win.fails = in.run, 0, 0
	}
	win.tries++
	if in.exhausted(win.fails) {
		w.violated("%s: tried after %d failures", in, win.fails)
	}
	if win.tries > 1 || win.terminated || in.def.TumblingWindow == 0 {
		return
	}
	in.checkEnd(win)
}

// checkEnd wants that no record is left that belongs into the window, and that the
// window is over.
func (in *simInvocation) checkEnd(win *simWindow) {
	for _, r := range in.shard.recs {
		closes := r.Arrival >= win.end*1000
		switch {
		case r.covered || r.settled > 0 || !wants(in.def, r):
		case closes:
			return
		case !r.large && !in.w.gone(r):
			in.w.violated("%s: %s is left out", in, r)
			return
		}
	}
	if !in.shard.closed && time.Now().Before(time.Unix(win.end, 0)) {
		in.w.violated("%s: the window is not over", in)
	}
}

// simReport is the document that the destination gets.
type simReport struct {
	RequestContext struct {
		RequestID, FunctionARN, Condition string
		ApproximateInvokeCount            int
	}
	ResponseContext *struct{ FunctionError *string }
	Version         string
	Timestamp       string
	Payload         string
	Batch           struct {
		ShardID, StartSequenceNumber, EndSequenceNumber, StreamArn string
		BatchSize                                                  int
	} `json:"KinesisBatchInfo"`
	TimeWindowInfo *struct{ IsFinalInvokeForWindow bool }
}

// Send implements Destinations.
func (e *epoch) Send(ctx context.Context, arn string, body []byte, _ map[string]string, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := e.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.dead {
		return ErrUndeliverable
	}
	var doc simReport
	var event simEvent
	if err := errors.Join(json.Unmarshal(body, &doc), json.Unmarshal([]byte(doc.Payload), &event)); err != nil {
		w.violated("report %.200s: %v", body, err)
		return err
	}
	in := &simInvocation{w: w, e: e, run: len(w.runs), def: w.run().def, event: event}
	for _, r := range event.Records {
		in.recs = append(in.recs, w.src.recs[r.ID])
	}
	in.event.Shard = doc.Batch.ShardID
	in.shard = w.shardOf(in)
	w.logf("%s: report %s after %d", in, doc.RequestContext.Condition, doc.RequestContext.ApproximateInvokeCount)
	if arn != in.def.OnFailure || !strings.HasPrefix(key, "aws/lambda/"+w.uuid+"/"+in.shard.id+"/") {
		w.violated("%s: report to %s %s", in, arn, key)
	}
	in.checkReport(doc)
	about := fmt.Sprintf("report %s %d %d", in.shard.id, in.first(), len(in.recs))
	this := about + doc.Timestamp
	w.tries[this]++
	if w.chance(w.moods.undeliverable, about) {
		in.discarded()
		return ErrUndeliverable
	}
	if w.chance(w.moods.unreachable, this, w.tries[this]) {
		if w.tries[this] == reportAttempts {
			in.discarded()
		}
		return errors.New("out of reach")
	}
	in.discarded()
	return nil
}

// discarded notes that records, or the end of a window, were given up.
func (in *simInvocation) discarded() {
	for _, r := range in.recs {
		r.reported = true
	}
	if in.event.Final {
		in.shard.window = nil
	}
	in.shard.settle(nil)
}

func (in *simInvocation) checkReport(doc simReport) {
	w, ctx := in.w, doc.RequestContext
	if doc.Batch.BatchSize != len(in.recs) || ctx.FunctionARN != functionARN || doc.Batch.StreamArn != sourceARN || ctx.RequestID == "" {
		w.violated("%s: report %+v", in, doc)
	}
	if n := len(in.recs); n > 0 {
		reader := &simReader{sh: in.shard}
		if doc.Batch.StartSequenceNumber != reader.SequenceNumber(in.recs[0].Record) || doc.Batch.EndSequenceNumber != reader.SequenceNumber(in.recs[n-1].Record) {
			w.violated("%s: report %+v", in, doc)
		}
	}
	switch ctx.Condition {
	case recordAgeExceeded:
		in.checkAged()
	case retryAttemptsExhausted:
		in.checkExhausted(ctx.ApproximateInvokeCount)
	default:
		w.violated("%s: condition %s", in, ctx.Condition)
	}
}

func (in *simInvocation) checkAged() {
	if in.event.Final && !in.finalDropped() {
		in.w.violated("%s: given up early", in)
	}
	for _, r := range in.recs {
		if !in.w.tooOld(r, in.def, time.Now()) {
			in.w.violated("%s: %s is not too old", in, r)
		}
	}
}

func (in *simInvocation) checkExhausted(count int) {
	if in.def.RetryLimit == nil || count != *in.def.RetryLimit+1 {
		in.w.violated("%s: given up after %d attempts", in, count)
		return
	}
	if in.event.Final && in.shard.window.fails != count {
		in.w.violated("%s: given up after %d of %d attempts", in, in.shard.window.fails, count)
	}
	for _, r := range in.recs {
		if !r.large && (r.fails != count || r.run != in.run) {
			in.w.violated("%s: %s given up after %d of %d attempts", in, r, r.fails, count)
		}
	}
}

func (w *simWindow) spans(e simEvent) bool {
	return w.start == e.Window.Start.Unix() && w.end == e.Window.End.Unix()
}
