// Package meter measures what the program does, cheaply and in memory.
//
// A [Series] is one CloudWatch metric identity (namespace, name, dimensions,
// unit). Domain packages observe into series that they looked up beforehand;
// package metric drains them into datapoints, and the Prometheus endpoint reads
// their running totals, so both show the same figures.
package meter

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// Dimension is a name and value that, with others, identifies a metric.
type Dimension struct{ Name, Value string }

// maxSamples bounds the samples that a series keeps between two drains; what
// comes after is counted in the statistics but not in percentiles.
const maxSamples = 1024

// Statistics summarise observations. Samples are at most maxSamples of them, to
// compute percentiles from.
type Statistics struct {
	Count, Sum, Min, Max float64
	Samples              []Sample
}

// Sample is a value that was observed Count times.
type Sample struct{ Value, Count float64 }

// Series accumulates the observations of one metric.
type Series struct {
	Namespace, Name, Unit string
	Dimensions            []Dimension // sorted by name

	mu         sync.Mutex
	pending    Statistics
	totalCount float64
	totalSum   float64
	last       float64
}

// Observe records one value.
func (s *Series) Observe(v float64) { s.ObserveN(v, 1) }

// ObserveN records the same value n times.
func (s *Series) ObserveN(v float64, n int) {
	if s == nil || n <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pending
	if p.Count == 0 {
		p.Min, p.Max = math.Inf(1), math.Inf(-1)
	}
	p.Count += float64(n)
	p.Sum += v * float64(n)
	p.Min, p.Max = min(p.Min, v), max(p.Max, v)
	if last := len(p.Samples) - 1; last >= 0 && p.Samples[last].Value == v {
		p.Samples[last].Count += float64(n)
	} else if len(p.Samples) < maxSamples {
		p.Samples = append(p.Samples, Sample{v, float64(n)})
	}
	s.totalCount += float64(n)
	s.totalSum += v * float64(n)
	s.last = v
}

// Totals returns the number and sum of all observations since the start of the
// process, and the last value.
func (s *Series) Totals() (count, sum, last float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totalCount, s.totalSum, s.last
}

// Drain returns what was observed since the last Drain and starts anew; ok is
// false when that is nothing.
func (s *Series) Drain() (st Statistics, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, s.pending = s.pending, Statistics{}
	return st, st.Count > 0
}

// Meter is the set of series of one server. A nil *Meter hands out series that
// measure nothing.
type Meter struct {
	mu     sync.RWMutex
	series map[string]*Series
}

// New returns an empty Meter.
func New() *Meter { return &Meter{series: map[string]*Series{}} }

// Series returns the series with the given identity, creating it on first use.
// Keep the result: looking it up costs more than observing.
func (m *Meter) Series(namespace, name, unit string, dims ...Dimension) *Series {
	if m == nil {
		return nil
	}
	dims = slices.Clone(dims)
	slices.SortFunc(dims, func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	id := identity(namespace, name, unit, dims)
	m.mu.RLock()
	s, ok := m.series[id]
	m.mu.RUnlock()
	if ok {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok = m.series[id]; ok {
		return s
	}
	s = &Series{Namespace: namespace, Name: name, Unit: unit, Dimensions: dims}
	m.series[id] = s
	return s
}

// Each calls f for every series, in no particular order.
func (m *Meter) Each(f func(*Series)) {
	m.mu.RLock()
	all := make([]*Series, 0, len(m.series))
	for _, s := range m.series {
		all = append(all, s)
	}
	m.mu.RUnlock()
	for _, s := range all {
		f(s)
	}
}

// Forget drops the series that have the given dimension, for example those of a
// stream that was deleted.
func (m *Meter) Forget(namespace string, dim Dimension) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range m.series {
		if s.Namespace == namespace && slices.Contains(s.Dimensions, dim) {
			delete(m.series, id)
		}
	}
}

func identity(namespace, name, unit string, dims []Dimension) string {
	var b strings.Builder
	for _, part := range []string{namespace, name, unit} {
		b.WriteString(part)
		b.WriteByte(0)
	}
	for _, d := range dims {
		b.WriteString(d.Name)
		b.WriteByte(0)
		b.WriteString(d.Value)
		b.WriteByte(0)
	}
	return b.String()
}
