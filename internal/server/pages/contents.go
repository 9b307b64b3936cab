package pages

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/metric"
	"github.com/weirstream/weir/internal/stack"
)

type alarms struct{ Domains }

func (a alarms) Alarms(ctx context.Context) ([]console.Alarm, error) {
	var out []console.Alarm
	for token := ""; ; {
		found, next, err := a.Domains.Alarms.Describe(ctx, metric.AlarmFilter{Limit: 100, Token: token})
		if err != nil {
			return nil, err
		}
		for _, st := range found {
			out = append(out, alarm(st))
		}
		if token = next; token == "" {
			return out, nil
		}
	}
}

func alarm(st metric.Status) console.Alarm {
	statistic := st.Statistic
	if statistic == "" {
		statistic = st.ExtendedStatistic
	}
	datapoints := st.DatapointsToAlarm
	if datapoints == 0 {
		datapoints = st.EvaluationPeriods
	}
	return console.Alarm{
		Name: st.Alarm.Name, ARN: st.ARN, Description: st.Description, State: st.Value, Reason: st.Reason, Since: st.Transitioned,
		Namespace: st.Metric.Namespace, Metric: st.Metric.Name, Dimensions: dimensions(st.Metric.Dimensions), Statistic: statistic,
		PeriodSeconds: int(st.Period), EvaluationPeriods: int(st.EvaluationPeriods), DatapointsToAlarm: int(datapoints),
		Comparison: st.Comparison, Threshold: st.Threshold, TreatMissing: st.TreatMissingData, ActionsEnabled: st.ActionsEnabled,
		AlarmActions: st.AlarmActions, OKActions: st.OKActions, NoDataActions: st.InsufficientData,
	}
}

func dimensions(dims []metric.Dimension) []console.Dimension {
	out := make([]console.Dimension, len(dims))
	for i, d := range dims {
		out[i] = console.Dimension{Name: d.Name, Value: d.Value}
	}
	return out
}

func (a alarms) AlarmHistory(ctx context.Context, name string, limit int) ([]console.AlarmEvent, error) {
	if _, ok := a.Domains.Alarms.Get(name); !ok {
		return nil, fmt.Errorf("%w: alarm %q", console.ErrNotFound, name)
	}
	items, _, err := a.Domains.Alarms.History(ctx, metric.HistoryFilter{Alarm: name, Limit: limit})
	out := make([]console.AlarmEvent, len(items))
	for i, it := range items {
		out[i] = console.AlarmEvent{Time: it.Time, Kind: it.Type, Summary: it.Summary, Data: it.Data}
	}
	return out, err
}

type dashboards struct{ Domains }

func (d dashboards) Dashboards(context.Context) ([]console.Dashboard, error) {
	var out []console.Dashboard
	for _, b := range d.Domains.Dashboards.List("") {
		out = append(out, console.Dashboard{Name: b.Name, Modified: b.Modified, Bytes: len(b.Body)})
	}
	return out, nil
}

func (d dashboards) DashboardBody(_ context.Context, name string) (string, error) {
	b, err := d.Domains.Dashboards.Get(name)
	var e *metric.Error
	if errors.As(err, &e) {
		return "", fmt.Errorf("%w: dashboard %q", console.ErrNotFound, name)
	}
	return b.Body, err
}

type metrics struct{ Domains }

func (m metrics) Revision() uint64 { return m.Domains.Metrics.Revision() }

