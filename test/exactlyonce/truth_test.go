package exactlyonce

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// records returns the data of all records of a stream.
func (s *site) records(name string) (data [][]byte) {
	s.t.Helper()
	ctx := context.Background()
	shards, err := s.kinesis.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &name})
	s.must(err)
	for _, shard := range shards.Shards {
		it, err := s.kinesis.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: shard.ShardId, ShardIteratorType: kinesistypes.ShardIteratorTypeTrimHorizon})
		s.must(err)
		for next := it.ShardIterator; ; {
			out, err := s.kinesis.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next})
			s.must(err)
			for _, r := range out.Records {
				data = append(data, r.Data)
			}
			if *out.MillisBehindLatest == 0 {
				break
			}
			next = out.NextShardIterator
		}
	}
	return data
}

// events counts the events in the stream by the keys of their counters.
func (s *site) events() map[string]int {
	s.t.Helper()
	counts := map[string]int{}
	for _, data := range s.records("web-analytics") {
		var e struct {
			Event string `json:"event"`
			Time  string `json:"utc_timestamp"`
		}
		s.must(json.Unmarshal(data, &e))
		counts[e.Event+" "+e.Time[:len("2006-01-02T15")]+":00:00"]++
	}
	return counts
}

// changes counts the changes in the stream by item.
func (s *site) changes() map[string]int { return s.tally("changes") }

// retold counts what the function put to a stream.
func (s *site) retold() map[string]int { return s.tally("changed") }

func (s *site) tally(stream string) map[string]int {
	s.t.Helper()
	counts := map[string]int{}
	for _, data := range s.records(stream) {
		counts[string(data)]++
	}
	return counts
}

// counters returns the counters of the example.
func (s *site) counters() map[string]int {
	return s.scan("event-counters", "EventCount", "EventName", "EventHour")
}

// changed returns the items that the function changes.
func (s *site) changed() map[string]int { return s.scan("changed", "n", "id") }

// scan returns a number of all items of a table, by key.
func (s *site) scan(table, number string, key ...string) map[string]int {
	s.t.Helper()
	found := map[string]int{}
	pages := dynamodb.NewScanPaginator(s.dynamodb, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		s.must(err)
		for _, item := range page.Items {
			var name []string
			for _, part := range key {
				v, ok := item[part].(*dynamodbtypes.AttributeValueMemberS)
				if !ok {
					s.t.Fatalf("item without %s: %v", part, item)
				}
				name = append(name, v.Value)
			}
			if v, ok := item[number].(*dynamodbtypes.AttributeValueMemberN); ok {
				n, err := strconv.Atoi(v.Value)
				s.must(err)
				found[strings.Join(name, " ")] = n
			}
		}
	}
	return found
}

// byName sums counters by event.
func byName(counters map[string]int) map[string]int {
	sums := map[string]int{}
	for key, n := range counters {
		sums[key[:strings.LastIndexByte(key, ' ')]] += n // the time has no space
	}
	return sums
}

// metrics returns the sums of the example's metrics by name.
func (s *site) metrics() map[string]int {
	s.t.Helper()
	ctx := context.Background()
	list, err := s.metric.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: aws.String("EventCounter")})
	s.must(err)
	sums := map[string]int{}
	for _, m := range list.Metrics {
		out, err := s.metric.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions, Period: aws.Int32(3600), Statistics: []types.Statistic{types.StatisticSum},
			StartTime: aws.Time(time.Now().Add(-14 * 24 * time.Hour).Truncate(time.Hour)), EndTime: aws.Time(time.Now().Add(2 * time.Hour)),
		})
		s.must(err)
		for _, p := range out.Datapoints {
			sums[*m.MetricName] += int(*p.Sum)
		}
	}
	return sums
}

// messages adds up what the messages of the queue tell.
func (s *site) messages() int {
	s.t.Helper()
	ctx := context.Background()
	queue, err := s.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("changed")})
	s.must(err)
	sum := 0
	for {
		out, err := s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
		s.must(err)
		if len(out.Messages) == 0 {
			return sum
		}
		for _, m := range out.Messages {
			n, err := strconv.Atoi(*m.Body)
			s.must(err)
			sum += n
		}
	}
}
