package table

import (
	"time"

	"github.com/weirstream/weir/internal/table/expr"
)

// GetRequest asks for an item.
type GetRequest struct {
	Table string
	Key   Item
	Expressions
	Consistent bool
}

// GetResult is the answer to a GetRequest.
type GetResult struct {
	Item   Item
	Exists bool
	Units  float64

	size int // of the whole item
}

// GetItem reads an item. Errors that are the client's: InvalidError, NotFoundError.
func (t *Tables) GetItem(r *GetRequest) (GetResult, error) {
	return t.readItem(r, t.get)
}

// readItem checks a request and reads with get.
func (t *Tables) readItem(r *GetRequest, get getFunc) (GetResult, error) {
	begun := time.Now()
	b, err := t.bind(&r.Expressions, nil)
	if err != nil {
		t.observe(opGetItem, nil, begun, err)
		return GetResult{}, err
	}
	tab, err := t.acquire(r.Table)
	if err != nil {
		t.observe(opGetItem, nil, begun, err)
		return GetResult{}, err
	}
	defer t.release()
	err = tab.checkKey(r.Key)
	if err == nil {
		err = tab.checkPaths(b)
	}
	var res GetResult
	if err == nil {
		res, err = get(tab, r.Key, b.Projection)
		res.count(tab, r.Consistent)
	}
	t.observe(opGetItem, tab, begun, err)
	return res, err
}

// get reads an item whose key is valid, as it is on disk.
func (t *Tables) get(tab *table, key Item, p *expr.Projection) (GetResult, error) {
	storeKey := tab.storeKey(key)
	it, ok, err := readItem(t.cfg.DB, storeKey)
	if err != nil {
		return GetResult{}, err
	}
	t.locks.settle(t.locks.of(storeKey))
	return found(it, ok, p), nil
}

// found is what is told of an item that was read.
func found(it Item, exists bool, p *expr.Projection) GetResult {
	res := GetResult{Item: it, Exists: exists, size: it.Size()}
	if p != nil {
		res.Item = p.Apply(it)
	}
	return res
}

// count notes what reading the item consumes.
func (r *GetResult) count(tab *table, consistent bool) {
	r.Units = readUnits(r.size, consistent)
	tab.meters.readUnits.Observe(r.Units)
}