// Query answers each query by itself, so that what is wrong with one chart does
// not empty the others.
func (m metrics) Query(ctx context.Context, q console.MetricQueries) ([]console.MetricResult, error) {
	var out []console.MetricResult
	for _, one := range q.Queries {
		if one.Hidden {
			continue
		}
		id := metric.ID{Namespace: one.Namespace, Name: one.Metric}
		for _, d := range one.Dimensions {
			id.Dimensions = append(id.Dimensions, metric.Dimension{Name: d.Name, Value: d.Value})
		}
		results, _, err := m.Domains.Metrics.Data(ctx, metric.DataRequest{
			Start: time.Unix(q.Start, 0), End: time.Unix(q.End, 0), Ascending: true,
			Queries: []metric.DataQuery{{ID: "q", Metric: id, Period: int64(one.Period), Stat: one.Statistic, Label: one.Label, Expression: one.Expression}},
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var refused *metric.Error
		if errors.As(err, &refused) {
			out = append(out, console.MetricResult{ID: one.ID, Label: one.Label, Error: refused.Message})
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			out = append(out, metricResult(one.ID, r))
		}
	}
	return out, nil
}

func metricResult(id string, r metric.DataResult) console.MetricResult {
	res := console.MetricResult{ID: id, Label: r.Label, Unit: r.Unit, Values: r.Values, Times: make([]int64, len(r.Times))}
	for i, t := range r.Times {
		res.Times[i] = t.Unix()
	}
	return res
}

type logs struct{ Domains }

// logGroup returns where a function writes its log.
func (l logs) logGroup(name string) (string, error) {
	def, err := l.Domains.Functions.Get(name)
	if errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrInvalid) {
		return "", fmt.Errorf("%w: function %q", console.ErrNotFound, name)
	}
	return def.LogGroup, err
}

func (l logs) Tail(ctx context.Context, name, before string, limit int) ([]console.LogEvent, error) {
	group, err := l.logGroup(name)
	if err != nil {
		return nil, err
	}
	var position *function.LogPosition
	if before != "" {
		p, err := parsePosition(before)
		if err != nil {
			return nil, err
		}
		position = &p
	}
	events, err := l.Domains.Logs.Tail(ctx, group, position, limit)
	return logEvents(events), err
}

func (l logs) Follow(ctx context.Context, name, after string, emit func([]console.LogEvent) error) error {
	group, err := l.logGroup(name)
	if err != nil {
		return err
	}
	var next function.LogPosition
	if after != "" {
		p, err := parsePosition(after)
		if err != nil {
			return err
		}
		next = p.Next()
	}
	for e := range l.Domains.Logs.FollowFrom(ctx, group, next) {
		if err := emit(logEvents(e)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func logEvents(events []function.LogEvent) []console.LogEvent {
	out := make([]console.LogEvent, len(events))
	for i, e := range events {
		out[i] = console.LogEvent{ID: formatPosition(e.Position), Time: time.UnixMilli(e.Time), Stream: e.Stream, Message: e.Text}
	}
	return out
}

func formatPosition(p function.LogPosition) string {
	return strconv.FormatUint(p.Time, 10) + "-" + strconv.FormatUint(p.Sequence, 10)
}

func parsePosition(s string) (p function.LogPosition, err error) {
	t, n, _ := strings.Cut(s, "-")
	if p.Time, err = strconv.ParseUint(t, 10, 64); err == nil {
		p.Sequence, err = strconv.ParseUint(n, 10, 64)
	}
	if err != nil {
		return p, fmt.Errorf("%w: %q is no position in a log", console.ErrInvalid, s)
	}
	return p, nil
}

func (s stacks) Stack(_ context.Context, name string) (console.StackDetail, error) {
	d, err := s.Domains.Stacks.Describe(name)
	if errors.Is(err, stack.ErrNotFound) {
		return console.StackDetail{}, fmt.Errorf("%w: stack %q", console.ErrNotFound, name)
	}
	if err != nil {
		return console.StackDetail{}, err
	}
	out := console.StackDetail{Stack: console.Stack{
		Name: d.Name, Description: d.Description, Status: string(d.Status), Reason: d.Reason,
		Created: d.Created, Updated: d.Updated, Resources: len(d.Resources),
	}}
	for _, p := range d.Parameters {
		out.Parameters = append(out.Parameters, console.StackValue{Key: p.Key, Value: p.Value})
	}
	for _, o := range d.Outputs {
		value := console.StackValue{Key: o.Key, Value: o.Value, Description: o.Description, Export: o.ExportName}
		if o.ExportName != "" {
			value.ImportedBy = s.Domains.Stacks.Importers(o.ExportName)
		}
		out.Outputs = append(out.Outputs, value)
	}
	for _, name := range d.Imports {
		out.Imports = append(out.Imports, console.StackImport{Export: name, From: s.Domains.Stacks.Exporter(name)})
	}
	for _, r := range d.Resources {
		out.Members = append(out.Members, console.StackResource{LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, Status: string(r.Status), Updated: r.Changed})
	}
	events, err := s.Domains.Stacks.Events(name)
	for _, e := range events[:min(len(events), maxStackEvents)] {
		out.Events = append(out.Events, console.StackEvent{Time: e.Time, LogicalID: e.LogicalID, Type: e.ResourceType, Status: string(e.Status), Reason: e.Reason})
	}
	return out, err
}

// maxStackEvents is how many events a page shows of a stack.
const maxStackEvents = 200
