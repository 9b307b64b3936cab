package console

import (
	"encoding/json"
	"math"
	"sync"
	"time"
)

const (
	// stepLength is the time that one point of a sparkline stands for.
	stepLength = 2 * time.Second
	// historyLength is the number of points of a sparkline: five minutes.
	historyLength = 150
	// rateWindow is the time over which the rates that pages show are averaged.
	rateWindow = 5 * time.Second
	// maxRemovals bounds how many removals are remembered; a viewer that missed
	// older ones is sent everything.
	maxRemovals = 512
)

// Points are the two figures of a resource that have a history: for streams
// records and bytes per second, for functions invocations and errors, for tables
// writes and reads, for mappings records per second and the iterator age in
// milliseconds.
type Points [2]float32

// Update is what an event stream sends. Lists are by kind ("streams", ...) and
// then by name; Points end at Step, and what is missing in them is zero.
type Update struct {
	Step   uint64                                `json:"step"`
	Full   bool                                  `json:"full,omitempty"` // Put is all there is
	Put    map[string]map[string]json.RawMessage `json:"put,omitempty"`
	Gone   map[string][]string                   `json:"gone,omitempty"`
	Points map[string]map[string][]Points        `json:"points,omitempty"`
}

// observed is one reading of one resource.
type observed struct {
	id string
	// totals are counters whose rates make the points.
	totals [2]float64
	// level replaces the second point when the kind has a gauge there.
	level *float64
	// view returns what is sent, given the rates of totals per second.
	view func(rates [2]float64) any
}

// state is what all pages show, as of the last reading, with enough memory of
// changes to tell a viewer what is new since its last update.
type state struct {
	start time.Time

	mu       sync.Mutex
	tick     uint64 // number of the last change
	step     uint64
	stepTime time.Time
	readTime time.Time // of the last reading; zero before the first
	kinds    map[string]map[string]*entry
	removals []removal // oldest first
	forgot   uint64    // tick of the newest removal that was dropped from removals
	changed  chan struct{}
	ready    chan struct{} // closed by the first reading
}

type entry struct {
	view       json.RawMessage
	tick       uint64   // when view changed last
	samples    []sample // of the last rateWindow, oldest first
	stepTotals [2]float64
	level      *float64
	history    []Points // ends at state.step
	lively     uint64   // last step whose points are not zero
}

type sample struct {
	at     time.Time
	totals [2]float64
}

type removal struct {
	tick     uint64
	kind, id string
}

func newState(now time.Time) *state {
	return &state{
		start:    now,
		stepTime: now,
		tick:     1, // 0 is the position of a viewer who knows nothing
		kinds:    map[string]map[string]*entry{},
		changed:  make(chan struct{}),
		ready:    make(chan struct{}),
	}
}

// apply takes a complete reading of the given kinds; kinds that are not in it
// stay as they are.
func (s *state) apply(now time.Time, reading map[string][]observed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.tick + 1
	changed := false
	for kind, list := range reading {
		c, err := s.applyKind(now, next, kind, list)
		if err != nil {
			return err
		}
		changed = changed || c
	}
	if s.advance(now) {
		changed = true
	}
	s.readTime = now
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
	if !changed {
		return nil
	}
	s.tick = next
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *state) applyKind(now time.Time, tick uint64, kind string, list []observed) (changed bool, err error) {
	entries := s.kinds[kind]
	if entries == nil {
		entries = map[string]*entry{}
		s.kinds[kind] = entries
	}
	present := make(map[string]bool, len(list))
	for _, o := range list {
		present[o.id] = true
		e := entries[o.id]
		if e == nil {
			e = s.newEntry(o)
			entries[o.id] = e
		}
		e.level = o.level
		view, err := json.Marshal(o.view(e.rates(now, o.totals)))
		if err != nil {
			return changed, err
		}
		if string(view) != string(e.view) {
			e.view, e.tick, changed = view, tick, true
		}
	}
	for id := range entries {
		if !present[id] {
			delete(entries, id)
			s.remember(removal{tick, kind, id})
			changed = true
		}
	}
	return changed, nil
}

// newEntry starts the figures of a resource that was not there before. Totals of
// the first reading are what happened before anybody looked; later ones began at
// zero after the last reading.
func (s *state) newEntry(o observed) *entry {
	if s.readTime.IsZero() {
		return &entry{stepTotals: o.totals}
	}
	return &entry{samples: []sample{{at: s.readTime}}}
}

