package metric

import (
	"fmt"
	"time"
)

// extraPeriods is how many periods more than it needs an alarm looks back, so
// that late and sparse data still count. The service does not publish its
// formula; its documented example has 3 periods and looks at 5.
const extraPeriods = 2

// sample is the statistic of one period.
type sample struct {
	start   int64 // Unix second
	missing bool
	value   float64
	count   float64 // of observations
	final   bool    // further data of the period cannot turn it around the threshold
	low     bool    // too few observations for the percentile
}

// verdict is the outcome of an evaluation.
type verdict struct {
	state  string   // "" keeps the state
	used   []sample // the samples that were judged, newest first, none missing
	newest int64    // start of the newest period, with data or not, Unix second
	filled int      // periods without data that were judged instead
}

// judge decides over the samples of the evaluation range, newest first.
func (a *Alarm) judge(samples []sample) verdict {
	n, m := int(a.EvaluationPeriods), a.needed()
	v := verdict{newest: samples[0].start}
	breaching, oldestBreach := 0, 0 // the position counts from 1, the newest
	for i, s := range samples {
		if s.missing || len(v.used) == n {
			continue
		}
		v.used = append(v.used, s)
		if a.breaches(s.value) {
			breaching++
			oldestBreach = i + 1
		}
	}
	treat := a.treat()
	missing := n - len(v.used)
	switch {
	case missing > 0 && treat == treatBreaching:
		v.filled = missing
		v.state = stateIf(breaching+missing >= m)
	case missing > 0 && treat == treatNotBreaching:
		v.filled = missing
		v.state = stateIf(breaching >= m)
	case missing == n && treat == treatMissing:
		v.state = StateInsufficientData
	case missing == n:
		// ignore keeps the state
	case missing == 0 || breaching >= m || breaching < len(v.used):
		v.state = stateIf(breaching >= m)
	case treat == treatMissing && oldestBreach >= m:
		// All there is breaches, and the oldest of it is so old that it would be
		// enough had the periods since then breached: do not wait for more.
		v.state = StateAlarm
	}
	if len(v.used) > 0 && v.used[0].low && a.LowSampleCount == "ignore" {
		v.state = ""
	}
	return v
}

func stateIf(alarm bool) string {
	if alarm {
		return StateAlarm
	}
	return StateOK
}

// evaluateFull judges an alarm on the periods that are over.
func (m *Metrics) evaluateFull(a *Alarm, now time.Time) (verdict, error) {
	samples, err := m.samples(a, now.Unix()-now.Unix()%a.grain())
	if err != nil {
		return verdict{}, err
	}
	return a.judge(samples), nil
}

// evaluate judges an alarm on what is known now.
//
// The running period is looked at too, and counts when further data cannot turn
// it around: a sum that is over its limit stays so, one that is not yet over it
// may still get there. A statistic that can go either way, such as an average,
// counts at once. Otherwise the last full period is the newest.
func (m *Metrics) evaluate(a *Alarm, now time.Time) (verdict, error) {
	end := now.Unix() - now.Unix()%a.grain()
	samples, err := m.samples(a, end+a.grain())
	if err != nil {
		return verdict{}, err
	}
	if newest := samples[0]; !newest.missing && newest.final {
		return a.judge(samples), nil
	}
	return m.evaluateFull(a, now)
}

// samples reads the evaluation range that ends at a Unix second, newest first.
func (m *Metrics) samples(a *Alarm, end int64) ([]sample, error) {
	n := a.EvaluationPeriods + extraPeriods
	w := window{end - n*a.Period, end, a.Period}
	points, _, err := m.pointsOfUnit(a.Metric.key(), a.Unit, w)
	if err != nil {
		return nil, fmt.Errorf("evaluate alarm %s: %w", a.Name, err)
	}
	samples := make([]sample, n)
	for i := range samples {
		samples[i] = sample{start: end - int64(i+1)*a.Period, missing: true}
	}
	stat := a.stat()
	for _, p := range points {
		s := &samples[(end-p.start)/a.Period-1]
		if v, ok := stat.of(p.bucket); ok {
			s.missing, s.value, s.count = false, v, p.count
			s.final = a.final(stat, p.bucket, v)
			s.low = lowSampleCount(stat, p.count)
		}
	}
	return samples, nil
}

// final reports whether further data of the period cannot carry the value across
// the threshold, or could carry any value across it, so that waiting is no use.
func (a *Alarm) final(stat Stat, b *bucket, v float64) bool {
	grows := stat.grows && !(stat.name == "Sum" && b.min < 0)
	above := comparisons[a.Comparison].above
	switch {
	case grows:
		return a.breaches(v) == above
	case stat.shrinks:
		return a.breaches(v) != above
	default:
		return true
	}
}

// lowSampleCount reports whether a percentile of so few observations is not
// significant.
func lowSampleCount(stat Stat, count float64) bool {
	p, ok := stat.percentile()
	if !ok {
		return false
	}
	return count < 10/max(min(p, 1-p), 1e-12)
}
