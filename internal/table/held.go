package table

import (
	"errors"
	"time"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/expr"
	"github.com/weirstream/weir/internal/transaction"
)

// Held performs operations as part of a transaction: they see the tables as they
// are and what the transaction has written before, and take effect when it commits.
type Held struct {
	t  *Tables
	tx *transaction.Tx
}

// In returns the operations of a transaction.
func (t *Tables) In(tx *transaction.Tx) Held { return Held{t, tx} }

// held is what a transaction did to tables.
type held struct {
	t     *Tables
	tx    *transaction.Tx
	items map[string]*heldItem // by store key
	ops   []heldOp
	view  rangeView
	// seen is how many writes each table had had when it was first looked at.
	seen map[*table]uint64

	// From Prepare on.
	locked    []int // item locks
	written   []int // those of items that change
	announced []uint64
	writes    []*write
	verdicts  []verdict
	release   func() // lets go of the change logs
}

// heldItem is an item that a transaction read or wrote.
type heldItem struct {
	storeKey []byte
	base     itemState // when it was first looked at; anew in Prepare
	now      itemState // after the operations so far
	table    *table
	changed  bool // Prepare found another base
}

// itemState is an item, or that there is none.
type itemState struct {
	Item
	exists bool
}

func (s itemState) equal(o itemState) bool { return s.exists == o.exists && s.Item.Equal(o.Item) }

// heldOp is one operation with what the function was told of it.
type heldOp struct {
	item  *heldItem // of a read or write
	write *write
	reply reply
	// verdict is what the write did. A write that failed did nothing.
	verdict verdict
	failed  bool

	projection *expr.Projection // of a read
	read       *reading         // of a query or scan

	told outcome
}

// part returns the part of the tables in a transaction.
func (h Held) part() *held {
	return transaction.PartOf(h.tx, transaction.Tables, func() *held {
		return &held{t: h.t, tx: h.tx, items: map[string]*heldItem{}, seen: map[*table]uint64{}}
	})
}

// run performs an operation in its turn. Whatever the operation locks, it locks
// within its turn, as a commit does.
func run[R any](h Held, operation func(*held) (R, error)) (R, error) {
	var res R
	err := h.tx.Do(func() (err error) {
		res, err = operation(h.part())
		return err
	})
	return res, err
}

// PutItem is Tables.PutItem. Errors besides those are of package transaction.
func (h Held) PutItem(r *PutRequest) (WriteResult, error) {
	return run(h, func(p *held) (WriteResult, error) {
		begun := time.Now()
		w, err := h.t.planPut(r)
		return p.perform(begun, w, err, r.reply())
	})
}

// UpdateItem is Tables.UpdateItem. Errors besides those are of package transaction.
func (h Held) UpdateItem(r *UpdateRequest) (WriteResult, error) {
	return run(h, func(p *held) (WriteResult, error) {
		begun := time.Now()
		w, err := h.t.planUpdate(r)
		return p.perform(begun, w, err, r.reply())
	})
}

// DeleteItem is Tables.DeleteItem. Errors besides those are of package transaction.
func (h Held) DeleteItem(r *DeleteRequest) (WriteResult, error) {
	return run(h, func(p *held) (WriteResult, error) {
		begun := time.Now()
		w, err := h.t.planDelete(r)
		return p.perform(begun, w, err, r.reply())
	})
}

// perform judges and records one planned write, unless planning it failed.
func (p *held) perform(begun time.Time, w *write, err error, r reply) (WriteResult, error) {
	if err != nil {
		p.t.observe(r.op, nil, begun, err)
		return WriteResult{}, err
	}
	defer p.t.release()
	op, judged, err := p.judge(w, r)
	if err == nil {
		err = p.tx.Grow(1, heldOverhead+len(op.verdict.new.Encoded()))
	}
	if err != nil {
		return p.t.answer(begun, w, nil, err, r)
	}
	p.record(op)
	return p.t.answer(begun, w, &op.verdict, judged, r)
}

// heldOverhead is about what an operation holds besides items.
const heldOverhead = 512

// judge says what a write does to the item as the transaction sees it; judged is
// the error that the function is to be told of.
func (p *held) judge(w *write, r reply) (op heldOp, judged, err error) {
	it, err := p.item(w.table, w.storeKey)
	if err != nil {
		return op, nil, err
	}
	v, judged := w.judge(it.now.Item, it.now.exists)
	told, failure := w.told(&v, judged, r)
	return heldOp{item: it, write: w, reply: r, verdict: v, failed: judged != nil, told: outcomeOf(told, failure)}, judged, nil
}

// record makes a write part of the transaction.
func (p *held) record(op heldOp) {
	p.ops = append(p.ops, op)
	if op.failed {
		return
	}
	op.item.now = itemState{op.verdict.new, op.verdict.exists}
	p.view.put(op.item.storeKey, op.item.now)
}

