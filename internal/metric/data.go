package metric

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DataQuery asks for one statistic of one metric as a series of values.
type DataQuery struct {
	ID         string // names the result
	Metric     ID
	Period     int64 // seconds
	Stat       string
	Unit       string // "" means whichever the metric has
	Label      string // "" means one made of the metric's name
	Hidden     bool   // ReturnData false: not among the results
	Expression string // metric math, refused
}

// DataRequest is a set of queries over one span of time.
type DataRequest struct {
	Queries       []DataQuery
	Start, End    time.Time
	Ascending     bool // oldest value first
	MaxDatapoints int  // 0 means 100,800
	Token         string
	Zone          *time.Location // of times in labels; nil means UTC
}

// DataResult is the answer to one query. Times and Values are parallel; a time is
// the start of its period.
type DataResult struct {
	ID, Label string
	Times     []time.Time
	Values    []float64
	Unit      string // "" when there is no data
	Partial   bool   // the rest follows on the next page
	Messages  []DataMessage
}

// DataMessage tells something about a result, for example that the metric has
// several units.
type DataMessage struct{ Code, Value string }

const (
	maxQueries        = 500
	maxDataPage       = 100_800
	multipleUnitsCode = "MultipleUnits"
)

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// Data answers queries, at most MaxDatapoints values at a time; token asks for
// the following ones and is "" after the last. A page holds the results that it
// completes and the one that it cuts; those before are not repeated.
func (m *Metrics) Data(ctx context.Context, req DataRequest) (results []DataResult, token string, err error) {
	stats, err := req.check()
	if err != nil {
		return nil, "", err
	}
	from, err := parseCursor(req.Token, len(req.Queries))
	if err != nil {
		return nil, "", err
	}
	room := req.MaxDatapoints
	if room == 0 {
		room = maxDataPage
	}
	now := time.Now()
	labels := defaultLabels(req.Queries)
	for i := from.query; i < len(req.Queries); i++ {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		if req.Queries[i].Hidden {
			continue
		}
		r, err := m.answer(&req, i, stats[i], labels[i], now)
		if err != nil {
			return nil, "", err
		}
		if i == from.query {
			r.skipTo(from.after, req.Ascending)
		}
		if len(r.Times) > room {
			if room == 0 {
				return results, cursor{query: i}.String(), nil
			}
			r.cut(room)
			return append(results, r), cursor{i, r.Times[room-1].Unix()}.String(), nil
		}
		room -= len(r.Times)
		results = append(results, r)
	}
	return results, "", nil
}

func (r *DataResult) cut(n int) {
	r.Times, r.Values, r.Partial = r.Times[:n], r.Values[:n], true
}

// skipTo drops the values up to the one at Unix second after.
func (r *DataResult) skipTo(after int64, ascending bool) {
	if after == 0 {
		return
	}
	i := 0
	for i < len(r.Times) && (r.Times[i].Unix() <= after) == ascending || i < len(r.Times) && r.Times[i].Unix() == after {
		i++
	}
	r.Times, r.Values = r.Times[i:], r.Values[i:]
}

func (m *Metrics) answer(req *DataRequest, i int, stat Stat, label string, now time.Time) (DataResult, error) {
	q := &req.Queries[i]
	r := DataResult{ID: q.ID}
	w, ok := readWindow(req.Start, req.End, q.Period, now)
	if ok {
		points, units, err := m.pointsOfUnit(q.Metric.key(), q.Unit, w)
		if err != nil {
			return r, fmt.Errorf("data of query %s: %w", q.ID, err)
		}
		for _, p := range points {
			if v, ok := stat.of(p.bucket); ok {
				r.Times = append(r.Times, time.Unix(p.start, 0).UTC())
				r.Values = append(r.Values, v)
			}
		}
		if len(units) > 0 {
			r.Unit = units[0]
		}
		if len(units) > 1 {
			r.Messages = []DataMessage{{multipleUnitsCode, fmt.Sprintf("Multiple units returned: '[%s]'", strings.Join(units, ", "))}}
		}
	}
	r.Label = label
	if q.Label != "" {
		r.Label = expandLabel(q, &r, label, req.Zone)
	}
	if !req.Ascending {
		slices.Reverse(r.Times)
		slices.Reverse(r.Values)
	}
	return r, nil
}

