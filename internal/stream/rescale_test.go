package stream

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// checkCover demands that the open shards cover all hash keys and that every shard
// but the first ones continues closed ones of the same range.
func checkCover(t *testing.T, def Definition) {
	t.Helper()
	next := HashKey{}
	for i, sh := range openShards(def.Shards) {
		if sh.Range.Start != next || i > 0 && next == (HashKey{}) {
			t.Fatalf("shard %+v begins elsewhere than at %s", sh, next)
		}
		next = sh.Range.End.Next()
	}
	if next != (HashKey{}) {
		t.Fatalf("the last open shard ends before %s", next)
	}
	for _, sh := range def.Shards {
		for _, p := range []*uint32{sh.Parent, sh.Adjacent} {
			if p == nil {
				continue
			}
			parent := def.Shards[*p]
			if parent.Open() || *p >= sh.Index || parent.Last().String() >= sh.First().String() {
				t.Errorf("shard %+v, parent %+v", sh, parent)
			}
		}
	}
}

func TestUpdateShardCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to, made int /* shards, 0 for any */
	}{
		{2, 4, 4}, {4, 2, 2}, {1, 2, 2}, {2, 1, 1}, {3, 6, 6}, {6, 3, 3}, {3, 3, 0},
		{4, 5, 0}, {3, 5, 0}, {5, 3, 0}, {7, 13, 0}, {100, 51, 0}, {100, 200, 200},
	} {
		t.Run(fmt.Sprintf("%d to %d", c.from, c.to), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			st := f.create("s", c.from)
			put(t, st, "a", "1", "b", "2", "c", "3")
			before, err := f.UpdateShardCount(context.Background(), "s", c.to)
			if err != nil || before != c.from {
				t.Fatalf("before %d, %v", before, err)
			}
			def := st.Definition()
			checkCover(t, def)
			open := openShards(def.Shards)
			if made := len(def.Shards) - c.from; len(open) != c.to || c.made > 0 && made != c.made {
				t.Errorf("%d open, %d made", len(open), made)
			}
			for i, r := range evenRanges(c.to) {
				if d := open[i].Range.Start.distance(r.Start); d.Hi > 1<<40 {
					t.Errorf("shard %d begins %s away from where it should", i, d)
				}
			}
			placed := put(t, st, "a", "4", "b", "5", "c", "6")
			f.reopen()
			if st, err = f.Get("s"); err != nil {
				t.Fatal(err)
			}
			checkCover(t, st.Definition())
			for i, key := range []string{"a", "b", "c"} {
				if sh, _ := st.Shard(placed[i].Shard); !sh.Open() || !sh.Range.Contains(HashOf(key)) {
					t.Errorf("%s went to %+v", key, sh)
				}
			}
			for _, sh := range st.Definition().Shards[c.from:] {
				if !sh.Open() && (sh.End != 1 || !st.Log().Closed(sh.Index)) {
					t.Errorf("short-lived shard %+v", sh)
				}
			}
		})
	}
}

func TestUpdateShardCountKeepsShardsThatFit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	st := f.create("s", 3)
	// Thirds and sixths of all keys differ by rounding; that is no reason to cut.
	for _, n := range []int{6, 3, 6, 12, 6, 6} {
		shards := len(st.Definition().Shards)
		before, err := f.UpdateShardCount(ctx, "s", n)
		if err != nil {
			t.Fatal(err)
		}
		want := shards + n
		if n == before {
			want = shards
		}
		if got := len(st.Definition().Shards); got != want {
			t.Errorf("%d to %d made %d shards, want %d", before, n, got-shards, want-shards)
		}
		checkCover(t, st.Definition())
	}
}

func TestUpdateShardCountRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx := context.Background()
		f.create("s", 5)
		_, err := f.UpdateShardCount(ctx, "s", 11)
		wantError(t, err, LimitExceeded, "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 5, Target shard count: 11")
		_, err = f.UpdateShardCount(ctx, "s", 2)
		wantError(t, err, LimitExceeded, "UpdateShardCount cannot scale down below half your current open shard count. Current open shard count: 5, Target shard count: 2")
		_, err = f.UpdateShardCount(ctx, "s", 10001)
		wantError(t, err, LimitExceeded, "cannot be greater than 10000.")
		_, err = f.UpdateShardCount(ctx, "none", 2)
		wantError(t, err, NotFound, "Stream none under account 000000000000 not found.")
		f.create("demand", 0)
		_, err = f.UpdateShardCount(ctx, "demand", 2)
		wantError(t, err, Validation, "Request is invalid. Stream demand under account 000000000000 is in On-Demand mode.")
		for i := range maxRescales {
			if _, err := f.UpdateShardCount(ctx, "s", 5+i%2); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		_, err = f.UpdateShardCount(ctx, "s", 5)
		wantError(t, err, LimitExceeded, "within 24 hours")
		time.Sleep(14 * time.Hour)
		if _, err = f.UpdateShardCount(ctx, "s", 5); err != nil {
			t.Error(err)
		}
	})
}
