package queue

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
)

// Queue is one queue. Its methods can be called concurrently; those of a queue
// that was deleted fail with ErrNotFound.
type Queue struct {
	queues *Queues
	id     uint64
	name   string
	def    atomic.Pointer[Definition]
	series series

	// sendMu is held from the assignment of numbers to the apply of the transaction
	// that writes the messages. It guards what follows.
	sendMu       sync.Mutex
	next         uint64 // number of the next message
	ceiling      uint64 // in the store; all numbers that were used are below
	pending      []*entry
	pendingDedup map[string]deduplication
	dedup        map[string]deduplication
	deleted      bool

	publishMu   sync.Mutex
	unpublished []*entry // applied, perhaps not yet on disk; in order

	state  *state
	purged atomic.Int64 // when it was last purged, in milliseconds
}

// deduplication is a message that was sent, of which no other is taken until a
// time, in milliseconds.
type deduplication struct {
	number uint64
	id     uuid.UUID
	until  int64
}

func newQueue(qs *Queues, d Definition) *Queue {
	q := &Queue{
		queues: qs, id: d.ID, name: d.Name, next: 1, state: newState(d.FIFO),
		pendingDedup: map[string]deduplication{}, dedup: map[string]deduplication{},
	}
	q.def.Store(&d)
	q.series.open(qs.cfg.Meter, d.Name)
	return q
}

// Definition returns what the queue is set to. It is shared: do not change it.
func (q *Queue) Definition() *Definition { return q.def.Load() }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.name }

// load restores messages, receipts and deduplication from the store.
func (q *Queue) load() error {
	if err := q.loadCeiling(); err != nil {
		return err
	}
	receipts := map[uint64]receipt{}
	err := q.each(whatReceipt, func(key, value []byte) error {
		number, _, err := store.CutUint64(key)
		if err != nil {
			return err
		}
		receipts[number], err = decodeReceipt(value)
		return err
	})
	if err != nil {
		return err
	}
	now := nowMillis()
	err = q.each(whatMessage, func(key, value []byte) error {
		number, _, err := store.CutUint64(key)
		if err != nil {
			return err
		}
		r := reader{b: value}
		m := r.head()
		if r.err != nil {
			return fmt.Errorf("message %d: %w", number, r.err)
		}
		e := m.entry(number)
		if was, ok := receipts[number]; ok {
			e.receipt, e.visibleFrom, e.delayed = was, was.visibleFrom, false
		}
		q.state.add(e, now)
		q.next = max(q.next, number+1)
		return nil
	})
	if err != nil {
		return err
	}
	return q.loadDeduplication()
}

// entry is what is kept of a message in memory.
func (m *stored) entry(number uint64) *entry {
	return &entry{
		number: number, sent: m.Sent, group: m.Group, visibleFrom: m.VisibleFrom, delayed: m.VisibleFrom > 0,
		receipt: receipt{receives: m.Receives, first: m.FirstTime},
	}
}

func (q *Queue) loadCeiling() error {
	v, ok, err := q.queues.db.Get(prefixOf(whatCeiling, q.id))
	if err != nil || !ok {
		return err
	}
	if len(v) != 8 {
		return fmt.Errorf("ceiling of numbers: %w", errDamaged)
	}
	q.ceiling = binary.BigEndian.Uint64(v)
	q.next = max(q.next, q.ceiling)
	return nil
}

func (q *Queue) loadDeduplication() error {
	now := nowMillis()
	return q.each(whatDeduplication, func(key, value []byte) error {
		name, _, err := store.CutString(key)
		if err != nil {
			return err
		}
		d, err := decodeDeduplication(value)
		if err == nil && d.until > now {
			q.dedup[string(name)] = d
		}
		return err
	})
}

func (d deduplication) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 32), d.number)
	b = append(b, d.id[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(d.until))
}

func decodeDeduplication(b []byte) (d deduplication, err error) {
	if len(b) != 32 {
		return d, errDamaged
	}
	d.number, d.until = binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[24:]))
	copy(d.id[:], b[8:])
	return d, nil
}

// each calls f for the keys of one kind, without their prefix. What f gets is
// valid until it returns.
func (q *Queue) each(what byte, f func(key, value []byte) error) error {
	prefix := prefixOf(what, q.id)
	it, err := q.queues.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(it.Key()[len(prefix):], it.Value()); err != nil {
			return err
		}
	}
	return it.Close()
}

