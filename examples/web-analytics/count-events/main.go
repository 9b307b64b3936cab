// Command count-events is a Lambda function that counts the events of a Kinesis
// stream in a DynamoDB table, by kind of event and by bucket of time.
//
// Settings come from the environment: TABLE_NAME, and BUCKET_MINUTES (60 unless
// given).
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func main() {
	c, err := newCounter(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(c.handle)
}

func newCounter(ctx context.Context) (*counter, error) {
	minutes := 60
	if text := os.Getenv("BUCKET_MINUTES"); text != "" {
		var err error
		if minutes, err = strconv.Atoi(text); err != nil || minutes < 1 || minutes > 60 || 60%minutes != 0 {
			return nil, fmt.Errorf("BUCKET_MINUTES is %q, want a number of minutes that divides an hour", text)
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("configure the AWS SDK: %w", err)
	}
	return &counter{table: os.Getenv("TABLE_NAME"), bucket: time.Duration(minutes) * time.Minute, db: dynamodb.NewFromConfig(cfg)}, nil
}
