package table

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// diskTables opens tables on a real disk, for benchmarks of what syncs cost.
func diskTables(b *testing.B) *Tables {
	b.Helper()
	db, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	tables := openTables(b, db)
	b.Cleanup(func() {
		if err := tables.Close(); err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return tables
}

// BenchmarkUpdateItemAdd counts from 16 goroutines, each write on disk before the
// next one of its goroutine.
func BenchmarkUpdateItemAdd(b *testing.B) {
	for _, counters := range []int{1, 16, 1000} {
		for _, view := range []StreamView{"", NewAndOldImages} {
			b.Run(fmt.Sprintf("counters=%d/stream=%s", counters, view), func(b *testing.B) {
				tables := diskTables(b)
				createTable(b, tables, "t", view, hashKey, rangeKey)
				keys := make([]Item, counters)
				for i := range keys {
					keys[i] = itemOf("pk", fmt.Sprintf("page view %d", i), "sk", i)
				}
				var n atomic.Int64
				b.SetParallelism(8) // goroutines per processor, of which there are 2
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := tables.UpdateItem(addRequest("t", keys[int(n.Add(1))%counters])); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
			})
		}
	}
}

func BenchmarkGetItem(b *testing.B) {
	tables := diskTables(b)
	createTable(b, tables, "t", "", hashKey)
	key := itemOf("pk", "a")
	if _, err := tables.UpdateItem(addRequest("t", key)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tables.GetItem(&GetRequest{Table: "t", Key: key, Consistent: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScan reads a table of many items, and one of few that were written very
// often.
func BenchmarkScan(b *testing.B) {
	for _, c := range []struct{ items, versions int }{{10000, 1}, {100, 500}} {
		b.Run(fmt.Sprintf("items=%d/versions=%d", c.items, c.versions), func(b *testing.B) {
			tables := newTables(b)
			createTable(b, tables, "t", "", hashKey, rangeKey)
			for v := range c.versions {
				for i := range c.items {
					if _, err := tables.PutItem(&PutRequest{Table: "t", Item: itemOf("pk", "a", "sk", i, "n", v)}); err != nil {
						b.Fatal(err)
					}
				}
			}
			for b.Loop() {
				p, err := tables.Scan(&ScanRequest{Table: "t"})
				if err != nil || p.Count != c.items {
					b.Fatal(p.Count, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.items), "ns/item")
		})
	}
}

// BenchmarkHeldAdd adds to 1,000 counters in transactions of 1,000 operations, which
// find them as they were ("quiet") or changed by others ("busy").
func BenchmarkHeldAdd(b *testing.B) {
	for _, busy := range []bool{false, true} {
		b.Run(map[bool]string{false: "quiet", true: "busy"}[busy], func(b *testing.B) {
			tables := diskTables(b)
			createTable(b, tables, "t", "", hashKey)
			txs := transaction.Open(transaction.Config{DB: tables.cfg.DB})
			requests := make([]*UpdateRequest, 1000)
			for i := range requests {
				requests[i] = addRequest("t", itemOf("pk", fmt.Sprint("some-counter-", i)))
			}
			transact := func() *transaction.Tx {
				tx := txs.Begin("f", nil)
				for _, r := range requests {
					if _, err := tables.In(tx).UpdateItem(r); err != nil {
						b.Fatal(err)
					}
				}
				return tx
			}
			b.ReportAllocs()
			for b.Loop() {
				tx := transact()
				if busy {
					if err := transact().Commit(nil); err != nil {
						b.Fatal(err)
					}
				}
				if err := tx.Commit(nil); err != nil {
					b.Fatal(err)
				}
			}
			if err := txs.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
