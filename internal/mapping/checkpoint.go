package mapping

import (
	"encoding/binary"
	"fmt"

	"github.com/weirstream/weir/internal/store"
)

// checkpoint says where a mapping goes on in a shard.
type checkpoint struct {
	next uint64 // position of the next record
	done bool   // the shard is closed and everything in it was processed
}

func (c checkpoint) encode() []byte {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 9), c.next)
	if c.done {
		return append(v, 1)
	}
	return append(v, 0)
}

func decodeCheckpoint(v []byte) (checkpoint, error) {
	if len(v) != 9 {
		return checkpoint{}, fmt.Errorf("checkpoint has %d bytes, want 9", len(v))
	}
	return checkpoint{next: binary.BigEndian.Uint64(v), done: v[8] == 1}, nil
}

func mappingPrefix(uuid string) []byte {
	return store.AppendString(store.Key(store.DomainMapping, 2*len(uuid)+4), uuid)
}

func checkpointKey(uuid, shard string) []byte { return store.AppendString(mappingPrefix(uuid), shard) }

// resultKey sorts before all checkpoints of its mapping: no shard id is empty.
func resultKey(uuid string) []byte { return checkpointKey(uuid, "") }

// loadCheckpoints reads all checkpoints of a mapping.
func loadCheckpoints(db store.Reader, uuid string) (map[string]checkpoint, error) {
	prefix := mappingPrefix(uuid)
	it, err := db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	points := map[string]checkpoint{}
	for ok := it.First(); ok; ok = it.Next() {
		shard, _, err := store.CutString(it.Key()[len(prefix):])
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", uuid, err)
		}
		if len(shard) == 0 {
			continue
		}
		c, err := decodeCheckpoint(it.Value())
		if err != nil {
			return nil, fmt.Errorf("mapping %s, shard %s: %w", uuid, shard, err)
		}
		points[string(shard)] = c
	}
	return points, it.Close()
}

// checkpointer writes the checkpoints of one shard. A checkpoint is written
// behind the reader's back: Write returns when it is applied, and waits only for
// the disk to have the one before. Losing the last one costs a repetition, which
// at-least-once allows, and nothing is ever ahead of the effects, which were on
// disk before the invocation ended.
type checkpointer struct {
	db      *store.DB
	uuid    string
	shard   string
	pending *store.Tx
}

func (c *checkpointer) write(p checkpoint) error {
	if err := c.flush(); err != nil {
		return err
	}
	tx := c.db.Begin()
	tx.Set(checkpointKey(c.uuid, c.shard), p.encode())
	if err := tx.Apply(); err != nil {
		return fmt.Errorf("checkpoint of mapping %s, shard %s: %w", c.uuid, c.shard, err)
	}
	c.pending = tx
	return nil
}

// flush returns when the last checkpoint is on disk.
func (c *checkpointer) flush() error {
	if c.pending == nil {
		return nil
	}
	tx := c.pending
	c.pending = nil
	if err := tx.Wait(); err != nil {
		return fmt.Errorf("checkpoint of mapping %s, shard %s: %w", c.uuid, c.shard, err)
	}
	return nil
}
