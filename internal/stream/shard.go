package stream

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// shard is one sequence of records.
type shard struct {
	log   *Log
	index uint32

	// appendMu is held from the assignment of positions to the apply of the
	// transaction that writes them. It guards next, lastArrival, pending and
	// sealed: nothing can be appended any more, though readers may not know yet.
	appendMu    sync.Mutex
	next        Position
	lastArrival int64
	pending     []Record
	sealed      bool

	mu      sync.Mutex
	visible Position // last position that is on disk
	horizon Position // first position that is not deleted
	closed  bool
	dropped bool
	tail    tail
	wake    chan struct{} // closed when visible moves; nil when nobody waits
}

func newShard(l *Log, index uint32) *shard {
	return &shard{log: l, index: index, next: 1, horizon: 1, tail: tail{first: 1}}
}

const stateLen = 8 + 8 + 8 + 1

func (s *shard) encodeState() []byte {
	return encodeState(s.horizon, s.next-1, s.lastArrival, s.closed)
}

func encodeState(horizon, last Position, lastArrival int64, closed bool) []byte {
	v := make([]byte, 0, stateLen)
	v = store.AppendUint64(v, uint64(horizon))
	v = store.AppendUint64(v, uint64(last))
	v = store.AppendUint64(v, uint64(lastArrival))
	if closed {
		return append(v, 1)
	}
	return append(v, 0)
}

// load restores the shard from its stored state and its last record.
func (s *shard) load(state []byte) error {
	if len(state) != stateLen {
		return fmt.Errorf("state of shard %d of log %d is damaged", s.index, s.log.id)
	}
	s.horizon = Position(binary.BigEndian.Uint64(state))
	last := Position(binary.BigEndian.Uint64(state[8:]))
	s.lastArrival = int64(binary.BigEndian.Uint64(state[16:]))
	s.closed = state[24] == 1
	s.sealed = s.closed

	it, err := s.log.logs.db.Scan(recordKey(s.log.id, s.index, 0), recordKey(s.log.id, s.index+1, 0))
	if err != nil {
		return err
	}
	defer it.Close()
	if it.Last() {
		p := Position(binary.BigEndian.Uint64(it.Key()[13:]))
		r, err := decodeRecord(p, it.Value())
		if err != nil {
			return err
		}
		last = max(last, p)
		s.lastArrival = max(s.lastArrival, r.Arrival)
	}
	s.next, s.visible = last+1, last
	s.tail.first = s.next
	return it.Close()
}

// applyPending makes pending records part of the tail, not yet visible, and
// returns the last position. The caller holds appendMu.
func (s *shard) applyPending() Position {
	if n := len(s.pending); n > 0 {
		s.next += Position(n)
		s.lastArrival = s.pending[n-1].Arrival
		s.mu.Lock()
		s.tail.push(s.pending, &s.log.logs.tailBudget)
		s.mu.Unlock()
	}
	return s.next - 1
}

// publish lets readers see what is on disk.
func (s *shard) publish(last Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last > s.visible {
		s.visible = last
		s.wakeLocked()
	}
}

func (s *shard) wakeLocked() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wakeLocked()
}

func (s *shard) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped, s.closed = true, true
	s.tail.evict(s.tail.bytes, &s.log.logs.tailBudget)
	s.wakeLocked()
}

func (s *shard) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *shard) tip() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visible + 1
}

func (s *shard) horizonStored() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.horizon
}

func (s *shard) wait(ctx context.Context, p Position) error {
	for {
		s.mu.Lock()
		if s.dropped {
			s.mu.Unlock()
			return ErrNoLog
		}
		if s.visible >= p || s.closed {
			s.mu.Unlock()
			return nil
		}
		if s.wake == nil {
			s.wake = make(chan struct{})
		}
		wake := s.wake
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *shard) read(from Position, maxRecords, maxBytes int) ([]Record, Position, error) {
	recs, err := s.readAt(from, maxRecords, maxBytes)
	if err != nil {
		return nil, from, err
	}
	if len(recs) > 0 && recs[0].Arrival < s.oldest() {
		// Only a reader that has fallen behind by the whole retention comes here.
		horizon, err := s.horizonNow()
		if err != nil {
			return nil, from, err
		}
		if from = max(from, horizon); from > recs[0].Position {
			if recs, err = s.readAt(from, maxRecords, maxBytes); err != nil {
				return nil, from, err
			}
		}
	}
	if len(recs) == 0 {
		return nil, max(from, s.horizonStored()), nil
	}
	return recs, recs[len(recs)-1].Position + 1, nil
}

// readAt reads from memory when it can and from the store otherwise.
func (s *shard) readAt(from Position, maxRecords, maxBytes int) ([]Record, error) {
	s.mu.Lock()
	from = max(from, s.horizon)
	visible := s.visible
	if s.dropped {
		s.mu.Unlock()
		return nil, ErrNoLog
	}
	if from > visible {
		s.mu.Unlock()
		return nil, nil
	}
	if from >= s.tail.first {
		recs := s.tail.slice(from, visible, maxRecords, maxBytes)
		s.mu.Unlock()
		return recs, nil
	}
	s.mu.Unlock()

	it, err := s.log.logs.db.Scan(recordKey(s.log.id, s.index, from), recordKey(s.log.id, s.index, visible+1))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var recs []Record
	size := 0
	for ok := it.First(); ok && len(recs) < maxRecords; ok = it.Next() {
		r, err := decodeRecord(Position(binary.BigEndian.Uint64(it.Key()[13:])), it.Value())
		if err != nil {
			return nil, err
		}
		if size += len(r.Data) + len(r.PartitionKey); size > maxBytes && len(recs) > 0 {
			break
		}
		recs = append(recs, r)
	}
	return recs, it.Close()
}

// oldest returns the arrival time, in milliseconds, before which records have
// expired.
func (s *shard) oldest() int64 {
	return time.Now().Add(-s.log.Retention()).UnixMilli()
}

func (s *shard) horizonNow() (Position, error) { return s.positionAt(s.oldest()) }

// positionAt finds the first record with arrival at or after ms by bisection,
// which works because positions have no gaps and arrival never decreases.
func (s *shard) positionAt(ms int64) (Position, error) {
	s.mu.Lock()
	lo, hi := s.horizon, s.visible+1
	s.mu.Unlock()
	for lo < hi {
		mid := lo + (hi-lo)/2
		recs, err := s.readAt(mid, 1, 0)
		if err != nil {
			return 0, err
		}
		// A record that was trimmed meanwhile is older than what is looked for.
		if len(recs) == 0 || recs[0].Position > mid || recs[0].Arrival < ms {
			lo = mid + 1
			continue
		}
		hi = mid
	}
	return lo, nil
}

// trim deletes expired records. The state that it writes keeps the last position,
// so that positions go on where they were even when no record is left.
func (s *shard) trim() error {
	horizon, err := s.horizonNow()
	if err != nil {
		return err
	}
	old := s.horizonStored()
	if horizon <= old {
		return nil
	}
	tx := s.log.logs.db.Begin()
	tx.DeleteRange(recordKey(s.log.id, s.index, old), recordKey(s.log.id, s.index, horizon))
	tx.OnApply(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.horizon = horizon
		s.tail.evictBefore(horizon, &s.log.logs.tailBudget)
	})
	s.appendMu.Lock()
	tx.Set(stateKey(s.log.id, s.index), encodeState(horizon, s.next-1, s.lastArrival, s.sealed))
	err = tx.Apply()
	s.appendMu.Unlock()
	if err != nil {
		return err
	}
	return tx.Wait()
}