func (s *state) remember(r removal) {
	if len(s.removals) == maxRemovals {
		s.forgot = s.removals[0].tick
		s.removals = append(s.removals[:0], s.removals[1:]...)
	}
	s.removals = append(s.removals, r)
}

// rates adds a sample and returns the rates per second over rateWindow.
func (e *entry) rates(now time.Time, totals [2]float64) (perSecond [2]float64) {
	if n := len(e.samples); n > 0 && (totals[0] < e.samples[n-1].totals[0] || totals[1] < e.samples[n-1].totals[1]) {
		e.samples = e.samples[:0] // counters started anew: deleted and created again
		e.stepTotals = totals
	}
	e.samples = append(e.samples, sample{now, totals})
	// One sample at or before the start of the window is kept to measure from.
	for len(e.samples) > 2 && now.Sub(e.samples[1].at) >= rateWindow {
		e.samples = append(e.samples[:0], e.samples[1:]...)
	}
	elapsed := now.Sub(e.samples[0].at).Seconds()
	if elapsed <= 0 {
		return perSecond
	}
	for i := range perSecond {
		perSecond[i] = round3((totals[i] - e.samples[0].totals[i]) / elapsed)
	}
	return perSecond
}

// advance adds the points of the steps that ended since the last call and
// reports whether a history that is not all zero has moved.
func (s *state) advance(now time.Time) (moved bool) {
	target := uint64(now.Sub(s.start) / stepLength)
	if target == s.step {
		return false
	}
	elapsed := now.Sub(s.stepTime).Seconds()
	steps := min(target-s.step, historyLength)
	s.step, s.stepTime = target, now
	for _, entries := range s.kinds {
		for _, e := range entries {
			p := e.point(elapsed)
			for range steps {
				e.history = append(e.history, p)
			}
			if over := len(e.history) - historyLength; over > 0 {
				e.history = append(e.history[:0], e.history[over:]...)
			}
			if p != (Points{}) {
				e.lively = target
			}
			moved = moved || e.lively != 0 && target-e.lively <= historyLength
		}
	}
	return moved
}

func (e *entry) point(elapsed float64) (p Points) {
	if n := len(e.samples); n > 0 && elapsed > 0 {
		totals := e.samples[n-1].totals
		for i := range p {
			p[i] = float32(round3((totals[i] - e.stepTotals[i]) / elapsed))
		}
		e.stepTotals = totals
	}
	if e.level != nil {
		p[1] = float32(round3(*e.level))
	}
	return p
}

// round3 keeps three significant digits: what is shown does not change more
// often than a reader could see, so less is sent.
func round3(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// position is how far a viewer has been told.
type position struct{ tick, step uint64 }

// since returns what is new after p, a channel that is closed when there is
// more, and the position after the update. The zero position gets everything.
func (s *state) since(p position) (u Update, next position, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := p.tick == 0 || p.tick < s.forgot
	u = Update{
		Step:   s.step,
		Full:   full,
		Put:    map[string]map[string]json.RawMessage{},
		Gone:   map[string][]string{},
		Points: map[string]map[string][]Points{},
	}
	steps := int(min(s.step-p.step, historyLength))
	if full {
		steps = historyLength
	}
	for kind, entries := range s.kinds {
		for id, e := range entries {
			if full || e.tick > p.tick {
				put(u.Put, kind, id, e.view)
			}
			if tail := e.history[max(0, len(e.history)-steps):]; !allZero(tail) {
				put(u.Points, kind, id, append([]Points(nil), tail...))
			}
		}
	}
	for _, r := range s.removals {
		if !full && r.tick > p.tick && s.kinds[r.kind][r.id] == nil {
			u.Gone[r.kind] = append(u.Gone[r.kind], r.id)
		}
	}
	return u, position{s.tick, s.step}, s.changed
}

func put[V any](m map[string]map[string]V, kind, id string, v V) {
	if m[kind] == nil {
		m[kind] = map[string]V{}
	}
	m[kind][id] = v
}

func allZero(points []Points) bool {
	for _, p := range points {
		if p != (Points{}) {
			return false
		}
	}
	return true
}
