// Command changes is a function that gets an item, changes it and puts it back, for
// every record: two of them that run beside each other lose updates, unless they
// count once. What it did it also tells a stream and a queue.
package main

import (
	"context"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	c := changer{dynamodb.NewFromConfig(cfg), kinesis.NewFromConfig(cfg), sqs.NewFromConfig(cfg)}
	lambda.Start(c.handle)
}

type changer struct {
	db      *dynamodb.Client
	kinesis *kinesis.Client
	sqs     *sqs.Client
}

func (c changer) handle(ctx context.Context, event events.KinesisEvent) error {
	put := &kinesis.PutRecordsInput{StreamName: aws.String("changed")}
	for _, r := range event.Records {
		if err := c.change(ctx, string(r.Kinesis.Data)); err != nil {
			return err
		}
		put.Records = append(put.Records, kinesistypes.PutRecordsRequestEntry{Data: r.Kinesis.Data, PartitionKey: aws.String(string(r.Kinesis.Data))})
	}
	if _, err := c.kinesis.PutRecords(ctx, put); err != nil {
		return err
	}
	queue, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("changed")})
	if err != nil {
		return err
	}
	_, err = c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String(strconv.Itoa(len(event.Records)))})
	return err
}

func (c changer) change(ctx context.Context, id string) error {
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
	out, err := c.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("changed"), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return err
	}
	n := 0
	if v, ok := out.Item["n"].(*types.AttributeValueMemberN); ok {
		if n, err = strconv.Atoi(v.Value); err != nil {
			return err
		}
	}
	key["n"] = &types.AttributeValueMemberN{Value: strconv.Itoa(n + 1)}
	_, err = c.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("changed"), Item: key})
	return err
}
