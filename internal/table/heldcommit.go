package table

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// outcome is what a function was told by an operation, as far as that depends on
// the data: capacity does not count.
type outcome struct {
	failure string // of a write, "" if there was none
	exists  bool
	item    Item
	page    [sha256.Size]byte // of a query or scan
}

func (o *outcome) equal(p *outcome) bool {
	return o.failure == p.failure && o.exists == p.exists && o.page == p.page && o.item.Equal(p.item)
}

func outcomeOf(attributes Item, failure error) outcome {
	if failure == nil {
		return outcome{item: attributes}
	}
	o := outcome{failure: failure.Error()}
	if failed, ok := failure.(*ConditionError); ok {
		o.item, o.exists = failed.Item, failed.HasItem
	}
	return o
}

func (r *GetResult) outcome() outcome { return outcome{item: r.Item, exists: r.Exists} }

func (p *Page) outcome() outcome {
	h := sha256.New()
	var head []byte
	for _, n := range []int{p.Count, p.Scanned, len(p.Last.Encoded())} {
		head = binary.AppendUvarint(head, uint64(n))
	}
	_, _ = h.Write(append(head, p.Last.Encoded()...)) // never fails
	for _, it := range p.Items {
		_, _ = h.Write(binary.AppendUvarint(head[:0], uint64(len(it.Encoded()))))
		_, _ = h.Write(it.Encoded())
	}
	var o outcome
	h.Sum(o.page[:0])
	return o
}

// Prepare implements transaction.Part.
func (p *held) Prepare(tx *store.Tx) error {
	p.view.discard()
	p.t.lifecycle.RLock()
	p.locked = p.t.locks.lock(p.stripes())
	if !p.tablesExist() {
		return transaction.ErrConflict
	}
	if err := p.judgeAgain(); err != nil {
		return err
	}
	for i := range p.ops {
		if op := &p.ops[i]; op.write != nil && !op.failed && op.verdict.changed() {
			p.writes = append(p.writes, op.write)
			p.verdicts = append(p.verdicts, op.verdict)
		}
	}
	for _, it := range p.items {
		switch {
		case it.now.equal(it.base):
			continue
		case it.now.exists:
			tx.Set(it.storeKey, it.now.Encoded())
		default:
			tx.Delete(it.storeKey)
		}
		p.written = append(p.written, p.t.locks.of(it.storeKey))
	}
	appenders, err := appendChanges(tx, p.writes, p.verdicts)
	p.release = func() { unlockAll(appenders) }
	p.written = sortedSet(p.written)
	tx.OnDurable(p.synced)
	return err
}

// stripes returns the locks of everything that the transaction read or wrote. What
// a query or scan did not find is anywhere.
func (p *held) stripes() []int {
	for i := range p.ops {
		if p.ops[i].read != nil {
			return allStripes()
		}
	}
	indexes := make([]int, 0, len(p.items))
	for _, it := range p.items {
		indexes = append(indexes, p.t.locks.of(it.storeKey))
	}
	return indexes
}

// tablesExist reports whether the tables of the operations are still there.
func (p *held) tablesExist() bool {
	for tab := range p.seen {
		if p.t.tables[tab.name] != tab {
			return false
		}
	}
	return true
}

// judgeAgain finds out whether each operation has the outcome that the function was
// told, and makes the verdicts those of the present. Where nobody else has written,
// and for items that are as they were, nothing needs to be judged again.
func (p *held) judgeAgain() error {
	stale := false
	for _, it := range p.items {
		if !p.stale(it.table) {
			continue
		}
		base, exists, err := p.t.readLocked(p.t.cfg.DB, it.storeKey)
		if err != nil {
			return err
		}
		fresh := itemState{base, exists}
		it.changed = !fresh.equal(it.base)
		stale = stale || it.changed
		it.base = fresh
	}
	ranges := p.staleRanges()
	if !stale && !ranges {
		return nil
	}
	for _, it := range p.items {
		it.now = it.base
	}
	defer p.view.discard()
	for i := range p.ops {
		if err := p.ops[i].judgeAgain(p); err != nil {
			return err
		}
	}
	return nil
}

func (p *held) staleRanges() bool {
	for i := range p.ops {
		if read := p.ops[i].read; read != nil && p.stale(read.table) {
			return true
		}
	}
	return false
}

func (op *heldOp) judgeAgain(p *held) error {
	var now outcome
	switch {
	case op.read != nil && !p.stale(op.read.table):
		return nil // what the transaction itself wrote there is as it was
	case op.read != nil:
		page, err := op.read.page(p.view.open(p.t.cfg.DB, p.items))
		if err != nil {
			return err
		}
		now = page.outcome()
	case op.write != nil:
		if op.item.changed {
			v, judged := op.write.judge(op.item.now.Item, op.item.now.exists)
			told, failure := op.write.told(&v, judged, op.reply)
			op.verdict, op.failed = v, judged != nil
			now = outcomeOf(told, failure)
		} else {
			now = op.told
		}
		if !op.failed {
			op.item.now = itemState{op.verdict.new, op.verdict.exists}
			p.view.put(op.item.storeKey, op.item.now)
		}
	case op.item.changed:
		res := found(op.item.now.Item, op.item.now.exists, op.projection)
		now = res.outcome()
	default:
		return nil
	}
	if !now.equal(&op.told) {
		return transaction.ErrConflict
	}
	return nil
}

// Announce implements transaction.Part.
func (p *held) Announce() {
	p.announced = make([]uint64, len(p.written))
	for k, i := range p.written {
		p.announced[k] = p.t.locks[i].announced.Add(1)
	}
}

// synced notes that what was announced is on disk, or will never be.
func (p *held) synced() {
	for k, n := range p.announced {
		p.t.locks[p.written[k]].synced(n)
	}
}

// Release implements transaction.Part.
func (p *held) Release(applied bool) {
	if applied {
		for _, it := range p.items {
			p.t.remember(it.storeKey, it.now.Item, it.now.exists)
		}
		for i, w := range p.writes {
			w.table.countWrite(&p.verdicts[i])
		}
	} else {
		p.synced()
	}
	if p.release != nil {
		p.release()
	}
	p.t.locks.unlock(p.locked)
	p.t.lifecycle.RUnlock()
}