// clear forgets all messages. The caller holds sendMu.
func (q *Queue) clear(deleted bool) {
	q.deleted = q.deleted || deleted
	q.publishMu.Lock()
	q.unpublished = nil
	q.publishMu.Unlock()
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	for _, e := range q.state.byNumber {
		q.state.remove(e)
	}
	clear(q.dedup)
	q.state.removed = q.state.removed || deleted
	q.state.wakeAll()
}

// purgeEvery is how long a purged queue cannot be purged again.
const purgeEvery = time.Minute

// Purge deletes all messages, and what is remembered of them to tell duplicates.
func (q *Queue) Purge(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.sendMu.Lock()
	defer q.sendMu.Unlock()
	if q.deleted {
		return notFound()
	}
	now := nowMillis()
	if last := q.purged.Load(); last > 0 && now-last < purgeEvery.Milliseconds() {
		return errorf(PurgeInProgress, "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.name)
	}
	tx := q.queues.db.Begin()
	defer tx.Discard()
	for _, what := range []byte{whatMessage, whatReceipt} {
		tx.DeleteRange(prefixOf(what, q.id), numberedKey(what, q.id, q.next))
	}
	tx.DeleteRange(prefixOf(whatDeduplication, q.id), store.PrefixEnd(prefixOf(whatDeduplication, q.id)))
	tx.OnApply(func() {
		q.purged.Store(now)
		q.clear(false)
	})
	return tx.Commit()
}

// Counts are how many messages a queue has.
type Counts struct{ Visible, InFlight, Delayed int }

// Counts returns how many messages can be received, or will be when those before
// them are done, and how many are hidden.
func (q *Queue) Counts() Counts {
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	q.state.advance(nowMillis())
	s := q.state
	return Counts{Visible: len(s.byNumber) - s.hidden.Len(), InFlight: s.inFlight(), Delayed: s.delayed}
}

// Attributes returns the attributes that are asked for, all of them for "All".
func (q *Queue) Attributes(ctx context.Context, names []string) (map[string]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, c := q.Definition(), q.Counts()
	all := d.settings()
	maps.Copy(all, map[string]string{
		attrARN:        d.ARN,
		attrCreated:    strconv.FormatInt(d.Created.Unix(), 10),
		attrModified:   strconv.FormatInt(d.Modified.Unix(), 10),
		attrMessages:   strconv.Itoa(c.Visible),
		attrNotVisible: strconv.Itoa(c.InFlight),
		attrDelayed:    strconv.Itoa(c.Delayed),
	})
	out := map[string]string{}
	for _, name := range names {
		if name == attrAll {
			return all, nil
		}
		value, ok := all[name]
		if !ok && !known[name] {
			return nil, errorf(InvalidAttribute, "Unknown Attribute %s.", name)
		}
		if ok {
			out[name] = value
		}
	}
	return out, nil
}

// known are the attributes that a queue may lack.
var known = map[string]bool{
	attrPolicy: true, attrRedrive: true, attrRedriveAllow: true, attrFIFO: true, attrContentDedup: true, attrDedupScope: true,
	attrThroughputLimit: true, "KmsMasterKeyId": true, "KmsDataKeyReusePeriodSeconds": true,
}

// SetAttributes changes attributes of the queue.
func (q *Queue) SetAttributes(ctx context.Context, attributes map[string]string) error {
	return q.change(ctx, func(d *Definition) error {
		if err := d.set(attributes); err != nil {
			return err
		}
		if _, ok := attributes[attrRedrive]; !ok {
			return nil
		}
		return q.queues.checkRedrive(d)
	})
}

const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return errorf(InvalidValue, "Too many tags added for queue. Maximum number of tags per queue is %d.", maxTags)
	}
	for key, value := range tags {
		if key == "" || len(key) > maxTagKey || len(value) > maxTagValue {
			return errorf(InvalidValue, "Tag keys must be between 1 and %d characters in length, and tag values at most %d.", maxTagKey, maxTagValue)
		}
	}
	return nil
}

// Tag sets and removes tags of the queue.
func (q *Queue) Tag(ctx context.Context, set map[string]string, remove []string) error {
	return q.change(ctx, func(d *Definition) error {
		tags := maps.Clone(d.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, set)
		for _, key := range remove {
			delete(tags, key)
		}
		d.Tags = tags
		return checkTags(tags)
	})
}
