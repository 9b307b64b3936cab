package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
	"github.com/weirstream/weir/internal/transaction"
)

// heldFixture is a table with a stream, and transactions on it.
type heldFixture struct {
	*testing.T
	db     *store.DB
	tables *Tables
	txs    *transaction.Transactions
}

func newHeld(t *testing.T) *heldFixture {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	f := &heldFixture{T: t, db: db, tables: openTables(t, db), txs: transaction.Open(transaction.Config{DB: db})}
	t.Cleanup(func() {
		if err := errors.Join(f.txs.Close(), f.tables.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	createTable(t, f.tables, "t", NewAndOldImages, hashKey)
	return f
}

func (f *heldFixture) begin() (*transaction.Tx, Held) {
	tx := f.txs.Begin("f", nil)
	return tx, f.tables.In(tx)
}

func (f *heldFixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// n returns the attribute n of an item as others see it.
func (f *heldFixture) n(pk string) string {
	f.Helper()
	res, err := f.tables.GetItem(&GetRequest{Table: "t", Key: itemOf("pk", pk)})
	f.must(err)
	if !res.Exists {
		return "-"
	}
	return string(AppendItemJSON(nil, res.Item))
}

func numbered(pk string, n int) Item {
	return itemOf("pk", pk).With(attr.Attribute{Name: "n", Value: attr.IntValue(int64(n))})
}

func condition(text string, n int) Expressions {
	return Expressions{
		Texts: expr.Texts{Condition: &text},
		Scope: expr.Scope{Values: []expr.Value{{Placeholder: ":n", Value: attr.IntValue(int64(n))}}},
	}
}

func TestHeldWritesAreSeenByTheTransactionAlone(t *testing.T) {
	t.Parallel()
	f := newHeld(t)
	tx, h := f.begin()
	_, err := h.PutItem(&PutRequest{Table: "t", Item: numbered("a", 1)})
	f.must(err)
	_, err = h.UpdateItem(addRequest("t", itemOf("pk", "a")))
	f.must(err)
	own, err := h.GetItem(&GetRequest{Table: "t", Key: itemOf("pk", "a")})
	f.must(err)
	if !own.Item.Equal(numbered("a", 2)) {
		t.Errorf("the transaction sees %s", AppendItemJSON(nil, own.Item))
	}
	page, err := h.Scan(&ScanRequest{Table: "t"})
	f.must(err)
	if page.Count != 1 || !page.Items[0].Equal(numbered("a", 2)) {
		t.Errorf("its scan sees %d items", page.Count)
	}
	if got := f.n("a"); got != "-" {
		t.Errorf("others see %s before the commit", got)
	}
	added := false
	f.must(tx.Commit(func(tx *store.Tx) { added = true; tx.Set([]byte("\x20checkpoint"), []byte("1")) }))
	if got := f.n("a"); got != `{"pk":{"S":"a"},"n":{"N":"2"}}` && got != `{"n":{"N":"2"},"pk":{"S":"a"}}` {
		t.Errorf("after the commit others see %s", got)
	}
	if _, ok, err := f.db.Get([]byte("\x20checkpoint")); !added || !ok || err != nil {
		t.Error("what was added is not there")
	}
	if d := f.tables.tables["t"]; d.items.Load() != 1 {
		t.Errorf("%d items are counted", d.items.Load())
	}
	if _, err := h.PutItem(&PutRequest{Table: "t", Item: numbered("a", 1)}); !errors.Is(err, transaction.ErrEnded) {
		t.Errorf("an operation after the end: %v", err)
	}
}

func TestHeldConflicts(t *testing.T) {
	t.Parallel()
	key := itemOf("pk", "a")
	put := func(n int) func(f *heldFixture) error {
		return func(f *heldFixture) error {
			_, err := f.tables.PutItem(&PutRequest{Table: "t", Item: numbered("a", n)})
			return err
		}
	}
	for _, c := range []struct {
		name     string
		do       func(h Held) error
		between  func(f *heldFixture) error
		conflict bool
		after    int
	}{
		{"add", func(h Held) error { _, err := h.UpdateItem(addRequest("t", key)); return err }, put(5), false, 6},
		{"add and tell", func(h Held) error {
			r := addRequest("t", key)
			r.Return = ReturnUpdatedNew
			_, err := h.UpdateItem(r)
			return err
		}, put(5), true, 5},
		{"blind put", func(h Held) error {
			_, err := h.PutItem(&PutRequest{Table: "t", Item: numbered("a", 9)})
			return err
		}, put(5), false, 9},
		{"condition that still holds", func(h Held) error {
			_, err := h.PutItem(&PutRequest{Table: "t", Item: numbered("a", 9), Expressions: condition("n < :n", 7)})
			return err
		}, put(5), false, 9},
		{"condition that holds no more", func(h Held) error {
			_, err := h.PutItem(&PutRequest{Table: "t", Item: numbered("a", 9), Expressions: condition("n < :n", 3)})
			return err
		}, put(5), true, 5},
		{"condition that still fails", func(h Held) error {
			_, err := h.DeleteItem(&DeleteRequest{Table: "t", Key: key, Expressions: condition("n > :n", 6)})
			if failed := (*ConditionError)(nil); !errors.As(err, &failed) {
				return fmt.Errorf("the condition held: %w", err)
			}
			return nil
		}, put(5), false, 5},
		{"condition that would hold now", func(h Held) error {
			_, err := h.DeleteItem(&DeleteRequest{Table: "t", Key: key, Expressions: condition("n > :n", 4)})
			if failed := (*ConditionError)(nil); !errors.As(err, &failed) {
				return fmt.Errorf("the condition held: %w", err)
			}
			return nil
		}, put(5), true, 5},
		{"get", func(h Held) error { _, err := h.GetItem(&GetRequest{Table: "t", Key: key}); return err }, put(5), true, 5},
		{"get of the same again", func(h Held) error { _, err := h.GetItem(&GetRequest{Table: "t", Key: key}); return err }, put(1), false, 1},
		{"get of another attribute", func(h Held) error {
			text := "rest"
			_, err := h.GetItem(&GetRequest{Table: "t", Key: key, Expressions: Expressions{Texts: expr.Texts{Projection: &text}}})
			return err
		}, put(5), false, 5},
		{"own write hides the change", func(h Held) error {
			_, err := h.PutItem(&PutRequest{Table: "t", Item: numbered("a", 9)})
			if err == nil {
				_, err = h.GetItem(&GetRequest{Table: "t", Key: key})
			}
			return err
		}, put(5), false, 9},
		{"scan and a phantom", func(h Held) error { _, err := h.Scan(&ScanRequest{Table: "t"}); return err },
			func(f *heldFixture) error {
				_, err := f.tables.PutItem(&PutRequest{Table: "t", Item: numbered("b", 1)})
				return err
			}, true, 1},
		{"deleted table", func(h Held) error { _, err := h.UpdateItem(addRequest("t", key)); return err },
			func(f *heldFixture) error {
				if _, err := f.tables.DeleteTable("t"); err != nil {
					return err
				}
				createTable(f.T, f.tables, "t", NewAndOldImages, hashKey)
				return put(1)(f)
			}, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newHeld(t)
			f.must(put(1)(f))
			tx, h := f.begin()
			f.must(c.do(h))
			f.must(c.between(f))
			err := tx.Commit(nil)
			if conflict := errors.Is(err, transaction.ErrConflict); conflict != c.conflict || err != nil && !conflict {
				t.Errorf("commit: %v", err)
			}
			if res, err := f.tables.GetItem(&GetRequest{Table: "t", Key: key}); err != nil || !res.Item.Equal(numbered("a", c.after)) {
				t.Errorf("the item is %s, %v", AppendItemJSON(nil, res.Item), err)
			}
		})
	}
}

// TestACrashTakesBackAllOrNothing commits counters together with a checkpoint and
// lets the machine crash, losing any part of what was not synced. Then both are
// there as far as the other is, and what was waited for is there.
func TestACrashTakesBackAllOrNothing(t *testing.T) {
	t.Parallel()
	checkpoint := []byte("\x20checkpoint")
	for seed := range uint64(20) {
		fs := vfs.NewCrashableMem()
		db, err := store.Open("data", store.Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		f := &heldFixture{T: t, db: db, tables: openTables(t, db), txs: transaction.Open(transaction.Config{DB: db})}
		createTable(t, f.tables, "t", NewAndOldImages, hashKey)
		random := rand.New(rand.NewPCG(seed, 0))
		crashed := make(chan *vfs.MemFS, 1)
		crashAfter, durable := random.IntN(40), uint64(0)
		for n := uint64(1); n <= 40; n++ {
			tx, h := f.begin()
			for _, pk := range []string{"a", "b", "c"} {
				_, err := h.UpdateItem(addRequest("t", itemOf("pk", pk)))
				f.must(err)
			}
			f.must(tx.Commit(func(tx *store.Tx) { tx.Set(checkpoint, store.AppendUint64(nil, n)) }))
			if random.IntN(4) == 0 && len(crashed) == 0 {
				f.must(tx.Wait())
				durable = n
			}
			if int(n) == crashAfter+1 {
				crashed <- fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
			}
		}
		f.must(errors.Join(f.txs.Close(), f.tables.Close(), db.Close()))
		f.checkCrashed(<-crashed, checkpoint, durable)
	}
}

func (f *heldFixture) checkCrashed(fs *vfs.MemFS, checkpoint []byte, durable uint64) {
	db, err := store.Open("data", store.Options{FS: fs})
	f.must(err)
	tables := openTables(f.T, db)
	v, _, err := db.Get(checkpoint)
	f.must(err)
	n := uint64(0)
	if len(v) == 8 {
		n = binary.BigEndian.Uint64(v)
	}
	if n < durable {
		f.Errorf("the checkpoint is %d, but %d was on disk", n, durable)
	}
	for _, pk := range []string{"a", "b", "c"} {
		res, err := tables.GetItem(&GetRequest{Table: "t", Key: itemOf("pk", pk)})
		f.must(err)
		if got, _ := res.Item.Get("n").Int(); uint64(got) != n {
			f.Errorf("counter %s is %d beside checkpoint %d", pk, got, n)
		}
	}
	f.must(errors.Join(tables.Close(), db.Close()))
}

func TestHeldTransactionsAreBounded(t *testing.T) {
	t.Parallel()
	f := newHeld(t)
	tx, h := f.begin()
	big := itemOf("pk", "big", "data", make([]byte, 300<<10))
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = h.PutItem(&PutRequest{Table: "t", Item: big})
	}
	if !errors.Is(err, transaction.ErrTooLarge) || n < 300 || n > 400 {
		t.Errorf("%v after %d puts of 300 KB", err, n)
	}
	f.must(tx.Commit(nil))
	if res, err := f.tables.GetItem(&GetRequest{Table: "t", Key: itemOf("pk", "big")}); err != nil || !res.Exists {
		t.Errorf("what fitted does not count: %v", err)
	}
}
