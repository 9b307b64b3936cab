package metric

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/transaction"
)

// TestHeldDatapoints puts data in transactions: what commits counts, with what was
// there and what came between, and what is discarded does not.
func TestHeldDatapoints(t *testing.T) {
	t.Parallel()
	db := openStore(t, vfs.NewMem())
	m, err := Open(Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	txs := transaction.Open(transaction.Config{DB: db})
	ctx, at := context.Background(), time.Now().Add(-time.Hour).Truncate(time.Minute)
	datum := func(v float64) []Datum { return []Datum{{Name: "m", Value: &v, Time: at}} }
	sum := func() float64 {
		t.Helper()
		res, _, err := m.Data(ctx, DataRequest{Start: at, End: at.Add(time.Minute), Queries: []DataQuery{{ID: "q", Metric: ID{Namespace: "n", Name: "m"}, Period: 60, Stat: "Sum"}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(res[0].Values) == 0 {
			return 0
		}
		return res[0].Values[0]
	}
	first, second, dropped := txs.Begin("f", nil), txs.Begin("f", nil), txs.Begin("f", nil)
	err = errors.Join(m.PutIn(ctx, first, "n", datum(1)), m.PutIn(ctx, first, "n", datum(2)), m.PutIn(ctx, second, "n", datum(10)), m.PutIn(ctx, dropped, "n", datum(100)))
	if err != nil || sum() != 0 {
		t.Errorf("%v, the sum is %v before a commit", err, sum())
	}
	if err := first.Commit(nil); err != nil || sum() != 3 {
		t.Errorf("%v, the sum is %v", err, sum())
	}
	dropped.Discard()
	if err := errors.Join(m.Put(ctx, "n", datum(1000)), second.Commit(nil), txs.Close()); err != nil || sum() != 1013 {
		t.Errorf("%v, the sum is %v", err, sum())
	}
	if err := errors.Join(m.Close()); err != nil {
		t.Error(err)
	}
}
