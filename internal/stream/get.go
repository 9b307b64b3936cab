package stream

import (
	"context"
	"math/rand/v2"
	"time"
)

// Start says where an iterator begins.
type Start struct {
	Type      string    // one of the types below
	Sequence  string    // for AtSequence and AfterSequence
	Timestamp time.Time // for AtTimestamp
}

// The types of starting positions.
const (
	TrimHorizon   = "TRIM_HORIZON"
	Latest        = "LATEST"
	AtSequence    = "AT_SEQUENCE_NUMBER"
	AfterSequence = "AFTER_SEQUENCE_NUMBER"
	AtTimestamp   = "AT_TIMESTAMP"
)

// Batch is the answer to GetRecords.
type Batch struct {
	Shard       Shard
	Records     []Record
	Next        *Iterator     // nil at the end of a closed shard
	Behind      time.Duration // distance from the tip
	ChildShards []Shard       // at the end of a closed shard
	Encryption  Encryption    // of the stream
}

const (
	maxGetRecords = 10000
	maxGetBytes   = 10 << 20
)

// Iterator returns an iterator at a starting position of a shard.
func (st *Stream) Iterator(_ context.Context, index uint32, start Start) (Iterator, error) {
	sh, ok := st.Shard(index)
	if !ok || st.expired(sh) {
		return Iterator{}, st.owner.noShard(index, st.name)
	}
	next, err := st.position(sh, start, "GetShardIterator")
	if err != nil {
		return Iterator{}, err
	}
	return st.iteratorAt(index, next), nil
}

func (st *Stream) iteratorAt(index uint32, next Position) Iterator {
	return Iterator{
		Stream: st.name, Created: st.Definition().Created, Shard: index, Next: next,
		Issued: time.Now().UnixMilli(), Nonce: rand.Uint32(), // #nosec G404 -- only makes iterators differ
	}
}

func (s *Streams) noShard(index uint32, name string) error {
	return errorf(NotFound, "Shard %s in stream %s under account %s does not exist", ShardID(index), name, s.cfg.Identity.Account)
}

// GetRecords reads on at an iterator, up to limit records.
func (s *Streams) GetRecords(_ context.Context, iterator string, limit int) (*Batch, error) {
	start := time.Now()
	it, err := ParseIterator(iterator)
	if err != nil {
		return nil, errorf(InvalidArgument, "Invalid ShardIterator.")
	}
	if issued := time.UnixMilli(it.Issued); start.Sub(issued) > IteratorLifetime {
		const layout = "Mon Jan 02 15:04:05 UTC 2006"
		return nil, errorf(ExpiredIterator, "Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of %d milliseconds.",
			issued.UTC().Format(layout), start.UTC().Format(layout), IteratorLifetime.Milliseconds())
	}
	st, err := s.Get(it.Stream)
	if err != nil || st.Definition().Created != it.Created {
		return nil, s.noShard(it.Shard, it.Stream)
	}
	b, err := st.getRecords(it, limit)
	if err != nil {
		return nil, err
	}
	st.series.getRecords(b, time.Since(start))
	st.measureGet(b.Shard.Index, b.Records, b.Behind)
	return b, nil
}

func (st *Stream) getRecords(it Iterator, limit int) (*Batch, error) {
	sh, ok := st.Shard(it.Shard)
	if !ok {
		return nil, st.owner.noShard(it.Shard, st.name)
	}
	if limit <= 0 || limit > maxGetRecords {
		limit = maxGetRecords
	}
	recs, next, err := st.log.Read(it.Shard, it.Next, limit, maxGetBytes)
	if err != nil {
		return nil, st.gone(err)
	}
	b := &Batch{Shard: sh, Records: recs, Encryption: st.Definition().Encryption}
	if !sh.Open() && next >= sh.End {
		b.ChildShards = st.childrenOf(sh)
		return b, nil
	}
	following := st.iteratorAt(it.Shard, next)
	b.Next = &following
	if b.Behind, err = st.behind(it.Shard, next); err != nil {
		return nil, err
	}
	return b, nil
}

// behind returns the age of the record at a position, 0 at the tip.
func (st *Stream) behind(index uint32, next Position) (time.Duration, error) {
	recs, _, err := st.log.Read(index, next, 1, 0)
	if err != nil || len(recs) == 0 {
		return 0, st.gone(err)
	}
	return max(time.Since(recs[0].ArrivalTime()), time.Millisecond), nil
}

func (st *Stream) childrenOf(parent Shard) []Shard {
	var children []Shard
	for _, sh := range st.Definition().Shards {
		if sh.Parent != nil && *sh.Parent == parent.Index || sh.Adjacent != nil && *sh.Adjacent == parent.Index {
			children = append(children, sh)
		}
	}
	return children
}
