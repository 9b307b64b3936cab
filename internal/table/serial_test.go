package table

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
	"github.com/weirstream/weir/internal/transaction"
)

// Random transactions run beside each other and beside single operations; what the
// committed ones were told must be explained by some order of all of them, and the
// items and change records must be what that order leaves.

// serialItems are the counters n of two partitions.
type serialItems map[serialKey]int

type serialKey struct {
	pk string
	sk int
}

// serialOp is one operation. Every kind has an implementation on tables and one on
// serialItems, which tell the same in the same words.
type serialOp struct {
	kind string
	key  serialKey
	arg  int
}

var serialKinds = []string{"get", "get", "put", "add", "add", "add", "add and tell", "put if less", "delete", "delete and tell", "query", "query back", "scan", "batch"}

func randomOp(r *rand.Rand) serialOp {
	return serialOp{serialKinds[r.IntN(len(serialKinds))], serialKey{string("pq"[r.IntN(2)]), r.IntN(2)}, r.IntN(5)}
}

// model applies the operation and returns what is told.
func (o serialOp) model(items serialItems) string {
	old, exists := items[o.key]
	tell := func() string {
		if !exists {
			return "none"
		}
		return strconv.Itoa(old)
	}
	switch o.kind {
	case "get":
		return tell()
	case "put":
		items[o.key] = o.arg
	case "add":
		items[o.key] = old + o.arg
	case "add and tell":
		items[o.key] = old + o.arg
		return strconv.Itoa(old + o.arg)
	case "put if less":
		if exists && old >= o.arg {
			return "failed: " + tell()
		}
		items[o.key] = o.arg
	case "delete":
		delete(items, o.key)
	case "delete and tell":
		delete(items, o.key)
		return tell()
	case "batch":
		other := serialKey{o.key.pk, 1 - o.key.sk}
		items[o.key] = o.arg
		delete(items, other)
	default:
		return items.list(func(k serialKey) bool { return o.kind == "scan" || k.pk == o.key.pk }, o.kind == "query back")
	}
	return ""
}

func (items serialItems) list(which func(serialKey) bool, backward bool) string {
	var found []string
	for k, n := range items {
		if which(k) {
			found = append(found, fmt.Sprintf("%s%d=%d", k.pk, k.sk, n))
		}
	}
	slices.Sort(found)
	if backward {
		slices.Reverse(found)
	}
	return strings.Join(found, " ")
}

// itemStore is where operations happen: tables, or a transaction.
type itemStore interface {
	PutItem(*PutRequest) (WriteResult, error)
	UpdateItem(*UpdateRequest) (WriteResult, error)
	DeleteItem(*DeleteRequest) (WriteResult, error)
	GetItem(*GetRequest) (GetResult, error)
	BatchWriteItem([]BatchWriteTable) ([]float64, error)
	Query(*QueryRequest) (Page, error)
	Scan(*ScanRequest) (Page, error)
}

func (k serialKey) item() Item { return itemOf("pk", k.pk, "sk", k.sk) }

func (k serialKey) with(n int) Item { return itemOf("pk", k.pk, "sk", k.sk, "n", n) }

func told(it Item, n string) string {
	if it.Empty() {
		return "none"
	}
	return it.Get(n).NumberText()
}

// do performs the operation and returns what is told.
func (o serialOp) do(s itemStore) (string, error) {
	number := expr.Scope{Values: []expr.Value{{Placeholder: ":n", Value: attr.IntValue(int64(o.arg))}}}
	add := "ADD n :n"
	switch o.kind {
	case "get":
		res, err := s.GetItem(&GetRequest{Table: "t", Key: o.key.item()})
		return told(res.Item, "n"), err
	case "put":
		_, err := s.PutItem(&PutRequest{Table: "t", Item: o.key.with(o.arg)})
		return "", err
	case "add", "add and tell":
		r := &UpdateRequest{Table: "t", Key: o.key.item(), Expressions: Expressions{Texts: expr.Texts{Update: &add}, Scope: number}}
		if o.kind == "add" {
			_, err := s.UpdateItem(r)
			return "", err
		}
		r.Return = ReturnUpdatedNew
		res, err := s.UpdateItem(r)
		return told(res.Attributes, "n"), err
	case "put if less":
		less := "attribute_not_exists(n) OR n < :n"
		_, err := s.PutItem(&PutRequest{Table: "t", Item: o.key.with(o.arg), ReturnOnCondition: true, Expressions: Expressions{Texts: expr.Texts{Condition: &less}, Scope: number}})
		if failed := (*ConditionError)(nil); errors.As(err, &failed) {
			return "failed: " + told(failed.Item, "n"), nil
		}
		return "", err
	case "delete":
		_, err := s.DeleteItem(&DeleteRequest{Table: "t", Key: o.key.item()})
		return "", err
	case "delete and tell":
		res, err := s.DeleteItem(&DeleteRequest{Table: "t", Key: o.key.item(), Return: ReturnAllOld})
		return told(res.Attributes, "n"), err
	case "batch":
		other := serialKey{o.key.pk, 1 - o.key.sk}
		_, err := s.BatchWriteItem([]BatchWriteTable{{Table: "t", Writes: []BatchWrite{{Put: true, Item: o.key.with(o.arg)}, {Key: other.item()}}}})
		return "", err
	}
	return o.page(s)
}

