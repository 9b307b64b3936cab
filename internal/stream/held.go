package stream

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// held is the records that a transaction puts to streams.
type held struct {
	streams []*heldStream

	locked []*Appender // from Prepare on
}

// heldStream is the records of one stream, in the order in which they were put.
type heldStream struct {
	st      *Stream
	entries []Entry
	counts  map[uint32]uint64 // by shard, of the numbers that were told
}

// entryOverhead is about what a held record takes besides its data.
const entryOverhead = 128

// PutRecordIn is PutRecord as part of a transaction. The shard and the number that
// it returns are those which the record would get now; which it gets is decided when
// the transaction commits.
func (st *Stream) PutRecordIn(tx *transaction.Tx, e Entry, after string) (Placed, error) {
	start := time.Now()
	if after != "" && !st.canFollow(after) {
		return Placed{}, st.invalidMinimum(after)
	}
	if err := st.checkSizes([]Entry{e}, ""); err != nil {
		st.series.putRecord(e, false, time.Since(start))
		return Placed{}, err
	}
	placed := make([]Placed, 1)
	err := st.hold(tx, []Entry{e}, placed)
	st.series.putRecord(e, err == nil, time.Since(start))
	return placed[0], err
}

// PutRecordsIn is PutRecords as part of a transaction, as PutRecordIn is.
func (st *Stream) PutRecordsIn(tx *transaction.Tx, entries []Entry) ([]Placed, error) {
	start := time.Now()
	placed := make([]Placed, len(entries))
	err := st.hold(tx, entries, placed)
	st.series.putRecords(entries, err == nil, time.Since(start))
	return placed, err
}

func (st *Stream) hold(tx *transaction.Tx, entries []Entry, placed []Placed) error {
	if err := st.checkSizes(entries, "records"); err != nil {
		return err
	}
	bytes := len(entries) * entryOverhead
	for _, e := range entries {
		bytes += len(e.Data) + len(e.PartitionKey)
	}
	return tx.Do(func() error {
		if err := tx.Grow(len(entries), bytes); err != nil {
			return err
		}
		hs := transaction.PartOf(tx, transaction.Streams, func() *held { return &held{} }).of(st)
		hs.entries = append(hs.entries, entries...)
		state, now := st.state.Load(), time.Now().Unix()
		for i, e := range entries {
			sh := state.route(e.hash())
			next := uint64(st.log.Tip(sh.Index)) + hs.counts[sh.Index]
			hs.counts[sh.Index]++
			placed[i] = Placed{Shard: sh.Index, Sequence: Sequence{ShardCreated: sh.Created, Shard: sh.Index, Counter: next, Time: now}}
		}
		return nil
	})
}

func (p *held) of(st *Stream) *heldStream {
	for _, hs := range p.streams {
		if hs.st == st {
			return hs
		}
	}
	hs := &heldStream{st: st, counts: map[uint32]uint64{}}
	p.streams = append(p.streams, hs)
	return hs
}

// Prepare implements transaction.Part.
func (p *held) Prepare(tx *store.Tx) error {
	slices.SortFunc(p.streams, func(a, b *heldStream) int { return cmp.Compare(a.st.log.id, b.st.log.id) })
	for _, hs := range p.streams {
		locked, shards, err := hs.lock()
		if errors.Is(err, ErrNoLog) {
			return transaction.ErrConflict // the function was told that there is one
		}
		if err != nil {
			return err
		}
		p.locked = append(p.locked, locked)
		tx.OnDurable(func() { hs.measure(shards) })
		for i, e := range hs.entries {
			if _, err := locked.Append(tx, shards[i], Record{PartitionKey: e.PartitionKey, Data: e.Data}); err != nil {
				return err
			}
		}
	}
	return nil
}

// lock locks the shards to which the records go, and returns them by record.
func (hs *heldStream) lock() (*Appender, []uint32, error) {
	for {
		state := hs.st.state.Load()
		shards := make([]uint32, len(hs.entries))
		for i, e := range hs.entries {
			shards[i] = state.route(e.hash()).Index
		}
		locked, err := hs.st.log.Lock(slices.Clone(shards)...)
		if err != nil {
			return nil, nil, err
		}
		if hs.st.state.Load() == state {
			return locked, shards, nil
		}
		locked.Unlock() // resharded between routing and locking
	}
}

// measure measures the records when they are in the stream, given their shards. What
// is rolled back was never there.
func (hs *heldStream) measure(shards []uint32) {
	placed := make([]Placed, len(shards))
	for i, shard := range shards {
		placed[i].Shard = shard
	}
	hs.st.measurePut(hs.entries, placed)
}

// Announce implements transaction.Part.
func (p *held) Announce() {}

// Release implements transaction.Part.
func (p *held) Release(bool) {
	for _, locked := range p.locked {
		locked.Unlock()
	}
}
