package mapping

import (
	"context"
	"errors"
	"slices"

	"github.com/weirstream/weir/internal/jsonscan"
	"github.com/weirstream/weir/internal/pattern"
)

// shardReader processes one shard: it reads records in order, drops those that no
// filter wants, and lets lanes deliver the others.
type shardReader struct {
	run     *run
	src     ShardSource
	shard   Shard
	filters *pattern.Filters // nil when every record is wanted
	start   progress
	ofTable bool

	scratch []byte // for the text that filters look at
}

func newShardReader(r *run, src ShardSource, sh Shard, at progress) *shardReader {
	at.next.at = max(at.next.at, 1)
	at.layers = slices.DeleteFunc(slices.Clone(at.layers), func(l layer) bool {
		return !slices.ContainsFunc(l.lanes, at.next.before)
	})
	return &shardReader{run: r, src: src, shard: sh, filters: r.filters, start: at, ofTable: r.def.ofTable()}
}

// maxEvent is the largest event in bytes.
func (sr *shardReader) maxEvent() int { return sr.run.mp.owner.maxEvent }

// read processes the shard until it is done or ctx ends.
func (sr *shardReader) read(ctx context.Context) shardEnd {
	done, err := sr.process(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	end := shardEnd{key: sr.shard.Key, at: sr.start, err: err}
	end.at.done = done
	return end
}

func (sr *shardReader) process(ctx context.Context) (done bool, err error) {
	if n := sr.run.def.lanes(); n > 1 {
		return newFanout(sr, n).process(ctx)
	}
	in := &directIntake{sr: sr, next: sr.start.next}
	ln := newLane(sr, in, 0)
	ln.window = sr.start.window
	stopped := ln.process(ctx)
	if stopped == nil {
		err = ln.writeDone(in.next)
		done = err == nil
	}
	return done, errors.Join(stopped, err, ln.finish(stopped))
}

// fetch reads records from a position on: those that are wanted and not processed
// yet. It goes on reading while it finds only others; none means that there is
// nothing to read now.
func (sr *shardReader) fetch(ctx context.Context, from position, maxRecords, maxBytes int) (recs []Record, next position, err error) {
	for ctx.Err() == nil {
		read, after, err := sr.src.Read(from.at, maxRecords, maxBytes)
		if err != nil {
			return nil, from, err
		}
		recs, dropped, err := sr.wanted(read, from)
		if err != nil {
			return nil, from, err
		}
		sr.run.metrics.read(len(read), dropped)
		from = position{at: after}
		if len(recs) > 0 || len(read) == 0 {
			return recs, from, nil
		}
	}
	return nil, from, ctx.Err()
}

// wanted leaves of recs, in place, those that were not processed and that a filter
// wants; dropped is how many the filters took out.
func (sr *shardReader) wanted(recs []Record, from position) (kept []Record, dropped int, err error) {
	if sr.filters == nil && len(sr.start.layers) == 0 && from.sub == 0 {
		return recs, 0, nil
	}
	kept = recs[:0]
	for _, r := range recs {
		if r.position().before(from) || sr.start.processed(r) {
			continue
		}
		ok, err := sr.matches(r)
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			dropped++
			continue
		}
		kept = append(kept, r)
	}
	return kept, dropped, nil
}

func (sr *shardReader) matches(r Record) (bool, error) {
	if sr.filters == nil {
		return true, nil
	}
	if !sr.ofTable && !sr.filters.NeedsMetadata() {
		return sr.filters.MatchData(r.Data, nil), nil
	}
	event, err := sr.src.AppendEvent(sr.scratch[:0], "", r)
	if err != nil {
		return false, err
	}
	sr.scratch = event
	if sr.ofTable {
		return sr.filters.Match(event), nil
	}
	return sr.filters.MatchData(r.Data, kinesisMember(event)), nil
}

// directIntake hands the records of a shard to its only lane.
type directIntake struct {
	sr   *shardReader
	next position
}

func (in *directIntake) fetch(ctx context.Context, maxRecords, maxBytes int) (recs []Record, err error) {
	recs, in.next, err = in.sr.fetch(ctx, in.next, maxRecords, maxBytes)
	return recs, err
}

func (in *directIntake) wait(ctx context.Context) error { return in.sr.src.Wait(ctx, in.next.at) }

func (in *directIntake) reached() position { return in.next }

func (in *directIntake) ended() bool { return in.sr.src.Done(in.next.at) }

// settle writes the one checkpoint of the shard. rest is the first record in hand
// that is not processed, nil when there is none.
func (in *directIntake) settle(ln *lane, rest *Record, _ []Record, w *window, effects Effects) error {
	next := in.next
	if rest != nil {
		next = rest.position()
	}
	if w != nil && !w.invoked {
		w = nil // nobody has heard of it
	}
	ln.status.Next = next.at
	at := checkpoint{next: next, window: w}
	return ln.points.write(effects, entry{checkpointKey(ln.def.UUID, ln.shard.Key), at.encode()})
}

// kinesisMember returns the object of that name in the event of a record.
func kinesisMember(event []byte) []byte {
	var s jsonscan.Scanner
	s.Reset(event)
	s.Object()
	for name, ok := s.Member(); ok; name, ok = s.Member() {
		if string(name) == "kinesis" {
			return s.Raw()
		}
		s.Skip()
	}
	return nil
}
