package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

// sink keeps what is put.
type sink struct {
	calls [][]string
	fail  bool
}

func (s *sink) PutMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	var call []string
	for _, d := range in.MetricData {
		call = append(call, fmt.Sprintf("%s/%s %s %v %s", *in.Namespace, *d.MetricName, d.Timestamp.Format(time.RFC3339), *d.Value, d.Unit))
	}
	s.calls = append(s.calls, call)
	if s.fail {
		return nil, errors.New("throttled")
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

var now = time.Date(2026, 11, 21, 21, 30, 0, 0, time.UTC)

// change is a record of the table's stream; a count of 0 stands for no image.
func change(event, hour string, before, after int) string {
	image := func(n int) string {
		if n == 0 {
			return "null"
		}
		return fmt.Sprintf(`{"EventName":{"S":%q},"EventHour":{"S":%q},"EventCount":{"N":"%d"}}`, event, hour, n)
	}
	return fmt.Sprintf(`{"eventName":"MODIFY","dynamodb":{"Keys":{"EventName":{"S":%q},"EventHour":{"S":%q}},"OldImage":%s,"NewImage":%s}}`,
		event, hour, image(before), image(after))
}

func publish(t *testing.T, s *sink, records ...string) error {
	t.Helper()
	var e events.DynamoDBEvent
	if err := json.Unmarshal([]byte(`{"Records":[`+strings.Join(records, ",")+`]}`), &e); err != nil {
		t.Fatal(err)
	}
	p := &publisher{namespace: "EventCounter", metrics: s, now: func() time.Time { return now }}
	return p.handle(t.Context(), e)
}

func TestGrowthIsSummedPerEventAndHour(t *testing.T) {
	t.Parallel()
	s := &sink{}
	err := publish(t, s,
		change("page view", "2026-11-21T21:00:00", 0, 7),
		change("page view", "2026-11-21T21:00:00", 7, 12),
		change("error", "2026-11-21T21:00:00", 3, 4),
		change("error", "2026-11-21T20:00:00", 3, 5),
		change("removed", "2026-11-21T20:00:00", 3, 0),
		change("set back", "2026-11-21T20:00:00", 9, 5))
	want := "EventCounter/error 2026-11-21T20:00:00Z 2 Count, EventCounter/error 2026-11-21T21:00:00Z 1 Count, " +
		"EventCounter/page view 2026-11-21T21:00:00Z 12 Count"
	if err != nil || len(s.calls) != 1 || strings.Join(s.calls[0], ", ") != want {
		t.Errorf("got %v %v", s.calls, err)
	}
}

func TestTimesThatMetricsCannotHave(t *testing.T) {
	t.Parallel()
	s := &sink{}
	err := publish(t, s,
		change("error", "NULL", 0, 1),
		change("error", "2015-05-17T10:00:00", 0, 1),
		change("error", "2026-11-07T21:00:00", 0, 1), // two weeks and half an hour ago
		change("error", "2026-11-21T23:30:00", 0, 1),
		change("error", "2026-11-07T22:00:00", 0, 1),
		change("error", "2026-11-21T23:00:00", 0, 1))
	want := "EventCounter/error 2026-11-07T22:00:00Z 1 Count, EventCounter/error 2026-11-21T23:00:00Z 1 Count"
	if err != nil || len(s.calls) != 1 || strings.Join(s.calls[0], ", ") != want {
		t.Errorf("got %v %v", s.calls, err)
	}
}

func TestNothingToPublish(t *testing.T) {
	t.Parallel()
	s := &sink{}
	if err := publish(t, s, change("error", "2026-11-21T21:00:00", 3, 0), `{"eventName":"INSERT","dynamodb":{}}`); err != nil || len(s.calls) > 0 {
		t.Errorf("got %v %v", s.calls, err)
	}
}

func TestNoCallIsOverTheLimit(t *testing.T) {
	t.Parallel()
	s := &sink{}
	var records []string
	for i := range 1500 {
		records = append(records, change(fmt.Sprintf("event %d", i), "2026-11-21T21:00:00", 0, 1))
	}
	if err := publish(t, s, records...); err != nil || len(s.calls) != 2 || len(s.calls[0]) != 1000 || len(s.calls[1]) != 500 {
		t.Errorf("%d calls: %v", len(s.calls), err)
	}
}

func TestFailureFailsTheBatch(t *testing.T) {
	t.Parallel()
	if err := publish(t, &sink{fail: true}, change("error", "2026-11-21T21:00:00", 0, 1)); err == nil {
		t.Error("a failed call was taken for success")
	}
}
