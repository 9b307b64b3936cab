package stream

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Entry is a record to be put.
type Entry struct {
	PartitionKey string
	Hash         *HashKey // overrides the hash of the partition key
	Data         []byte   // must not change after Put was called
}

// hash returns the hash by which the entry is routed.
func (e *Entry) hash() HashKey {
	if e.Hash != nil {
		return *e.Hash
	}
	return HashOf(e.PartitionKey)
}

// Placed says where a record went.
type Placed struct {
	Shard    uint32
	Sequence Sequence
}

// Put appends entries to the stream, all of them or none, and returns when they
// are on disk. Entries of one shard keep their order. placed, one element for
// each entry, receives where they went.
func (st *Stream) Put(ctx context.Context, entries []Entry, placed []Placed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := st.checkSizes(entries, "records"); err != nil {
		return err
	}
	for {
		err := st.put(entries, placed)
		if !errors.Is(err, ErrShardClosed) {
			return err
		}
		// The stream was resharded between routing and locking: route again.
	}
}

func (st *Stream) put(entries []Entry, placed []Placed) error {
	state := st.state.Load()
	shards := make([]uint32, 0, 8)
	for i, e := range entries {
		sh := state.route(e.hash())
		placed[i] = Placed{Shard: sh.Index, Sequence: Sequence{ShardCreated: sh.Created, Shard: sh.Index}}
		if len(shards) == 0 || shards[len(shards)-1] != sh.Index {
			shards = append(shards, sh.Index)
		}
	}
	tx := st.owner.cfg.DB.Begin()
	defer tx.Discard()
	locked, err := st.log.Lock(shards...)
	if err != nil {
		return st.gone(err)
	}
	defer locked.Unlock()
	for i, e := range entries {
		r, err := locked.Append(tx, placed[i].Shard, Record{PartitionKey: e.PartitionKey, Data: e.Data})
		if err != nil {
			return err
		}
		placed[i].Sequence.Counter = uint64(r.Position)
		placed[i].Sequence.Time = r.Arrival / 1000
	}
	if err := tx.Apply(); err != nil {
		return fmt.Errorf("put to stream %s: %w", st.name, err)
	}
	locked.Unlock()
	if err := tx.Wait(); err != nil {
		return fmt.Errorf("put to stream %s: %w", st.name, err)
	}
	return nil
}

// checkSizes bounds entries by what the stream takes. list is the member of the
// request that they are in, empty if there is just one.
func (st *Stream) checkSizes(entries []Entry, list string) error {
	limit := st.Definition().MaxRecordKiB << 10
	total := 0
	for i, e := range entries {
		size := len(e.Data) + len(e.PartitionKey)
		if size > limit {
			path := "data"
			if list != "" {
				path = fmt.Sprintf("%s.%d.member.data", list, i+1)
			}
			return errorf(Validation, "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", len(e.Data), len(e.Data), path, limit)
		}
		total += size
	}
	if total > maxPutRecordsBytes && len(entries) > 1 {
		return errorf(InvalidArgument, "Records size exceeds 10 MB limit")
	}
	return nil
}

// gone translates a log that was dropped under a running request.
func (st *Stream) gone(err error) error {
	if errors.Is(err, ErrNoLog) {
		return errorf(NotFound, "Stream %s under account %s not found.", st.name, st.owner.cfg.Identity.Account)
	}
	return err
}

// PutRecord puts one record for the PutRecord operation. after, when not empty,
// is a sequence number that the new one must exceed.
func (st *Stream) PutRecord(ctx context.Context, e Entry, after string) (Placed, error) {
	start := time.Now()
	if after != "" && !st.canFollow(after) {
		return Placed{}, st.invalidMinimum(after)
	}
	if err := st.checkSizes([]Entry{e}, ""); err != nil {
		st.series.putRecord(e, false, time.Since(start))
		return Placed{}, err
	}
	placed := make([]Placed, 1)
	err := st.Put(ctx, []Entry{e}, placed)
	st.series.putRecord(e, err == nil, time.Since(start))
	if err == nil {
		st.measurePut([]Entry{e}, placed)
	}
	return placed[0], err
}

func (st *Stream) invalidMinimum(after string) error {
	return errorf(InvalidArgument, "ExclusiveMinimumSequenceNumber %s used in PutRecord on stream %s under account %s is invalid.", after, st.name, st.owner.cfg.Identity.Account)
}

// canFollow reports whether a new record's number will exceed the given one.
func (st *Stream) canFollow(after string) bool {
	if after == "0" {
		return true
	}
	q, err := ParseSequence(after)
	if err != nil || q.Counter > endCounter-1 {
		return false
	}
	return q.Time <= time.Now().Unix()
}

// PutRecords puts records for the PutRecords operation.
func (st *Stream) PutRecords(ctx context.Context, entries []Entry) ([]Placed, error) {
	start := time.Now()
	placed := make([]Placed, len(entries))
	err := st.Put(ctx, entries, placed)
	st.series.putRecords(entries, err == nil, time.Since(start))
	if err == nil {
		st.measurePut(entries, placed)
	}
	return placed, err
}
