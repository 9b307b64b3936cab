package console

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fake stands in for the domains: the web-analytics application with one stream,
// two functions, one table, two mappings, two alarms, a topic, a dashboard, a
// stack and some mail. Its parts are wired as the real ones are: put makes
// records, invocations, counters, log lines and metric data.
type fake struct {
	mu        sync.Mutex
	started   time.Time
	address   string
	stream    Stream
	functions map[string]*Function
	table     Table
	mappings  []Mapping
	alarms    []Alarm
	history   map[string][]AlarmEvent
	counts    map[[2]string]int64 // by event and hour
	log       map[string][]LogEvent
	logged    chan struct{} // closed and replaced when log grows
	mails     []MailDetail
	revision  uint64
}

const hourFormat = "2006-01-02T15:04:05"

func fakeARN(service, resource string) string {
	return "arn:aws:" + service + ":us-east-1:000000000000:" + resource
}

func newFake(now time.Time) *fake {
	f := &fake{
		started: now,
		address: "http://127.0.0.1:4566",
		stream: Stream{Name: "web-analytics", ARN: fakeARN("kinesis", "stream/web-analytics"), Status: "ACTIVE",
			Shards: 2, RetentionHours: 24, Created: now},
		functions: map[string]*Function{},
		table: Table{Name: "event-counters", ARN: fakeARN("dynamodb", "table/event-counters"), Status: "ACTIVE",
			HashKey: KeyAttribute{"EventName", "S"}, RangeKey: &KeyAttribute{"EventHour", "S"},
			StreamView: "NEW_AND_OLD_IMAGES", Created: now},
		counts:  map[[2]string]int64{},
		log:     map[string][]LogEvent{},
		logged:  make(chan struct{}),
		history: map[string][]AlarmEvent{},
	}
	for _, name := range []string{"count-events", "publish-metrics"} {
		f.functions[name] = &Function{Name: name, ARN: fakeARN("lambda", "function:"+name), Runtime: "provided.al2023",
			Handler: "bootstrap", State: "Active", MemoryMB: 128, TimeoutSeconds: 30, CodeBytes: 5_400_000, Modified: now}
	}
	f.mappings = []Mapping{
		{UUID: "9f2b6f0c-1f0e-4b7e-9a55-6c1f6c0a4d11", Source: f.stream.ARN, SourceKind: "stream", SourceName: f.stream.Name,
			Function: "count-events", State: "Enabled", LastResult: "PROBLEM: Function call failed", BatchSize: 300, StartingPosition: "TRIM_HORIZON", Modified: now,
			TumblingWindow: 30, Factor: 1, RecordAge: 3600, RetryLimit: 10, Bisect: true, ReportFailures: true, OnFailure: fakeARN("sns", "web-analytics-alerts"),
			Filters: []string{`{"data":{"event":[{"anything-but":"robots"}],"status":[{"numeric":["<",500]}]}}`, `{"data":{"visitor":[{"prefix":"10."}]}}`},
			Lanes:   map[string]int{"waiting": 1, "retrying": 1}, Problem: "KeyError: no such visitor"},
		{UUID: "3c8e2a44-77ab-4d0c-8a1e-0b5a9f3e2c70", Source: f.table.ARN + "/stream/2026", SourceKind: "table", SourceName: f.table.Name,
			Function: "publish-metrics", State: "Enabled", LastResult: "OK", BatchSize: 100, WindowSeconds: 1,
			StartingPosition: "TRIM_HORIZON", Modified: now, Factor: 4, RecordAge: -1, RetryLimit: -1, Lanes: map[string]int{"waiting": 4}},
	}
	f.addAlarms(now)
	f.addMail(now)
	return f
}

func (f *fake) addAlarms(now time.Time) {
	topic := fakeARN("sns", "web-analytics-alerts")
	for _, a := range []Alarm{
		{Name: "too-many-errors", Description: "More than 20 failed requests in an hour", State: "ALARM", Metric: "error",
			Comparison: "GreaterThanThreshold", Threshold: 20, TreatMissing: "notBreaching", AlarmActions: []string{topic}, OKActions: []string{topic},
			Reason: "Threshold Crossed: 1 datapoint [31.0 (20/05/26 20:00:00)] was greater than the threshold (20.0)."},
		{Name: "too-few-page-views", Description: "The site is not being visited", State: "OK", Metric: "page view",
			Comparison: "LessThanThreshold", Threshold: 5, TreatMissing: "breaching", AlarmActions: []string{topic},
			Reason: "Threshold Crossed: 1 datapoint [36.0 (20/05/26 20:00:00)] was not less than the threshold (5.0)."},
	} {
		a.ARN, a.Namespace, a.Statistic, a.PeriodSeconds = fakeARN("cloudwatch", "alarm:"+a.Name), "EventCounter", "Sum", 3600
		a.EvaluationPeriods, a.DatapointsToAlarm, a.ActionsEnabled, a.Since = 1, 1, true, now.Add(-7*time.Minute)
		f.alarms = append(f.alarms, a)
		f.history[a.Name] = []AlarmEvent{
			{Time: now.Add(-7 * time.Minute), Kind: "Action", Summary: "Successfully executed action " + topic,
				Data: `{"actionState":"Succeeded","notificationResource":"` + topic + `"}`},
			{Time: now.Add(-7 * time.Minute), Kind: "StateUpdate", Summary: "Alarm updated from INSUFFICIENT_DATA to " + a.State,
				Data: `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA"},"newState":{"stateValue":"` + a.State + `"}}`},
			{Time: now.Add(-9 * time.Minute), Kind: "ConfigurationUpdate", Summary: "Alarm \"" + a.Name + "\" created"},
		}
	}
}

