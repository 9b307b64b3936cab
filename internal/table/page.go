package table

import (
	"bytes"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// maxPageBytes is how many bytes of items a page of a query or scan examines; the
// item that reaches it is part of the page.
const maxPageBytes = 1 << 20

// Page is one page of a query or scan.
type Page struct {
	Items   []Item // as far as they match and are asked for
	Count   int    // items that match
	Scanned int    // items that were examined
	Last    Item   // key of the last examined item, empty if there are no more
	Units   float64
}

// reading is what a query or scan reads: the items between two store keys.
type reading struct {
	table        *table
	lower, upper []byte // the latter is not read
	backward     bool
	limit        int // of items to examine, 0 for none
	filter       *expr.Condition
	projection   *expr.Projection
	countOnly    bool
	consistent   bool
}

// resume makes the reading go on after an item.
func (r *reading) resume(storeKey []byte) {
	if r.backward {
		if bytes.Compare(storeKey, r.upper) < 0 {
			r.upper = storeKey
		}
		return
	}
	if next := after(storeKey); bytes.Compare(next, r.lower) > 0 {
		r.lower = next
	}
}

// page reads the next page.
func (r *reading) page(from store.Reader) (Page, error) {
	var p Page
	if bytes.Compare(r.lower, r.upper) >= 0 {
		p.Units = readUnits(0, r.consistent)
		return p, nil
	}
	it, err := from.Scan(r.lower, r.upper)
	if err != nil {
		return p, err
	}
	defer it.Close()
	size := 0
	var key []byte
	first, next := it.First, func() bool { return nextItem(it, &key) }
	if r.backward {
		first, next = it.Last, it.Prev
	}
	for more := first(); more; more = next() {
		item := attr.TrustedItem(it.Value())
		size += item.Size()
		p.Scanned++
		if r.filter == nil || r.filter.Holds(item) {
			p.Count++
			if !r.countOnly {
				p.Items = append(p.Items, r.selected(item))
			}
		}
		if p.Scanned == r.limit || size >= maxPageBytes {
			p.Last = r.table.keyOf(item)
			break
		}
	}
	p.Units = readUnits(size, r.consistent)
	return p, it.Close()
}

// nextItem moves to the next key with a seek. A hot item has many old versions in
// memory; a step goes through all of them, a seek jumps after a few.
func nextItem(it *store.Iterator, key *[]byte) bool {
	*key = append(append((*key)[:0], it.Key()...), 0)
	return it.Seek(*key)
}

// selected returns what is to be told of an item, in memory of its own.
func (r *reading) selected(item Item) Item {
	if r.projection != nil {
		return r.projection.Apply(item)
	}
	return attr.TrustedItem(bytes.Clone(item.Encoded()))
}
