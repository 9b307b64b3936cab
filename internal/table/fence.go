package table

import (
	"slices"
	"sync"
	"sync/atomic"
)

// stripes is the number of item locks. Items share a lock by the hash of their key.
const stripes = 512

// itemLocks are the locks of all items, and know which of their writes are not yet
// on disk.
type itemLocks [stripes]stripe

// stripe is one lock. announced counts the writes under it, and is raised before
// their transaction is applied; durable says up to which of them all are on disk.
// The write-ahead log is sequential and writes of one stripe are applied in turn,
// so that the durability of one implies that of those before it.
type stripe struct {
	mu        sync.Mutex
	recent    recent // guarded by mu
	announced atomic.Uint64
	durable   atomic.Uint64

	waitMu  sync.Mutex
	waiters int
	wake    *sync.Cond
	_       [32]byte // keep neighbours off the same cache line
}

func (l *itemLocks) init() {
	for i := range l {
		l[i].wake = sync.NewCond(&l[i].waitMu)
	}
}

// of returns the index of the lock of an item.
func (l *itemLocks) of(storeKey []byte) int { return int(scatter(storeKey) % stripes) }

// lock takes the given locks, duplicates allowed, and returns them in the order in
// which they were taken.
func (l *itemLocks) lock(indexes []int) []int {
	indexes = sortedSet(indexes)
	for _, i := range indexes {
		l[i].mu.Lock()
	}
	return indexes
}

func (l *itemLocks) unlock(indexes []int) {
	for _, i := range indexes {
		l[i].mu.Unlock()
	}
}

// settle returns when everything is on disk that was readable under a lock when it
// was called.
func (l *itemLocks) settle(i int) {
	if s := &l[i]; s.durable.Load() < s.announced.Load() {
		s.await(s.announced.Load())
	}
}

// settleAll is settle for all locks.
func (l *itemLocks) settleAll() {
	for i := range l {
		l.settle(i)
	}
}

func (s *stripe) await(n uint64) {
	s.waitMu.Lock()
	defer s.waitMu.Unlock()
	s.waiters++
	for s.durable.Load() < n {
		s.wake.Wait()
	}
	s.waiters--
}

// synced notes that the first n writes are on disk.
func (s *stripe) synced(n uint64) {
	s.waitMu.Lock()
	defer s.waitMu.Unlock()
	if n > s.durable.Load() {
		s.durable.Store(n)
	}
	if s.waiters > 0 {
		s.wake.Broadcast()
	}
}

// allStripes returns the indexes of all locks.
func allStripes() []int {
	all := make([]int, stripes)
	for i := range all {
		all[i] = i
	}
	return all
}

// sortedSet returns the indexes in order, each once.
func sortedSet(indexes []int) []int {
	slices.Sort(indexes)
	return slices.Compact(indexes)
}