func (f *fake) addMail(now time.Time) {
	topic := fakeARN("sns", "web-analytics-alerts")
	confirm := f.address + "/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=2336412f37fb687f5d51e6e241d09c805a"
	mails := []MailDetail{
		{Mail: Mail{Subject: "AWS Notification - Subscription Confirmation", Time: now.Add(-12 * time.Minute)},
			Body: "You have chosen to subscribe to the topic:\n" + topic +
				"\n\nTo confirm this subscription, visit the link below:\n" + confirm + "\n\nPlease do not reply directly to this email.\n"},
		{Mail: Mail{Subject: `ALARM: "too-many-errors" in US East (N. Virginia)`, Time: now.Add(-7 * time.Minute)},
			Body: "You are receiving this email because your alarm \"too-many-errors\" in the US East (N. Virginia) region has entered the ALARM state, " +
				"because \"Threshold Crossed: 1 datapoint [31.0 (20/05/26 20:00:00)] was greater than the threshold (20.0).\" at \"Wednesday 20 May, 2026 20:01:07 UTC\".\n\n" +
				"Alarm Details:\n- Name:                       too-many-errors\n- State Change:               INSUFFICIENT_DATA -> ALARM\n\n" +
				"Threshold:\n- The alarm is in the ALARM state when the metric is GreaterThanThreshold 20.0 for at least 1 of the last 1 period(s) of 3600 seconds.\n\n" +
				"--\nIf you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe:\n" +
				f.address + "/?Action=Unsubscribe&SubscriptionArn=" + topic + ":5d6f0f0a\n"},
	}
	for i, m := range mails {
		m.ID, m.From, m.To = strconv.Itoa(i+1), "AWS Notifications <no-reply@sns.amazonaws.com>", "operator@example.com"
		m.Preview = m.Body[:80]
		f.mails = append(f.mails, m)
	}
}

// load puts the counts of an hourly CSV file, shifted so that its last hour is
// that of now, or made-up ones when there is no such file.
func (f *fake) load(file string, now time.Time) error {
	rows, err := readCounts(file)
	if err != nil {
		return err
	}
	last := rows[0].hour
	for _, r := range rows {
		last = later(last, r.hour)
	}
	shift := now.UTC().Truncate(time.Hour).Sub(last)
	for _, r := range rows {
		f.put(r.event, r.hour.Add(shift), r.count)
	}
	return nil
}

type hourCount struct {
	event string
	hour  time.Time
	count int64
}

func readCounts(file string) (counts []hourCount, err error) {
	if file == "" {
		return madeUpCounts(), nil
	}
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(string(doc))).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range rows[1:] {
		hour, err := time.Parse(hourFormat, row[1])
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			return nil, err
		}
		counts = append(counts, hourCount{row[0], hour, n})
	}
	return counts, nil
}

