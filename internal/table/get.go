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
}

// GetItem reads an item. Errors that are the client's: InvalidError, NotFoundError.
func (t *Tables) GetItem(r *GetRequest) (GetResult, error) {
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
		res, err = t.get(tab, r.Key, b.Projection, r.Consistent)
	}
	t.observe(opGetItem, tab, begun, err)
	return res, err
}

// get reads an item whose key is valid, and counts what that consumes.
func (t *Tables) get(tab *table, key Item, p *expr.Projection, consistent bool) (GetResult, error) {
	storeKey := tab.storeKey(key)
	it, ok, err := readItem(t.cfg.DB, storeKey)
	if err != nil {
		return GetResult{}, err
	}
	t.locks.settle(t.locks.of(storeKey))
	res := GetResult{Item: it, Exists: ok, Units: readUnits(it.Size(), consistent)}
	tab.meters.readUnits.Observe(res.Units)
	if p != nil {
		res.Item = p.Apply(it)
	}
	return res, nil
}