// pointsOfUnit reads a metric in one unit. When none is asked for and several
// have data, the first in alphabetical order is taken and all are named.
func (m *Metrics) pointsOfUnit(key, unit string, w window) (points []point, units []string, err error) {
	for _, s := range m.index.units(key) {
		if unit != "" && unit != s.unit {
			continue
		}
		p, err := m.points(s, w)
		if err != nil {
			return nil, nil, err
		}
		if len(p) == 0 {
			continue
		}
		if len(units) == 0 {
			points = p
		}
		units = append(units, s.unit)
	}
	return points, units, nil
}

func (req *DataRequest) check() ([]Stat, error) {
	if len(req.Queries) == 0 {
		return nil, errorf(Validation, "The parameter MetricDataQueries is required.")
	}
	if len(req.Queries) > maxQueries {
		return nil, errorf(Validation, "The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	}
	if req.Start.IsZero() || req.End.IsZero() {
		return nil, errorf(Validation, "The parameters StartTime and EndTime are required.")
	}
	switch start, end := req.Start.Unix(), req.End.Unix(); {
	case start == end:
		return nil, errorf(Validation, "The parameter StartTime must not equal parameter EndTime.")
	case start > end:
		return nil, errorf(Validation, "The parameter EndTime must be greater than StartTime.")
	}
	if req.MaxDatapoints < 0 || req.MaxDatapoints > maxDataPage {
		return nil, errorf(Validation, "The parameter MaxDatapoints must be between 1 and %d.", maxDataPage)
	}
	seen := make(map[string]bool, len(req.Queries))
	stats := make([]Stat, len(req.Queries))
	for i := range req.Queries {
		q := &req.Queries[i]
		path := fmt.Sprintf("MetricDataQueries.member.%d.", i+1)
		var err error
		if stats[i], err = q.check(path); err != nil {
			return nil, err
		}
		if seen[q.ID] {
			return nil, errorf(Validation, "The values for parameter Id in MetricDataQueries are not unique.")
		}
		seen[q.ID] = true
	}
	return stats, nil
}

func (q *DataQuery) check(path string) (Stat, error) {
	if len(q.ID) > maxNameLength || !queryID.MatchString(q.ID) {
		return Stat{}, errorf(Validation, "The value %s for parameter %sId is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", q.ID, path)
	}
	if q.Expression != "" {
		return Stat{}, errorf(Validation, "Metric math is not implemented: the parameter %sExpression must not be given.", path)
	}
	if err := checkLabel(path, q.Label); err != nil {
		return Stat{}, err
	}
	if q.Stat == "" && q.Period == 0 && q.Metric.Name == "" && q.Metric.Namespace == "" {
		return Stat{}, errorf(Validation, "The parameter %sMetricStat is required.", path)
	}
	path += "MetricStat."
	stat, ok := ParseStat(q.Stat)
	if !ok {
		return Stat{}, errorf(Validation, "The value %s for parameter %sStat is not supported.", q.Stat, path)
	}
	if q.Unit != "" && !slices.Contains(Units, q.Unit) {
		return Stat{}, errorf(Validation, "The parameter %sUnit must be a value in the set [ %s ].", path, strings.Join(Units, ", "))
	}
	for _, err := range []error{
		checkNamespace(q.Metric.Namespace),
		checkText(path+"Metric.MetricName", q.Metric.Name, maxNameLength),
		checkDimensions(path+"Metric.", q.Metric.Dimensions),
		checkPeriod(path+"Period", q.Period),
	} {
		if err != nil {
			return Stat{}, err
		}
	}
	return stat, nil
}

// cursor is where a page ends: inside a query's values, or before them when after
// is 0.
type cursor struct {
	query int
	after int64 // Unix second of the last value that was given
}

func (c cursor) String() string {
	return base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", c.query, c.after))
}

func parseCursor(token string, queries int) (c cursor, err error) {
	if token == "" {
		return cursor{}, nil
	}
	text, err := base64.URLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d.%d", &c.query, &c.after)
	}
	if err != nil || c.query < 0 || c.query >= queries {
		return cursor{}, errorf(InvalidToken, "The value %s for parameter NextToken is invalid.", token)
	}
	return c, nil
}