// item returns an item of the transaction, as it is in the store at first.
func (p *held) item(tab *table, storeKey []byte) (*heldItem, error) {
	if it := p.items[string(storeKey)]; it != nil {
		return it, nil
	}
	p.see(tab)
	base, exists, err := readItem(p.t.cfg.DB, storeKey)
	if err == nil {
		err = p.tx.Grow(0, len(base.Encoded()))
	}
	if err != nil {
		return nil, err
	}
	it := &heldItem{storeKey: storeKey, base: itemState{base, exists}, now: itemState{base, exists}, table: tab}
	p.items[string(storeKey)] = it
	return it, nil
}

// see notes how a table stands before it is read.
func (p *held) see(tab *table) {
	if _, ok := p.seen[tab]; !ok {
		p.seen[tab] = tab.writes.Load()
	}
}

// stale reports whether others have written to a table since it was first looked at.
// In Prepare, what they wrote to locked items is counted.
func (p *held) stale(tab *table) bool { return p.seen[tab] != tab.writes.Load() }

// GetItem is Tables.GetItem. Errors besides those are of package transaction.
func (h Held) GetItem(r *GetRequest) (GetResult, error) {
	return run(h, func(p *held) (GetResult, error) { return p.t.readItem(r, p.get) })
}

// BatchGetItem is Tables.BatchGetItem. Errors besides those are of package
// transaction.
func (h Held) BatchGetItem(requests []BatchGetTable) ([]BatchGetTableResult, error) {
	return run(h, func(p *held) ([]BatchGetTableResult, error) { return p.t.readBatch(requests, p.get) })
}

func (p *held) get(tab *table, key Item, projection *expr.Projection) (GetResult, error) {
	it, err := p.item(tab, tab.storeKey(key))
	if err != nil {
		return GetResult{}, err
	}
	res := found(it.now.Item, it.now.exists, projection)
	if err := p.tx.Grow(1, heldOverhead+len(res.Item.Encoded())); err != nil {
		return GetResult{}, err
	}
	p.ops = append(p.ops, heldOp{item: it, projection: projection, told: res.outcome()})
	return res, nil
}

// BatchWriteItem is Tables.BatchWriteItem. Errors besides those are of package
// transaction.
func (h Held) BatchWriteItem(requests []BatchWriteTable) ([]float64, error) {
	return run(h, func(p *held) ([]float64, error) { return p.t.writeBatch(requests, p.writeAll) })
}

// writeAll records writes that have no condition, all or none.
func (p *held) writeAll(writes []*write) ([]verdict, error) {
	defer p.t.release()
	bytes := len(writes) * heldOverhead
	for _, w := range writes {
		if w.item != nil {
			bytes += len(w.item.Encoded())
		}
	}
	if err := p.tx.Grow(len(writes), bytes); err != nil {
		return nil, err
	}
	verdicts := make([]verdict, 0, len(writes))
	for _, w := range writes {
		op, judged, err := p.judge(w, reply{op: opBatchWriteItem})
		if err = errors.Join(err, judged); err != nil {
			return nil, err
		}
		p.record(op)
		verdicts = append(verdicts, op.verdict)
	}
	return verdicts, nil
}

// Query is Tables.Query. Errors besides those are of package transaction.
func (h Held) Query(r *QueryRequest) (Page, error) {
	return run(h, func(p *held) (Page, error) {
		begun := time.Now()
		read, err := p.t.planQuery(r)
		return p.page(opQuery, begun, read, err)
	})
}

// Scan is Tables.Scan. Errors besides those are of package transaction.
func (h Held) Scan(r *ScanRequest) (Page, error) {
	return run(h, func(p *held) (Page, error) {
		begun := time.Now()
		read, err := p.t.planScan(r)
		return p.page(opScan, begun, read, err)
	})
}

func (p *held) page(op operation, begun time.Time, read *reading, err error) (Page, error) {
	if err != nil {
		return p.t.answerPage(op, begun, nil, Page{}, err)
	}
	defer p.t.release()
	p.see(read.table)
	page, err := read.page(p.view.open(p.t.cfg.DB, p.items))
	if err == nil {
		err = p.tx.Grow(1, heldOverhead)
	}
	if err == nil {
		p.ops = append(p.ops, heldOp{read: read, told: page.outcome()})
	}
	return p.t.answerPage(op, begun, read, page, err)
}

// rangeView is the tables as a transaction sees them, for reading ranges. It costs
// nothing until it is opened.
type rangeView struct{ tx *store.Tx }

// open returns the view; at first with what the items are by now.
func (v *rangeView) open(db *store.DB, items map[string]*heldItem) store.Reader {
	if v.tx != nil {
		return v.tx
	}
	v.tx = db.BeginView()
	for _, it := range items {
		if it.now.equal(it.base) {
			continue // as it is in the store
		}
		v.put(it.storeKey, it.now)
	}
	return v.tx
}

// put makes an item different from what it is in the store.
func (v *rangeView) put(storeKey []byte, now itemState) {
	switch {
	case v.tx == nil:
	case now.exists:
		v.tx.Set(storeKey, now.Encoded())
	default:
		v.tx.Delete(storeKey)
	}
}

// discard frees the view.
func (v *rangeView) discard() {
	if v.tx != nil {
		v.tx.Discard()
		v.tx = nil
	}
}
