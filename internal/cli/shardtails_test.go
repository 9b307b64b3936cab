package cli

import (
	"context"
	"slices"
	"testing"
)

// A tail goes on with the shards that take the place of one that has ended.
func TestShardTailsFollowChildren(t *testing.T) {
	t.Parallel()
	shards := []string{"a"}
	records := map[string][]string{"a": {"a1", "a2"}, "b": {"b1"}}
	var begun, printed []string
	text := func(s string) *string { return &s }
	tails := &shardTails{
		list: func(context.Context) ([]string, error) { return shards, nil },
		begin: func(_ context.Context, shard string) (*string, error) {
			begun = append(begun, shard)
			return text(shard), nil
		},
		read: func(_ context.Context, shard string, it *string) (*string, bool, error) {
			left := records[shard]
			if len(left) == 0 && shard == "a" {
				shards = []string{"a", "b"}
				return nil, false, nil
			}
			if len(left) == 0 {
				return it, false, nil
			}
			printed, records[shard] = append(printed, left[0]), left[1:]
			return it, true, nil
		},
	}
	if err := tails.open(t.Context(), func(_ context.Context, shard string) (*string, error) { return text(shard), nil }); err != nil {
		t.Fatal(err)
	}
	for {
		any, err := tails.poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !any {
			break
		}
	}
	if want := []string{"a1", "a2", "b1"}; !slices.Equal(printed, want) {
		t.Errorf("printed %v, want %v", printed, want)
	}
	if !slices.Equal(begun, []string{"b"}) {
		t.Errorf("begun at their beginning: %v, want b alone", begun)
	}
}
