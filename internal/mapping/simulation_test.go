package mapping

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	simulationSeed  = flag.Int("seed", -1, "the only seed that TestSimulation runs")
	simulationSeeds = flag.Int("seeds", 200, "how many seeds TestSimulation runs")
)

// TestSimulation lets a mapping process random records under random settings, with
// a function, a destination and a process that fail in all ways, and compares what
// it does with a model of what it may do. Each seed is one history, in virtual
// time, with a store in memory that loses what was not synced. A failure prints
// the history and how to repeat it.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *simulationSeed >= 0 {
		simulate(t, uint64(*simulationSeed), testing.Verbose())
		return
	}
	eachSeed(t, *simulationSeeds, func(t *testing.T, seed uint64) { simulate(t, seed, false) })
}

// eachSeed calls f with the seeds from 0 on, as many at a time as the machine has
// processors.
func eachSeed(t *testing.T, seeds int, f func(t *testing.T, seed uint64)) {
	var next atomic.Int64
	for i := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprintf("worker%d", i), func(t *testing.T) {
			t.Parallel()
			for !t.Failed() {
				seed := next.Add(1) - 1
				if seed >= int64(seeds) {
					return
				}
				f(t, uint64(seed))
			}
		})
	}
}

// simulate plays the history of one seed and returns it.
func simulate(t *testing.T, seed uint64, verbose bool) (history string) {
	again := fmt.Sprintf("go test ./internal/mapping -run TestSimulation$ -seed %d -v", seed)
	slow := time.AfterFunc(time.Minute, func() { panic("no end: " + again) })
	defer slow.Stop()
	name := func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("%v\n%s", p, again))
		}
	}
	defer name() // what the bubble says of goroutines that never end
	synctest.Test(t, func(t *testing.T) {
		defer name()
		w := newWorld(t, seed)
		w.play()
		history = w.story()
		if w.failed || verbose {
			t.Logf("history:\n%s\n%s", history, again)
		}
	})
	return history
}

// play creates the mapping, lets things happen, and ends well: the function and
// the source are there in the end, so everything has to be processed.
func (w *world) play() {
	w.open()
	if w.rng.IntN(2) == 0 {
		w.put()
	}
	w.create()
	for range 5 + w.rng.IntN(25) {
		w.pass(time.Duration(w.rng.Int64N(int64(6 * time.Second))))
		if w.failed {
			break
		}
		w.happen()
	}
	w.drain()
	w.end()
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d + turn)
	w.enter(scriptSlot)
	synctest.Wait()
}

func (w *world) create() {
	spec := w.randomSpec()
	spec.SourceARN, spec.Function = sourceARN, "f"
	spec.Starting = &StartingPosition{Type: TrimHorizon}
	if w.rng.IntN(4) == 0 {
		spec.Starting.Type = Latest
	}
	// The run that Create starts looks for the mapping by its UUID.
	off := false
	spec.Enabled = &off
	v, err := w.epoch.m.Create(context.Background(), spec)
	if err != nil {
		w.t.Fatal(err)
	}
	w.uuid = v.UUID
	w.pass(time.Millisecond)
	w.update(Spec{Enabled: ptr(true)})
}

func ptr[T any](v T) *T { return &v }

// randomSpec sets all parameters of the mapping.
func (w *world) randomSpec() Spec {
	n := w.rng.IntN
	s := Spec{
		BatchSize: ptr(1 + n(10)), BatchingWindow: ptr(0), Factor: ptr(1), TumblingWindow: ptr(0), MaximumRecordAge: ptr(Unlimited),
		RetryLimit: ptr(Unlimited), Bisect: ptr(n(3) == 0), ResponseTypes: &[]string{}, OnFailure: ptr(""), Filters: &[]string{},
	}
	if n(3) == 0 {
		s.BatchingWindow = ptr(1 + n(5))
	}
	switch n(5) {
	case 0, 1:
		s.TumblingWindow = ptr(1 + n(30))
	case 2, 3:
		s.Factor = ptr(2 + n(9))
	}
	if n(3) == 0 {
		s.MaximumRecordAge = ptr(60 + n(30))
	}
	if n(2) == 0 {
		s.RetryLimit = ptr(n(4))
	}
	if n(3) == 0 {
		s.ResponseTypes = &[]string{reportItemFailures}
	}
	if n(2) == 0 {
		s.OnFailure = ptr("arn:aws:s3:::reports")
	}
	if n(3) == 0 {
		for i := range 1 + n(2) {
			*s.Filters = append(*s.Filters, filterOf(byte('a'+i)))
		}
	}
	return s
}