func madeUpCounts() (counts []hourCount) {
	start := time.Date(2026, 5, 17, 10, 0, 0, 0, time.UTC)
	for i, event := range []string{"page view", "asset", "feed", "download", "robots", "error"} {
		for h := range 84 {
			wave := 1.2 + math.Sin(float64(h)/24*2*math.Pi+float64(i)/3)
			if n := int64(wave * 40 / float64(i+1)); n > 0 {
				counts = append(counts, hourCount{event, start.Add(time.Duration(h) * time.Hour), n})
			}
		}
	}
	return counts
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// put counts n events of an hour, as if they had come through the stream.
func (f *fake) put(event string, hour time.Time, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stream.Records += float64(n)
	f.stream.Bytes += float64(n) * 212
	f.counts[[2]string{event, hour.UTC().Truncate(time.Hour).Format(hourFormat)}] += n
	f.table.Writes++
	f.table.Items = int64(len(f.counts))
	f.table.Bytes = f.table.Items * 74
	for i := range f.mappings {
		f.mappings[i].Records += float64(n)
	}
	f.revision++
}

// invoke counts one invocation of a function and logs it.
func (f *fake) invoke(name string, now time.Time, took float64, failure string, lines ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn := f.functions[name]
	fn.Invocations++
	fn.P50, fn.P99 = took, took*4.2
	id := fmt.Sprintf("%08x-52fd-4c07-8218-2654f163f5f0", uint32(fn.Invocations))
	out := []string{"START RequestId: " + id + " Version: $LATEST"}
	out = append(out, lines...)
	if failure != "" {
		fn.Errors++
		fn.LastError = &FunctionFail{Time: now, RequestID: id, Message: failure}
		out = append(out, "[ERROR] "+failure)
	}
	out = append(out, "END RequestId: "+id, fmt.Sprintf(
		"REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB", id, took, math.Ceil(took)))
	for _, line := range out {
		f.log[name] = append(f.log[name], LogEvent{ID: strconv.Itoa(len(f.log[name]) + 1), Time: now,
			Stream: now.Format("2006/01/02") + "/[$LATEST]5a1c", Message: line})
	}
	close(f.logged)
	f.logged = make(chan struct{})
}

func (f *fake) config() Config {
	return Config{Server: f, Streams: f, Functions: f, Tables: f, Mappings: f, Alarms: f, Topics: f, Stacks: f,
		Dashboards: f, Metrics: f, Logs: f, Outbox: f}
}

func (f *fake) ServerInfo(context.Context) (ServerInfo, error) {
	return ServerInfo{Version: "0.1.0", Started: f.started, Address: f.address, Region: "us-east-1", Account: "000000000000",
		DataDir: "./.weir", DataBytes: 8_650_000}, nil
}

func (f *fake) Streams(context.Context) ([]Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []Stream{f.stream}, nil
}

func (f *fake) Functions(context.Context) ([]Function, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []Function
	for _, name := range slices.Sorted(maps.Keys(f.functions)) {
		list = append(list, *f.functions[name])
	}
	return list, nil
}

func (f *fake) Tables(context.Context) ([]Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []Table{f.table}, nil
}

func (f *fake) Items(_ context.Context, q ItemQuery) (page ItemPage, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.Table != f.table.Name {
		return page, fmt.Errorf("table %q: %w", q.Table, ErrNotFound)
	}
	keys := slices.SortedFunc(maps.Keys(f.counts), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	keys = slices.DeleteFunc(keys, func(k [2]string) bool {
		return q.Hash != "" && k[0] != q.Hash || q.RangeOp == "begins_with" && !strings.HasPrefix(k[1], q.Range) ||
			q.RangeOp == "=" && k[1] != q.Range
	})
	if q.Descending {
		slices.Reverse(keys)
	}
	start, _ := strconv.Atoi(q.Start) // "" starts at 0
	end := min(start+q.Limit, len(keys))
	for _, k := range keys[min(start, end):end] {
		item, err := json.Marshal(map[string]map[string]string{
			"EventName": {"S": k[0]}, "EventHour": {"S": k[1]}, "EventCount": {"N": strconv.FormatInt(f.counts[k], 10)}})
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, item)
	}
	if end < len(keys) {
		page.Next = strconv.Itoa(end)
	}
	return page, nil
}

func (f *fake) Mappings(context.Context) ([]Mapping, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.mappings), nil
}

// MappingShards makes up two shards for the stream, of which one fails in a window,
// and four lanes in the one shard of the table.
func (f *fake) MappingShards(_ context.Context, uuid string) ([]MappingShard, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.mappings, func(m Mapping) bool { return m.UUID == uuid })
	if i < 0 {
		return nil, fmt.Errorf("mapping %s: %w", uuid, ErrNotFound)
	}
	if f.mappings[i].SourceKind == "table" {
		var lanes []MappingShard
		for lane := range 4 {
			lanes = append(lanes, MappingShard{Shard: "shardId-00000001789654247890-85a74c59", Lane: lane, Activity: "waiting",
				Invocations: 12, Records: 480, LastBatch: 40, LastMS: 8.25, AverageMS: 9.5})
		}
		return lanes, nil
	}
	start := f.started.Truncate(30 * time.Second)
	return []MappingShard{
		{Shard: "shardId-000000000000", Activity: "waiting", Invocations: 18, Records: 5120, LastBatch: 300, LastMS: 11.5, AverageMS: 14},
		{Shard: "shardId-000000000001", Activity: "retrying", Problem: "KeyError: no such visitor",
			Attempts: 3, BehindMS: 75_400, Invocations: 21, Records: 4880, LastBatch: 150, LastMS: 12.75, AverageMS: 15, Retries: 3, Conflicts: 1, Discarded: 2,
			Window: &MappingWindow{Start: start, End: start.Add(30 * time.Second), StateBytes: 48_200}},
	}, nil
}

func (f *fake) Alarms(context.Context) ([]Alarm, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.alarms), nil
}

func (f *fake) AlarmHistory(_ context.Context, name string, _ int) ([]AlarmEvent, error) {
	if h, ok := f.history[name]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("alarm %q: %w", name, ErrNotFound)
}

func (f *fake) Topics(context.Context) ([]Topic, error) {
	return []Topic{{Name: "web-analytics-alerts", ARN: fakeARN("sns", "web-analytics-alerts"), Subscriptions: []Subscription{
		{"email", "operator@example.com", true}, {"http", "http://127.0.0.1:9000/alerts", false}}}}, nil
}
