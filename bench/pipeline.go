package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	pipelineRecords = 600_000
	pipelineKeys    = 5 // different keys of records: kinds of events
	pipelineBatch   = 1000
	pipelineTimeout = 2 * time.Minute
)

var errPipeline = errors.New("the function did not get to the end in time")

// counting is a counting function and its table.
type counting struct {
	language
	function, table, notice string
	once                    bool // counted exactly once
}

// measurePipeline returns a scenario that fills a stream and measures how fast
// functions in a language count all of it, at least once and exactly once.
func measurePipeline(l language) func(context.Context, *bench, *server) ([]figure, error) {
	return func(ctx context.Context, b *bench, s *server) ([]figure, error) {
		if l.install != "" && s.install != nil {
			if err := s.install(ctx, l.install); err != nil {
				return nil, err
			}
		}
		stream := b.name("pipeline")
		arn, err := s.createStream(ctx, stream, shards)
		if err != nil {
			return nil, err
		}
		n, err := fillStream(ctx, s, stream, cmp.Or(s.records, pipelineRecords), pipelineTimeout)
		if err != nil {
			return nil, fmt.Errorf("filling: %w", err)
		}
		var figures []figure
		for _, once := range []bool{false, true} {
			if once && s.offers&exactlyOnce == 0 {
				break
			}
			rate, err := countRuns(ctx, b, s, arn, counting{language: l, once: once}, n)
			if len(rate.Runs) > 0 {
				figures = append(figures, rate)
			}
			if err != nil {
				return figures, err
			}
		}
		return figures, nil
	}
}

// countRuns counts a stream of n records several times.
func countRuns(ctx context.Context, b *bench, s *server, arn string, c counting, n int) (figure, error) {
	rate := figure{
		Measure: fmt.Sprintf("%s function counting by key, batches of %s, %d shards", c.name, thousands(pipelineBatch), shards),
		Unit:    "records/s",
	}
	if c.once {
		rate.Aspect = "exactly once"
	}
	for i := range b.repetitions {
		c.function = b.name(fmt.Sprint("count-", c.name, "-", c.once, "-", i))
		c.table = c.function
		perSecond, err := countAll(ctx, b, s, arn, c, n)
		if perSecond > 0 {
			rate.Runs = append(rate.Runs, perSecond)
		}
		if err != nil {
			return rate, fmt.Errorf("%s: %w", c.function, err)
		}
	}
	return rate, nil
}

// countAll maps a stream of n records to a new function with a new table, and
// measures how many records a second it counts from its first write on until all
// are in the table. The counts must then be right. When the time is over the rate
// is that until then, with errPipeline.
func countAll(ctx context.Context, b *bench, s *server, arn string, c counting, n int) (perSecond float64, err error) {
	p := progress{want: n, done: make(chan struct{})}
	notices, err := hear(p.heard)
	if err != nil {
		return 0, err
	}
	defer notices.close()
	c.notice = notices.addr()
	if err := b.deploy(ctx, s, c); err != nil {
		return 0, err
	}
	mapping, err := s.createMapping(ctx, arn, c.function, pipelineBatch)
	if err != nil {
		return 0, err
	}
	defer s.deleteMapping(ctx, mapping)
	keys := make([]string, pipelineKeys)
	for i := range keys {
		keys[i] = eventKey(i)
	}
	select {
	case <-p.done:
	case <-time.After(pipelineTimeout):
		counted, perSecond := p.rate(time.Now())
		return perSecond, fmt.Errorf("%d of %d records counted: %w", counted, n, errPipeline)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	// What is counted once is seen when the invocation has ended.
	err = await(ctx, "counters", func() (bool, error) {
		sum, err := sumCounters(ctx, s, c.table, keys)
		return sum >= n, err
	})
	if err != nil {
		return 0, err
	}
	_, perSecond = p.rate(time.Now())
	return perSecond, checkCounters(ctx, s, c.table, keys, n)
}

// progress is how many records a function has told of.
type progress struct {
	want int
	done chan struct{} // closed when all have been counted

	mu      sync.Mutex
	counted int
	first   time.Time // of the first write
	before  int       // records of the first write
}

func (p *progress) heard(n notice, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first.IsZero() {
		p.first, p.before = at, n.count
	}
	before := p.counted
	if p.counted += n.count; p.counted >= p.want && before < p.want {
		close(p.done)
	}
}

// rate is how many records have been counted, and how many a second since the
// first write, which does not count itself.
func (p *progress) rate(at time.Time) (counted int, perSecond float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counted == 0 {
		return 0, 0
	}
	return p.counted, float64(min(p.counted, p.want)-p.before) / at.Sub(p.first).Seconds()
}

// deploy creates a table and a function that counts into it.
func (b *bench) deploy(ctx context.Context, s *server, c counting) error {
	zip, err := b.functionZip(ctx, c.language)
	if err != nil {
		return err
	}
	if err := s.createTable(ctx, c.table); err != nil {
		return err
	}
	tags := map[string]string{}
	if c.once {
		tags["weir:delivery"] = "exactly-once"
	}
	return s.createFunction(ctx, c.function, c.language, zip, map[string]string{"TABLE": c.table, "NOTICE": c.notice}, tags)
}

const (
	idleShards = 1000
	idleSettle = 5 * time.Second
)

// measureIdleMapping measures the CPU time of a server that has nothing to do but
// to wait for records of a thousand shards.
func measureIdleMapping(ctx context.Context, b *bench, s *server) ([]figure, error) {
	if s.proc == nil {
		return nil, nil // a server that runs already has other things to do
	}
	arn, err := s.createStream(ctx, b.name("idle"), idleShards)
	if err != nil {
		return nil, err
	}
	name := b.name("idle")
	notices, err := hear(func(notice, time.Time) {})
	if err != nil {
		return nil, err
	}
	defer notices.close()
	if err := b.deploy(ctx, s, counting{language: goLanguage, function: name, table: name, notice: notices.addr()}); err != nil {
		return nil, err
	}
	if _, err := s.createMapping(ctx, arn, name, pipelineBatch); err != nil {
		return nil, err
	}
	if err := pause(ctx, idleSettle); err != nil {
		return nil, err
	}
	use := figure{Measure: fmt.Sprintf("Mapping of %s idle shards, CPU", thousands(idleShards)), Unit: "% of a core"}
	for range b.repetitions {
		before, err := cpuOf(s.proc.cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		if err := pause(ctx, b.duration); err != nil {
			return nil, err
		}
		after, err := cpuOf(s.proc.cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		use.Runs = append(use.Runs, 100*(after-before).Seconds()/b.duration.Seconds())
	}
	memory := figure{Measure: use.Measure, Aspect: "resident memory", Unit: "MB"}
	mb, err := residentMB(s.proc.cmd.Process.Pid)
	memory.Runs = append(memory.Runs, mb)
	return []figure{use, memory}, err
}

// cpuOf is the CPU time that a process has used.
func cpuOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return parseCPU(text), err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
