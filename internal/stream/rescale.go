package stream

import (
	"context"
	"slices"
)

const (
	maxScaledShards = 10000
	// A stream can be rescaled maxRescales times within a day.
	maxRescales = 10
)

// UpdateShardCount splits and merges open shards until there are as many as target,
// of equal size, and returns how many there were. A shard that would come within a
// thousandth of its size is left as it is.
func (s *Streams) UpdateShardCount(_ context.Context, name string, target int) (before int, err error) {
	err = s.reshard(name, func(p *resharding) error {
		if err := s.checkMode(p.def); err != nil {
			return err
		}
		open := openShards(p.def.Shards)
		before = len(open)
		if err := s.checkRescale(p, before, target); err != nil {
			return err
		}
		p.rescale(open, target)
		return nil
	})
	return before, err
}

// checkRescale judges a new number of shards and notes the time.
func (s *Streams) checkRescale(p *resharding, open, target int) error {
	const counts = " Current open shard count: %d, Target shard count: %d"
	switch {
	case target > maxScaledShards:
		return errorf(LimitExceeded, "Target shard count or number of open shards cannot be greater than %d."+counts, maxScaledShards, open, target)
	case target > 2*open:
		return errorf(LimitExceeded, "UpdateShardCount cannot scale up over double your current open shard count."+counts, open, target)
	case 2*target < open:
		return errorf(LimitExceeded, "UpdateShardCount cannot scale down below half your current open shard count."+counts, open, target)
	}
	recent := withinDay(p.def.Rescaled, p.now)
	if len(recent) >= maxRescales {
		return errorf(LimitExceeded, "UpdateShardCount can be called %d times within 24 hours for stream %s under account %s.", maxRescales, p.def.Name, s.cfg.Identity.Account)
	}
	p.def.Rescaled = append(recent, p.now)
	return nil
}

// rescale cuts the open shards at the bounds of the new ones, and puts together
// what lies between two bounds.
func (p *resharding) rescale(open []Shard, target int) {
	bounds := evenBounds(open, target)
	var whole []uint32 // the part of the next shard so far, at most one
	for _, sh := range open {
		index := sh.Index
		for len(bounds) > 0 && bounds[0].Cmp(sh.Range.End) <= 0 {
			bound := bounds[0]
			bounds = bounds[1:]
			if bound == p.def.Shards[index].Range.Start {
				whole = nil // complete, and index begins another
				continue
			}
			upper := p.split(index, bound)
			p.join(whole, upper-1)
			whole, index = nil, upper
		}
		whole = []uint32{p.join(whole, index)}
	}
}

// join merges a shard to the part before it, if there is one.
func (p *resharding) join(before []uint32, index uint32) uint32 {
	if len(before) == 0 {
		return index
	}
	return p.merge(before[0], index)
}

// evenBounds returns where the second and further ones of n shards of equal size
// begin. Bounds of open shards that are near enough are taken as they are.
func evenBounds(open []Shard, n int) []HashKey {
	ranges := evenRanges(n)
	if n == 1 {
		return nil
	}
	width := ranges[1].Start // the first begins at 0
	near := HashKey{width.Hi >> 10, width.Hi<<54 | width.Lo>>10}
	bounds := make([]HashKey, 0, n-1)
	for _, r := range ranges[1:] {
		bound := r.Start
		i, _ := slices.BinarySearchFunc(open, bound, func(sh Shard, h HashKey) int { return sh.Range.Start.Cmp(h) })
		for _, sh := range open[max(0, i-1):min(i+1, len(open))] {
			if start := sh.Range.Start; start.distance(bound).Cmp(near) <= 0 {
				bound = start
			}
		}
		bounds = append(bounds, bound)
	}
	return bounds
}