func (o serialOp) page(s itemStore) (string, error) {
	var page Page
	var err error
	if o.kind == "scan" {
		page, err = s.Scan(&ScanRequest{Table: "t"})
	} else {
		condition := "pk = :pk"
		page, err = s.Query(&QueryRequest{Table: "t", Backward: o.kind == "query back", Expressions: Expressions{
			Texts: expr.Texts{KeyCondition: &condition},
			Scope: expr.Scope{Values: []expr.Value{{Placeholder: ":pk", Value: attr.StringValue(o.key.pk)}}},
		}})
	}
	var found []string
	for _, it := range page.Items {
		found = append(found, fmt.Sprintf("%s%s=%s", it.Get("pk").Text(), it.Get("sk").NumberText(), it.Get("n").NumberText()))
	}
	if o.kind == "scan" {
		slices.Sort(found) // the order of partitions is that of their hashes
	}
	return strings.Join(found, " "), err
}

// serialModel explains transactions: inputs are their operations, outputs what each
// was told.
var serialModel = porcupine.Model{
	Init: func() any { return serialItems{} },
	Step: func(state, input, output any) (bool, any) {
		items := maps.Clone(state.(serialItems))
		for i, o := range input.([]serialOp) {
			if o.model(items) != output.([]string)[i] {
				return false, nil
			}
		}
		return true, items
	},
	Equal:             func(a, b any) bool { return maps.Equal(a.(serialItems), b.(serialItems)) },
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v told %q", input, output) },
}

// serialHistory notes what was committed, and when.
type serialHistory struct {
	mu        sync.Mutex
	begun     time.Time
	committed []porcupine.Operation
	conflicts int
}

func (h *serialHistory) note(client int, ops []serialOp, told []string, from time.Duration) {
	to := time.Since(h.begun)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.committed = append(h.committed, porcupine.Operation{ClientId: client, Input: ops, Output: told, Call: int64(from), Return: int64(to)})
}

func TestTransactionsAreSerializable(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			f := newHeld(t)
			_, err := f.tables.DeleteTable("t")
			f.must(err)
			createTable(t, f.tables, "t", NewAndOldImages, hashKey, rangeKey)
			h := &serialHistory{begun: time.Now()}
			var clients sync.WaitGroup
			for client := range 4 {
				clients.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(client)))
					for range 25 {
						if client == 3 {
							f.single(h, client, randomOp(r))
						} else {
							f.transact(h, client, r)
						}
					}
				})
			}
			clients.Wait()
			if !porcupine.CheckOperations(serialModel, h.committed) {
				t.Error("no order of the transactions explains what they were told")
			}
			f.checkChanges()
			t.Logf("%d committed, %d conflicts", len(h.committed), h.conflicts)
		})
	}
}

// transact makes a transaction of some operations until it is committed.
func (f *heldFixture) transact(h *serialHistory, client int, r *rand.Rand) {
	ops := make([]serialOp, 1+r.IntN(4))
	for i := range ops {
		ops[i] = randomOp(r)
	}
	for {
		tx, held := f.begin()
		told := make([]string, len(ops))
		for i, o := range ops {
			var err error
			if told[i], err = o.do(held); err != nil {
				f.Errorf("%v: %v", o, err)
			}
			time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond)
		}
		if r.IntN(8) == 0 {
			tx.Discard()
			return
		}
		from := time.Since(h.begun)
		err := tx.Commit(nil)
		if err == nil {
			h.note(client, ops, told, from)
			return
		}
		if !errors.Is(err, transaction.ErrConflict) {
			f.Errorf("commit: %v", err)
			return
		}
		h.mu.Lock()
		h.conflicts++
		h.mu.Unlock()
	}
}

// single performs one operation by itself. A page is not one moment, so it is left
// out.
func (f *heldFixture) single(h *serialHistory, client int, o serialOp) {
	if strings.HasPrefix(o.kind, "query") || o.kind == "scan" {
		return
	}
	from := time.Since(h.begun)
	told, err := o.do(f.tables)
	if err != nil {
		f.Errorf("%v: %v", o, err)
	}
	h.note(client, []serialOp{o}, []string{told}, from)
}

// checkChanges holds the change records against the items: each starts where the one
// before left the item, and the last one is how the item is.
func (f *heldFixture) checkChanges() {
	f.must(f.txs.Close())
	changes := f.tables.tables["t"].changes.Load()
	items := map[string]string{}
	for _, sh := range changes.Shards() {
		recs, _, err := changes.Log().Read(sh.Index, 1, 10_000, 1<<30)
		f.must(err)
		for _, rec := range recs {
			c, err := changes.Decode(sh.Index, rec)
			f.must(err)
			key := string(c.Keys.Encoded())
			if items[key] != string(c.Old.Encoded()) || (items[key] != "") != c.HasOld {
				f.Errorf("record %s does not start where the one before ended", c.Sequence)
			}
			items[key] = string(c.New.Encoded())
		}
	}
	maps.DeleteFunc(items, func(_, it string) bool { return it == "" })
	page, err := f.tables.Scan(&ScanRequest{Table: "t"})
	f.must(err)
	for _, it := range page.Items {
		key := string(f.tables.tables["t"].keyOf(it).Encoded())
		if items[key] != string(it.Encoded()) {
			f.Errorf("%s is not what its changes make of it", AppendItemJSON(nil, it))
		}
		delete(items, key)
	}
	if len(items) > 0 || int64(page.Count) != f.tables.tables["t"].items.Load() {
		f.Errorf("%d items by their changes are not there; %d are, %d are counted", len(items), page.Count, f.tables.tables["t"].items.Load())
	}
}
