package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// none stands for an event or a time that a record does not have.
const none = "NULL"

// maxName is the longest kind of event in bytes, as it becomes the name of a
// metric. A longer one counts as none: the counter must not get stuck on it.
const maxName = 255

// hourLayout is how buckets are written: their start, in UTC.
const hourLayout = "2006-01-02T15:04:05"

// key names a counter.
type key struct{ event, hour string }

// updater is what the counter needs of DynamoDB.
type updater interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

type counter struct {
	table  string
	bucket time.Duration
	db     updater
}

// handle counts a batch in memory and adds each count to its counter. When it
// fails, the whole batch comes again, so counters are at least the truth.
func (c *counter) handle(ctx context.Context, event events.KinesisEvent) error {
	counts := map[key]int{}
	for _, record := range event.Records {
		k, err := keyOf(record.Kinesis.Data, c.bucket)
		if err != nil {
			log.Printf("record %s is not JSON: %v", record.Kinesis.SequenceNumber, err)
		}
		counts[k]++
	}
	return c.add(ctx, counts)
}

// keyOf returns the counter that a record counts in.
func keyOf(data []byte, bucket time.Duration) (key, error) {
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return key{none, none}, err
	}
	k := key{none, none}
	if event, ok := fields["event"].(string); ok && event != "" && len(event) <= maxName {
		k.event = event
	}
	if text, ok := fields["utc_timestamp"].(string); ok {
		if t, err := parseTime(text); err == nil {
			k.hour = t.UTC().Truncate(bucket).Format(hourLayout)
		}
	}
	return k, nil
}

// parseTime reads a time that is in UTC unless it says otherwise.
func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Parse(hourLayout, strings.TrimSuffix(text, "Z"))
}

// writers is how many counters are written at a time: the writes of a batch are
// independent, and what takes time in each is waiting for the answer.
const writers = 16

// add issues one update per counter.
func (c *counter) add(ctx context.Context, counts map[key]int) error {
	keys := make(chan key)
	var writing sync.WaitGroup
	errs := make([]error, min(writers, len(counts)))
	for i := range errs {
		writing.Go(func() {
			for k := range keys {
				if err := c.addOne(ctx, k, counts[k]); err != nil && errs[i] == nil {
					errs[i] = fmt.Errorf("count %s at %s: %w", k.event, k.hour, err)
				}
			}
		})
	}
	for _, k := range sorted(counts) {
		keys <- k
	}
	close(keys)
	writing.Wait()
	return errors.Join(errs...)
}

// sorted returns the keys in a fixed order.
func sorted(counts map[key]int) []key {
	keys := make([]key, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(a.hour, b.hour))
	})
	return keys
}

func (c *counter) addOne(ctx context.Context, k key, n int) error {
	_, err := c.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(c.table),
		Key: map[string]types.AttributeValue{
			"EventName": &types.AttributeValueMemberS{Value: k.event},
			"EventHour": &types.AttributeValueMemberS{Value: k.hour},
		},
		UpdateExpression:          aws.String("ADD EventCount :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: strconv.Itoa(n)}},
	})
	return err
}
