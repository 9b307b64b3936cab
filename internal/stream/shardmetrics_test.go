package stream

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirstream/weir/internal/meter"
)

// sums returns the sums of a shard's series by name.
func sums(m *meter.Meter, shard string) map[string]float64 {
	out := map[string]float64{}
	m.Each(func(s *meter.Series) {
		for _, d := range s.Dimensions {
			if d.Name == "ShardId" && d.Value == shard {
				_, sum, _ := s.Totals()
				out[s.Name] = sum
			}
		}
	})
	return out
}

func TestShardsAreMeasuredIfAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := meter.New()
		f.cfg.Meter = m
		ctx := context.Background()
		st := f.create("s", 2)
		upper := HashKey{Hi: 1 << 63}
		put := func() {
			t.Helper()
			if _, err := st.PutRecord(ctx, Entry{PartitionKey: "ab", Data: []byte("abc"), Hash: &upper}, ""); err != nil {
				t.Fatal(err)
			}
		}
		put()
		if got := sums(m, ShardID(1)); len(got) != 0 {
			t.Errorf("measured unasked: %v", got)
		}
		if _, _, err := f.EnableShardMetrics(ctx, "s", AllShardMetrics()); err != nil {
			t.Fatal(err)
		}
		if _, after, err := f.DisableShardMetrics(ctx, "s", []string{shardOutgoingRecords}); err != nil || len(after) != 6 {
			t.Fatal(after, err)
		}
		put()
		time.Sleep(2 * time.Second)
		it, err := st.Iterator(ctx, 1, Start{Type: TrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.GetRecords(ctx, it.String(), 1); err != nil {
			t.Fatal(err)
		}
		got := sums(m, ShardID(1))
		want := map[string]float64{shardIncomingBytes: 5, shardIncomingRecords: 1, shardOutgoingBytes: 5, shardIteratorAge: 2000, shardReadThrottled: 0, shardWriteThrottled: 0, shardOutgoingRecords: 0}
		for name, sum := range want {
			if got[name] != sum {
				t.Errorf("%s: got %v, want %v", name, got[name], sum)
			}
		}
		if other := sums(m, ShardID(0)); other[shardIncomingRecords] != 0 {
			t.Errorf("the other shard: %v", other)
		}
	})
}

func TestSettingsOutliveARestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	f.create("s", 1)
	if _, _, err := f.EnableShardMetrics(ctx, "s", []string{shardIncomingBytes}); err != nil {
		t.Fatal(err)
	}
	if err := f.UpdateMode(ctx, "s", OnDemand); err != nil {
		t.Fatal(err)
	}
	if err := f.UpdateMaxRecordSize(ctx, "s", 2048); err != nil {
		t.Fatal(err)
	}
	f.reopen()
	st, err := f.Get("s")
	if err != nil {
		t.Fatal(err)
	}
	def := st.Definition()
	if def.Mode != OnDemand || def.MaxRecordKiB != 2048 || strings.Join(def.ShardMetrics, "") != shardIncomingBytes {
		t.Errorf("%+v", def)
	}
}

func TestModeCanBeChangedAgainAfterADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx := context.Background()
		f.create("s", 1)
		for _, mode := range []string{OnDemand, Provisioned} {
			if err := f.UpdateMode(ctx, "s", mode); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(day - time.Second)
		if err := f.UpdateMode(ctx, "s", OnDemand); err == nil {
			t.Error("the mode was changed three times in a day")
		}
		time.Sleep(time.Second)
		if err := f.UpdateMode(ctx, "s", OnDemand); err != nil {
			t.Error(err)
		}
	})
}