// happen does one random thing.
func (w *world) happen() {
	switch n := w.rng.IntN(100); {
	case n < 55:
		w.put()
	case n < 62:
		w.update(w.randomSpec())
	case n < 66:
		w.update(w.smallChange())
	case n < 70:
		w.update(Spec{Enabled: ptr(w.rng.IntN(2) == 0)})
	case n < 76:
		w.note("stop")
		w.restart(false)
	case n < 84:
		w.restart(true)
	case n < 89:
		w.reshard()
	case n < 92:
		w.remove(true)
		w.pass(time.Duration(w.rng.Int64N(int64(6 * time.Second))))
		if w.rng.IntN(2) == 0 {
			w.restart(w.rng.IntN(2) == 0)
			w.pass(time.Millisecond)
		}
		w.remove(false)
	case n < 95:
		w.note("the function behaves otherwise")
		w.mu.Lock()
		w.moods = newMoods(w.rng)
		w.mu.Unlock()
	default:
		w.pass(time.Duration(w.rng.Int64N(int64(2 * time.Minute))))
	}
}

// smallChange leaves what is in hand as it is, but for one parameter.
func (w *world) smallChange() Spec {
	all := w.randomSpec()
	switch w.rng.IntN(5) {
	case 0:
		return Spec{BatchSize: all.BatchSize}
	case 1:
		return Spec{Filters: all.Filters}
	case 2:
		return Spec{RetryLimit: all.RetryLimit, OnFailure: all.OnFailure}
	case 3:
		return Spec{TumblingWindow: ptr(1 + w.rng.IntN(20)), Factor: ptr(1)}
	}
	return Spec{Factor: ptr(1 + w.rng.IntN(10)), TumblingWindow: ptr(0)}
}

func (w *world) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logf("%s", text)
}

func (w *world) update(spec Spec) {
	_, err := w.epoch.m.Update(context.Background(), w.uuid, spec)
	w.note(fmt.Sprintf("update: %v", err))
	var refused *Error
	if err != nil && (!errors.As(err, &refused) || refused.Kind != InUse) {
		w.t.Error(err)
	}
}

// put adds records, sometimes by a clock that was set.
func (w *world) put() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rng.IntN(6) == 0 {
		w.clock = time.Duration(w.rng.IntN(40)-20) * time.Second
	}
	keys := 1 + w.rng.IntN(12)
	var put strings.Builder
	for range 1 + w.rng.IntN(15) {
		r := &simRecord{id: len(w.src.recs), letter: byte('a' + w.rng.IntN(3)), put: time.Now()}
		r.Arrival = time.Now().Add(w.clock).UnixMilli()
		r.Key = fmt.Sprintf("k%d", w.rng.IntN(keys))
		pad := ""
		switch w.rng.IntN(200) {
		case 0:
			pad, r.large = strings.Repeat("x", simMaxEvent), true
		case 1:
			pad = strings.Repeat("x", simMaxEvent/2)
		}
		switch w.rng.IntN(15) {
		case 0:
			r.poison = 1 + w.rng.IntN(8)
		case 1:
			r.poison = 1 << 30
		}
		r.Data = fmt.Appendf(nil, `{"id":%d,"f":"%c","pad":"%s"}`, r.id, r.letter, pad)
		w.route(r, w.rng.IntN(4) == 0)
		if len(w.runs) > 0 {
			r.unwanted = !wants(w.run().def, r)
		}
		fmt.Fprintf(&put, " %s(%s)", r, r.Key)
	}
	w.logf("put%s at %+v", put.String(), w.clock)
	w.src.changed()
}

// route appends a record to the open shard that its key belongs to or, packed, to
// the record that was put before it.
func (w *world) route(r *simRecord, packed bool) {
	defer func() { w.src.recs = append(w.src.recs, r) }()
	if n := len(w.src.recs); packed && n > 0 {
		if last := w.src.recs[n-1]; last.put.Equal(r.put) && last.Arrival == r.Arrival {
			r.shard, r.Position, r.Sub = last.shard, last.Position, last.Sub+1
			r.shard.recs = append(r.shard.recs, r)
			return
		}
	}
	roots := 0
	for _, sh := range w.src.shards {
		if len(sh.parents) == 0 {
			roots++
		}
	}
	sh := w.src.shards[w.roll("route "+r.Key)%uint64(roots)]
	for sh.closed {
		sh = sh.children[w.roll("route "+r.Key, len(sh.recs))%uint64(len(sh.children))]
	}
	r.shard, r.Position = sh, sh.tip()
	sh.recs = append(sh.recs, r)
}

// reshard splits a shard or merges two.
func (w *world) reshard() {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := w.src.open()
	a := open[w.rng.IntN(len(open))]
	b := open[w.rng.IntN(len(open))]
	if a != b {
		w.logf("merge %s %s into %s", a.id, b.id, w.src.add(a, b).id)
	} else {
		w.logf("split %s into %s %s", a.id, w.src.add(a).id, w.src.add(a).id)
	}
	w.src.changed()
}

