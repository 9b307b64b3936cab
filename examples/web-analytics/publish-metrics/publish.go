package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Limits of PutMetricData.
const (
	maxDatums = 1000
	maxAge    = 14*24*time.Hour - time.Minute // a minute is for the way there
	maxAhead  = 2*time.Hour - time.Minute
)

// hourLayout is how the table writes buckets: their start, in UTC.
const hourLayout = "2006-01-02T15:04:05"

// key names a datapoint.
type key struct {
	event string
	hour  time.Time
}

// putter is what the publisher needs of CloudWatch.
type putter interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

type publisher struct {
	namespace string
	metrics   putter
	now       func() time.Time
}

// handle publishes what a batch of changes adds. The mapping's batches are no
// larger than what one call takes, so a batch is published as a whole or not at
// all; when it fails, it comes again.
func (p *publisher) handle(ctx context.Context, event events.DynamoDBEvent) error {
	growth := map[key]int64{}
	skipped := 0
	for _, record := range event.Records {
		n := grew(record.Change)
		if n <= 0 {
			continue
		}
		k, ok := p.keyOf(record.Change.Keys)
		if !ok {
			skipped++
			continue
		}
		growth[k] += n
	}
	if skipped > 0 {
		log.Printf("%d changes have no time that metrics can have", skipped)
	}
	for data := range slices.Chunk(datums(growth), maxDatums) {
		_, err := p.metrics.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(p.namespace), MetricData: data})
		if err != nil {
			return fmt.Errorf("put %d datapoints: %w", len(data), err)
		}
	}
	return nil
}

// grew returns by how much a counter grew: new minus old. It is not positive for a
// counter that was removed or set back.
func grew(change events.DynamoDBStreamRecord) int64 {
	return count(change.NewImage) - count(change.OldImage)
}

func count(image map[string]events.DynamoDBAttributeValue) int64 {
	value, ok := image["EventCount"]
	if !ok || value.DataType() != events.DataTypeNumber {
		return 0
	}
	n, err := strconv.ParseInt(value.Number(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// keyOf returns the datapoint of a counter. There is none for counters whose time
// is unknown or one that PutMetricData refuses: one such datum would fail the call,
// and so the batch, for ever.
func (p *publisher) keyOf(keys map[string]events.DynamoDBAttributeValue) (key, bool) {
	name, hour := text(keys["EventName"]), text(keys["EventHour"])
	t, err := time.Parse(hourLayout, hour)
	age := p.now().Sub(t)
	return key{name, t}, err == nil && name != "" && age <= maxAge && age >= -maxAhead
}

func text(value events.DynamoDBAttributeValue) string {
	if value.DataType() != events.DataTypeString {
		return ""
	}
	return value.String()
}

// datums returns the datapoints in a fixed order.
func datums(growth map[key]int64) []types.MetricDatum {
	data := make([]types.MetricDatum, 0, len(growth))
	for k, n := range growth {
		data = append(data, types.MetricDatum{
			MetricName: aws.String(k.event), Timestamp: aws.Time(k.hour), Value: aws.Float64(float64(n)), Unit: types.StandardUnitCount})
	}
	slices.SortFunc(data, func(a, b types.MetricDatum) int {
		return cmp.Or(cmp.Compare(*a.MetricName, *b.MetricName), a.Timestamp.Compare(*b.Timestamp))
	})
	return data
}
