package table

import (
	"cmp"
	"slices"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
)

// readItem returns the item at a store key.
func readItem(r store.Reader, storeKey []byte) (it Item, ok bool, err error) {
	v, ok, err := r.Get(storeKey)
	return attr.TrustedItem(v), ok, err
}

// commit performs writes, all or none, and returns when they are on disk. No two of
// them may be to one item. The verdicts are in the order of the writes; with an
// error from judging a write, its verdict is the last one.
//
// The caller has acquired the tables; commit releases them.
func (t *Tables) commit(writes []*write) ([]verdict, error) {
	indexes := make([]int, len(writes))
	for i, w := range writes {
		indexes[i] = t.locks.of(w.storeKey)
	}
	tx := t.cfg.DB.Begin()
	verdicts, indexes, announced, err := t.applyLocked(tx, writes, indexes)
	if err != nil || announced == nil {
		tx.Discard()
		// What was decided may rest on a write that is still on its way.
		for _, i := range indexes {
			t.locks.settle(i)
		}
		return verdicts, err
	}
	err = tx.Wait()
	for k, i := range indexes {
		t.locks[i].synced(announced[k])
	}
	return verdicts, err
}

// applyLocked judges and applies writes under their locks, whose indexes it returns
// sorted, with the announcement under each: nil if nothing changed.
func (t *Tables) applyLocked(tx *store.Tx, writes []*write, indexes []int) ([]verdict, []int, []uint64, error) {
	defer t.release()
	indexes = t.locks.lock(indexes)
	defer t.locks.unlock(indexes)
	verdicts, err := t.judgeAll(tx, writes)
	if err != nil {
		return verdicts, indexes, nil, err
	}
	announced, err := t.apply(tx, writes, verdicts, indexes)
	return verdicts, indexes, announced, err
}

func (t *Tables) judgeAll(r store.Reader, writes []*write) ([]verdict, error) {
	verdicts := make([]verdict, 0, len(writes))
	for _, w := range writes {
		old, existed, err := t.readLocked(r, w.storeKey)
		if err != nil {
			return verdicts, err
		}
		v, err := w.judge(old, existed)
		verdicts = append(verdicts, v)
		if err != nil {
			return verdicts, err
		}
	}
	return verdicts, nil
}

// readLocked is readItem for an item whose lock is held.
func (t *Tables) readLocked(r store.Reader, storeKey []byte) (it Item, ok bool, err error) {
	if encoded, ok := t.locks[t.locks.of(storeKey)].recent.find(storeKey); ok {
		return attr.TrustedItem(encoded), true, nil
	}
	return readItem(r, storeKey)
}

// remember keeps what a write that was applied made of its item, whose lock is held.
func (t *Tables) remember(storeKey []byte, it Item, exists bool) {
	recent := &t.locks[t.locks.of(storeKey)].recent
	if exists {
		recent.keep(storeKey, it.Encoded())
	} else {
		recent.forget(storeKey)
	}
}

// apply makes the changes visible. It returns the announcement under each lock, nil
// if nothing changed.
func (t *Tables) apply(tx *store.Tx, writes []*write, verdicts []verdict, indexes []int) ([]uint64, error) {
	changed := false
	for i, w := range writes {
		v := &verdicts[i]
		if !v.changed() {
			continue
		}
		changed = true
		if v.exists {
			tx.Set(w.storeKey, v.new.Encoded())
		} else {
			tx.Delete(w.storeKey)
		}
	}
	if !changed {
		return nil, nil
	}
	appenders, err := appendChanges(tx, writes, verdicts)
	defer unlockAll(appenders)
	if err != nil {
		return nil, err
	}
	announced := make([]uint64, len(indexes))
	for k, i := range indexes {
		announced[k] = t.locks[i].announced.Add(1)
	}
	if err := tx.Apply(); err != nil {
		for k, i := range indexes {
			t.locks[i].synced(announced[k])
		}
		return nil, err
	}
	for i, w := range writes {
		v := &verdicts[i]
		t.remember(w.storeKey, v.new, v.exists)
		w.table.countWrite(v)
	}
	return announced, nil
}

// pendingChange is a change record to be appended.
type pendingChange struct {
	stream *ChangeStream
	shard  uint32
	record stream.Record
}

// appendChanges writes the change records of tables that have a stream. It leaves
// the shards locked, also when it fails.
func appendChanges(tx *store.Tx, writes []*write, verdicts []verdict) ([]*stream.Appender, error) {
	var pending []pendingChange
	for i, w := range writes {
		s := w.table.changes.Load()
		v := &verdicts[i]
		if s == nil || !v.changed() {
			continue
		}
		data := encodeChange(s.def.View, w.key, v)
		pending = append(pending, pendingChange{s, s.shardOf(w.storeKey), stream.Record{Data: data}})
	}
	// Group by log, so that each is locked once; stable, so that the changes of a
	// batch stay in the order of the request.
	slices.SortStableFunc(pending, func(a, b pendingChange) int { return cmp.Compare(a.stream.log.ID(), b.stream.log.ID()) })
	var appenders []*stream.Appender
	for len(pending) > 0 {
		s := pending[0].stream
		n := slices.IndexFunc(pending, func(p pendingChange) bool { return p.stream != s })
		if n < 0 {
			n = len(pending)
		}
		shards := make([]uint32, n)
		for i, p := range pending[:n] {
			shards[i] = p.shard
		}
		a, err := s.log.Lock(shards...)
		if err != nil {
			return appenders, err
		}
		appenders = append(appenders, a)
		for _, p := range pending[:n] {
			if _, err := a.Append(tx, p.shard, p.record); err != nil {
				return appenders, err
			}
		}
		pending = pending[n:]
	}
	return appenders, nil
}

func unlockAll(appenders []*stream.Appender) {
	for _, a := range appenders {
		a.Unlock()
	}
}
