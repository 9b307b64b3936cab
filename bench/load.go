package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// step sends one request of one connection and waits for its answer. It returns
// how many units (records, items) the request moved.
type step func(ctx context.Context) (units int, err error)

// errDone is what a step returns that has nothing left to do.
var errDone = errors.New("done")

// sample is what one repetition of a closed loop gave.
type sample struct {
	units     int
	elapsed   time.Duration
	latencies []time.Duration // of each request, sorted
	cpu       time.Duration   // of the generator itself, all threads
}

// cycle sends requests in turn, over and over, starting with the first-th.
func cycle(c *conn, requests [][]byte, first, units int, check func(response) error) step {
	next := first % len(requests)
	return func(ctx context.Context) (int, error) {
		resp, err := c.do(ctx, requests[next])
		if err != nil {
			return 0, err
		}
		if next++; next == len(requests) {
			next = 0
		}
		return units, check(resp)
	}
}

// atMost ends a step after it has been done n times.
func atMost(n int, do step) step {
	return func(ctx context.Context) (int, error) {
		if n == 0 {
			return 0, errDone
		}
		n--
		return do(ctx)
	}
}

// together runs tasks at the same time and returns when all have ended.
type together func(ctx context.Context, tasks []func(context.Context))

// goroutines runs each task in a goroutine of its own.
func goroutines(ctx context.Context, tasks []func(context.Context)) {
	var wg sync.WaitGroup
	for _, task := range tasks {
		wg.Go(func() { task(ctx) })
	}
	wg.Wait()
}

func sleepUntil(ctx context.Context, t time.Time) { _ = pause(ctx, time.Until(t)) }

// connections are some to one server, and what runs the steps that use them.
type connections struct {
	conns []*conn
	run   together
	sleep func(ctx context.Context, until time.Time) // of a step; ends early with ctx
	close func()
}

// connect returns n connections for goroutines.
func connect(addr string, n int) connections {
	cs := connections{run: goroutines, sleep: sleepUntil}
	for range n {
		cs.conns = append(cs.conns, &conn{addr: addr})
	}
	cs.close = func() {
		for _, c := range cs.conns {
			c.close()
		}
	}
	return cs
}

// grace is how long requests may take beyond the time planned for a load.
const grace = 60 * time.Second

// repeat runs the steps once to warm up and then for each repetition.
func (b *bench) repeat(ctx context.Context, run together, steps []step) ([]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, b.warmup+time.Duration(b.repetitions)*b.duration+grace)
	defer cancel()
	if _, err := runFor(ctx, run, steps, b.warmup); err != nil {
		return nil, fmt.Errorf("warming up: %w", err)
	}
	samples := make([]sample, b.repetitions)
	for i := range samples {
		var err error
		if samples[i], err = runFor(ctx, run, steps, b.duration); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// runFor repeats every step, all of them together, until d has passed, and ends when
// the requests then under way have been answered. The first error ends it.
func runFor(ctx context.Context, run together, steps []step, d time.Duration) (sample, error) {
	parts := make([]sample, len(steps))
	failed := make(chan error, len(steps))
	cpu := processCPU()
	start := time.Now()
	tasks := make([]func(context.Context), len(steps))
	for i, s := range steps {
		tasks[i] = func(ctx context.Context) {
			if err := parts[i].loop(ctx, s, start.Add(d), failed); err != nil {
				failed <- cause(ctx, err)
			}
		}
	}
	run(ctx, tasks)
	if len(failed) > 0 {
		return sample{}, <-failed
	}
	total := sample{elapsed: time.Since(start), cpu: processCPU() - cpu}
	for _, p := range parts {
		total.units += p.units
		total.latencies = append(total.latencies, p.latencies...)
	}
	slices.Sort(total.latencies)
	return total, nil
}

func (s *sample) loop(ctx context.Context, do step, until time.Time, failed <-chan error) error {
	s.latencies = make([]time.Duration, 0, 1<<16)
	for sent := time.Now(); sent.Before(until) && len(failed) == 0; {
		units, err := do(ctx)
		if errors.Is(err, errDone) {
			return nil
		}
		if err != nil {
			return err
		}
		answered := time.Now()
		s.latencies = append(s.latencies, answered.Sub(sent))
		s.units += units
		sent = answered
	}
	return nil
}

// cause prefers why a context ended to the I/O error that followed from it.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// loadFigures are what every closed-loop scenario reports.
func loadFigures(what, unit string, samples []sample) []figure {
	rate := figure{Measure: what, Unit: unit + "/s"}
	p50 := figure{Measure: what, Aspect: "latency p50", Unit: "ms"}
	p99 := figure{Measure: what, Aspect: "latency p99", Unit: "ms"}
	cpu := figure{Measure: what, Aspect: "CPU of the load generator", Unit: "% of a core"}
	for _, s := range samples {
		rate.Runs = append(rate.Runs, float64(s.units)/s.elapsed.Seconds())
		p50.Runs = append(p50.Runs, milliseconds(percentile(s.latencies, 0.50)))
		p99.Runs = append(p99.Runs, milliseconds(percentile(s.latencies, 0.99)))
		cpu.Runs = append(cpu.Runs, 100*s.cpu.Seconds()/s.elapsed.Seconds())
	}
	return []figure{rate, p50, p99, cpu}
}
