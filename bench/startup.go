package main

import (
	"context"
	"time"
)

const (
	starts   = 11
	idleTime = 10 * time.Second
)

// measureStartup starts a target several times, each time with an empty directory.
func measureStartup(ctx context.Context, b *bench, t target) ([]figure, error) {
	ready := figure{Measure: "Start to ready", Unit: "ms"}
	first := figure{Measure: "Start to first answer", Unit: "ms"}
	for range starts {
		err := b.with(ctx, t, func(s *server) error {
			if err := ask(ctx, s, t); err != nil {
				return err
			}
			first.Runs = append(first.Runs, milliseconds(time.Since(s.proc.started)))
			ready.Runs = append(ready.Runs, milliseconds(s.ready))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return []figure{ready, first}, nil
}

// ask makes the cheapest request of a target's.
func ask(ctx context.Context, s *server, t target) error {
	if t.offers&streams != 0 {
		return s.call(ctx, kinesisJSON, "ListStreams", object{}, nil)
	}
	return s.call(ctx, dynamodbJSON, "ListTables", object{}, nil)
}

// measureIdle takes the resident memory of a process that has done nothing yet.
func measureIdle(ctx context.Context, b *bench, t target) ([]figure, error) {
	rss := figure{Measure: "Resident memory, idle", Unit: "MB"}
	err := b.with(ctx, t, func(s *server) error {
		select {
		case <-time.After(idleTime):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		mb, err := residentMB(s.proc.cmd.Process.Pid)
		rss.Runs = append(rss.Runs, mb)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []figure{rss}, nil
}
