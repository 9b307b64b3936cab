package table

import (
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// maxItemBytes is the size that an item can have.
const maxItemBytes = 400 << 10

// write is a change of one item, as a request asks for it.
type write struct {
	table     *table
	key       Item   // the key attributes
	storeKey  []byte // where the store has the item
	condition *expr.Condition

	// One of these says what becomes of the item: it is replaced, updated, or
	// neither, which deletes it.
	item   *Item
	update *expr.Update
	upsert bool // with or without update
}

// verdict is what a write does to an item as it is.
type verdict struct {
	old, new         Item
	existed, exists  bool
	oldSize, newSize int
}

// changed reports whether the write makes a difference.
func (v *verdict) changed() bool {
	return v.existed != v.exists || v.exists && !v.old.Equal(v.new)
}

// judge says what the write does to an item. It is a function of its arguments
// alone, so that a write can be judged again when it is committed later. Errors are
// a ConditionError or an InvalidError.
func (w *write) judge(old Item, existed bool) (verdict, error) {
	v := verdict{old: old, existed: existed}
	if existed {
		v.oldSize = old.Size()
	}
	if w.condition != nil && !w.condition.Holds(old) {
		return v, &ConditionError{}
	}
	switch {
	case w.item != nil:
		v.new, v.exists = *w.item, true
	case w.upsert && (existed || w.update == nil || w.update.Creates()):
		base := old
		if !existed {
			base = w.key
		}
		v.new, v.exists = base, true
		if w.update != nil {
			updated, err := w.update.Apply(base)
			if err != nil {
				return v, err
			}
			v.new = updated
		}
	}
	if v.exists {
		v.newSize = v.new.Size()
	}
	if w.upsert && v.newSize > maxItemBytes {
		return v, attr.Invalidf("Item size to update has exceeded the maximum allowed size")
	}
	return v, nil
}

// writeUnits is what a write consumes.
func (v *verdict) writeUnits() float64 {
	return units(max(v.oldSize, v.newSize), writeUnitBytes)
}

// Bytes that one capacity unit pays for.
const (
	writeUnitBytes = 1 << 10
	readUnitBytes  = 4 << 10
)

// units is the number of capacity units for a number of bytes, at least one.
func units(bytes, unit int) float64 { return float64(max(1, (bytes+unit-1)/unit)) }

// readUnits is what reading a number of bytes consumes.
func readUnits(bytes int, consistent bool) float64 {
	n := units(bytes, readUnitBytes)
	if consistent {
		return n
	}
	return n / 2
}
