package stream

import (
	"context"
	"errors"
	"testing"

	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/transaction"
)

// TestHeldRecords puts records in transactions: they come after what was put before
// the commit, go where the shards are then, and those of others stay away.
func TestHeldRecords(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	measured := meter.New()
	f.cfg.Meter = measured
	ctx := context.Background()
	st, other := f.create("s", 1), f.create("other", 2)
	txs := transaction.Open(transaction.Config{DB: f.db})
	kept, dropped, conflicted := txs.Begin("f", nil), txs.Begin("f", nil), txs.Begin("f", nil)

	placed, err := st.PutRecordsIn(kept, []Entry{{PartitionKey: "a", Data: []byte("held-1")}, {PartitionKey: "b", Data: []byte("held-2")}})
	if err != nil || placed[0].Sequence.Counter != 1 || placed[1].Sequence.Counter != 2 {
		t.Fatalf("%+v %v", placed, err)
	}
	if _, err := st.PutRecordIn(kept, Entry{PartitionKey: "a", Data: []byte("held-3")}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := st.PutRecordIn(kept, Entry{PartitionKey: "a"}, "nonsense"); err == nil {
		t.Error("a number that is none was accepted")
	}
	if _, err := st.PutRecordsIn(kept, []Entry{{PartitionKey: "a", Data: make([]byte, 2<<20)}}); err == nil {
		t.Error("a record that is too large was accepted")
	}
	if _, err := st.PutRecordIn(dropped, Entry{PartitionKey: "a", Data: []byte("dropped")}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := other.PutRecordIn(conflicted, Entry{PartitionKey: "a", Data: []byte("lost")}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := st.PutRecordIn(conflicted, Entry{PartitionKey: "a", Data: []byte("lost")}, ""); err != nil {
		t.Fatal(err)
	}
	put(t, st, "a", "direct")
	if got := f.get(st, 0, Start{Type: TrimHorizon}); got != "direct" {
		t.Errorf("before the commit readers see %q", got)
	}
	if err := f.SplitShard(ctx, "s", 0, "170141183460469231731687303715884105728"); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(ctx, "other"); err != nil {
		t.Fatal(err)
	}
	dropped.Discard()
	if err := conflicted.Commit(nil); !errors.Is(err, transaction.ErrConflict) {
		t.Errorf("a put to a stream that was deleted: %v", err)
	}
	if err := errors.Join(kept.Commit(nil), kept.Wait(), txs.Close()); err != nil {
		t.Fatal(err)
	}
	put(t, st, "a", "later")
	lower, upper := f.get(st, 1, Start{Type: TrimHorizon}), f.get(st, 2, Start{Type: TrimHorizon})
	if n := arrived(measured, "s"); n != 5 {
		t.Errorf("%v records are said to have come in", n)
	}
	if lower != "held-1 held-3 later" || upper != "held-2" {
		t.Errorf("after the commit the shards have %q and %q", lower, upper)
	}
}

// arrived is how many records a stream is said to have got.
func arrived(m *meter.Meter, name string) (n float64) {
	m.Each(func(s *meter.Series) {
		if s.Name == "IncomingRecords" && s.Dimensions[0].Value == name {
			_, n, _ = s.Totals()
		}
	})
	return n
}
