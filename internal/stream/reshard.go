package stream

import (
	"context"
	"fmt"
	"time"
)

// SplitShard closes a shard and opens two in its place: the lower one ends before
// newStart, a decimal hash key, the upper one begins there.
func (s *Streams) SplitShard(_ context.Context, name string, index uint32, newStart string) error {
	return s.reshard(name, []uint32{index}, func(def Definition) ([]Shard, error) {
		parent := def.Shards[index]
		start, end := parent.Range.Start, parent.Range.End
		middle, err := ParseHashKey(newStart)
		if err != nil || middle.Cmp(start.Next()) <= 0 || middle.Cmp(end) >= 0 {
			return nil, errorf(InvalidArgument, "NewStartingHashKey %s used in SplitShard() on shard %s in stream %s under account %s is not both greater than one plus the shard's StartingHashKey %s and less than the shard's EndingHashKey %s.",
				newStart, parent.ID(), name, s.cfg.Identity.Account, start, end)
		}
		if n := s.shardCount(); n+2 > maxShards {
			return nil, s.shardLimitError(n, 2)
		}
		return []Shard{
			{Parent: &index, Range: HashRange{start, middle.Prev()}},
			{Parent: &index, Range: HashRange{middle, end}},
		}, nil
	})
}

// MergeShards closes two shards and opens one in their place. The first is the
// lower neighbour of the second.
func (s *Streams) MergeShards(_ context.Context, name string, lower, upper uint32) error {
	return s.reshard(name, []uint32{lower, upper}, func(def Definition) ([]Shard, error) {
		a, b := def.Shards[lower], def.Shards[upper]
		if lower == upper || a.Range.End == MaxHashKey || a.Range.End.Next() != b.Range.Start {
			return nil, errorf(InvalidArgument, "Shards %s and %s in stream %s under account %s are not an adjacent pair of shards eligible for merging",
				a.ID(), b.ID(), name, s.cfg.Identity.Account)
		}
		return []Shard{{Parent: &lower, Adjacent: &upper, Range: HashRange{a.Range.Start, b.Range.End}}}, nil
	})
}

// reshard closes parents and opens the children that plan returns, in one
// transaction.
func (s *Streams) reshard(name string, parents []uint32, plan func(Definition) ([]Shard, error)) error {
	s.createMu.Lock()
	defer s.createMu.Unlock()
	st, err := s.Get(name)
	if err != nil {
		return err
	}
	def := st.Definition()
	if err := s.checkParents(def, parents); err != nil {
		return err
	}
	children, err := plan(def)
	if err != nil {
		return err
	}
	tx := s.cfg.DB.Begin()
	defer tx.Discard()
	locked, err := st.log.Lock(append([]uint32(nil), parents...)...)
	if err != nil {
		return st.gone(err)
	}
	defer locked.Unlock()
	def.Shards = append([]Shard(nil), def.Shards...)
	closed := time.Now().Unix()
	for _, p := range parents {
		closed = max(closed, def.Shards[p].Created)
	}
	for _, p := range parents {
		if def.Shards[p].End, err = locked.Close(tx, p); err != nil {
			return fmt.Errorf("close shard %d of stream %s: %w", p, name, err)
		}
		def.Shards[p].Closed = closed
	}
	first := st.log.AddShards(tx, len(children))
	for i, child := range children {
		// A second later than the end, so that numbers of children exceed those of
		// their parents.
		child.Index, child.Created = first+uint32(i), closed+1
		def.Shards = append(def.Shards, child)
	}
	if err := s.defs.PutIn(tx, name, def); err != nil {
		return err
	}
	// Puts that find a parent closed route again, by the new definition.
	tx.OnApply(func() { st.setDefinition(def) })
	if err := tx.Apply(); err != nil {
		return fmt.Errorf("reshard stream %s: %w", name, err)
	}
	locked.Unlock()
	return tx.Wait()
}

func (s *Streams) checkParents(def Definition, parents []uint32) error {
	account := s.cfg.Identity.Account
	if def.Mode == OnDemand {
		return errorf(Validation, "Request is invalid. Stream %s under account %s is in On-Demand mode.", def.Name, account)
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
