package table

import (
	"time"

	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// Limits of batches.
const (
	maxBatchGets     = 100
	maxBatchGetBytes = 16 << 20
)

// BatchGetTable asks for items of one table.
type BatchGetTable struct {
	Table string
	Keys  []Item
	Expressions
	Consistent bool
}

// BatchGetTableResult is the answer to a BatchGetTable.
type BatchGetTableResult struct {
	Items       []Item
	Unprocessed []Item // keys that did not fit in the answer
	Units       float64
}

var errDuplicateKeys = attr.Invalidf("Provided list of item keys contains duplicates")

// BatchGetItem reads items of several tables. The results are in the order of the
// requests. Errors that are the client's: InvalidError, NotFoundError.
func (t *Tables) BatchGetItem(requests []BatchGetTable) ([]BatchGetTableResult, error) {
	return t.readBatch(requests, t.get)
}

// getFunc reads an item whose key is valid.
type getFunc func(*table, Item, *expr.Projection) (GetResult, error)

// readBatch checks requests and reads with get.
func (t *Tables) readBatch(requests []BatchGetTable, get getFunc) ([]BatchGetTableResult, error) {
	begun := time.Now()
	bounds, err := t.bindBatch(requests)
	if err != nil {
		t.observe(opBatchGetItem, nil, begun, err)
		return nil, err
	}
	t.lifecycle.RLock()
	defer t.lifecycle.RUnlock()
	tables := make([]*table, len(requests))
	for i, r := range requests {
		tab, ok := t.lookup(r.Table)
		if !ok {
			t.observe(opBatchGetItem, nil, begun, errNoTable)
			return nil, errNoTable
		}
		tables[i] = tab
		if err := tab.checkBatchGet(r.Keys, bounds[i]); err != nil {
			t.observe(opBatchGetItem, tab, begun, err)
			return nil, err
		}
	}
	results := make([]BatchGetTableResult, len(requests))
	total := 0
	for i := range requests {
		if results[i], err = tables[i].batchGet(&requests[i], bounds[i].Projection, &total, get); err != nil {
			t.observe(opBatchGetItem, tables[i], begun, err)
			return nil, err
		}
		t.observe(opBatchGetItem, tables[i], begun, nil)
	}
	return results, nil
}

func (t *Tables) bindBatch(requests []BatchGetTable) ([]expr.Bound, error) {
	bounds := make([]expr.Bound, len(requests))
	gets := 0
	for i := range requests {
		r := &requests[i]
		var err error
		if bounds[i], err = t.bind(&r.Expressions, nil); err != nil {
			return nil, err
		}
		seen := make(map[string]struct{}, len(r.Keys))
		for _, key := range r.Keys {
			seen[string(key.Encoded())] = struct{}{}
		}
		if len(seen) < len(r.Keys) {
			return nil, errDuplicateKeys
		}
		if gets += len(r.Keys); gets > maxBatchGets {
			return nil, attr.Invalidf("Too many items requested for the BatchGetItem call")
		}
	}
	return bounds, nil
}

func (t *table) checkBatchGet(keys []Item, b expr.Bound) error {
	for _, key := range keys {
		if err := t.checkKey(key); err != nil {
			return err
		}
	}
	return t.checkPaths(b)
}

// batchGet reads items of one table until the whole answer has the size that it can
// have.
func (t *table) batchGet(r *BatchGetTable, p *expr.Projection, total *int, get getFunc) (BatchGetTableResult, error) {
	var res BatchGetTableResult
	for i, key := range r.Keys {
		if *total >= maxBatchGetBytes {
			res.Unprocessed = r.Keys[i:]
			break
		}
		got, err := get(t, key, p)
		if err != nil {
			return res, err
		}
		got.count(t, r.Consistent)
		res.Units += got.Units
		if !got.Exists {
			continue
		}
		if *total+got.size > maxBatchGetBytes {
			res.Unprocessed = r.Keys[i:]
			break
		}
		*total += got.size
		res.Items = append(res.Items, got.Item)
	}
	return res, nil
}

// BatchWrite is one put or delete of a batch.
type BatchWrite struct {
	Put  bool
	Item Item // to put
	Key  Item // to delete
}

// BatchWriteTable is the writes to one table.
type BatchWriteTable struct {
	Table  string
	Writes []BatchWrite
}

// BatchWriteItem puts and deletes items of several tables, all or none. It returns
// the write units for each table, in the order of the requests. Errors that are the
// client's: InvalidError, NotFoundError.
func (t *Tables) BatchWriteItem(requests []BatchWriteTable) ([]float64, error) {
	return t.writeBatch(requests, t.commit)
}

// writeBatch checks requests and performs the writes with commit, which releases
// the tables.
func (t *Tables) writeBatch(requests []BatchWriteTable, commit func([]*write) ([]verdict, error)) ([]float64, error) {
	begun := time.Now()
	for _, r := range requests {
		for _, w := range r.Writes {
			if w.Put && w.Item.Size() > maxItemBytes {
				t.observe(opBatchWriteItem, nil, begun, errItemTooLarge)
				return nil, errItemTooLarge
			}
		}
	}
	t.lifecycle.RLock()
	writes, owner, err := t.planBatch(requests)
	if err != nil {
		t.release()
		t.observe(opBatchWriteItem, nil, begun, err)
		return nil, err
	}
	verdicts, err := commit(writes)
	if err != nil {
		t.observe(opBatchWriteItem, writes[0].table, begun, err)
		return nil, err
	}
	consumed := make([]float64, len(requests))
	for i := range writes {
		n := verdicts[i].writeUnits()
		consumed[owner[i]] += n
		writes[i].table.meters.writeUnits.Observe(n)
	}
	for i := range requests {
		if k := firstOf(owner, i); k >= 0 {
			t.observe(opBatchWriteItem, writes[k].table, begun, nil)
		}
	}
	return consumed, nil
}

func firstOf(owner []int, request int) int {
	for k, o := range owner {
		if o == request {
			return k
		}
	}
	return -1
}

// planBatch checks the writes of a batch. owner tells for each write to which
// request it belongs.
func (t *Tables) planBatch(requests []BatchWriteTable) (writes []*write, owner []int, err error) {
	seen := map[string]struct{}{}
	for i, r := range requests {
		tab, ok := t.lookup(r.Table)
		if !ok {
			return nil, nil, errNoTable
		}
		for k := range r.Writes {
			w, err := tab.planBatchWrite(&r.Writes[k])
			if err != nil {
				return nil, nil, err
			}
			if _, dup := seen[string(w.storeKey)]; dup {
				return nil, nil, errDuplicateKeys
			}
			seen[string(w.storeKey)] = struct{}{}
			writes = append(writes, w)
			owner = append(owner, i)
		}
	}
	return writes, owner, nil
}

func (t *table) planBatchWrite(b *BatchWrite) (*write, error) {
	w := &write{table: t, key: b.Key}
	if !b.Put {
		if err := t.checkKey(b.Key); err != nil {
			return nil, err
		}
		w.storeKey = t.storeKey(b.Key)
		return w, nil
	}
	for _, part := range t.parts {
		if b.Item.Get(part.Name).Kind() != part.kind() {
			return nil, errKeyMismatch
		}
	}
	if err := t.checkItem(b.Item); err != nil {
		return nil, err
	}
	w.item = &b.Item
	w.key = t.keyOf(b.Item)
	w.storeKey = t.storeKey(b.Item)
	return w, nil
}
