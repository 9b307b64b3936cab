package metric

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// ID identifies a metric: a namespace, a name and a set of dimensions.
type ID struct {
	Namespace, Name string
	Dimensions      []Dimension // in any order
}

// key is the same for equal metrics whatever the order of dimensions. Names and
// values hold no control characters.
func (id ID) key() string {
	var b strings.Builder
	b.WriteString(id.Namespace)
	b.WriteByte(0)
	b.WriteString(id.Name)
	for _, d := range sortedDimensions(id.Dimensions) {
		b.WriteByte(0)
		b.WriteString(d.Name)
		b.WriteByte(1)
		b.WriteString(d.Value)
	}
	return b.String()
}

func sortedDimensions(dims []Dimension) []Dimension {
	byName := func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) }
	if slices.IsSortedFunc(dims, byName) {
		return dims
	}
	dims = slices.Clone(dims)
	slices.SortFunc(dims, byName)
	return dims
}

// seriesDef is the durable definition of a series.
type seriesDef struct {
	Series     uint64
	Namespace  string
	Name       string
	Dimensions []Dimension `json:",omitempty"` // sorted by name
	Unit       string
}

func (d seriesDef) metric() ID {
	return ID{Namespace: d.Namespace, Name: d.Name, Dimensions: d.Dimensions}
}

func (d seriesDef) name() string { return fmt.Sprintf("%016x", d.Series) }

// series is a metric in one unit.
type series struct {
	id   uint64
	unit string
	// newest is the Unix second of the newest bucket, or unknownNewest until it was
	// looked up.
	newest atomic.Int64
}

const unknownNewest = -1

func (s *series) raiseNewest(start int64) {
	for {
		old := s.newest.Load()
		if old == unknownNewest || old >= start || s.newest.CompareAndSwap(old, start) {
			return
		}
	}
}

// index finds series by the identity of their metric.
type index struct {
	defs *catalog.Collection[seriesDef]

	mu      sync.RWMutex
	metrics map[string]*metricSeries
	sorted  []string // keys of metrics in order, nil when out of date
	nextID  uint64
}

// metricSeries is a metric with its series by unit, sorted by unit.
type metricSeries struct {
	ID
	series []*series
}

func loadIndex(db *store.DB) (*index, error) {
	defs, err := catalog.Load[seriesDef](db, "metric-series")
	if err != nil {
		return nil, err
	}
	x := &index{defs: defs, metrics: map[string]*metricSeries{}, nextID: 1}
	for _, def := range defs.All() {
		x.insert(def).newest.Store(unknownNewest)
		x.nextID = max(x.nextID, def.Series+1)
	}
	return x, nil
}

// resolve returns the series, defining it in tx when it is new. Calls are
// serialised by the caller; a new series can be found once tx is applied.
func (x *index) resolve(tx *store.Tx, fresh map[string]*series, id ID, unit string) (*series, error) {
	key := id.key()
	if s := x.find(key, unit); s != nil {
		return s, nil
	}
	freshKey := unit + "\x00" + key
	if s := fresh[freshKey]; s != nil {
		return s, nil
	}
	def := seriesDef{
		Series: x.nextID, Namespace: id.Namespace, Name: id.Name,
		Dimensions: slices.Clone(sortedDimensions(id.Dimensions)), Unit: unit,
	}
	x.nextID++
	if err := x.defs.PutIn(tx, def.name(), def); err != nil {
		return nil, err
	}
	s := &series{id: def.Series, unit: unit}
	fresh[freshKey] = s
	tx.OnApply(func() { x.add(def, s) })
	return s, nil
}

func (x *index) insert(def seriesDef) *series {
	s := &series{id: def.Series, unit: def.Unit}
	x.add(def, s)
	return s
}

func (x *index) add(def seriesDef, s *series) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := def.metric().key()
	m := x.metrics[key]
	if m == nil {
		m = &metricSeries{ID: def.metric()}
		x.metrics[key] = m
		x.sorted = nil
	}
	// Replaced, not appended to: readers hold the old slice without the lock.
	m.series = append(slices.Clone(m.series), s)
	slices.SortFunc(m.series, func(a, b *series) int { return cmp.Compare(a.unit, b.unit) })
}

// removeIn forgets a series that has no data any more.
func (x *index) removeIn(tx *store.Tx, def seriesDef) {
	x.defs.DeleteIn(tx, def.name())
	tx.OnApply(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		key := def.metric().key()
		m := x.metrics[key]
		if m == nil {
			return
		}
		m.series = slices.DeleteFunc(slices.Clone(m.series), func(s *series) bool { return s.id == def.Series })
		if len(m.series) == 0 {
			delete(x.metrics, key)
			x.sorted = nil
		}
	})
}

func (x *index) find(key, unit string) *series {
	for _, s := range x.units(key) {
		if s.unit == unit {
			return s
		}
	}
	return nil
}

// units returns the series of a metric, sorted by unit; read-only.
func (x *index) units(key string) []*series {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if m := x.metrics[key]; m != nil {
		return m.series
	}
	return nil
}

// keys returns the keys of all metrics in order; read-only.
func (x *index) keys() []string {
	x.mu.RLock()
	sorted := x.sorted
	x.mu.RUnlock()
	if sorted != nil {
		return sorted
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sorted = slices.Sorted(maps.Keys(x.metrics))
	return x.sorted
}

func (x *index) get(key string) (m metricSeries, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	p := x.metrics[key]
	if p == nil {
		return metricSeries{}, false
	}
	return *p, true
}

// The resolutions of buckets, in seconds, from fine to coarse, and how long
// buckets of each are kept before they are merged into the next.
var resolutions = []struct {
	seconds  int64
	lifetime time.Duration
}{
	{1, 3 * time.Hour},
	{60, 15 * 24 * time.Hour},
	{300, 63 * 24 * time.Hour},
	{3600, 455 * 24 * time.Hour},
}

const keyLength = 1 + 8 + 4 + 8

func seriesPrefix(id uint64) []byte {
	return store.AppendUint64(store.Key(store.DomainMetric, keyLength), id)
}

// bucketKey is the key of the bucket of a series that starts at a Unix second.
func bucketKey(id uint64, resolution, start int64) []byte {
	k := store.AppendUint32(seriesPrefix(id), uint32(resolution))
	return store.AppendUint64(k, uint64(start))
}

func startOf(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[len(key)-8:])) }
