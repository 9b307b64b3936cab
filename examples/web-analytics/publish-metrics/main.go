// Command publish-metrics is a Lambda function that turns the changes of the table
// of counters into metrics: by how much a counter grew, at the time of its bucket.
//
// The namespace of the metrics comes from the environment, METRIC_NAMESPACE.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatalf("configure the AWS SDK: %v", err)
	}
	p := &publisher{namespace: os.Getenv("METRIC_NAMESPACE"), metrics: cloudwatch.NewFromConfig(cfg), now: time.Now}
	lambda.Start(p.handle)
}
