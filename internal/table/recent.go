package table

import "bytes"

// Items that were written last are likely to be written again soon: counters,
// latest states. Each item lock keeps a few of those under it, so that a write need
// not look for the item that it changes; finding it in the engine costs about as
// much as all the rest that the write does in memory.
const (
	recentItems = 4       // under one lock
	recentBytes = 1 << 10 // the largest item that is kept
)

// recent is what the last writes under one item lock made of their items. It is
// read and changed with the lock held, by all that write items.
type recent struct {
	items [recentItems]recentItem // the one used last in front
}

// recentItem is an item with the key under which the store has it. Neither is ever
// changed in place.
type recentItem struct {
	storeKey, encoded []byte
}

// find returns an item as it was written last.
func (r *recent) find(storeKey []byte) (encoded []byte, ok bool) {
	for i := range r.items {
		if it := r.items[i]; it.storeKey != nil && bytes.Equal(it.storeKey, storeKey) {
			r.toFront(i, it)
			return it.encoded, true
		}
	}
	return nil, false
}

// keep notes what was written. Whoever calls may reuse the memory of the item, but
// not that of the key.
func (r *recent) keep(storeKey, encoded []byte) {
	if len(encoded) > recentBytes {
		r.forget(storeKey)
		return
	}
	place := recentItems - 1
	for i := range r.items {
		if bytes.Equal(r.items[i].storeKey, storeKey) {
			place = i
			break
		}
	}
	r.toFront(place, recentItem{storeKey, bytes.Clone(encoded)})
}

// forget drops an item that is not as it was written last any more.
func (r *recent) forget(storeKey []byte) {
	for i := range r.items {
		if bytes.Equal(r.items[i].storeKey, storeKey) {
			r.items[i] = recentItem{}
		}
	}
}

// toFront puts an item in front, in exchange for that at a place.
func (r *recent) toFront(place int, it recentItem) {
	copy(r.items[1:place+1], r.items[:place])
	r.items[0] = it
}
