package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

func (f *fake) Tail(_ context.Context, function, before string, limit int) ([]LogEvent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.functions[function] == nil {
		return nil, fmt.Errorf("function %q: %w", function, ErrNotFound)
	}
	events := f.log[function]
	if i := slices.IndexFunc(events, func(e LogEvent) bool { return e.ID == before }); i >= 0 {
		events = events[:i]
	}
	return slices.Clone(events[max(0, len(events)-limit):]), nil
}

func (f *fake) Follow(ctx context.Context, function, after string, emit func([]LogEvent) error) error {
	for {
		f.mu.Lock()
		events, logged := f.log[function], f.logged
		events = slices.Clone(events[slices.IndexFunc(events, func(e LogEvent) bool { return e.ID == after })+1:])
		f.mu.Unlock()
		if len(events) > 0 {
			if err := emit(events); err != nil {
				return err
			}
			after = events[len(events)-1].ID
			continue
		}
		select {
		case <-logged:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) Revision() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revision
}

// Query knows the metrics of namespace EventCounter, by the hour.
func (f *fake) Query(_ context.Context, q MetricQueries) (results []MetricResult, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range q.Queries {
		r := MetricResult{ID: one.ID, Label: one.Label, Unit: "Count"}
		if r.Label == "" {
			r.Label = one.Metric
		}
		if one.Expression != "" {
			r.Error = "Metric math is not available."
			results = append(results, r)
			continue
		}
		sums := map[int64]float64{}
		for key, n := range f.counts {
			at, err := time.Parse(hourFormat, key[1])
			if err != nil {
				return nil, err
			}
			if key[0] == one.Metric && at.Unix() >= q.Start && at.Unix() < q.End {
				sums[at.Unix()-at.Unix()%int64(one.Period)] += float64(n)
			}
		}
		for at := range sums {
			r.Times = append(r.Times, at)
		}
		slices.Sort(r.Times)
		for _, at := range r.Times {
			r.Values = append(r.Values, sums[at])
		}
		results = append(results, r)
	}
	return results, nil
}

func (f *fake) Dashboards(context.Context) ([]Dashboard, error) {
	body, err := f.DashboardBody(context.Background(), "web-analytics")
	return []Dashboard{{Name: "web-analytics", Modified: f.started, Bytes: len(body)}}, err
}

func (f *fake) DashboardBody(_ context.Context, name string) (string, error) {
	if name != "web-analytics" {
		return "", fmt.Errorf("dashboard %q: %w", name, ErrNotFound)
	}
	var metrics [][]any
	for _, event := range []string{"page view", "asset", "feed", "download", "robots", "error"} {
		metrics = append(metrics, []any{"EventCounter", event})
	}
	widget := func(kind string, x, y, width, height int, properties map[string]any) map[string]any {
		return map[string]any{"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}
	}
	chart := func(title string, more map[string]any) map[string]any {
		p := map[string]any{"title": title, "metrics": metrics, "region": "us-east-1", "stat": "Sum", "period": 3600, "view": "timeSeries"}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	doc, err := json.Marshal(map[string]any{"start": "-PT84H", "widgets": []any{
		widget("text", 0, 0, 24, 2, map[string]any{"markdown": "# Web analytics\nRequests per **kind and hour**, counted from the stream " +
			"`web-analytics` by `count-events`. See [the table](/_weir/console/tables/event-counters)."}),
		widget("metric", 0, 2, 24, 7, chart("Events per hour", nil)),
		widget("metric", 0, 9, 6, 4, chart("Last hour", map[string]any{"view": "singleValue", "sparkline": true, "metrics": metrics[:2]})),
		widget("alarm", 6, 9, 8, 4, map[string]any{"title": "Alarms", "alarms": []string{f.alarms[0].ARN, f.alarms[1].ARN}}),
		widget("metric", 14, 9, 10, 4, chart("Events by kind", map[string]any{"view": "bar", "setPeriodToTimeRange": true})),
		widget("metric", 0, 13, 12, 6, chart("All events", map[string]any{"stacked": true})),
		widget("alarm", 0, 19, 24, 2, map[string]any{"title": "Alarms at a glance", "alarms": []string{f.alarms[0].ARN, f.alarms[1].ARN}}),
		widget("metric", 12, 13, 12, 6, chart("Errors", map[string]any{"metrics": metrics[5:], "annotations": map[string]any{
			"horizontal": []any{map[string]any{"value": 20, "label": "Alarm above 20", "color": "#d13212", "fill": "above"}}}})),
	}})
	return string(doc), err
}

func (f *fake) Stacks(context.Context) ([]Stack, error) {
	return []Stack{{Name: "web-analytics", Description: "Counts web events per kind and hour, and watches the counts",
		Status: "CREATE_COMPLETE", Created: f.started, Updated: f.started, Resources: 9}}, nil
}

func (f *fake) Stack(ctx context.Context, name string) (d StackDetail, err error) {
	stacks, err := f.Stacks(ctx)
	if err != nil || name != stacks[0].Name {
		return d, fmt.Errorf("stack %q: %w", name, ErrNotFound)
	}
	d.Stack = stacks[0]
	d.Parameters = []StackValue{{Key: "BucketMinutes", Value: "60"}, {Key: "AlertAddress", Value: "operator@example.com"}}
	d.Outputs = []StackValue{{Key: "StreamName", Value: "web-analytics", Description: "Put events here"},
		{Key: "TableName", Value: "event-counters", Description: "Counts per event and hour",
			Export: "web-analytics-counters", ImportedBy: []string{"reports"}}}
	d.Imports = []StackImport{{Export: "site-alerts", From: "operations"}}
	for i, r := range [][3]string{
		{"EventStream", "web-analytics", "AWS::Kinesis::Stream"},
		{"EventCounters", "event-counters", "AWS::DynamoDB::Table"},
		{"CountEvents", "count-events", "AWS::Serverless::Function"},
		{"CountEventsStream", "9f2b6f0c-1f0e-4b7e-9a55-6c1f6c0a4d11", "AWS::Lambda::EventSourceMapping"},
		{"PublishMetrics", "publish-metrics", "AWS::Serverless::Function"},
		{"Alerts", fakeARN("sns", "web-analytics-alerts"), "AWS::SNS::Topic"},
		{"TooManyErrors", "too-many-errors", "AWS::CloudWatch::Alarm"},
		{"TooFewPageViews", "too-few-page-views", "AWS::CloudWatch::Alarm"},
		{"Dashboard", "web-analytics", "AWS::CloudWatch::Dashboard"},
	} {
		at := f.started.Add(time.Duration(i) * 40 * time.Millisecond)
		d.Members = append(d.Members, StackResource{LogicalID: r[0], PhysicalID: r[1], Type: r[2], Status: "CREATE_COMPLETE", Updated: at})
		d.Events = append(d.Events,
			StackEvent{Time: at, LogicalID: r[0], Type: r[2], Status: "CREATE_IN_PROGRESS"},
			StackEvent{Time: at.Add(20 * time.Millisecond), LogicalID: r[0], Type: r[2], Status: "CREATE_COMPLETE"})
	}
	slices.Reverse(d.Events)
	return d, nil
}

func (f *fake) Mails(_ context.Context, before string, limit int) (page MailPage, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	page.Total = len(f.mails)
	for _, m := range slices.Backward(f.mails) {
		if before != "" && m.ID >= before {
			continue
		}
		if len(page.Mails) == limit {
			page.Next = page.Mails[limit-1].ID
			break
		}
		page.Mails = append(page.Mails, m.Mail)
	}
	return page, nil
}

func (f *fake) Mail(_ context.Context, id string) (MailDetail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.mails {
		if m.ID == id {
			return m, nil
		}
	}
	return MailDetail{}, fmt.Errorf("mail %q: %w", id, ErrNotFound)
}
