package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// Position orders the records of one shard. The first record has position 1 and
// positions have no gaps.
type Position uint64

// LogID identifies a log in the store. Ids are never reused.
type LogID uint64

// Record is one entry of a shard. Data and PartitionKey of a record that was read
// are shared with other readers and must not be changed.
type Record struct {
	Position     Position
	Arrival      int64 // milliseconds since the Unix epoch; never decreases within a shard
	PartitionKey string
	Data         []byte
}

// ArrivalTime returns the time at which the record was accepted.
func (r Record) ArrivalTime() time.Time { return time.UnixMilli(r.Arrival).UTC() }

var (
	// ErrNoLog says that a log does not exist or was dropped.
	ErrNoLog = errors.New("log does not exist")
	// ErrShardClosed says that a record was appended to a closed shard.
	ErrShardClosed = errors.New("shard is closed")
)

// Logs is the set of logs in one store.
type Logs struct {
	db         *store.DB
	tailBudget atomic.Int64 // bytes of recent records in memory that may still be taken

	mu     sync.Mutex
	nextID LogID
	open   map[LogID]*Log
}

// tailBytes bounds the recent records that all shards together keep in memory.
const tailBytes = 64 << 20

// NewLogs gives access to the logs of a store.
func NewLogs(db *store.DB) (*Logs, error) {
	ls := &Logs{db: db, open: map[LogID]*Log{}, nextID: 1}
	ls.tailBudget.Store(tailBytes)
	v, ok, err := db.Get(nextIDKey())
	if err != nil {
		return nil, err
	}
	if ok {
		if len(v) != 8 {
			return nil, errors.New("log id counter is unreadable")
		}
		ls.nextID = LogID(binary.BigEndian.Uint64(v))
	}
	return ls, nil
}

// Create makes a log with the given number of shards as part of tx. It can be
// used once tx is applied.
func (ls *Logs) Create(tx *store.Tx, shards int, retention time.Duration) *Log {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := &Log{logs: ls, id: ls.nextID}
	l.retention.Store(int64(retention))
	ls.nextID++
	tx.Set(nextIDKey(), store.AppendUint64(nil, uint64(ls.nextID)))
	all := make([]*shard, shards)
	for i := range all {
		all[i] = newShard(l, uint32(i))
		tx.Set(stateKey(l.id, uint32(i)), all[i].encodeState())
	}
	l.shards.Store(&all)
	ls.open[l.id] = l
	return l
}

// Open returns the log with an id, loading its shards on first use.
func (ls *Logs) Open(id LogID, retention time.Duration) (*Log, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l, ok := ls.open[id]; ok {
		return l, nil
	}
	l := &Log{logs: ls, id: id}
	l.retention.Store(int64(retention))
	prefix := store.AppendUint64(store.Key(store.DomainShard, 12), uint64(id))
	it, err := ls.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var all []*shard
	for ok := it.First(); ok; ok = it.Next() {
		index, _, err := store.CutUint32(it.Key()[len(prefix):])
		if err != nil || int(index) != len(all) {
			return nil, fmt.Errorf("log %d: shard states are damaged at %x", id, it.Key())
		}
		s := newShard(l, index)
		if err := s.load(it.Value()); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: %d", ErrNoLog, id)
	}
	l.shards.Store(&all)
	ls.open[id] = l
	return l, nil
}

// Drop removes a log and its records as part of tx. Readers that wait are woken
// and get ErrNoLog.
func (ls *Logs) Drop(tx *store.Tx, l *Log) {
	for _, d := range []store.Domain{store.DomainRecord, store.DomainShard} {
		prefix := store.AppendUint64(store.Key(d, 8), uint64(l.id))
		tx.DeleteRange(prefix, store.PrefixEnd(prefix))
	}
	tx.OnApply(func() {
		ls.mu.Lock()
		delete(ls.open, l.id)
		ls.mu.Unlock()
		l.dropped.Store(true)
		for _, s := range *l.shards.Load() {
			s.drop()
		}
	})
}

// Log is an ordered set of shards.
type Log struct {
	logs      *Logs
	id        LogID
	retention atomic.Int64 // time.Duration
	dropped   atomic.Bool
	shards    atomic.Pointer[[]*shard] // grows by AddShards, never shrinks
	growMu    sync.Mutex
}

// ID returns the id under which the log can be opened again.
func (l *Log) ID() LogID { return l.id }

// Shards returns the number of shards, closed ones included.
func (l *Log) Shards() int { return len(*l.shards.Load()) }

