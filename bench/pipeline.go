package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	pipelineRecords = 400_000
	pipelineKeys    = 20 // different keys of records
	pipelineBatch   = 1000
	pipelineTimeout = 5 * time.Minute
)

var errPipeline = errors.New("the function did not get to the end in time")

// measurePipeline fills a stream and measures how fast a function counts all of it.
func measurePipeline(ctx context.Context, b *bench, s *server) ([]figure, error) {
	stream := b.name("pipeline")
	arn, err := s.createStream(ctx, stream, shards)
	if err != nil {
		return nil, err
	}
	n, err := fillStream(ctx, s, stream, pipelineRecords, pipelineTimeout)
	if err != nil {
		return nil, fmt.Errorf("filling: %w", err)
	}
	rate := figure{
		Measure: fmt.Sprintf("Go function counting by key, batches of %s, %d shards", thousands(pipelineBatch), shards),
		Unit:    "records/s",
	}
	for i := range b.repetitions {
		took, err := countAll(ctx, b, s, arn, fmt.Sprint("count-", i), n)
		if err != nil {
			return nil, err
		}
		rate.Runs = append(rate.Runs, float64(n)/took.Seconds())
	}
	return []figure{rate}, nil
}

// countAll maps a stream of n records to a new function with a new table, and
// measures from then until the last count has been written. The counts must then
// be right.
func countAll(ctx context.Context, b *bench, s *server, arn, name string, n int) (time.Duration, error) {
	var counted atomic.Int64
	done := make(chan time.Time, 1)
	notices, err := hear(func(_ string, count int, at time.Time) {
		if sum := counted.Add(int64(count)); sum >= int64(n) && sum-int64(count) < int64(n) {
			done <- at
		}
	})
	if err != nil {
		return 0, err
	}
	defer notices.close()
	function, table := b.name(name), b.name(name)
	if err := b.deploy(ctx, s, function, table, notices.addr()); err != nil {
		return 0, err
	}
	started := time.Now()
	if err := s.createMapping(ctx, arn, function, pipelineBatch); err != nil {
		return 0, err
	}
	keys := make([]string, pipelineKeys)
	for i := range keys {
		keys[i] = eventKey(i)
	}
	select {
	case at := <-done:
		return at.Sub(started), checkCounters(ctx, s, table, keys, n)
	case <-time.After(pipelineTimeout):
		return 0, fmt.Errorf("%d of %d records counted: %w", counted.Load(), n, errPipeline)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// deploy creates a table and a function that counts into it.
func (b *bench) deploy(ctx context.Context, s *server, function, table, notice string) error {
	zip, err := b.functionZip(ctx)
	if err != nil {
		return err
	}
	if err := s.createTable(ctx, table); err != nil {
		return err
	}
	return s.createFunction(ctx, function, zip, map[string]string{"TABLE": table, "NOTICE": notice})
}
