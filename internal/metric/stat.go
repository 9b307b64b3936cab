package metric

import (
	"regexp"
	"strconv"
	"strings"
)

// Stat is a statistic that can be computed of a bucket, for example Average or
// TM(10%:90%).
type Stat struct {
	name string
	of   func(*bucket) (float64, bool)
	// grows and shrinks tell how the statistic of a period moves while further
	// data of the same period arrive: both false when it can go either way.
	grows, shrinks bool
}

// Name returns the statistic as it was asked for.
func (s Stat) Name() string { return s.name }

// extended reports whether the statistic is none of the five simple ones.
func (s Stat) extended() bool { _, simple := simpleStats[s.name]; return !simple }

// percentile returns p of a pNN statistic as a fraction.
func (s Stat) percentile() (p float64, ok bool) {
	if !strings.HasPrefix(s.name, "p") {
		return 0, false
	}
	p, err := strconv.ParseFloat(s.name[1:], 64)
	return p / 100, err == nil
}

var simpleStats = map[string]Stat{
	"SampleCount": {name: "SampleCount", grows: true, of: func(b *bucket) (float64, bool) { return b.count, true }},
	"Sum":         {name: "Sum", grows: true, of: func(b *bucket) (float64, bool) { return b.sum, true }},
	"Average":     {name: "Average", of: func(b *bucket) (float64, bool) { return b.sum / b.count, b.count > 0 }},
	"Minimum":     {name: "Minimum", shrinks: true, of: func(b *bucket) (float64, bool) { return b.min, true }},
	"Maximum":     {name: "Maximum", grows: true, of: func(b *bucket) (float64, bool) { return b.max, true }},
}

// Statistics are the names of the simple statistics, in the order of the model.
var Statistics = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}

// bound is one end of a range: absent, a number or a percentage.
const bound = `(?:-?\d+(?:\.\d+)?%?)?`

var (
	shortStat = regexp.MustCompile(`^(p|tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)$`)
	rangeStat = regexp.MustCompile(`^(TM|WM|TC|TS|PR)\((` + bound + `):(` + bound + `)\)$`)
)

// ParseStat understands the names of simple and extended statistics. ok is false
// for anything else.
func ParseStat(name string) (s Stat, ok bool) {
	if s, ok := simpleStats[name]; ok {
		return s, true
	}
	if name == "IQM" {
		return rangeStatistic(name, "TM", bounds{low: 0.25, high: 0.75, relative: true}), true
	}
	if m := shortStat.FindStringSubmatch(name); m != nil {
		p, err := strconv.ParseFloat(m[2], 64)
		if err != nil || p > 100 {
			return Stat{}, false
		}
		if m[1] == "p" {
			return percentileStatistic(name, p/100), true
		}
		return rangeStatistic(name, strings.ToUpper(m[1]), bounds{low: 0, high: p / 100, relative: true}), true
	}
	m := rangeStat.FindStringSubmatch(name)
	if m == nil {
		return Stat{}, false
	}
	r, ok := parseBounds(m[2], m[3])
	if !ok || m[1] == "PR" && r.relative {
		return Stat{}, false
	}
	return rangeStatistic(name, m[1], r), true
}

func percentileStatistic(name string, p float64) Stat {
	return Stat{name: name, of: func(b *bucket) (float64, bool) {
		if b.values.empty() {
			return 0, false
		}
		return min(max(quantile(b.values.sorted(), p), b.min), b.max), true
	}}
}

func rangeStatistic(name, kind string, r bounds) Stat {
	return Stat{name: name, of: func(b *bucket) (float64, bool) {
		if b.values.empty() {
			return 0, false
		}
		values := b.values.sorted()
		in := r.inside(values)
		switch kind {
		case "TC":
			return in.weight, true
		case "TS":
			return in.sum, true
		case "PR":
			return 100 * in.weight / b.count, true
		case "WM":
			return r.winsorized(values), true
		default: // TM
			return in.sum / in.weight, in.weight > 0
		}
	}}
}

// bounds select part of a distribution: by share of the observations (low and
// high from 0 to 1), or by value, then without low and including high.
type bounds struct {
	low, high         float64
	relative          bool
	openLow, openHigh bool // by value: no bound on that side
}

func parseBounds(low, high string) (r bounds, ok bool) {
	lowPercent, highPercent := strings.HasSuffix(low, "%"), strings.HasSuffix(high, "%")
	if low == "" && high == "" || low != "" && high != "" && lowPercent != highPercent {
		return bounds{}, false
	}
	r.relative = lowPercent || highPercent
	r.high = 1
	var err error
	if r.openLow = low == ""; !r.openLow {
		if r.low, err = strconv.ParseFloat(strings.TrimSuffix(low, "%"), 64); err != nil {
			return bounds{}, false
		}
	}
	if r.openHigh = high == ""; !r.openHigh {
		if r.high, err = strconv.ParseFloat(strings.TrimSuffix(high, "%"), 64); err != nil {
			return bounds{}, false
		}
	}
	if !r.relative {
		return r, r.openLow || r.openHigh || r.low < r.high
	}
	if !r.openLow {
		r.low /= 100
	}
	if !r.openHigh {
		r.high /= 100
	}
	return r, r.low >= 0 && r.low < r.high && r.high <= 1
}

type selection struct{ weight, sum float64 }

func (r bounds) inside(values []weighted) selection {
	if r.relative {
		return r.insideShare(values)
	}
	var in selection
	for _, w := range values {
		if (r.openLow || w.value > r.low) && (r.openHigh || w.value <= r.high) {
			in.weight += w.weight
			in.sum += w.value * w.weight
		}
	}
	return in
}

// insideShare cuts the observations between two shares of their number; an
// observation on a cut counts in part, so that few samples do not vanish.
func (r bounds) insideShare(values []weighted) selection {
	total := totalWeight(values)
	from, to := r.low*total, r.high*total
	var in selection
	passed := 0.0
	for _, w := range values {
		if weight := min(passed+w.weight, to) - max(passed, from); weight > 0 {
			in.weight += weight
			in.sum += w.value * weight
		}
		passed += w.weight
	}
	return in
}

// winsorized is the mean with the values outside the bounds moved to them.
func (r bounds) winsorized(values []weighted) float64 {
	low, high := r.low, r.high
	first, last := values[0].value, values[len(values)-1].value
	switch {
	case r.relative:
		low, high = first, quantile(values, r.high)
		if r.low > 0 {
			low = quantile(values, r.low)
		}
	default:
		if r.openLow {
			low = first
		}
		if r.openHigh {
			high = last
		}
	}
	sum := 0.0
	for _, w := range values {
		sum += min(max(w.value, low), high) * w.weight
	}
	return sum / totalWeight(values)
}

// quantile is the smallest value that at least the share q of the observations
// does not exceed (nearest rank).
func quantile(values []weighted, q float64) float64 {
	rank := q * totalWeight(values)
	passed := 0.0
	for _, w := range values {
		passed += w.weight
		// A share such as 0.9 of 10 comes out a hair above 9.
		if passed*(1+1e-12) >= rank {
			return w.value
		}
	}
	return values[len(values)-1].value
}

func totalWeight(values []weighted) float64 {
	total := 0.0
	for _, w := range values {
		total += w.weight
	}
	return total
}
