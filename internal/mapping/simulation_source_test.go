package mapping

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"
)

// simRecord is a record of the simulation and what became of it.
type simRecord struct {
	Record
	id     int
	shard  *simShard
	letter byte // what filters look at
	put    time.Time
	large  bool // its event exceeds the limit of an invocation
	poison int  // how many invocations with it fail

	settled  int  // the shard's operation that processed it, 0 when none did
	covered  bool // by a checkpoint that was looked at after a stop
	reported bool // to a destination, or the report was refused
	silent   bool // a run without destination may have discarded it
	unwanted bool // by the filters of some run since it exists
	poisoned int  // invocations with it that have failed on its account
	run      int  // that fails counts for
	fails    int  // in a row, counted, of the segment with it
}

// simShard is a shard of the simulation with the model of its tumbling window.
type simShard struct {
	id       string
	number   int // from 0
	parents  []*simShard
	children []*simShard
	recs     []*simRecord
	closed   bool

	busy map[string]bool // keys in invocations that are under way
	at   int             // invocations under way

	ops    int        // checkpoints that must have been written
	window *simWindow // nil when none is open
	trail  []simWindow
	// unsure is a window in which nothing was processed before the run ended. It is
	// remembered only if a checkpoint was written meanwhile.
	unsure *simWindow
}

// simWindow is a tumbling window as the model has it.
type simWindow struct {
	op         int // after which it was like that
	open       bool
	start, end int64
	state      string // "" before the function returned one
	terminated bool
	run        int // that tries and fails count for
	tries      int // of its final invocation
	fails      int
}

func (r *simRecord) String() string { return fmt.Sprintf("%s/%d", r.shard.id, r.id) }

// settle notes a checkpoint after which the given records are processed.
func (s *simShard) settle(recs []*simRecord) {
	s.ops++
	for _, r := range recs {
		r.settled = s.ops
	}
	w := simWindow{}
	if s.window != nil {
		w = *s.window
	}
	w.op = s.ops
	s.trail = append(s.trail, w)
}

// newRun notes that the mapping starts again from the checkpoint.
func (s *simShard) newRun() {
	if s.window != nil && (len(s.trail) == 0 || !s.trail[len(s.trail)-1].open) {
		s.unsure, s.window = s.window, nil
	}
}

// tip is the position of the next record.
func (s *simShard) tip() uint64 {
	if len(s.recs) == 0 {
		return 1
	}
	return s.recs[len(s.recs)-1].Position + 1
}

func (s *simShard) ancestors() []*simShard {
	var all []*simShard
	for _, p := range s.parents {
		all = append(all, p)
		all = append(all, p.ancestors()...)
	}
	return all
}

// simSource is the source of the simulation. It outlives all restarts, as what it
// has was acknowledged.
type simSource struct {
	gone      bool
	retention time.Duration
	shards    []*simShard
	recs      []*simRecord
	wake      chan struct{}
}

func (s *simSource) add(parents ...*simShard) *simShard {
	n := len(s.shards)
	sh := &simShard{id: fmt.Sprintf("s%d", n), number: n, parents: parents, busy: map[string]bool{}}
	for _, p := range parents {
		p.closed = true
		p.children = append(p.children, sh)
	}
	s.shards = append(s.shards, sh)
	return sh
}

func (s *simSource) changed() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

func (s *simSource) open() []*simShard {
	return slices.DeleteFunc(slices.Clone(s.shards), func(sh *simShard) bool { return sh.closed })
}

// expired reports whether the source does not keep a record any longer.
func (s *simSource) expired(r Record) bool {
	return time.Since(time.UnixMilli(r.Arrival)) > s.retention
}

// simReader reads one shard, for one run of the mapping.
type simReader struct {
	w  *world
	e  *epoch
	sh *simShard
}

func (f *simReader) Start(at StartingPosition) (uint64, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if at.Type != Latest {
		return 1, nil
	}
	for _, r := range f.sh.recs {
		r.covered, r.unwanted = true, true
	}
	return f.sh.tip(), nil
}

func (f *simReader) Read(from uint64, maxRecords, maxBytes int) (out []Record, next uint64, err error) {
	f.w.enterNext(f.sh.readerSlot())
	time.Sleep(f.w.sourceTakes(f.sh.number))
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.src.gone || f.e.dead {
		return nil, 0, ErrSourceGone
	}
	size := 0
	first := sort.Search(len(f.sh.recs), func(i int) bool { return f.sh.recs[i].Position >= from })
	for _, r := range f.sh.recs[first:] {
		if f.w.src.expired(r.Record) && len(out) == 0 {
			from = r.Position + 1
			continue
		}
		if size += len(r.Data); r.Sub == 0 && (len(out) >= maxRecords || size > maxBytes && len(out) > 0) {
			break
		}
		out = append(out, r.Record)
		from = r.Position + 1
	}
	return out, from, nil
}

// sourceTakes is how long the source thinks about a call that comes now, about a
// shard or, with -1, all of them.
func (w *world) sourceTakes(shard int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := int(time.Since(w.start))
	if !w.chance(w.moods.slowSource, "slow source", shard, now) {
		return 0
	}
	return turn * time.Duration(w.roll("source takes", shard, now)%uint64(time.Second/turn))
}

func (f *simReader) Wait(ctx context.Context, from uint64) error {
	for {
		f.w.mu.Lock()
		src := f.w.src
		if src.gone || f.e.dead {
			f.w.mu.Unlock()
			return ErrSourceGone
		}
		if f.sh.closed || f.sh.tip() > from {
			f.w.mu.Unlock()
			return nil
		}
		if src.wake == nil {
			src.wake = make(chan struct{})
		}
		wake := src.wake
		f.w.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *simReader) Done(from uint64) bool {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return f.sh.closed && f.sh.tip() <= from
}

func (f *simReader) Expired(r Record) bool {
	f.w.mu.Lock()
	def := f.w.run().def
	f.w.mu.Unlock()
	f.w.enter(f.sh.laneSlot(def, r.Key))
	return f.w.src.expired(r)
}

func (f *simReader) SequenceNumber(r Record) string {
	return f.sh.id + "-" + strconv.FormatUint(r.Position, 10)
}

func (f *simReader) AppendEvent(dst []byte, _ string, r Record) ([]byte, error) {
	// The data is JSON with the record's number in it.
	return append(dst, r.Data...), nil
}
