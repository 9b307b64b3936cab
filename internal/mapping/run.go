package mapping

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/weirstream/weir/internal/pattern"
)

// sourceRetry is how long a mapping whose source is gone waits before it looks
// for one of the same name again.
const sourceRetry = 2 * time.Second

// run is the processing of one mapping under one definition.
type run struct {
	mp     *Mapping
	def    Definition
	cancel context.CancelFunc
	done   chan struct{}

	filters *pattern.Filters
	metrics meters
}

func startRun(mp *Mapping, def Definition) *run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{mp: mp, def: def, cancel: cancel, done: make(chan struct{}), metrics: newMeters(mp.owner.cfg.Meter, def)}
	go func() {
		defer close(r.done)
		r.coordinate(ctx)
	}()
	return r
}

func (r *run) stop() {
	r.cancel()
	<-r.done
}

// coordinate processes the source until ctx ends. A source that disappears is
// waited for: the mapping outlives it, as it does in the service.
func (r *run) coordinate(ctx context.Context) {
	var err error
	if r.filters, err = r.def.compileFilters(); err != nil {
		r.mp.owner.cfg.Log.Error("compile filters", "mapping", r.def.UUID, "error", err)
		r.mp.setResult(resultBadFilter)
		return
	}
	process := r.follow
	if r.def.OfQueue() {
		process = r.poll
	}
	for {
		err := process(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, ErrSourceGone) {
			r.mp.setResult(resultNoShard)
		} else {
			r.mp.owner.cfg.Log.Error("read event source", "mapping", r.def.UUID, "source", r.def.SourceARN, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sourceRetry):
		}
	}
}

// shardEnd is what a reader leaves behind.
type shardEnd struct {
	key string
	at  progress
	err error
}

// follow runs a reader for every shard whose parents are done, until ctx ends or
// a reader fails.
func (r *run) follow(ctx context.Context) error {
	src, err := r.mp.owner.cfg.Sources.Open(r.def.SourceARN)
	if err != nil {
		return err
	}
	points, err := loadProgress(r.mp.owner.cfg.DB, r.def.UUID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan shardEnd)
	active := map[string]bool{}
	defer func() {
		cancel()
		for range len(active) {
			<-ended
		}
	}()
	for {
		shards, err := src.Shards()
		if err != nil {
			return err
		}
		for _, sh := range ready(shards, points, active) {
			records, err := src.Open(sh.Key)
			if err != nil {
				return fmt.Errorf("open %s: %w", sh.ID, err)
			}
			active[sh.Key] = true
			sr := newShardReader(r, records, sh, points[sh.Key])
			go func() { ended <- sr.read(ctx) }()
		}
		r.prepare(len(active))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case end := <-ended:
			delete(active, end.key)
			points[end.key] = end.at
			if end.err != nil {
				return end.err
			}
			if ctx.Err() != nil { // what ended was stopped: it must not begin again where it began
				return ctx.Err()
			}
		}
	}
}

// prepare lets environments start before the first batch needs them: as many as
// can be at work on this machine, not one for each of a thousand idle shards.
func (r *run) prepare(shards int) {
	if p, ok := r.mp.owner.cfg.Invoker.(Preparer); ok {
		p.Prepare(r.def.FunctionARN, min(shards*r.def.lanes(), runtime.NumCPU()))
	}
}

// ready returns the shards that can be started: not done, not being read, and
// with no unfinished parent among those that still exist.
func ready(shards []Shard, points map[string]progress, active map[string]bool) []Shard {
	unfinished := map[string]bool{}
	for _, sh := range shards {
		unfinished[sh.Key] = !points[sh.Key].done
	}
	var out []Shard
	for _, sh := range shards {
		if !unfinished[sh.Key] || active[sh.Key] {
			continue
		}
		waits := false
		for _, parent := range sh.Parents {
			waits = waits || unfinished[parent]
		}
		if !waits {
			out = append(out, sh)
		}
	}
	return out
}
