package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// Config of [Open].
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	Log      *slog.Logger // nil discards
	Meter    *meter.Meter // nil measures nothing
}

// Queues holds the queues of a server. Its methods can be called concurrently.
type Queues struct {
	cfg  Config
	db   *store.DB
	log  *slog.Logger
	defs *catalog.Collection[Definition]

	// changing serialises changes of definitions. It is taken before send locks.
	changing sync.Mutex
	nextID   uint64

	mu     sync.RWMutex
	byName map[string]*Queue

	tasks   tasks
	unsaved chan struct{} // holds one token: receipts were written and not synced
	stop    context.CancelFunc
	done    sync.WaitGroup
	closing sync.Once
}

// sweepEvery is how often messages whose retention has passed are deleted, and
// how full queues are is measured.
const sweepEvery = time.Minute

// Open loads the queues and what is known of their messages.
func Open(cfg Config) (*Queues, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	qs := &Queues{cfg: cfg, db: cfg.DB, log: cfg.Log, byName: map[string]*Queue{}, nextID: 1, stop: stop, unsaved: make(chan struct{}, 1)}
	if err := qs.load(); err != nil {
		stop()
		return nil, fmt.Errorf("queues: %w", err)
	}
	qs.done.Go(func() { qs.sweep(ctx) })
	qs.done.Go(func() { qs.save(ctx) })
	return qs, nil
}

func (qs *Queues) load() error {
	var err error
	if qs.defs, err = catalog.Load[Definition](qs.db, "queue"); err != nil {
		return err
	}
	v, ok, err := qs.db.Get(nextIDKey())
	if err != nil {
		return err
	}
	if ok && len(v) == 8 {
		qs.nextID = binary.BigEndian.Uint64(v)
	}
	for _, d := range qs.defs.All() {
		q := newQueue(qs, d)
		if err := q.load(); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		qs.byName[d.Name] = q
	}
	return nil
}

func nextIDKey() []byte { return append(store.Key(store.DomainQueue, 1), whatNextID) }

// Close stops what runs in the background and returns when it has ended. Calls
// that wait for messages end with their contexts.
func (qs *Queues) Close() error {
	qs.closing.Do(func() {
		qs.stop()
		qs.tasks.close()
	})
	qs.done.Wait()
	return nil
}

// Get returns a queue by its name.
func (qs *Queues) Get(name string) (*Queue, error) {
	qs.mu.RLock()
	defer qs.mu.RUnlock()
	if q, ok := qs.byName[name]; ok {
		return q, nil
	}
	return nil, notFound()
}

// ByARN returns a queue of this account and region by its ARN.
func (qs *Queues) ByARN(arn string) (*Queue, error) {
	a, err := catalog.ParseARN(arn)
	if err != nil {
		return nil, notFound()
	}
	q, err := qs.Get(a.Resource)
	if err != nil || q.Definition().ARN != arn {
		return nil, notFound()
	}
	return q, nil
}

