package mapping

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// position is the place of a record in a shard.
type position struct {
	at  uint64
	sub uint32
}

func (p position) before(q position) bool {
	return p.at < q.at || p.at == q.at && p.sub < q.sub
}

// checkpoint says where a mapping goes on in a shard. Every record before next
// was processed or discarded.
type checkpoint struct {
	next   position
	done   bool    // the shard is closed and everything in it was processed
	window *window // the one that is open, nil when none is
}

// progress is all that is known of a shard: its checkpoint, and how far lanes are
// beyond it.
type progress struct {
	checkpoint
	layers []layer
}

// layer is how far the lanes are into which some parallelization factor cut the
// shard: lane i has processed its records before lanes[i].
type layer struct{ lanes []position }

// laneAt returns the position of a lane of so many, the zero position when it is
// not known to be beyond the checkpoint.
func (p progress) laneAt(lanes, lane int) position {
	for _, l := range p.layers {
		if len(l.lanes) == lanes {
			return l.lanes[lane]
		}
	}
	return position{}
}

// processed reports whether a record lies behind the position of its lane.
func (p progress) processed(r Record) bool {
	for _, l := range p.layers {
		if r.position().before(l.lanes[laneOf(r.Key, len(l.lanes))]) {
			return true
		}
	}
	return false
}

// What the byte after the position says.
const (
	flagDone = 1 << iota
	flagSub
	flagWindow
	flagTerminated // the window was ended early
)

func (c checkpoint) encode() []byte {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 16), c.next.at)
	flags := byte(0)
	if c.done {
		flags |= flagDone
	}
	if c.next.sub > 0 {
		flags |= flagSub
	}
	if c.window != nil {
		flags |= flagWindow
		if c.window.terminated {
			flags |= flagTerminated
		}
	}
	v = append(v, flags)
	if c.next.sub > 0 {
		v = binary.BigEndian.AppendUint32(v, c.next.sub)
	}
	if c.window != nil {
		v = binary.BigEndian.AppendUint64(v, uint64(c.window.start))
		v = binary.BigEndian.AppendUint64(v, uint64(c.window.end))
		v = append(v, c.window.state...)
	}
	return v
}

func decodeCheckpoint(v []byte) (checkpoint, error) {
	bad := fmt.Errorf("checkpoint of %d bytes is malformed", len(v))
	if len(v) < 9 {
		return checkpoint{}, bad
	}
	c := checkpoint{next: position{at: binary.BigEndian.Uint64(v)}}
	flags, v := v[8], v[9:]
	c.done = flags&flagDone != 0
	if flags&flagSub != 0 {
		if len(v) < 4 {
			return checkpoint{}, bad
		}
		c.next.sub, v = binary.BigEndian.Uint32(v), v[4:]
	}
	if flags&flagWindow != 0 {
		if len(v) < 16 {
			return checkpoint{}, bad
		}
		c.window = &window{
			start: int64(binary.BigEndian.Uint64(v)), end: int64(binary.BigEndian.Uint64(v[8:])),
			terminated: flags&flagTerminated != 0, invoked: true,
		}
		c.window.state, v = append([]byte(nil), v[16:]...), nil
	}
	if len(v) > 0 || flags&^(flagDone|flagSub|flagWindow|flagTerminated) != 0 {
		return checkpoint{}, bad
	}
	return c, nil
}

func mappingPrefix(uuid string) []byte {
	return store.AppendString(store.Key(store.DomainMapping, 2*len(uuid)+4), uuid)
}

func checkpointKey(uuid, shard string) []byte { return store.AppendString(mappingPrefix(uuid), shard) }

// laneKey is where the position of one lane of several is kept.
func laneKey(uuid, shard string, factor, lane int) []byte {
	return append(checkpointKey(uuid, shard), byte(factor), byte(lane))
}

// resultKey sorts before all checkpoints of its mapping: no shard id is empty.
func resultKey(uuid string) []byte { return checkpointKey(uuid, "") }

// loadProgress reads all checkpoints of a mapping, by shard.
func loadProgress(db store.Reader, uuid string) (map[string]progress, error) {
	prefix := mappingPrefix(uuid)
	it, err := db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	points := map[string]progress{}
	for ok := it.First(); ok; ok = it.Next() {
		shard, rest, err := store.CutString(it.Key()[len(prefix):])
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", uuid, err)
		}
		if len(shard) == 0 {
			continue
		}
		p := points[string(shard)]
		if err := p.add(rest, it.Value()); err != nil {
			return nil, fmt.Errorf("mapping %s, shard %s: %w", uuid, shard, err)
		}
		points[string(shard)] = p
	}
	return points, it.Close()
}

// add takes in a checkpoint, or the position of a lane that suffix names.
func (p *progress) add(suffix, value []byte) error {
	c, err := decodeCheckpoint(value)
	if err != nil {
		return err
	}
	if len(suffix) == 0 {
		p.checkpoint = c
		return nil
	}
	if len(suffix) != 2 || suffix[0] == 0 || suffix[1] >= suffix[0] {
		return fmt.Errorf("lane %x is malformed", suffix)
	}
	factor, lane := int(suffix[0]), int(suffix[1])
	if n := len(p.layers); n == 0 || len(p.layers[n-1].lanes) != factor {
		p.layers = append(p.layers, layer{make([]position, factor)})
	}
	p.layers[len(p.layers)-1].lanes[lane] = c.next
	return nil
}

// checkpointDelay is how long the last checkpoint of a shard may wait for another
// write to bring it to disk before it is synced by itself.
const checkpointDelay = 50 * time.Millisecond

// entry is one key to be written with a checkpoint.
type entry struct{ key, value []byte }

// checkpointer writes the checkpoints of one lane. A checkpoint does not ask for a
// sync of its own, which would make every other writer wait longer: the log is
// sequential, so the next write that is synced, of whomever, takes it along.
// Losing the last one costs a repetition, which at-least-once allows, and none is
// ever ahead of the effects, which were on disk before the invocation ended or
// commit together with it.
type checkpointer struct {
	db      *store.DB
	pending bool // the last checkpoint may not be on disk
}

// write makes entries durable some time later; with effects, together with them
// or not at all.
func (c *checkpointer) write(effects Effects, entries ...entry) error {
	add := func(tx *store.Tx) {
		for _, e := range entries {
			tx.Set(e.key, e.value)
		}
	}
	if effects != nil {
		if err := effects.Commit(add); err != nil {
			return fmt.Errorf("commit effects: %w", err)
		}
		c.pending = true
		return nil
	}
	tx := c.db.Begin()
	add(tx)
	if err := tx.CommitLazily(); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
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
		return fmt.Errorf("sync checkpoint: %w", err)
	}
	return nil
}