func (w *world) remove(gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logf("source is gone: %t", gone)
	w.src.gone = gone
	w.src.changed()
}

// compare looks at the checkpoints that a new process starts with.
func (w *world) compare(crashed bool) {
	points, err := loadProgress(w.epoch.db, w.uuid)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, sh := range w.src.shards {
		p := points[sh.id]
		w.compareRecords(sh, p, crashed)
		w.compareWindow(sh, p.window, crashed)
	}
}

func (w *world) compareRecords(sh *simShard, p progress, crashed bool) {
	for _, r := range sh.recs {
		covered := p.done || r.position().before(p.next) || p.processed(r.Record)
		switch {
		case covered && !w.gone(r):
			w.violated("the checkpoint of %s covers %s, which was not processed", sh.id, r)
		case covered:
			r.covered = true
		case r.settled > 0 && !crashed:
			w.violated("the checkpoint of %s does not cover %s", sh.id, r)
		default:
			r.settled = 0
		}
		if n, want := w.epoch.effects(r.id), min(r.settled, 1); w.exactlyOnce && n != want {
			w.violated("%s has %d effects, not %d", r, n, want)
		}
	}
}

// compareWindow wants the window of a checkpoint to be the one that was open after
// the records before it, and goes on from there.
func (w *world) compareWindow(sh *simShard, found *window, crashed bool) {
	last := 0 // operation whose records are covered
	for _, r := range sh.recs {
		last = max(last, r.settled)
	}
	for i := len(sh.trail) - 1; i >= -1; i-- {
		at := simWindow{}
		if i >= 0 {
			at = sh.trail[i]
		}
		if at.op < last {
			break
		}
		if !at.matches(found) {
			if crashed {
				continue
			}
			break
		}
		sh.trail, sh.ops = sh.trail[:i+1], at.op
		sh.window = nil
		if found != nil {
			sh.window = &simWindow{open: true, start: found.start, end: found.end, state: string(found.state), terminated: found.terminated}
		}
		return
	}
	if sh.window != nil && sh.window.tries > 0 && found == nil {
		sh.window = nil // given up
		sh.settle(nil)
		return
	}
	w.violated("the checkpoint of %s after operation %d has the window %.60v, the model %.60v", sh.id, last, found, sh.window)
}

func (at simWindow) matches(found *window) bool {
	if found == nil {
		return !at.open
	}
	if !at.open {
		return len(found.state) == 0 // opened by an attempt that came to nothing
	}
	return at.start == found.start && at.end == found.end && at.state == string(found.state) && at.terminated == found.terminated
}

// drain lets everything be processed.
func (w *world) drain() {
	w.pass(time.Millisecond)
	w.remove(false)
	w.pass(time.Millisecond)
	w.note("all is well")
	w.mu.Lock()
	w.moods = moods{slow: time.Second}
	for _, r := range w.src.recs {
		r.poison = 0
	}
	w.mu.Unlock()
	w.pass(time.Millisecond)
	if err := w.epoch.m.Settle(context.Background(), w.uuid); err != nil {
		w.t.Error(err)
	}
	w.pass(time.Millisecond)
	// Large records would wait for the end of their retention.
	w.update(Spec{Enabled: ptr(true), RetryLimit: ptr(3)})
	for range 60 {
		w.pass(time.Minute)
		if w.done() {
			return
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.src.recs {
		if !w.gone(r) {
			w.violated("%s is never processed", r)
		}
	}
	for _, sh := range w.src.shards {
		if !w.closed(sh) {
			w.violated("the window of %s is never closed", sh.id)
		}
	}
}

// closed reports whether no window of a shard waits for its final invocation, which
// the age limit may have ended.
func (w *world) closed(sh *simShard) bool {
	if sh.window == nil {
		return true
	}
	age := time.Since(time.Unix(sh.window.end, 0))
	return sh.window.tries > 0 && (age > w.src.retention || slices.ContainsFunc(w.runs, func(r simRun) bool {
		return r.def.MaximumRecordAge > 0 && age >= time.Duration(r.def.MaximumRecordAge)*time.Second
	}))
}

func (w *world) done() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.src.recs {
		if !w.gone(r) {
			return false
		}
	}
	for _, sh := range w.src.shards {
		if !w.closed(sh) || sh.at > 0 {
			return false
		}
	}
	return true
}

// end stops the process and looks at what is left.
func (w *world) end() {
	w.pass(time.Minute)
	w.restart(false)
	w.pass(time.Minute)
	if err := errors.Join(w.epoch.m.Close(), w.epoch.db.Close()); err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.src.recs {
		if !r.covered && !w.failed && !w.src.expired(r.Record) {
			w.violated("%s is not behind the checkpoint in the end", r)
		}
	}
}