// Names returns the names of the queues that begin with a prefix, in order.
func (qs *Queues) Names(prefix string) []string {
	var names []string
	for _, name := range qs.defs.Names() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// Account returns the account that queues belong to.
func (qs *Queues) Account() string { return qs.cfg.Identity.Account }

// Create makes a queue, or returns the one that exists if the attributes that are
// given are its own.
func (qs *Queues) Create(ctx context.Context, name string, attributes, tags map[string]string) (*Queue, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fifo, _ := truth(attributes[attrFIFO])
	if err := checkName(name, fifo); err != nil {
		return nil, err
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	d := newDefinition(name, fifo)
	d.ARN = qs.cfg.Identity.ARN("sqs", name)
	d.Tags = tags
	if err := d.set(attributes); err != nil {
		return nil, err
	}
	qs.changing.Lock()
	defer qs.changing.Unlock()
	if q, err := qs.Get(name); err == nil {
		return q, agrees(q.Definition(), &d, attributes)
	}
	if err := qs.checkRedrive(&d); err != nil {
		return nil, err
	}
	return qs.make(d)
}

func (qs *Queues) make(d Definition) (*Queue, error) {
	d.ID, d.Created = qs.nextID, time.Now().UTC()
	d.Modified = d.Created
	q := newQueue(qs, d)
	tx := qs.db.Begin()
	defer tx.Discard()
	if err := qs.defs.PutIn(tx, d.Name, d); err != nil {
		return nil, err
	}
	tx.Set(nextIDKey(), store.AppendUint64(nil, d.ID+1))
	tx.OnApply(func() {
		qs.nextID++
		qs.mu.Lock()
		defer qs.mu.Unlock()
		qs.byName[d.Name] = q
	})
	return q, tx.Commit()
}

// agrees compares the attributes that were given with those of a queue.
func agrees(old, wanted *Definition, given map[string]string) error {
	have, want := old.settings(), wanted.settings()
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := given[name]; ok && have[name] != want[name] {
			return nameExists(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if have[name] != want[name] {
			return nameExists(name)
		}
	}
	return nil
}

func nameExists(attribute string) error {
	return errorf(NameExists, "A queue already exists with the same name and a different value for attribute %s", attribute)
}

// Delete removes a queue with its messages.
func (qs *Queues) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	qs.changing.Lock()
	defer qs.changing.Unlock()
	q, err := qs.Get(name)
	if err != nil {
		return err
	}
	q.sendMu.Lock()
	defer q.sendMu.Unlock()
	tx := qs.db.Begin()
	defer tx.Discard()
	qs.defs.DeleteIn(tx, name)
	for _, what := range []byte{whatMessage, whatReceipt, whatDeduplication, whatCeiling} {
		prefix := prefixOf(what, q.id)
		tx.DeleteRange(prefix, store.PrefixEnd(prefix))
	}
	tx.OnApply(func() {
		q.clear(true)
		qs.mu.Lock()
		defer qs.mu.Unlock()
		delete(qs.byName, name)
	})
	qs.forgetSeries(name)
	return tx.Commit()
}

// change replaces a queue's definition.
func (q *Queue) change(ctx context.Context, f func(*Definition) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	qs := q.queues
	qs.changing.Lock()
	defer qs.changing.Unlock()
	if _, err := qs.Get(q.name); err != nil {
		return err
	}
	d := *q.Definition()
	if err := f(&d); err != nil {
		return err
	}
	d.Modified = time.Now().UTC()
	tx := qs.db.Begin()
	defer tx.Discard()
	if err := qs.defs.PutIn(tx, d.Name, d); err != nil {
		return err
	}
	tx.OnApply(func() { q.def.Store(&d) })
	return tx.Commit()
}

// saveAfter is how long receipts may stay unsynced.
const saveAfter = 50 * time.Millisecond

// commitReceipts commits what receives have changed, to be synced soon: nobody waits
// for it.
func (qs *Queues) commitReceipts(tx *store.Tx) error {
	err := tx.CommitLazily()
	select {
	case qs.unsaved <- struct{}{}:
	default:
	}
	return err
}

// save syncs receipts until ctx ends.
func (qs *Queues) save(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-qs.unsaved:
		}
		select {
		case <-ctx.Done():
			return // closing the store syncs
		case <-time.After(saveAfter):
		}
		if err := qs.db.Sync(); err != nil {
			qs.log.Error("save receipts", "error", err)
		}
	}
}

// sweep deletes what has expired and measures how full queues are, until ctx ends.
func (qs *Queues) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		qs.mu.RLock()
		all := make([]*Queue, 0, len(qs.byName))
		for _, q := range qs.byName {
			all = append(all, q)
		}
		qs.mu.RUnlock()
		for _, q := range all {
			if err := q.tidy(); err != nil && !errors.Is(err, ErrNotFound) {
				qs.log.Error("queue", "name", q.name, "error", err)
			}
		}
	}
}
