package table

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
)

// The number of items of a table and their bytes are kept in memory and saved when
// the store is closed. After a crash they are counted again, in the background, in a
// snapshot of the start; writes meanwhile add to the same sums.

const statisticsState = "statistics"

// countWrite adds what a write changed.
func (t *table) countWrite(v *verdict) {
	t.writes.Add(1)
	items, bytes := int64(0), int64(v.newSize-v.oldSize)
	if v.exists && !v.existed {
		items = 1
	}
	if v.existed && !v.exists {
		items = -1
	}
	if items != 0 {
		t.items.Add(items)
	}
	if bytes != 0 {
		t.bytes.Add(bytes)
	}
}

// loadStatistics takes the saved statistics, and starts counting for tables that
// have none.
func (t *Tables) loadStatistics(ctx context.Context) error {
	tx := t.cfg.DB.Begin()
	defer tx.Discard()
	var uncounted []*table
	for _, tab := range t.tables {
		key := stateKey(tab.id, statisticsState)
		v, ok, err := t.cfg.DB.Get(key)
		if err != nil {
			return err
		}
		if !ok || len(v) != 16 {
			uncounted = append(uncounted, tab)
			continue
		}
		tab.items.Store(int64(binary.BigEndian.Uint64(v)))
		tab.bytes.Store(int64(binary.BigEndian.Uint64(v[8:])))
		tx.Delete(key)
	}
	if !tx.Empty() {
		// They must be gone from disk before the first write makes them wrong.
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("take table statistics: %w", err)
		}
	}
	if len(uncounted) == 0 {
		return nil
	}
	snapshot := t.cfg.DB.Snapshot()
	t.running.Go(func() {
		for _, tab := range uncounted {
			if err := tab.countItems(ctx, snapshot); err != nil && ctx.Err() == nil {
				t.cfg.Log.Error("count items", "table", tab.name, "error", err)
			}
		}
		if err := snapshot.Close(); err != nil {
			t.cfg.Log.Error("close snapshot", "error", err)
		}
	})
	return nil
}

func (t *table) countItems(ctx context.Context, r store.Reader) error {
	prefix := tablePrefix(t.id)
	it, err := r.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	items, bytes := int64(0), int64(0)
	for ok := it.First(); ok; ok = it.Next() {
		items++
		bytes += int64(attr.TrustedItem(it.Value()).Size())
		if items%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	t.items.Add(items)
	t.bytes.Add(bytes)
	return it.Close()
}

func (t *Tables) saveStatistics() error {
	tx := t.cfg.DB.Begin()
	for _, tab := range t.tables {
		v := store.AppendUint64(nil, uint64(tab.items.Load()))
		v = store.AppendUint64(v, uint64(tab.bytes.Load()))
		tx.Set(stateKey(tab.id, statisticsState), v)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("save table statistics: %w", err)
	}
	return nil
}
