package mapping

import (
	"context"
	"time"
)

// Pauses before a segment is tried again: after failures, when the function may
// not run now, and after conflicts, which another attempt is likely to get past.
const (
	firstBackoff         = 200 * time.Millisecond
	maxBackoff           = 30 * time.Second
	maxThrottleBackoff   = time.Second
	firstConflictBackoff = time.Millisecond
	maxConflictBackoff   = 100 * time.Millisecond
)

// backoff returns how long to wait after the nth failed attempt.
func (ln *lane) backoff(n int) time.Duration { return ln.run.growing(firstBackoff, maxBackoff, n) }

// growing doubles from first to most, less up to a quarter at random so that
// shards that failed together do not retry together.
func (r *run) growing(first, most time.Duration, n int) time.Duration {
	d := most
	if n < 16 {
		d = min(most, first<<(n-1))
	}
	return d - r.mp.owner.jitter(d/4)
}

// conflictBackoff returns how long to wait after the nth conflict in a row: the first
// repetition runs at once.
func (r *run) conflictBackoff(n int) time.Duration {
	if n == 1 {
		return 0
	}
	return r.growing(firstConflictBackoff, maxConflictBackoff, n-1)
}

// pause waits before the segment on top is tried again after n failures in a row.
func (ln *lane) pause(ctx context.Context, cause error, n int) error {
	return ln.pauseFor(ctx, cause, Retrying, ln.backoff(n))
}

// pauseFor waits, but no longer than until the first record becomes too old.
func (ln *lane) pauseFor(ctx context.Context, cause error, a Activity, d time.Duration) error {
	seg := ln.top()
	ln.problem(cause, max(seg.attempts, seg.refusals))
	ln.status.Retries++
	if ln.def.MaximumRecordAge > 0 {
		end := time.UnixMilli(ln.arrival(seg)).Add(time.Duration(ln.def.MaximumRecordAge) * time.Second)
		d = min(d, max(time.Until(end), 0))
	}
	ln.activity(a)
	return sleep(ctx, d)
}

func (ln *lane) problem(cause error, attempts int) {
	ln.status.failed(cause, attempts)
	ln.run.mp.setResult(resultFailed)
}
