package metric

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// Config of [Open].
type Config struct {
	DB    *store.DB
	Log   *slog.Logger // nil discards
	Meter *meter.Meter // what the program measures of itself; nil is nothing
}

// Metrics holds the datapoints. Its methods can be called concurrently.
type Metrics struct {
	db    *store.DB
	log   *slog.Logger
	index *index

	// writing serialises changes of buckets; it is never held while waiting for
	// the disk.
	writing sync.Mutex
	hot     map[bucketID]*bucket // buckets written lately, to save reading them back

	watching sync.Mutex
	watchers map[*watcher]struct{}

	revision atomic.Uint64

	stop context.CancelFunc
	done sync.WaitGroup
}

type bucketID struct {
	series            uint64
	resolution, start int64
}

// maxHot bounds the buckets kept in memory.
const maxHot = 4096

type watcher struct{ f func(metrics []string) }

// Open loads the series and starts collecting the program's own measurements and
// ageing old datapoints.
func Open(cfg Config) (*Metrics, error) {
	x, err := loadIndex(cfg.DB)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &Metrics{
		db: cfg.DB, log: log, index: x, stop: stop,
		hot: map[bucketID]*bucket{}, watchers: map[*watcher]struct{}{},
	}
	m.done.Go(func() { m.maintainForever(ctx) })
	if cfg.Meter != nil {
		m.done.Go(func() { m.drainForever(ctx, cfg.Meter) })
	}
	return m, nil
}

// Revision grows whenever datapoints are added.
func (m *Metrics) Revision() uint64 { return m.revision.Load() }

// Close stops the background work after a last collection of the program's own
// measurements.
func (m *Metrics) Close() error {
	m.stop()
	m.done.Wait()
	return nil
}

// Put adds datapoints to metrics of a namespace and returns when they are on
// disk. One bad datum refuses the whole call with an *Error.
func (m *Metrics) Put(ctx context.Context, namespace string, data []Datum) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkData(namespace, data); err != nil {
		return err
	}
	tx := m.db.Begin()
	changed, err := m.apply(tx, entriesOf(namespace, data))
	if err != nil {
		return err
	}
	if err := tx.Wait(); err != nil {
		return fmt.Errorf("put metric data: %w", err)
	}
	m.announce(changed)
	return nil
}

func checkData(namespace string, data []Datum) error {
	if err := checkNamespace(namespace); err != nil {
		return err
	}
	if len(data) == 0 {
		return errorf(MissingParameter, "The parameter MetricData is required.")
	}
	if len(data) > maxData {
		return errorf(InvalidValue, "The collection MetricData must not have a size greater than %d.", maxData)
	}
	now := time.Now()
	for i := range data {
		if err := data[i].check(i+1, now); err != nil {
			return err
		}
	}
	return nil
}

// entry is observations of one series at one time.
type entry struct {
	metric     ID
	unit       string
	resolution int64 // 1 or 60
	time       int64 // Unix seconds
	observe    func(*bucket)
}

func entriesOf(namespace string, data []Datum) []entry {
	now := time.Now()
	entries := make([]entry, 0, len(data))
	for i := range data {
		d := &data[i]
		e := entry{
			metric: ID{Namespace: namespace, Name: d.Name, Dimensions: d.Dimensions},
			unit:   d.Unit, resolution: 60, time: now.Unix(), observe: d.observeInto,
		}
		if d.Unit == "" {
			e.unit = "None"
		}
		if d.Resolution == 1 {
			e.resolution = 1
		}
		if !d.Time.IsZero() {
			e.time = d.Time.Unix()
		}
		entries = append(entries, e)
	}
	return entries
}

// apply merges entries into their buckets and applies tx, all under the lock, and
// returns the keys of the metrics that changed. The caller waits for tx.
func (m *Metrics) apply(tx *store.Tx, entries []entry) (changed []string, err error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	defer tx.Discard()
	if err := m.stage(tx, entries); err != nil {
		return nil, err
	}
	if err := tx.Apply(); err != nil {
		return nil, fmt.Errorf("put metric data: %w", err)
	}
	return metricsOf(entries), nil
}

// stage writes the buckets that entries change to tx. The lock is held from here
// until tx was applied.
func (m *Metrics) stage(tx *store.Tx, entries []entry) error {
	touched, newest, err := m.merge(tx, entries)
	if err != nil {
		return err
	}
	var buf []byte
	for id, b := range touched {
		buf = b.append(buf[:0])
		tx.Set(bucketKey(id.series, id.resolution, id.start), buf)
	}
	tx.OnApply(func() {
		m.keepHot(touched)
		for s, t := range newest {
			s.raiseNewest(t)
		}
	})
	return nil
}

// merge returns the changed buckets, copies of those in memory, so that nothing
// has happened when the transaction fails.
func (m *Metrics) merge(tx *store.Tx, entries []entry) (map[bucketID]*bucket, map[*series]int64, error) {
	touched := make(map[bucketID]*bucket, len(entries))
	newest := map[*series]int64{}
	fresh := map[string]*series{}
	for _, e := range entries {
		s, err := m.index.resolve(tx, fresh, e.metric, e.unit)
		if err != nil {
			return nil, nil, err
		}
		id := bucketID{s.id, e.resolution, e.time - e.time%e.resolution}
		b := touched[id]
		if b == nil {
			if b, err = m.load(id); err != nil {
				return nil, nil, err
			}
			touched[id] = b
		}
		e.observe(b)
		newest[s] = max(newest[s], id.start)
	}
	for id, b := range touched {
		if b.count == 0 { // only empty statistic sets
			delete(touched, id)
		}
	}
	return touched, newest, nil
}

// load returns a copy of a bucket, an empty one when it does not exist.
func (m *Metrics) load(id bucketID) (*bucket, error) {
	if b := m.hot[id]; b != nil {
		return b.clone(), nil
	}
	value, ok, err := m.db.Get(bucketKey(id.series, id.resolution, id.start))
	if err != nil || !ok {
		return newBucket(), err
	}
	return decodeBucket(value)
}

func (m *Metrics) keepHot(touched map[bucketID]*bucket) {
	if len(m.hot)+len(touched) > maxHot {
		clear(m.hot)
	}
	for id, b := range touched {
		m.hot[id] = b
	}
}

// watch calls f with the keys of metrics after data for them arrived, until stop
// is called. f must not block.
func (m *Metrics) watch(f func(metrics []string)) (stop func()) {
	w := &watcher{f}
	m.watching.Lock()
	defer m.watching.Unlock()
	m.watchers[w] = struct{}{}
	return func() {
		m.watching.Lock()
		defer m.watching.Unlock()
		delete(m.watchers, w)
	}
}

func (m *Metrics) announce(changed []string) {
	m.revision.Add(1)
	m.watching.Lock()
	defer m.watching.Unlock()
	for w := range m.watchers {
		w.f(changed)
	}
}
