package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weirstream/weir/internal/store"
)

// Collection is the durable set of the definitions of one kind, by name.
//
// T is a plain struct that encoding/json can round-trip; a definition that is
// handed in or out is shared, so treat what pointers in it refer to as
// read-only and replace definitions whole.
type Collection[T any] struct {
	db   *store.DB
	kind string

	mu   sync.RWMutex
	byID map[string]T
}

// Load opens the collection of a kind, for example "stream", with what the store
// holds of it.
func Load[T any](db *store.DB, kind string) (*Collection[T], error) {
	c := &Collection[T]{db: db, kind: kind, byID: map[string]T{}}
	prefix := store.AppendString(store.Key(store.DomainCatalog, 64), kind)
	it, err := db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		name, _, err := store.CutString(it.Key()[len(prefix):])
		if err != nil {
			return nil, fmt.Errorf("catalog %s: %w", kind, err)
		}
		var def T
		if err := json.Unmarshal(it.Value(), &def); err != nil {
			return nil, fmt.Errorf("catalog %s %q: %w", kind, name, err)
		}
		c.byID[string(name)] = def
	}
	return c, it.Close()
}

// Get returns the definition with a name.
func (c *Collection[T]) Get(name string) (def T, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	def, ok = c.byID[name]
	return def, ok
}

// Len returns the number of definitions.
func (c *Collection[T]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.byID)
}

// Names returns the names in byte order.
func (c *Collection[T]) Names() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.byID))
}

// All returns the definitions in byte order of their names.
func (c *Collection[T]) All() []T {
	c.mu.RLock()
	defer c.mu.RUnlock()
	defs := make([]T, 0, len(c.byID))
	for _, name := range slices.Sorted(maps.Keys(c.byID)) {
		defs = append(defs, c.byID[name])
	}
	return defs
}

// Put creates or replaces a definition and returns when it is on disk.
func (c *Collection[T]) Put(name string, def T) error {
	tx := c.db.Begin()
	if err := c.PutIn(tx, name, def); err != nil {
		tx.Discard()
		return err
	}
	return tx.Commit()
}

// PutIn creates or replaces a definition as part of tx; it can be read from the
// collection once tx is applied.
func (c *Collection[T]) PutIn(tx *store.Tx, name string, def T) error {
	doc, err := json.Marshal(def)
	if err != nil {
		return fmt.Errorf("catalog %s %q: %w", c.kind, name, err)
	}
	tx.Set(c.key(name), doc)
	tx.OnApply(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.byID[name] = def
	})
	return nil
}

// Delete removes a definition and returns when that is on disk.
func (c *Collection[T]) Delete(name string) error {
	tx := c.db.Begin()
	c.DeleteIn(tx, name)
	return tx.Commit()
}

// DeleteIn removes a definition as part of tx.
func (c *Collection[T]) DeleteIn(tx *store.Tx, name string) {
	tx.Delete(c.key(name))
	tx.OnApply(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.byID, name)
	})
}

func (c *Collection[T]) key(name string) []byte {
	k := store.AppendString(store.Key(store.DomainCatalog, len(c.kind)+len(name)+4), c.kind)
	return store.AppendString(k, name)
}
