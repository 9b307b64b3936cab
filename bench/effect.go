package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	effectRate    = 1000 // records a second
	effectSlow    = 50   // records a second that systems can take that are not rapid
	effectShards  = 2
	effectBatch   = 100
	effectSenders = 8
	effectReaders = 8
	effectReads   = 4                // of so many notices at effectRate, one is followed by a read
	effectTimeout = 30 * time.Second // for the last effects after the last put
)

// effectLoad is what measureEffect puts.
type effectLoad struct {
	rate    int  // records a second
	ownRows bool // each record has a key of its own, else there are pipelineKeys
	reads   int  // one in so many notices is followed by a read; 0: each
}

// measureEffect returns a scenario that puts single records at a steady rate into a
// stream that is mapped to a function, and measures from the moment a record was due
// to be sent
//
//   - until the function has the acknowledgement of the UpdateItem that counts it, and
//   - until a consistent GetItem of another client, sent as soon as the function
//     has told so, has returned the row; at a high rate of a sample, as reading
//     each row would be a good part of the load.
//
// The second contains the first, one message over loopback and one GetItem: it
// is an upper bound of when the row was visible, and nothing polls. In the end all
// rows are read and must count every record.
func measureEffect(load effectLoad) func(context.Context, *bench, *server) ([]figure, error) {
	return func(ctx context.Context, b *bench, s *server) ([]figure, error) { return effects(ctx, b, s, load) }
}

func effects(ctx context.Context, b *bench, s *server, load effectLoad) ([]figure, error) {
	warm := int(b.warmup.Seconds() * float64(load.rate))
	each := int(b.duration.Seconds() * float64(load.rate))
	stream, table, function := b.name("effect"), b.name("effects"), b.name("effect")
	e, err := newEffect(s.addr, stream, table, load, warm+b.repetitions*each)
	if err != nil {
		return nil, err
	}
	defer e.senders.close()
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout+e.planned()+effectTimeout, errEffects)
	defer cancel()
	notices, err := hear(func(n notice, at time.Time) { e.heard(ctx, n, at) })
	if err != nil {
		return nil, err
	}
	defer notices.close()
	arn, err := s.createStream(ctx, stream, effectShards)
	if err != nil {
		return nil, err
	}
	if err := b.deploy(ctx, s, counting{language: goLanguage, function: function, table: table, notice: notices.addr()}); err != nil {
		return nil, err
	}
	if _, err := s.createMapping(ctx, arn, function, effectBatch); err != nil {
		return nil, err
	}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	return e.figures(warm, each), nil
}

var errEffects = errors.New("the function did not write them in time")

// effect is a number of records on their way. The id of a record is its place, from
// 1. Times are nanoseconds from start.
type effect struct {
	effectLoad
	table   string
	start   time.Time
	puts    [][]byte
	due     []atomic.Int64
	acked   []atomic.Int64 // 0: not yet
	seen    []atomic.Int64 // 0: not yet, or not looked for
	left    atomic.Int64   // records that have not been acknowledged
	done    chan struct{}  // all have been acknowledged
	failed  chan error     // the first error
	senders connections
	readers chan *conn // those that are free
	reading sync.WaitGroup

	mu      sync.Mutex
	notices int
	counted map[string]int // records that have been told of, by key
}

func newEffect(addr, stream, table string, load effectLoad, n int) (*effect, error) {
	senders, err := connectLightly(addr, effectSenders)
	if err != nil {
		return nil, err
	}
	e := &effect{
		effectLoad: load, table: table, start: time.Now(), puts: make([][]byte, n),
		due: make([]atomic.Int64, n), acked: make([]atomic.Int64, n), seen: make([]atomic.Int64, n),
		done: make(chan struct{}), failed: make(chan error, 1), readers: make(chan *conn, effectReaders),
		counted: map[string]int{}, senders: senders,
	}
	rnd := newSource()
	for i := range n {
		key := eventKey(rnd.IntN(pipelineKeys))
		if load.ownRows {
			key = itemKey(i)
		}
		e.puts[i] = putRecord(rnd, stream, eventData(rnd, key, i+1))
	}
	e.left.Store(int64(n))
	for range effectReaders {
		e.readers <- &conn{addr: addr}
	}
	return e, nil
}

// planned is how long all records take at their rate.
func (e *effect) planned() time.Duration {
	return time.Duration(len(e.puts)) * time.Second / time.Duration(e.rate)
}

func (e *effect) since(at time.Time) int64 { return max(1, int64(at.Sub(e.start))) }

func (e *effect) fail(err error) {
	select {
	case e.failed <- err:
	default:
	}
}

