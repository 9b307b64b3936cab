package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// StatisticsQuery asks for statistics of one metric, see [Metrics.Statistics].
type StatisticsQuery struct {
	ID
	Unit       string // "" means all units
	Start, End time.Time
	Period     int64 // seconds
	Statistics []string
	Extended   []string
}

// Datapoint is the statistics of one metric in one unit and period; Time is the
// period's start. A statistic that cannot be computed is not in Values.
type Datapoint struct {
	Time   time.Time
	Unit   string
	Values map[string]float64
}

const maxDatapoints = 1440

// maxExtended is how many percentiles and the like a request can ask for.
const maxExtended = 10

func (q *StatisticsQuery) check() ([]Stat, error) {
	if err := checkNamespace(q.Namespace); err != nil {
		return nil, err
	}
	if err := checkText("MetricName", q.Name, maxNameLength); err != nil {
		return nil, err
	}
	if err := checkDimensions("", q.Dimensions); err != nil {
		return nil, err
	}
	if q.Unit != "" && !slices.Contains(Units, q.Unit) {
		return nil, errorf(InvalidValue, "The parameter Unit must be a value in the set [ %s ].", strings.Join(Units, ", "))
	}
	if len(q.Statistics) > 0 && len(q.Extended) > 0 {
		return nil, errorf(InvalidCombination, "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	}
	if len(q.Statistics) == 0 && len(q.Extended) == 0 {
		return nil, errorf(MissingParameter, "Must specify either Statistics or ExtendedStatistics")
	}
	if len(q.Statistics) > len(Statistics) {
		return nil, errorf(InvalidValue, "The collection Statistics must not have a size greater than %d.", len(Statistics))
	}
	if len(q.Extended) > maxExtended {
		return nil, errorf(InvalidValue, "The collection ExtendedStatistics must not have a size greater than %d.", maxExtended)
	}
	if q.Start.IsZero() || q.End.IsZero() {
		return nil, errorf(MissingParameter, "The parameters StartTime and EndTime are required.")
	}
	if err := checkPeriod("Period", q.Period); err != nil {
		return nil, err
	}
	if !q.Start.Before(q.End) {
		return nil, errorf(InvalidValue, "The parameter StartTime must be less than the parameter EndTime.")
	}
	if n := (int64(q.End.Sub(q.Start)/time.Second) + q.Period - 1) / q.Period; n > maxDatapoints {
		return nil, errorf(InvalidCombination, "You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxDatapoints)
	}
	return q.stats()
}

func (q *StatisticsQuery) stats() ([]Stat, error) {
	var stats []Stat
	for i, name := range q.Statistics {
		s, ok := simpleStats[name]
		if !ok {
			return nil, errorf(InvalidValue, "The parameter Statistics.member.%d must be a value in the set [ %s ].", i+1, strings.Join(Statistics, ", "))
		}
		stats = append(stats, s)
	}
	for i, name := range q.Extended {
		s, ok := ParseStat(name)
		if !ok || !s.extended() {
			return nil, errorf(InvalidValue, "The value %s for parameter ExtendedStatistics.member.%d is not supported.", name, i+1)
		}
		stats = append(stats, s)
	}
	return stats, nil
}

// checkPeriod refuses a period that is neither one of the short ones nor a
// multiple of a minute.
func checkPeriod(parameter string, period int64) error {
	if slices.Contains([]int64{1, 5, 10, 20, 30}, period) || period > 0 && period%60 == 0 {
		return nil
	}
	return errorf(InvalidValue, "The parameter %s must be 1, 5, 10, 20, 30, or any multiple of 60.", parameter)
}

// Statistics returns what was asked for, in order of time; a period without data
// has no datapoint, and a metric published in several units has one datapoint
// per unit and period.
func (m *Metrics) Statistics(ctx context.Context, q StatisticsQuery) ([]Datapoint, error) {
	stats, err := q.check()
	if err != nil {
		return nil, err
	}
	w, ok := readWindow(q.Start, q.End, q.Period, time.Now())
	if !ok {
		return nil, nil
	}
	var all []Datapoint
	for _, s := range m.index.units(q.key()) {
		if q.Unit != "" && q.Unit != s.unit {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		points, err := m.points(s, w)
		if err != nil {
			return nil, fmt.Errorf("statistics of %s: %w", q.Name, err)
		}
		for _, p := range points {
			all = append(all, datapoint(p, s.unit, stats))
		}
	}
	slices.SortStableFunc(all, func(a, b Datapoint) int { return a.Time.Compare(b.Time) })
	return all, nil
}

func datapoint(p point, unit string, stats []Stat) Datapoint {
	d := Datapoint{Time: time.Unix(p.start, 0).UTC(), Unit: unit, Values: make(map[string]float64, len(stats))}
	for _, s := range stats {
		if v, ok := s.of(p.bucket); ok {
			d.Values[s.name] = v
		}
	}
	return d
}
