package cli

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/examples/web-analytics/replay"
)

// Names of the example's template.
const (
	demoStream    = "web-analytics"
	demoTable     = "event-counters"
	demoNamespace = "EventCounter"
)

// demoRun replays the events and watches what comes out.
type demoRun struct {
	app    *app
	events []replay.Event
	want   replay.Counts
	shift  time.Duration
	speed  float64 // 0: as fast as possible

	kinesis    *kinesis.Client
	dynamodb   *dynamodb.Client
	cloudwatch *cloudwatch.Client

	// counted and published are what earlier runs left in the same data directory.
	counted, published replay.Counts
}

func (r *demoRun) connect() {
	cfg := r.app.awsConfig()
	// A put that is sent again counts twice if the first one was taken, so it is not:
	// the check would fail without saying why.
	once := func(o *kinesis.Options) { o.RetryMaxAttempts = 1 }
	r.kinesis, r.dynamodb, r.cloudwatch = kinesis.NewFromConfig(cfg, once), dynamodb.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
}

func (r *demoRun) replayAndCheck(ctx context.Context) error {
	var err error
	if r.counted, err = r.counters(ctx); err != nil {
		return err
	}
	if r.published, err = r.metrics(ctx); err != nil {
		return err
	}
	hours := math.Ceil(replay.Span(r.events).Hours())
	r.say("replaying %d events of %.0f hours; watch them at %s/_weir/console/", len(r.events), hours, r.app.endpoint)
	begin := time.Now()
	watched, stop := context.WithCancel(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		r.watch(watched)
	}()
	err = replay.Play(ctx, r.events, replay.Options{Shift: r.shift, Speed: r.speed, Put: r.put})
	stop()
	<-watching
	if err != nil {
		return err
	}
	if err := r.settle(ctx, "counters", r.counters, &r.counted); err != nil {
		return err
	}
	if err := r.settle(ctx, "metrics", r.metrics, &r.published); err != nil {
		return err
	}
	if r.app.json {
		return r.app.printJSON(map[string]any{"Counters": len(r.want), "Events": r.want.Total(), "Seconds": time.Since(begin).Seconds()})
	}
	fmt.Fprintf(r.app.out, "check: %d counters, %d events: all equal to the expected ones; the sums of the metrics too (%.1f s)\n",
		len(r.want), r.want.Total(), time.Since(begin).Seconds())
	return nil
}

func (r *demoRun) put(ctx context.Context, records []replay.Record) error {
	entries := make([]kinesistypes.PutRecordsRequestEntry, len(records))
	for i, rec := range records {
		entries[i] = kinesistypes.PutRecordsRequestEntry{Data: rec.Data, PartitionKey: aws.String(rec.PartitionKey)}
	}
	out, err := r.kinesis.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String(demoStream), Records: entries})
	if err == nil && aws.ToInt32(out.FailedRecordCount) > 0 {
		err = fmt.Errorf("%d records were refused", *out.FailedRecordCount)
	}
	return err
}

// settle waits until what read returns, less what was there before, is as
// expected.
func (r *demoRun) settle(ctx context.Context, what string, read func(context.Context) (replay.Counts, error), before *replay.Counts) error {
	deadline := time.Now().Add(demoSettle)
	for {
		now, err := read(ctx)
		if err != nil {
			return err
		}
		differences := replay.Compare(r.want, now.Minus(*before).Shift(-r.shift))
		if len(differences) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			var lines []string
			for _, d := range differences[:min(10, len(differences))] {
				lines = append(lines, "  "+d.String())
			}
			return fmt.Errorf("check failed: %d %s differ from the expected ones:\n%s", len(differences), what, strings.Join(lines, "\n"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// counters reads the table.
func (r *demoRun) counters(ctx context.Context) (replay.Counts, error) {
	counts := replay.Counts{}
	pages := dynamodb.NewScanPaginator(r.dynamodb, &dynamodb.ScanInput{TableName: aws.String(demoTable), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			n, err := strconv.ParseInt(text(item["EventCount"]), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("count of %v: %w", item, err)
			}
			if err := counts.Add(text(item["EventName"]), text(item["EventHour"]), n); err != nil {
				return nil, err
			}
		}
	}
	return counts, nil
}

func text(v dynamodbtypes.AttributeValue) string {
	switch v := v.(type) {
	case *dynamodbtypes.AttributeValueMemberS:
		return v.Value
	case *dynamodbtypes.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

// metrics reads the hourly sums of the metrics of all kinds of events.
func (r *demoRun) metrics(ctx context.Context) (replay.Counts, error) {
	var names []string
	for key := range maps.Keys(r.want) {
		if !slices.Contains(names, key.Event) {
			names = append(names, key.Event)
		}
	}
	slices.Sort(names)
	var queries []cloudwatchtypes.MetricDataQuery
	for i, name := range names {
		queries = append(queries, cloudwatchtypes.MetricDataQuery{Id: aws.String(fmt.Sprintf("q%d", i)), MetricStat: &cloudwatchtypes.MetricStat{
			Metric: &cloudwatchtypes.Metric{Namespace: aws.String(demoNamespace), MetricName: aws.String(name)},
			Period: aws.Int32(3600), Stat: aws.String("Sum"),
		}})
	}
	counts := replay.Counts{}
	// On the hour, as periods are counted from the start time.
	now := time.Now().Truncate(time.Hour)
	pages := cloudwatch.NewGetMetricDataPaginator(r.cloudwatch, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: aws.Time(now.Add(-14 * 24 * time.Hour)), EndTime: aws.Time(now.Add(2 * time.Hour)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, res := range page.MetricDataResults {
			i, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(res.Id), "q"))
			if err != nil || i >= len(names) {
				return nil, fmt.Errorf("answer to an unknown query %q", aws.ToString(res.Id))
			}
			for j, t := range res.Timestamps {
				if err := counts.Add(names[i], t.UTC().Format("2006-01-02T15:04:05"), int64(res.Values[j])); err != nil {
					return nil, err
				}
			}
		}
	}
	return counts, nil
}

// watch prints the counters while they grow.
func (r *demoRun) watch(ctx context.Context) {
	if r.app.json {
		return
	}
	width := terminalWidth(r.app.out)
	redraw, every := width > 0, 5*time.Second
	if redraw {
		every = 250 * time.Millisecond
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if redraw {
				fmt.Fprintln(r.app.out)
			}
			return
		case <-ticker.C:
		}
		now, err := r.counters(ctx)
		if err != nil {
			continue // the check at the end tells
		}
		line := liveLine(now.Minus(r.counted))
		if redraw {
			line = "\r\x1b[K" + clip(line, width)
		} else {
			line += "\n"
		}
		fmt.Fprint(r.app.out, line)
	}
}

// liveLine sums the counters by kind of event.
func liveLine(counts replay.Counts) string {
	sums := map[string]int64{}
	for key, n := range counts {
		sums[key.Event] += n
	}
	parts := []string{fmt.Sprintf("%6d events", counts.Total())}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, sums[name]))
	}
	return strings.Join(parts, " | ")
}

func (r *demoRun) say(format string, args ...any) {
	if !r.app.json {
		fmt.Fprintf(r.app.out, format+"\n", args...)
	}
}