// run sends all records at their times and waits until all have been seen.
func (e *effect) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	first := time.Now()
	sends := make([]func(context.Context), len(e.senders.conns))
	for i, c := range e.senders.conns {
		sends[i] = func(ctx context.Context) { e.send(ctx, c, i, first) }
	}
	wg.Go(func() { e.senders.run(ctx, sends) })
	select {
	case <-e.done:
	case err := <-e.failed:
		return cause(ctx, err)
	case <-ctx.Done():
		return fmt.Errorf("%d of %d effects missing: %w", e.left.Load(), len(e.puts), context.Cause(ctx))
	}
	e.reading.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, counted := range e.counted {
		e.read(ctx, key, counted)
	}
	select {
	case err := <-e.failed:
		return cause(ctx, err)
	default:
		return nil
	}
}

// send puts one record of each round of senders. A record that is sent late, as
// the one before it had to be waited for, counts from when it was due, so that a
// server that stalls is not spared.
func (e *effect) send(ctx context.Context, c *conn, n int, first time.Time) {
	for i := n; i < len(e.puts) && ctx.Err() == nil; i += len(e.senders.conns) {
		due := first.Add(time.Duration(i) * time.Second / time.Duration(e.rate))
		if time.Now().Before(due) {
			e.senders.sleep(ctx, due)
			due = time.Now() // how exactly the system wakes sleepers is not what is measured
		}
		e.due[i].Store(e.since(due))
		resp, err := c.do(ctx, e.puts[i])
		if err == nil {
			err = checkStatus(resp)
		}
		if err != nil {
			e.fail(err)
			return
		}
	}
}

// heard notes an acknowledged write and may have the row read back, which must count
// what has been told of it. A batch that was delivered again tells of its records
// again; the first time counts.
func (e *effect) heard(ctx context.Context, n notice, at time.Time) {
	fresh := e.acknowledge(n, at)
	if len(fresh) == 0 {
		return
	}
	e.mu.Lock()
	e.notices++
	read := e.notices%max(e.reads, 1) == 0
	e.counted[n.key] += len(fresh)
	counted := e.counted[n.key]
	e.mu.Unlock()
	if read { // beside the next notice, which is not to be kept waiting
		e.reading.Go(func() {
			read := e.read(ctx, n.key, counted)
			for _, i := range fresh {
				e.seen[i].Store(read)
			}
		})
	}
	if e.left.Add(-int64(len(fresh))) == 0 {
		close(e.done)
	}
}

// acknowledge returns the places of the records that were not told of before.
func (e *effect) acknowledge(n notice, at time.Time) (fresh []int) {
	for _, id := range n.ids {
		if i := id - 1; i >= 0 && i < len(e.acked) && e.acked[i].CompareAndSwap(0, e.since(at)) {
			fresh = append(fresh, i)
		}
	}
	return fresh
}

// read gets a row, whose counter must be at least counted, and returns when it had it.
func (e *effect) read(ctx context.Context, key string, counted int) int64 {
	c := <-e.readers
	defer func() { e.readers <- c }()
	resp, err := c.do(ctx, getItem(e.table, key))
	at := e.since(time.Now())
	if err == nil {
		err = checkItem(resp)
	}
	n := 0
	if err == nil {
		n, err = counter(resp.body)
	}
	if err == nil && n < counted {
		err = fmt.Errorf("%s counts %d records after %d have been acknowledged", key, n, counted)
	}
	if err != nil {
		e.fail(fmt.Errorf("reading an acknowledged row: %w", err))
	}
	return at
}

// figures leaves out the first warm records and takes each following as a repetition.
func (e *effect) figures(warm, each int) []figure {
	what := fmt.Sprintf("Put to effect at %s records/s", thousands(float64(e.rate)))
	if e.ownRows {
		what += ", a row for each"
	}
	return slices.Concat(
		latencyFigures(what, "row read by another client", repetitions(e.due, e.seen, warm, each)),
		latencyFigures(what, "write acknowledged to the function", repetitions(e.due, e.acked, warm, each)),
	)
}

// repetitions returns the sorted times from from to to, where that is known, each group
// from so many records.
func repetitions(from, to []atomic.Int64, warm, each int) [][]time.Duration {
	var groups [][]time.Duration
	for first := warm; first+each <= len(from); first += each {
		group := make([]time.Duration, 0, each)
		for i := first; i < first+each; i++ {
			if end := to[i].Load(); end > 0 {
				group = append(group, time.Duration(end-from[i].Load()))
			}
		}
		slices.Sort(group)
		groups = append(groups, group)
	}
	return groups
}

func latencyFigures(what, until string, groups [][]time.Duration) []figure {
	p50 := figure{Measure: what, Aspect: until + ", p50", Unit: "ms"}
	p99 := figure{Measure: what, Aspect: until + ", p99", Unit: "ms"}
	for _, g := range groups {
		p50.Runs = append(p50.Runs, milliseconds(percentile(g, 0.50)))
		p99.Runs = append(p99.Runs, milliseconds(percentile(g, 0.99)))
	}
	return []figure{p50, p99}
}
