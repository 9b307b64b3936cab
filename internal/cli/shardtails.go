package cli

import (
	"context"
	"slices"
)

// shardTails follows the shards of a stream, also those that come when one is split,
// merged or closed.
type shardTails struct {
	// begin gives the iterator at the beginning of a shard, read prints what is there
	// and gives the next iterator, nil at the end of the shard. list names all shards.
	begin func(ctx context.Context, shard string) (*string, error)
	read  func(ctx context.Context, shard string, iterator *string) (next *string, any bool, err error)
	list  func(ctx context.Context) ([]string, error)

	shards    []string
	iterators map[string]*string // iterators by shard
}

// open starts with the shards that are there.
func (t *shardTails) open(ctx context.Context, begin func(ctx context.Context, shard string) (*string, error)) error {
	t.iterators = map[string]*string{}
	return t.add(ctx, begin)
}

// add takes in the shards that are new.
func (t *shardTails) add(ctx context.Context, begin func(ctx context.Context, shard string) (*string, error)) error {
	all, err := t.list(ctx)
	if err != nil {
		return err
	}
	for _, shard := range all {
		if slices.Contains(t.shards, shard) {
			continue
		}
		it, err := begin(ctx, shard)
		if err != nil {
			return err
		}
		t.shards, t.iterators[shard] = append(t.shards, shard), it
	}
	return nil
}

func (t *shardTails) poll(ctx context.Context) (any bool, err error) {
	ended := false
	for _, shard := range t.shards {
		it, ok := t.iterators[shard]
		if !ok {
			continue
		}
		next, some, err := t.read(ctx, shard, it)
		if err != nil {
			return false, err
		}
		any = any || some
		if t.iterators[shard] = next; next == nil {
			delete(t.iterators, shard)
			ended = true
		}
	}
	if !ended {
		return any, nil
	}
	before := len(t.shards)
	err = t.add(ctx, t.begin)
	return any || len(t.shards) > before, err
}
