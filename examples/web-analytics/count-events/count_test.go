package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestKeyOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		data   string
		bucket time.Duration
		want   key
		bad    bool
	}{
		{`{"event":"page view","utc_timestamp":"2015-05-17T10:05:03","status":200}`, time.Hour, key{"page view", "2015-05-17T10:00:00"}, false},
		{`{"event":"page view","utc_timestamp":"2015-05-17T10:59:59"}`, 15 * time.Minute, key{"page view", "2015-05-17T10:45:00"}, false},
		{`{"event":"page view","utc_timestamp":"2015-05-17T10:05:03.999Z"}`, time.Minute, key{"page view", "2015-05-17T10:05:00"}, false},
		{`{"event":"page view","utc_timestamp":"2015-05-17T12:05:03+02:00"}`, time.Hour, key{"page view", "2015-05-17T10:00:00"}, false},
		{`{"utc_timestamp":"2015-05-17T10:05:03"}`, time.Hour, key{none, "2015-05-17T10:00:00"}, false},
		{`{"event":"","utc_timestamp":"2015-05-17T10:05:03"}`, time.Hour, key{none, "2015-05-17T10:00:00"}, false},
		{`{"event":7,"utc_timestamp":"2015-05-17T10:05:03"}`, time.Hour, key{none, "2015-05-17T10:00:00"}, false},
		{`{"event":"` + strings.Repeat("x", 256) + `"}`, time.Hour, key{none, none}, false},
		{`{"event":"error"}`, time.Hour, key{"error", none}, false},
		{`{"event":"error","utc_timestamp":"yesterday"}`, time.Hour, key{"error", none}, false},
		{`{"event":"error","utc_timestamp":1431857103}`, time.Hour, key{"error", none}, false},
		{`{}`, time.Hour, key{none, none}, false},
		{`null`, time.Hour, key{none, none}, false},
		{`GET / HTTP/1.0`, time.Hour, key{none, none}, true},
		{``, time.Hour, key{none, none}, true},
		{`[1]`, time.Hour, key{none, none}, true},
	} {
		got, err := keyOf([]byte(test.data), test.bucket)
		if got != test.want || (err != nil) != test.bad {
			t.Errorf("%s: got %v %v", test.data, got, err)
		}
	}
}

// table is a DynamoDB table that only counts.
type table struct {
	mu     sync.Mutex
	counts map[key]int
	calls  int
	fail   string
}

func (d *table) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	k := key{in.Key["EventName"].(*types.AttributeValueMemberS).Value, in.Key["EventHour"].(*types.AttributeValueMemberS).Value}
	if k.event == d.fail || *in.TableName != "event-counters" || *in.UpdateExpression != "ADD EventCount :n" {
		return nil, errors.New("refused")
	}
	n, err := strconv.Atoi(in.ExpressionAttributeValues[":n"].(*types.AttributeValueMemberN).Value)
	d.counts[k] += n
	return nil, err
}

func batch(lines ...string) events.KinesisEvent {
	var e events.KinesisEvent
	for _, line := range lines {
		e.Records = append(e.Records, events.KinesisEventRecord{Kinesis: events.KinesisRecord{Data: []byte(line)}})
	}
	return e
}

func TestOneUpdatePerCounter(t *testing.T) {
	t.Parallel()
	db := &table{counts: map[key]int{}}
	c := &counter{table: "event-counters", bucket: time.Hour, db: db}
	var lines []string
	for i := range 300 {
		lines = append(lines, `{"event":"e`+strconv.Itoa(i%30)+`","utc_timestamp":"2015-05-17T10:05:03"}`)
	}
	if err := c.handle(t.Context(), batch(append(lines, "not JSON", "{}")...)); err != nil {
		t.Fatal(err)
	}
	if db.calls != 31 || db.counts[key{"e7", "2015-05-17T10:00:00"}] != 10 || db.counts[key{none, none}] != 2 {
		t.Errorf("%d updates: %v", db.calls, db.counts)
	}
	if err := c.handle(t.Context(), events.KinesisEvent{}); err != nil || db.calls != 31 {
		t.Errorf("an empty batch: %v, %d updates", err, db.calls)
	}
}

func TestFailureFailsTheBatch(t *testing.T) {
	t.Parallel()
	db := &table{counts: map[key]int{}, fail: "b"}
	c := &counter{table: "event-counters", bucket: time.Hour, db: db}
	err := c.handle(t.Context(), batch(`{"event":"a"}`, `{"event":"b"}`, `{"event":"c"}`))
	if err == nil || !strings.Contains(err.Error(), "count b at NULL: refused") {
		t.Errorf("got %v", err)
	}
	if db.counts[key{"a", none}] != 1 || db.counts[key{"c", none}] != 1 {
		t.Errorf("the others were not counted: %v", db.counts)
	}
}
