package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	effectRate    = 1000 // records a second
	effectShards  = 2
	effectBatch   = 100
	effectSenders = 8
	effectReaders = 4
	effectTimeout = 30 * time.Second // for the last effects after the last put
)

// measureEffect puts single records at a steady rate into a stream that is mapped
// to a function, and measures from the moment a record was due to be sent
//
//   - until the function has the acknowledgement of the UpdateItem for it, and
//   - until a consistent GetItem of another client, sent as soon as the function
//     has told so, has returned the row.
//
// The second contains the first, one message over loopback and one GetItem: it
// is an upper bound of when the row was visible, and nothing polls.
func measureEffect(ctx context.Context, b *bench, s *server) ([]figure, error) {
	stream, table := b.name("effect"), b.name("effects")
	warm := int(b.warmup.Seconds() * effectRate)
	each := int(b.duration.Seconds() * effectRate)
	e := newEffect(stream, table, warm+b.repetitions*each)
	notices, err := hear(e.heard)
	if err != nil {
		return nil, err
	}
	defer notices.close()
	arn, err := s.createStream(ctx, stream, effectShards)
	if err != nil {
		return nil, err
	}
	function := b.name("effect")
	if err := b.deploy(ctx, s, function, table, notices.addr()); err != nil {
		return nil, err
	}
	if err := s.createMapping(ctx, arn, function, effectBatch); err != nil {
		return nil, err
	}
	if err := e.run(ctx, s.addr); err != nil {
		return nil, err
	}
	return e.figures(warm, each), nil
}

// effect is one record after another on its way. Times are nanoseconds from start.
type effect struct {
	start time.Time
	puts  [][]byte
	gets  [][]byte
	due   []atomic.Int64
	acked []atomic.Int64 // 0: not yet
	seen  []atomic.Int64 // 0: not yet
	told  chan int       // records to read back; room for all
	left  atomic.Int64
	done  chan struct{} // all have been seen
}

func newEffect(stream, table string, n int) *effect {
	e := &effect{
		puts: make([][]byte, n), gets: make([][]byte, n),
		due: make([]atomic.Int64, n), acked: make([]atomic.Int64, n), seen: make([]atomic.Int64, n),
		told: make(chan int, n), done: make(chan struct{}),
	}
	rnd := newSource()
	for i := range n {
		e.puts[i] = putRecord(rnd, stream, eventData(rnd, itemKey(i)))
		e.gets[i] = getItem(table, itemKey(i))
	}
	e.left.Store(int64(n))
	e.start = time.Now()
	return e
}

func (e *effect) since(at time.Time) int64 { return max(1, int64(at.Sub(e.start))) }

// heard notes an acknowledged write. A batch that was delivered again tells of
// its records again; the first time counts.
func (e *effect) heard(key string, _ int, at time.Time) {
	digits, _ := strings.CutPrefix(key, "key-")
	i, err := strconv.Atoi(digits)
	if err != nil || i < 0 || i >= len(e.acked) {
		return
	}
	if e.acked[i].CompareAndSwap(0, e.since(at)) {
		e.told <- i
	}
}

// run sends all records at their times and waits until all have been seen.
func (e *effect) run(ctx context.Context, addr string) error {
	planned := time.Duration(len(e.puts)) * time.Second / effectRate
	ctx, cancel := context.WithTimeoutCause(ctx, planned+effectTimeout, errEffects)
	defer cancel()
	due := make(chan int, len(e.puts))
	failed := make(chan error, effectSenders+effectReaders)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range effectSenders {
		wg.Go(func() { e.each(ctx, addr, due, e.put, failed) })
	}
	for range effectReaders {
		wg.Go(func() { e.each(ctx, addr, e.told, e.read, failed) })
	}
	wg.Go(func() { e.pace(ctx, due) })
	select {
	case <-e.done:
		return nil
	case err := <-failed:
		return cause(ctx, err)
	case <-ctx.Done():
		return fmt.Errorf("%d of %d effects missing: %w", e.left.Load(), len(e.puts), context.Cause(ctx))
	}
}

var errEffects = errors.New("the function did not write them in time")

// pace hands out records at their times. A record's time is when it is handed out,
// whether or not a sender is free, so that a server that stalls is not spared.
func (e *effect) pace(ctx context.Context, due chan<- int) {
	first := time.Now()
	for i := range e.puts {
		time.Sleep(time.Until(first.Add(time.Duration(i) * time.Second / effectRate)))
		if ctx.Err() != nil {
			return
		}
		e.due[i].Store(e.since(time.Now()))
		due <- i
	}
}

// each does one thing on a connection of its own for each record that it is given.
func (e *effect) each(ctx context.Context, addr string, records <-chan int, do func(context.Context, *conn, int) error, failed chan<- error) {
	c := &conn{addr: addr}
	defer c.close()
	for {
		select {
		case i := <-records:
			if err := do(ctx, c, i); err != nil {
				failed <- err
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (e *effect) put(ctx context.Context, c *conn, i int) error {
	resp, err := c.do(ctx, e.puts[i])
	if err != nil {
		return err
	}
	return checkStatus(resp)
}

func (e *effect) read(ctx context.Context, c *conn, i int) error {
	resp, err := c.do(ctx, e.gets[i])
	if err != nil {
		return err
	}
	if err := checkItem(resp); err != nil {
		return fmt.Errorf("a row that was acknowledged is not visible: %w", err)
	}
	e.seen[i].Store(e.since(time.Now()))
	if e.left.Add(-1) == 0 {
		close(e.done)
	}
	return nil
}

// figures leaves out the first warm records and takes each following as a repetition.
func (e *effect) figures(warm, each int) []figure {
	what := fmt.Sprintf("Put to effect at %s records/s", thousands(effectRate))
	return slices.Concat(
		latencyFigures(what, "row read by another client", repetitions(e.due, e.seen, warm, each)),
		latencyFigures(what, "write acknowledged to the function", repetitions(e.due, e.acked, warm, each)),
	)
}

// repetitions returns the sorted times from from to to, in groups of each.
func repetitions(from, to []atomic.Int64, warm, each int) [][]time.Duration {
	var groups [][]time.Duration
	for first := warm; first+each <= len(from); first += each {
		group := make([]time.Duration, each)
		for i := range group {
			group[i] = time.Duration(to[first+i].Load() - from[first+i].Load())
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
