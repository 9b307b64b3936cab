package mapping

import (
	"encoding/binary"
	"fmt"
	"time"

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

// checkpointDelay is how long the last checkpoint of a shard may wait for another
// write to bring it to disk before it is synced by itself.
const checkpointDelay = 50 * time.Millisecond

// checkpointer writes the checkpoints of one shard. A checkpoint does not ask for a
// sync of its own, which would make every other writer wait longer: the log is
// sequential, so the next write that is synced, of whomever, takes it along.
// Losing the last one costs a repetition, which at-least-once allows, and none is
// ever ahead of the effects, which were on disk before the invocation ended.
type checkpointer struct {
	db      *store.DB
	uuid    string
	shard   string
	pending bool // the last checkpoint may not be on disk
}

func (c *checkpointer) write(p checkpoint) error {
	tx := c.db.Begin()
	tx.Set(checkpointKey(c.uuid, c.shard), p.encode())
	if err := tx.CommitLazily(); err != nil {
		return fmt.Errorf("checkpoint of mapping %s, shard %s: %w", c.uuid, c.shard, err)
	}
	c.pending = true
	return nil
}

// flush returns when the last checkpoint is on disk.
func (c *checkpointer) flush() error {
	if !c.pending {
		return nil
	}
	c.pending = false
	if err := c.db.Sync(); err != nil {
		return fmt.Errorf("checkpoint of mapping %s, shard %s: %w", c.uuid, c.shard, err)
	}
	return nil
}
