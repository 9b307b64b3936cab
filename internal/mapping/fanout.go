package mapping

import (
	"context"
	"errors"
	"sync"
)

// fanout cuts a shard into lanes by the keys of its records. It reads ahead of the
// lanes as far as readAhead allows: a lane that cannot go on lets the others go on
// until then.
type fanout struct {
	sr    *shardReader
	lanes []*lane

	mu      sync.Mutex
	queues  []laneQueue
	next    position
	records int // read and not processed
	bytes   int
	over    bool // no record will come any more
	room    chan struct{}
}

// laneQueue is the records that wait for a lane.
type laneQueue struct {
	recs []Record
	held position // of the first record in the lane's hands; zero when there is none
	past position // before which the lane had processed everything in former runs
	wake chan struct{}
}

// How far a fanout reads ahead.
const (
	readAheadBatches = 4 // for each lane
	readAheadBytes   = 64 << 20
)

func newFanout(sr *shardReader, n int) *fanout {
	f := &fanout{sr: sr, next: sr.start.next, queues: make([]laneQueue, n), room: make(chan struct{}, 1)}
	for i := range n {
		f.queues[i].wake = make(chan struct{}, 1)
		f.queues[i].past = sr.start.laneAt(n, i)
		f.lanes = append(f.lanes, newLane(sr, &laneIntake{f: f, lane: i}, i))
	}
	return f
}

// process reads until the shard is done, a lane fails or ctx ends.
func (f *fanout) process(ctx context.Context) (done bool, err error) {
	if err := f.closeWindow(ctx); err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(f.lanes))
	var running sync.WaitGroup
	for i, ln := range f.lanes {
		running.Go(func() {
			if errs[i] = ln.process(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	readErr := f.distribute(ctx)
	if readErr != nil {
		cancel()
	}
	running.Wait()
	stopped := firstReal(append(errs, readErr))
	err = stopped
	if stopped == nil {
		err = f.lanes[0].writeDone(f.next)
		done = err == nil
	}
	for _, ln := range f.lanes {
		err = errors.Join(err, ln.finish(stopped))
	}
	return done, err
}

// closeWindow makes the final invocation of a window that was open when the
// factor was raised.
func (f *fanout) closeWindow(ctx context.Context) error {
	w := f.sr.start.window
	if w == nil {
		return nil
	}
	ln := newLane(f.sr, &directIntake{sr: f.sr, next: f.next}, 0)
	ln.window = w
	err := ln.closeWindow(ctx)
	return errors.Join(err, ln.finish(err))
}

// firstReal returns the first error that is not just the end of the context.
func firstReal(errs []error) error {
	var ended error
	for _, err := range errs {
		if errors.Is(err, context.Canceled) {
			ended = err
		} else if err != nil {
			return err
		}
	}
	return ended
}

// distribute reads records and puts them into the queues of their lanes.
func (f *fanout) distribute(ctx context.Context) error {
	limit := readAheadBatches * len(f.lanes) * f.sr.run.def.BatchSize
	for {
		if err := f.waitForRoom(ctx, limit); err != nil {
			return err
		}
		recs, next, err := f.sr.fetch(ctx, f.next, f.sr.run.def.BatchSize, f.sr.maxEvent())
		if err != nil {
			return err
		}
		f.put(recs, next)
		if len(recs) > 0 {
			continue
		}
		if f.sr.src.Done(next.at) {
			f.end()
			return nil
		}
		if err := f.sr.src.Wait(ctx, next.at); err != nil {
			return err
		}
	}
}

func (f *fanout) waitForRoom(ctx context.Context, limit int) error {
	for {
		f.mu.Lock()
		full := f.records >= limit || f.bytes >= readAheadBytes
		f.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-f.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fanout) put(recs []Record, next position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range recs {
		q := &f.queues[laneOf(r.Key, len(f.queues))]
		q.recs = append(q.recs, r)
		f.records++
		f.bytes += len(r.Data)
		signal(q.wake)
	}
	f.next = next
}

func (f *fanout) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for i := range f.queues {
		signal(f.queues[i].wake)
	}
}

// signal wakes whoever waits, or will wait next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// low returns the position before which a lane has processed everything.
func (f *fanout) low(lane int) position {
	q := &f.queues[lane]
	switch {
	case q.held != position{}:
		return q.held
	case len(q.recs) > 0:
		return q.recs[0].position()
	}
	return f.next
}

// laneIntake hands a lane of several its records.
type laneIntake struct {
	f    *fanout
	lane int
}

func (in *laneIntake) fetch(_ context.Context, maxRecords, maxBytes int) ([]Record, error) {
	in.f.mu.Lock()
	defer in.f.mu.Unlock()
	q := &in.f.queues[in.lane]
	n, size := 0, 0
	for n < len(q.recs) && n < maxRecords && (n == 0 || size+len(q.recs[n].Data) <= maxBytes) {
		size += len(q.recs[n].Data)
		n++
	}
	if n == 0 {
		return nil, nil
	}
	recs := q.recs[:n:n]
	q.recs = q.recs[n:]
	if (q.held == position{}) {
		q.held = recs[0].position()
	}
	return recs, nil
}

func (in *laneIntake) wait(ctx context.Context) error {
	select {
	case <-in.f.queues[in.lane].wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (in *laneIntake) reached() position {
	in.f.mu.Lock()
	defer in.f.mu.Unlock()
	return in.f.low(in.lane)
}

func (in *laneIntake) ended() bool {
	in.f.mu.Lock()
	defer in.f.mu.Unlock()
	return in.f.over && len(in.f.queues[in.lane].recs) == 0
}

// settle writes how far the lane is and, as far as it goes, the checkpoint of the
// shard: the least of all lanes. Another lane may write an older one later, which
// does no harm, as each lane's own position says what is behind it.
func (in *laneIntake) settle(ln *lane, rest *Record, processed []Record, _ *window, effects Effects) error {
	f := in.f
	f.mu.Lock()
	q := &f.queues[in.lane]
	before := q.held
	q.held = position{}
	if rest != nil {
		q.held = rest.position()
	}
	own := f.low(in.lane)
	all := own
	if own.before(q.past) {
		own = q.past // reading has not come that far again
	}
	for i := range f.queues {
		if p := f.low(i); p.before(all) {
			all = p
		}
	}
	// Until the write has succeeded the lane stands where it stood.
	after := q.held
	q.held = before
	f.mu.Unlock()
	err := ln.points.write(effects,
		entry{laneKey(ln.def.UUID, ln.shard.Key, len(f.queues), in.lane), checkpoint{next: own}.encode()},
		entry{checkpointKey(ln.def.UUID, ln.shard.Key), checkpoint{next: all}.encode()})
	if err != nil {
		return err
	}
	f.mu.Lock()
	q.held = after
	ln.status.Next = own.at
	f.records -= len(processed)
	for _, r := range processed {
		f.bytes -= len(r.Data)
	}
	f.mu.Unlock()
	signal(f.room)
	return nil
}

// laneOf returns the lane of a key: its FNV-1a hash, mixed so that the low bits
// depend on all others, modulo the number of lanes. Positions of lanes are kept,
// so it must never change.
func laneOf(key string, lanes int) int {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return int(h % uint64(lanes))
}
