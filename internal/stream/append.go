package stream

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// Appender holds the append locks of some shards of a log for the length of one
// commit:
//
//	a, err := log.Lock(shards...)
//	a.Append(tx, shard, record) ...
//	err = tx.Apply()
//	a.Unlock()
//	err = tx.Wait()
//
// Unlock must come after Apply or Discard and before Wait, so that others can
// append while this transaction waits for the disk.
type Appender struct {
	log    *Log
	shards []*shard
	tx     *store.Tx
	now    int64
}

// Lock takes the append locks of the given shards, duplicates allowed.
func (l *Log) Lock(shards ...uint32) (*Appender, error) {
	slices.Sort(shards)
	shards = slices.Compact(shards)
	a := &Appender{log: l, shards: make([]*shard, 0, len(shards))}
	for _, i := range shards {
		s, err := l.shard(i)
		if err != nil {
			a.Unlock()
			return nil, err
		}
		s.appendMu.Lock()
		a.shards = append(a.shards, s)
	}
	a.now = time.Now().UnixMilli()
	return a, nil
}

// Append adds a record to one of the locked shards as part of tx, and returns it
// with its position and arrival time. The record's Data must not change
// afterwards. All appends through one Appender go to one tx.
func (a *Appender) Append(tx *store.Tx, shardIndex uint32, r Record) (Record, error) {
	s := a.locked(shardIndex)
	if s == nil {
		return r, fmt.Errorf("append to shard %d of log %d without its lock", shardIndex, a.log.id)
	}
	if s.sealed {
		return r, ErrShardClosed
	}
	a.register(tx)
	r.Position = s.next + Position(len(s.pending))
	r.Arrival = max(a.now, s.lastArrival)
	key, value := tx.SetBuffers(recordKeyLen, recordValueLen(r))
	putRecordKey(key, a.log.id, s.index, r.Position)
	putRecordValue(value, r)
	s.pending = append(s.pending, r)
	return r, nil
}

// Close closes one of the locked shards as part of tx: it takes no more records,
// also not in this transaction. It returns the position that its next record
// would have had.
func (a *Appender) Close(tx *store.Tx, shardIndex uint32) (Position, error) {
	s := a.locked(shardIndex)
	if s == nil || s.sealed {
		return 0, ErrShardClosed
	}
	a.register(tx)
	end := s.next + Position(len(s.pending))
	tx.Set(stateKey(a.log.id, s.index), encodeState(s.horizonStored(), end-1, max(a.now, s.lastArrival), true))
	tx.OnApply(func() { s.sealed = true })
	tx.OnDurable(s.close)
	return end, nil
}

// register makes tx publish what was appended.
func (a *Appender) register(tx *store.Tx) {
	if a.tx != nil {
		return
	}
	a.tx = tx
	ends := make([]Position, len(a.shards))
	shards := a.shards
	tx.OnApply(func() {
		for i, s := range shards {
			ends[i] = s.applyPending()
		}
	})
	tx.OnDurable(func() {
		for i, s := range shards {
			s.publish(ends[i])
		}
	})
}

func (a *Appender) locked(index uint32) *shard {
	for _, s := range a.shards {
		if s.index == index {
			return s
		}
	}
	return nil
}

// Unlock releases the append locks. Records of a transaction that was discarded
// are forgotten and their positions used again. A second call does nothing.
func (a *Appender) Unlock() {
	for _, s := range a.shards {
		clear(s.pending)
		s.pending = s.pending[:0]
		s.appendMu.Unlock()
	}
	a.shards = nil
}

func recordValueLen(r Record) int {
	return uvarintLen(uint64(r.Arrival)) + uvarintLen(uint64(len(r.PartitionKey))) + len(r.PartitionKey) + len(r.Data)
}

func putRecordValue(v []byte, r Record) {
	n := binary.PutUvarint(v, uint64(r.Arrival))
	n += binary.PutUvarint(v[n:], uint64(len(r.PartitionKey)))
	n += copy(v[n:], r.PartitionKey)
	copy(v[n:], r.Data)
}

// decodeRecord reads a stored record; its strings and slices refer to copies.
func decodeRecord(p Position, v []byte) (Record, error) {
	arrival, n := binary.Uvarint(v)
	if n <= 0 {
		return Record{}, fmt.Errorf("record at position %d is damaged", p)
	}
	v = v[n:]
	keyLen, n := binary.Uvarint(v)
	if n <= 0 || keyLen > uint64(len(v)-n) {
		return Record{}, fmt.Errorf("record at position %d is damaged", p)
	}
	v = v[n:]
	data := make([]byte, len(v)-int(keyLen))
	copy(data, v[keyLen:])
	return Record{Position: p, Arrival: int64(arrival), PartitionKey: string(v[:keyLen]), Data: data}, nil
}

func uvarintLen(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}
