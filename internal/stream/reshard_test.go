package stream

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

func TestSplitAndMerge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	st := f.create("s", 1)
	put(t, st, "a", "1", "b", "2")
	if err := f.SplitShard(ctx, "s", 0, "170141183460469231731687303715884105728"); err != nil {
		t.Fatal(err)
	}
	// a (0cc1...) is below the middle, b (92eb...) above it.
	placed := put(t, st, "a", "3", "b", "4")
	if placed[0].Shard != 1 || placed[1].Shard != 2 {
		t.Errorf("after the split: %+v", placed)
	}
	it, err := st.Iterator(ctx, 0, Start{Type: TrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.GetRecords(ctx, it.String(), 0)
	if err != nil || datas(b.Records) != "1 2" || b.Next != nil || len(b.ChildShards) != 2 {
		t.Fatalf("parent: %+v %v", b, err)
	}
	if err := f.MergeShards(ctx, "s", 1, 2); err != nil {
		t.Fatal(err)
	}
	f.reopen()
	if st, err = f.Get("s"); err != nil {
		t.Fatal(err)
	}
	if placed = put(t, st, "a", "5", "b", "6"); placed[0].Shard != 3 || placed[1].Shard != 3 {
		t.Errorf("after the merge: %+v", placed)
	}
	shards := st.Definition().Shards
	merged := shards[3]
	if *merged.Parent != 1 || *merged.Adjacent != 2 || merged.Range != (HashRange{HashKey{}, MaxHashKey}) {
		t.Errorf("merged shard: %+v", merged)
	}
	for _, parent := range shards[:3] {
		if parent.Open() || parent.Last().String() >= merged.First().String() && parent.Index != 0 {
			t.Errorf("parent %+v, child starts at %s", parent, merged.First())
		}
	}
	if got := f.get(st, 1, Start{Type: TrimHorizon}); got != "3" {
		t.Errorf("closed child: %q", got)
	}
}

func TestReshardRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	f.create("s", 3)
	if _, err := f.Create(ctx, CreateSpec{Name: "d"}); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.SplitShard(ctx, "s", 0, HashKey{Lo: 1}.String()), InvalidArgument, "NewStartingHashKey 1 used in SplitShard() on shard shardId-000000000000 in stream s under account 000000000000 is not both greater than one plus the shard's StartingHashKey 0 and less than the shard's EndingHashKey 113427455640312821154458202477256070484.")
	wantError(t, f.SplitShard(ctx, "s", 9, HashKey{Lo: 5}.String()), NotFound, "Could not find shard shardId-000000000009 in stream s under account 000000000000.")
	wantError(t, f.SplitShard(ctx, "d", 0, HashKey{Lo: 5}.String()), Validation, "Stream d under account 000000000000 is in On-Demand mode.")
	wantError(t, f.MergeShards(ctx, "s", 1, 0), InvalidArgument, "Shards shardId-000000000001 and shardId-000000000000 in stream s under account 000000000000 are not an adjacent pair of shards eligible for merging")
	wantError(t, f.MergeShards(ctx, "s", 0, 2), InvalidArgument, "not an adjacent pair")
	if err := f.SplitShard(ctx, "s", 0, HashKey{Lo: 2}.String()); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.SplitShard(ctx, "s", 0, HashKey{Lo: 2}.String()), InvalidArgument, "has already been merged or split")
}

// TestPutsDuringReshard splits and merges under writers: no record is lost, and
// the records of each writer stay in order from parent to child.
func TestPutsDuringReshard(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	st := f.create("s", 1)
	const writers, each = 8, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := st.PutRecord(ctx, Entry{PartitionKey: fmt.Sprint(w), Data: fmt.Append(nil, i)}, ""); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	open := uint32(0)
	for range 5 {
		r := st.Definition().Shards[open].Range
		if err := f.SplitShard(ctx, "s", open, HashKey{Hi: r.End.Hi / 2, Lo: 7}.String()); err != nil {
			t.Fatal(err)
		}
		if err := f.MergeShards(ctx, "s", open+1, open+2); err != nil {
			t.Fatal(err)
		}
		open += 3
	}
	wg.Wait()
	next := map[string]int{}
	for index := range uint32(len(st.Definition().Shards)) {
		recs, _, err := st.Log().Read(index, 1, 1e6, 1e9)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if string(r.Data) != fmt.Sprint(next[r.PartitionKey]) {
				t.Errorf("writer %s: got %s, want %d", r.PartitionKey, r.Data, next[r.PartitionKey])
			}
			next[r.PartitionKey]++
		}
	}
	for w := range writers {
		if n := next[fmt.Sprint(w)]; n != each {
			t.Errorf("writer %d: %d of %d records", w, n, each)
		}
	}
}
