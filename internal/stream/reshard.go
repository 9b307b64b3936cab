package stream

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// SplitShard closes a shard and opens two in its place: the lower one ends before
// newStart, a decimal hash key, the upper one begins there.
func (s *Streams) SplitShard(_ context.Context, name string, index uint32, newStart string) error {
	return s.reshard(name, func(p *resharding) error {
		if err := s.checkParents(p.def, index); err != nil {
			return err
		}
		parent := p.def.Shards[index]
		start, end := parent.Range.Start, parent.Range.End
		middle, err := ParseHashKey(newStart)
		if err != nil || middle.Cmp(start.Next()) <= 0 || middle.Cmp(end) >= 0 {
			return errorf(InvalidArgument, "NewStartingHashKey %s used in SplitShard() on shard %s in stream %s under account %s is not both greater than one plus the shard's StartingHashKey %s and less than the shard's EndingHashKey %s.",
				newStart, parent.ID(), name, s.cfg.Identity.Account, start, end)
		}
		p.split(index, middle)
		return nil
	})
}

// MergeShards closes two shards and opens one in their place. The first is the
// lower neighbour of the second.
func (s *Streams) MergeShards(_ context.Context, name string, lower, upper uint32) error {
	return s.reshard(name, func(p *resharding) error {
		if err := s.checkParents(p.def, lower, upper); err != nil {
			return err
		}
		a, b := p.def.Shards[lower], p.def.Shards[upper]
		if lower == upper || a.Range.End == MaxHashKey || a.Range.End.Next() != b.Range.Start {
			return errorf(InvalidArgument, "Shards %s and %s in stream %s under account %s are not an adjacent pair of shards eligible for merging",
				a.ID(), b.ID(), name, s.cfg.Identity.Account)
		}
		p.merge(lower, upper)
		return nil
	})
}

// resharding is a change of the shards of a stream, worked out on a copy of its
// definition before anything is done.
type resharding struct {
	def Definition
	now int64  // epoch seconds
	old uint32 // number of shards that there are already
}

// replace closes parents and opens children in their place.
func (p *resharding) replace(parents []uint32, children ...Shard) {
	closed := p.now
	for _, i := range parents {
		closed = max(closed, p.def.Shards[i].Created)
	}
	for _, i := range parents {
		p.def.Shards[i].Closed, p.def.Shards[i].End = closed, 1
	}
	for _, child := range children {
		// A second later than the end, so that numbers of children exceed those of
		// their parents.
		child.Index, child.Created = uint32(len(p.def.Shards)), closed+1
		p.def.Shards = append(p.def.Shards, child)
	}
}

// split cuts a shard in two and returns the upper one, which begins at middle.
func (p *resharding) split(index uint32, middle HashKey) (upper uint32) {
	r := p.def.Shards[index].Range
	p.replace([]uint32{index},
		Shard{Parent: &index, Range: HashRange{r.Start, middle.Prev()}},
		Shard{Parent: &index, Range: HashRange{middle, r.End}})
	return uint32(len(p.def.Shards) - 1)
}

// merge makes one of two neighbours and returns it.
func (p *resharding) merge(lower, upper uint32) uint32 {
	r := HashRange{p.def.Shards[lower].Range.Start, p.def.Shards[upper].Range.End}
	p.replace([]uint32{lower, upper}, Shard{Parent: &lower, Adjacent: &upper, Range: r})
	return uint32(len(p.def.Shards) - 1)
}

// reshard does what plan has worked out, in one transaction.
func (s *Streams) reshard(name string, plan func(*resharding) error) error {
	s.createMu.Lock()
	defer s.createMu.Unlock()
	st, err := s.Get(name)
	if err != nil {
		return err
	}
	p := &resharding{def: st.Definition(), now: time.Now().Unix()}
	p.old = uint32(len(p.def.Shards))
	p.def.Shards = append([]Shard(nil), p.def.Shards...)
	if err := plan(p); err != nil {
		return err
	}
	if n, more := s.shardCount(), len(p.def.Shards)-int(p.old); n+more > maxShards {
		return s.shardLimitError(n, more)
	}
	return s.apply(st, p)
}

func (s *Streams) apply(st *Stream, p *resharding) error {
	var parents []uint32
	for i, before := range st.Definition().Shards {
		if before.Open() && !p.def.Shards[i].Open() {
			parents = append(parents, uint32(i))
		}
	}
	tx := s.cfg.DB.Begin()
	defer tx.Discard()
	locked, err := st.log.Lock(slices.Clone(parents)...)
	if err != nil {
		return st.gone(err)
	}
	defer locked.Unlock()
	for _, i := range parents {
		if p.def.Shards[i].End, err = locked.Close(tx, i); err != nil {
			return fmt.Errorf("close shard %d of stream %s: %w", i, st.name, err)
		}
	}
	children := p.def.Shards[p.old:]
	if first := st.log.AddShards(tx, len(children)); first != p.old {
		return fmt.Errorf("reshard stream %s: its next shard is %d, that of its log %d", st.name, p.old, first)
	}
	for _, child := range children {
		if !child.Open() {
			st.log.retire(tx, child.Index)
		}
	}
	if err := s.defs.PutIn(tx, st.name, p.def); err != nil {
		return err
	}
	// Puts that find a parent closed route again, by the new definition.
	tx.OnApply(func() { st.setDefinition(p.def) })
	if err := tx.Apply(); err != nil {
		return fmt.Errorf("reshard stream %s: %w", st.name, err)
	}
	locked.Unlock()
	return tx.Wait()
}

func (s *Streams) checkMode(def Definition) error {
	if def.Mode != OnDemand {
		return nil
	}
	return errorf(Validation, "Request is invalid. Stream %s under account %s is in On-Demand mode.", def.Name, s.cfg.Identity.Account)
}

func (s *Streams) checkParents(def Definition, parents ...uint32) error {
	account := s.cfg.Identity.Account
	if err := s.checkMode(def); err != nil {
		return err
	}
	for _, p := range parents {
		if int(p) >= len(def.Shards) {
			return errorf(NotFound, "Could not find shard %s in stream %s under account %s.", ShardID(p), def.Name, account)
		}
	}
	for _, p := range parents {
		if !def.Shards[p].Open() {
			return errorf(InvalidArgument, "Shard %s in stream %s under account %s has already been merged or split, and thus is not eligible for merging or splitting.", ShardID(p), def.Name, account)
		}
	}
	return nil
}
