package mapping

import (
	"context"
	"errors"
	"slices"
	"time"
)

// intake hands a lane its records, in order.
type intake interface {
	// fetch returns records, none when there is none now. The first may be larger
	// than maxBytes.
	fetch(ctx context.Context, maxRecords, maxBytes int) ([]Record, error)
	// wait returns when fetch may have something, or the intake may have ended.
	wait(ctx context.Context) error
	// ended reports whether no record will ever come.
	ended() bool
	// reached returns the position of what would be fetched next.
	reached() position
	// settle writes a checkpoint: records were processed, rest is the first one in
	// the lane's hands that is not. With effects it commits with them or not at all.
	settle(ln *lane, rest *Record, processed []Record, w *window, effects Effects) error
}

// lane delivers records in order, one batch at a time.
type lane struct {
	*shardReader
	def    Definition
	in     intake
	points checkpointer
	status ShardStatus

	pending []Record  // fetched and not in a batch yet
	work    []segment // of the batch in hand; the last one is next
	window  *window   // the one that is open, nil when none is
	event   []byte    // of the segment in hand; reused
}

// maxEvent is the largest event in bytes, the limit of a synchronous invocation.
const maxEvent = 6 << 20

func newLane(sr *shardReader, in intake, index int) *lane {
	return &lane{
		shardReader: sr, def: sr.run.def, in: in,
		points: checkpointer{db: sr.run.mp.owner.cfg.DB},
		status: ShardStatus{Shard: sr.shard.ID, Lane: index, Next: sr.start.next.at},
	}
}

// process delivers until the intake has ended, when it returns nil, or ctx ends.
func (ln *lane) process(ctx context.Context) error {
	for {
		batch, err := ln.gather(ctx)
		switch {
		case err != nil:
			return err
		case len(batch) > 0:
			err = ln.deliver(ctx, segment{recs: batch})
		case ln.window != nil:
			err = ln.closeWindow(ctx)
		default: // ended
			ln.activity(Done)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// closeWindow makes the final invocation of the open window.
func (ln *lane) closeWindow(ctx context.Context) error {
	if !ln.window.invoked {
		ln.window = nil // nothing to tell: every record of it had expired
		return nil
	}
	return ln.deliver(ctx, segment{final: true})
}

// gather collects a batch: it is complete when it has as many records as the batch
// size allows, when the event would become too large, when the batching window is
// over, or when the next record belongs to another tumbling window. An empty batch
// means that the open window is to be closed or, with none open, that no record
// will come any more.
func (ln *lane) gather(ctx context.Context) ([]Record, error) {
	if more, err := ln.awaitFirst(ctx); err != nil || !more {
		return nil, err
	}
	var batch []Record
	size := 0
	deadline := time.Now().Add(time.Duration(ln.def.BatchingWindow) * time.Second)
	for {
		cut := ln.takePending(&batch, &size)
		if cut || len(batch) >= ln.def.BatchSize || size >= ln.maxEvent() {
			return batch, nil
		}
		found, err := ln.more(ctx, ln.def.BatchSize-len(batch), ln.maxEvent()-size)
		if found {
			continue
		}
		over := false
		if err == nil {
			over, err = ln.lull(ctx, deadline)
		}
		if err != nil {
			ln.pending = slices.Concat(batch, ln.pending)
			return nil, err
		}
		if over {
			return batch, nil
		}
	}
}

// awaitFirst returns true when there is a record for the next batch, and false
// when there will be none, in the open window or at all.
func (ln *lane) awaitFirst(ctx context.Context) (bool, error) {
	for {
		if w := ln.window; w != nil && (w.terminated || ln.def.TumblingWindow == 0) {
			return false, nil
		}
		now := time.Now() // before reading: what arrived until now is seen
		found, err := ln.more(ctx, ln.def.BatchSize, ln.maxEvent())
		if err != nil {
			return false, err
		}
		if found {
			return ln.window == nil || !ln.window.passed(ln.pending[0].Arrival), nil
		}
		if ln.in.ended() {
			return false, nil
		}
		if ln.window == nil {
			err = ln.idle(ctx, time.Time{})
		} else {
			if !now.Before(ln.window.closes()) {
				return false, nil
			}
			err = ln.idle(ctx, ln.window.closes())
		}
		if err != nil {
			return false, err
		}
	}
}

// more makes sure that a record is pending, if there is one.
func (ln *lane) more(ctx context.Context, maxRecords, maxBytes int) (bool, error) {
	if len(ln.pending) > 0 {
		return true, nil
	}
	recs, err := ln.in.fetch(ctx, maxRecords, maxBytes)
	ln.pending = recs
	return len(recs) > 0, err
}

// takePending moves pending records into the batch as long as they fit; cut says
// that the next one does not. The first record opens a tumbling window when none
// is open.
func (ln *lane) takePending(batch *[]Record, size *int) (cut bool) {
	n := 0
	for _, r := range ln.pending {
		if ln.window == nil && ln.def.TumblingWindow > 0 {
			ln.window = windowOf(r.Arrival, ln.def.TumblingWindow)
		}
		// What a record adds to the event is never shorter than its data.
		cut = ln.window != nil && ln.window.passed(r.Arrival) ||
			len(*batch)+n >= ln.def.BatchSize || *size+len(r.Data) > ln.maxEvent() && len(*batch)+n > 0
		if cut {
			break
		}
		*size += len(r.Data)
		n++
	}
	if len(*batch) == 0 {
		*batch = ln.pending[:n:n] // most batches are one read: no copy
	} else {
		*batch = append(*batch, ln.pending[:n]...)
	}
	ln.pending = ln.pending[n:]
	return cut
}

// lull waits for another record of the batch in hand; over says that the batch must
// not wait any longer.
func (ln *lane) lull(ctx context.Context, deadline time.Time) (over bool, err error) {
	if ln.window != nil && ln.window.closes().Before(deadline) {
		deadline = ln.window.closes()
	}
	if !time.Now().Before(deadline) || ln.in.ended() {
		return true, nil
	}
	ln.activity(Gathering)
	soon, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	err = ln.in.wait(soon)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return true, nil
	}
	return false, err
}

// idle waits for a record, at most until a time if it is not zero. It uses a while
// without records to bring the last checkpoint to disk.
func (ln *lane) idle(ctx context.Context, until time.Time) error {
	ln.status.oldest, ln.status.Next = 0, ln.in.reached().at
	ln.activity(Waiting)
	if ln.points.pending {
		woken, err := ln.waitUntil(ctx, time.Now().Add(checkpointDelay))
		if woken || err != nil {
			return err
		}
		if err := ln.points.flush(); err != nil {
			return err
		}
	}
	if until.IsZero() {
		return ln.in.wait(ctx)
	}
	_, err := ln.waitUntil(ctx, until)
	return err
}

func (ln *lane) waitUntil(ctx context.Context, until time.Time) (woken bool, err error) {
	soon, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err = ln.in.wait(soon)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// writeDone writes that the shard needs no reading any more.
func (ln *lane) writeDone(next position) error {
	return ln.points.write(nil, entry{checkpointKey(ln.def.UUID, ln.shard.Key), checkpoint{next: next, done: true}.encode()})
}

// sleep returns after d, or with an error as soon as ctx has ended; also when it ended
// in the same moment, so that nothing is begun after a stop.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}