// SetRetention changes how long records can be read.
func (l *Log) SetRetention(d time.Duration) { l.retention.Store(int64(d)) }

// Retention returns how long records can be read.
func (l *Log) Retention() time.Duration { return time.Duration(l.retention.Load()) }

// AddShards adds n shards as part of tx and returns the index of the first one.
// Close parents in the same transaction.
func (l *Log) AddShards(tx *store.Tx, n int) uint32 {
	l.growMu.Lock()
	defer l.growMu.Unlock()
	old := *l.shards.Load()
	grown := append(make([]*shard, 0, len(old)+n), old...)
	for i := range n {
		s := newShard(l, uint32(len(old)+i))
		tx.Set(stateKey(l.id, s.index), s.encodeState())
		grown = append(grown, s)
	}
	l.shards.Store(&grown)
	return uint32(len(old))
}

// retire closes a shard that AddShards has added in the same transaction and that
// nobody has used.
func (l *Log) retire(tx *store.Tx, index uint32) {
	s := (*l.shards.Load())[index]
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	s.sealed = true
	s.close()
	tx.Set(stateKey(l.id, index), s.encodeState())
}

func (l *Log) shard(i uint32) (*shard, error) {
	all := *l.shards.Load()
	if l.dropped.Load() || int(i) >= len(all) {
		return nil, ErrNoLog
	}
	return all[i], nil
}

// Read returns up to maxRecords records of a shard from a position on, at least
// one if there is one, then no more than maxBytes of keys and data. Positions
// that have expired are skipped, so look at the Position of what is returned.
// next is where to read on: after the last record returned, or from the horizon
// if that has passed from.
func (l *Log) Read(shardIndex uint32, from Position, maxRecords, maxBytes int) (recs []Record, next Position, err error) {
	s, err := l.shard(shardIndex)
	if err != nil {
		return nil, from, err
	}
	return s.read(from, maxRecords, maxBytes)
}

// Tip returns the position that the next readable record of a shard will have.
func (l *Log) Tip(shardIndex uint32) Position {
	s, err := l.shard(shardIndex)
	if err != nil {
		return 1
	}
	return s.tip()
}

// Horizon returns the position of the oldest retained record of a shard, or Tip
// when it has none.
func (l *Log) Horizon(shardIndex uint32) (Position, error) {
	s, err := l.shard(shardIndex)
	if err != nil {
		return 1, err
	}
	return s.horizonNow()
}

// PositionAt returns the position of the first retained record that arrived at
// or after t, or Tip when there is none.
func (l *Log) PositionAt(shardIndex uint32, t time.Time) (Position, error) {
	s, err := l.shard(shardIndex)
	if err != nil {
		return 1, err
	}
	horizon, err := s.horizonNow()
	if err != nil {
		return 1, err
	}
	p, err := s.positionAt(t.UnixMilli())
	return max(p, horizon), err
}

// Closed reports whether a shard takes no more records.
func (l *Log) Closed(shardIndex uint32) bool {
	s, err := l.shard(shardIndex)
	return err != nil || s.isClosed()
}

// Wait returns nil when the record at a position of a shard can be read or when
// the shard is closed, ErrNoLog when the log is dropped, and otherwise the error
// of ctx.
func (l *Log) Wait(ctx context.Context, shardIndex uint32, p Position) error {
	s, err := l.shard(shardIndex)
	if err != nil {
		return err
	}
	return s.wait(ctx, p)
}

// Trim deletes the records whose retention has passed.
func (l *Log) Trim() error {
	for _, s := range *l.shards.Load() {
		if l.dropped.Load() {
			return nil
		}
		if err := s.trim(); err != nil {
			return fmt.Errorf("trim shard %d of log %d: %w", s.index, l.id, err)
		}
	}
	return nil
}

func nextIDKey() []byte { return store.AppendUint64(store.Key(store.DomainShard, 8), 0) }

func stateKey(id LogID, shard uint32) []byte {
	k := store.AppendUint64(store.Key(store.DomainShard, 12), uint64(id))
	return store.AppendUint32(k, shard)
}

const recordKeyLen = 1 + 8 + 4 + 8

func recordKey(id LogID, shard uint32, p Position) []byte {
	return putRecordKey(make([]byte, recordKeyLen), id, shard, p)
}

func putRecordKey(k []byte, id LogID, shard uint32, p Position) []byte {
	k[0] = byte(store.DomainRecord)
	binary.BigEndian.PutUint64(k[1:], uint64(id))
	binary.BigEndian.PutUint32(k[9:], shard)
	binary.BigEndian.PutUint64(k[13:], uint64(p))
	return k
}
