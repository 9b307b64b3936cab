package mapping

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// reader processes one shard, one batch at a time.
type reader struct {
	run    *run
	src    ShardSource
	shard  Shard
	next   uint64
	points checkpointer
	status ShardStatus
	event  []byte // of the batch in hand; reused
}

// maxEvent is the largest event in bytes, the limit of a synchronous invocation.
const maxEvent = 6 << 20

func newReader(r *run, src ShardSource, sh Shard, at checkpoint) *reader {
	return &reader{
		run: r, src: src, shard: sh, next: max(at.next, 1),
		points: checkpointer{db: r.mp.owner.cfg.DB, uuid: r.def.UUID, shard: sh.Key},
		status: ShardStatus{Shard: sh.ID},
	}
}

// read processes the shard until it is done or ctx ends.
func (rd *reader) read(ctx context.Context) shardEnd {
	done, err := rd.process(ctx)
	if flushErr := rd.points.flush(); err == nil {
		err = flushErr
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return shardEnd{key: rd.shard.Key, at: checkpoint{next: rd.next, done: done}, err: err}
}

func (rd *reader) process(ctx context.Context) (done bool, err error) {
	for ctx.Err() == nil {
		rd.status.oldest = 0
		rd.report("waiting")
		if err := rd.wait(ctx); err != nil {
			return false, err
		}
		if rd.src.Done(rd.next) {
			rd.report("done")
			return true, rd.points.write(checkpoint{next: rd.next, done: true})
		}
		recs, next, err := rd.gather(ctx)
		if err != nil {
			return false, err
		}
		if len(recs) > 0 {
			rd.status.oldest = recs[0].Arrival
			if err := rd.deliver(ctx, recs); err != nil {
				return false, err
			}
		}
		rd.next = next
		if err := rd.points.write(checkpoint{next: next}); err != nil {
			return false, err
		}
	}
	return false, ctx.Err()
}

// wait returns when there is a record to read or the shard is closed. When there is
// none for a while, it uses the time to bring the last checkpoint to disk.
func (rd *reader) wait(ctx context.Context) error {
	if rd.points.pending {
		soon, cancel := context.WithTimeout(ctx, checkpointDelay)
		err := rd.src.Wait(soon, rd.next)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
		if err := rd.points.flush(); err != nil {
			return err
		}
	}
	return rd.src.Wait(ctx, rd.next)
}

// gather collects a batch: it is complete when it has as many records as the
// batch size allows, when the event would become too large, or when the batching
// window is over. Without a window it takes what is there.
func (rd *reader) gather(ctx context.Context) (batch []Record, next uint64, err error) {
	def := rd.run.def
	next = rd.next
	size := 0
	var window <-chan time.Time
	if def.BatchingWindow > 0 {
		timer := time.NewTimer(time.Duration(def.BatchingWindow) * time.Second)
		defer timer.Stop()
		window = timer.C
		rd.report("gathering")
	}
	for {
		recs, after, err := rd.src.Read(next, def.BatchSize-len(batch), maxEvent-size)
		if err != nil {
			return nil, 0, err
		}
		next = after
		for _, r := range recs {
			size += eventSizeAtLeast(r)
		}
		batch = append(batch, recs...)
		if window == nil || len(batch) >= def.BatchSize || size >= maxEvent {
			return batch, next, nil
		}
		if over, err := rd.waitWindow(ctx, next, window); err != nil || over {
			return batch, next, err
		}
	}
}

// eventSizeAtLeast is a lower bound of what a record adds to the event.
func eventSizeAtLeast(r Record) int { return len(r.Data) + len(r.Key) }

// waitWindow waits for a record at or after next; over says that the batch must
// not wait any longer.
func (rd *reader) waitWindow(ctx context.Context, next uint64, window <-chan time.Time) (over bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waited := make(chan error, 1)
	go func() { waited <- rd.src.Wait(ctx, next) }()
	select {
	case <-window:
		cancel()
		<-waited
		return true, nil
	case err := <-waited:
		if err != nil {
			return false, err
		}
		return rd.src.Done(next), nil
	}
}

// deliver hands records to the function until all were processed or have
// expired. Records that do not fit into one event go in several, in order.
func (rd *reader) deliver(ctx context.Context, recs []Record) error {
	for len(recs) > 0 {
		f, err := rd.run.mp.owner.cfg.Invoker.Lookup(rd.run.def.FunctionARN)
		if err != nil && !errors.Is(err, ErrFunctionNotFound) {
			return err
		}
		n, err := rd.encode(recs, f.Role)
		if err != nil {
			return err
		}
		if err := rd.attempt(recs[:max(n, 1)], n == 0); err != nil {
			rd.status.Problem = err.Error()
			rd.status.Attempts++
			rd.run.mp.setResult(resultFailed)
			rd.report("retrying")
			if err := sleep(ctx, rd.backoff(rd.status.Attempts)); err != nil {
				return err
			}
			recs = rd.dropExpired(recs)
			continue
		}
		rd.status.Problem, rd.status.Attempts = "", 0
		rd.run.mp.setResult(resultOK)
		rd.run.mp.delivered.Add(uint64(n))
		if recs = recs[n:]; len(recs) == 0 {
			return nil
		}
		// The batch was cut at the size limit: what is done is done.
		if err := rd.points.write(checkpoint{next: recs[0].Position}); err != nil {
			return err
		}
		rd.next = recs[0].Position
	}
	return nil
}

// encode builds the event from as many records as fit and returns how many.
func (rd *reader) encode(recs []Record, role string) (n int, err error) {
	rd.event = append(rd.event[:0], `{"Records":[`...)
	for _, r := range recs {
		before := len(rd.event)
		if n > 0 {
			rd.event = append(rd.event, ',')
		}
		if rd.event, err = rd.src.AppendEvent(rd.event, role, r); err != nil {
			return 0, fmt.Errorf("record %d of %s: %w", r.Position, rd.shard.ID, err)
		}
		if len(rd.event)+len("]}") > maxEvent {
			rd.event = rd.event[:before]
			break
		}
		n++
	}
	rd.event = append(rd.event, "]}"...)
	return n, nil
}

var errTooLarge = fmt.Errorf("the record's event exceeds %d bytes, the limit of an invocation", maxEvent)

// attempt invokes the function once with the event in hand, which holds recs. The
// invocation is not cut off when the mapping stops: its outcome decides whether
// the records have to come again.
func (rd *reader) attempt(recs []Record, tooLarge bool) error {
	if tooLarge {
		return errTooLarge
	}
	age := time.Since(time.UnixMilli(recs[len(recs)-1].Arrival))
	rd.run.mp.iteratorAge.Observe(float64(age) / float64(time.Millisecond))
	rd.report("invoking")
	owner := rd.run.mp.owner
	outcome, err := owner.cfg.Invoker.Invoke(owner.hard, rd.run.def.FunctionARN, rd.event)
	if err != nil {
		return fmt.Errorf("invoke %s: %w", rd.run.def.FunctionName, err)
	}
	if outcome.FunctionError != "" {
		return fmt.Errorf("function error %s: %.200s", outcome.FunctionError, outcome.Payload)
	}
	return nil
}

// dropExpired cuts off the records at the front that the source no longer keeps.
func (rd *reader) dropExpired(recs []Record) []Record {
	n := 0
	for n < len(recs) && rd.src.Expired(recs[n]) {
		n++
	}
	if n > 0 {
		rd.run.mp.owner.cfg.Log.Warn("records expired before the function succeeded",
			"mapping", rd.run.def.UUID, "function", rd.run.def.FunctionName, "shard", rd.shard.ID, "records", n)
	}
	return recs[n:]
}

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// backoff returns how long to wait after the nth failed attempt: doubling from
// firstBackoff to maxBackoff, less up to a quarter at random so that shards that
// failed together do not retry together.
func (rd *reader) backoff(n int) time.Duration {
	d := maxBackoff
	if n < 9 {
		d = min(maxBackoff, firstBackoff<<(n-1))
	}
	return d - rd.run.mp.owner.jitter(d/4)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (rd *reader) report(activity string) {
	rd.status.Activity, rd.status.Next = activity, rd.next
	rd.run.mp.setShard(rd.status)
}
