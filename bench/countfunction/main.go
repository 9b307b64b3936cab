// Command countfunction is the function that the runner maps to streams: it counts
// the records of its batch by key and adds the counts to a table, one UpdateItem
// for each key, several at a time. After each UpdateItem has been acknowledged it
// tells so, in a line "key count id...", to the address in NOTICE; ids are those of
// the records that have one.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

type function struct {
	table  string
	db     *dynamodb.Client
	notice net.Conn
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	notice, err := net.Dial("tcp", os.Getenv("NOTICE"))
	if err != nil {
		log.Fatal(err)
	}
	f := function{table: os.Getenv("TABLE"), db: dynamodb.NewFromConfig(cfg), notice: notice}
	lambda.Start(lambda.Handler(&f))
}

// batch is what is needed of events.KinesisEvent.
type batch struct {
	Records []struct {
		Kinesis struct {
			Data           []byte `json:"data"`
			SequenceNumber string `json:"sequenceNumber"`
		} `json:"kinesis"`
	}
}

// Invoke implements lambda.Handler.
func (f *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var b batch
	if err := decode(payload, &b); err != nil {
		return nil, err
	}
	return nil, f.countAll(ctx, b)
}

func (f *function) countAll(ctx context.Context, b batch) error {
	var keys []string
	counts := make(map[string]*count)
	for _, r := range b.Records {
		var event struct {
			Key string `json:"key"`
			ID  int    `json:"id"`
		}
		if err := decode(r.Kinesis.Data, &event); err != nil {
			return fmt.Errorf("record %s: %w", r.Kinesis.SequenceNumber, err)
		}
		c := counts[event.Key]
		if c == nil {
			c = new(count)
			counts[event.Key] = c
			keys = append(keys, event.Key)
		}
		c.records++
		if event.ID > 0 {
			c.ids = strconv.AppendInt(append(c.ids, ' '), int64(event.ID), 10)
		}
	}
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(concurrentWrites)
	for _, key := range keys {
		writes.Go(func() error { return f.add(ctx, key, counts[key]) })
	}
	return writes.Wait()
}

// count is how many records a key has, and their ids, each with a space before it.
type count struct {
	records int
	ids     []byte
}

const concurrentWrites = 8

func (f *function) add(ctx context.Context, key string, c *count) error {
	_, err := f.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &f.table,
		Key:                       map[string]types.AttributeValue{"EventName": &types.AttributeValueMemberS{Value: key}},
		UpdateExpression:          aws.String("ADD EventCount :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: strconv.Itoa(c.records)}},
	})
	if err != nil {
		return fmt.Errorf("counting %s: %w", key, err)
	}
	_, err = fmt.Fprintf(f.notice, "%s %d%s\n", key, c.records, c.ids)
	return err
}
