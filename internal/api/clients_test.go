package api_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kintypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The clients of the SDK must understand every answer.

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func status(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) {
		return r.HTTPStatusCode()
	}
	return 0
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return err.Error()
}

func TestKinesisClient(t *testing.T) {
	t.Parallel()
	c := kinesis.NewFromConfig(clientConfig(t))
	put, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{
		StreamName: aws.String("s"),
		Records:    []kintypes.PutRecordsRequestEntry{{Data: []byte("é"), PartitionKey: aws.String("k")}, {Data: []byte{}, PartitionKey: aws.String("\"")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "shard", *put.Records[0].ShardId, "é")
	expect(t, "sequence", *put.Records[1].SequenceNumber, "\"")
	expect(t, "failed", *put.FailedRecordCount, 0)
	get, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: aws.String("i")})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "data", string(get.Records[0].Data), "\x00\xff")
	expect(t, "time", *get.Records[0].ApproximateArrivalTimestamp, someTime)
	if _, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("s")}); err != nil {
		t.Error(err)
	}
	_, err = c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("/"), ShardCount: aws.Int32(0)})
	expect(t, "constraints", code(err), "ValidationException: 2 validation errors detected: "+
		"Value '/' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "+
		"Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1")
	_, err = c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: aws.String("expired")})
	var expired *kintypes.ExpiredIteratorException
	if !errors.As(err, &expired) || *expired.Message != "too old" || status(err) != 400 {
		t.Errorf("got %v", err)
	}
	_, err = c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: aws.String("broken")})
	if status(err) != 500 || !strings.HasPrefix(code(err), "InternalFailure") || strings.Contains(err.Error(), "fire") {
		t.Errorf("got %v", err)
	}
	_, err = c.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	if status(err) != 400 || !strings.HasPrefix(code(err), "UnknownOperationException") {
		t.Errorf("got %v", err)
	}
}

func TestDynamoDBClient(t *testing.T) {
	t.Parallel()
	c := dynamodb.NewFromConfig(clientConfig(t))
	key := map[string]ddbtypes.AttributeValue{
		"s": &ddbtypes.AttributeValueMemberS{Value: "<é>"}, "n": &ddbtypes.AttributeValueMemberN{Value: "12345678901234567890123456789012345678"},
		"b": &ddbtypes.AttributeValueMemberB{Value: []byte("\x00")}, "ss": &ddbtypes.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"bs": &ddbtypes.AttributeValueMemberBS{Value: [][]byte{[]byte("a")}}, "null": &ddbtypes.AttributeValueMemberNULL{Value: true},
		"m": &ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{
			"l": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{&ddbtypes.AttributeValueMemberBOOL{Value: false}, &ddbtypes.AttributeValueMemberM{}}},
		}},
	}
	// The client verifies the checksum.
	get, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("t"), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "attributes", len(get.Item), len(key))
	expect(t, "number", get.Item["n"].(*ddbtypes.AttributeValueMemberN).Value, "12345678901234567890123456789012345678")
	l := get.Item["m"].(*ddbtypes.AttributeValueMemberM).Value["l"].(*ddbtypes.AttributeValueMemberL).Value
	expect(t, "boolean", l[0].(*ddbtypes.AttributeValueMemberBOOL).Value, false)

	fast, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("fast"), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "hot path", fast.Item["k"].(*ddbtypes.AttributeValueMemberS).Value, "by AKID in us-east-1")
	_, err = c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("fast error"), Key: key})
	expect(t, "error of the hot path", code(err), "ResourceNotFoundException: fast")

	put := func(table string) error {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: key})
		return err
	}
	var failed *ddbtypes.ConditionalCheckFailedException
	if err := put("conditional"); !errors.As(err, &failed) || len(failed.Item) != len(key) || *failed.Message != "The conditional request failed" {
		t.Errorf("got %v", err)
	}
	expect(t, "validation", code(put("other")), "ValidationException: bad")
	expect(t, "wrapped", code(put("missing")), "ResourceNotFoundException: Requested resource not found")
	expect(t, "status", status(put("failing")), 500)
}

func TestCloudWatchClient(t *testing.T) {
	t.Parallel()
	c := cloudwatch.NewFromConfig(clientConfig(t)) // RPC v2 CBOR
	// 300 datums are large enough for the client to compress them.
	data := make([]cwtypes.MetricDatum, 300)
	for i := range data {
		data[i] = cwtypes.MetricDatum{MetricName: aws.String("page view, a name that is not short"), Timestamp: &someTime, Value: aws.Float64(float64(i))}
	}
	if _, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: data}); err != nil {
		t.Error(err)
	}
	_, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: data[:1]})
	var invalid *cwtypes.InvalidParameterValueException
	if !errors.As(err, &invalid) || *invalid.Message != "1 datums" || invalid.ErrorCode() != "InvalidParameterValue" {
		t.Errorf("got %v", err)
	}
	stats, err := c.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		MetricName: aws.String("m"), Namespace: aws.String("n"), StartTime: &someTime, EndTime: &someTime, Period: aws.Int32(60),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "label", *stats.Label, "m")
	expect(t, "sum", *stats.Datapoints[0].Sum, 1.5)
	expect(t, "time", stats.Datapoints[0].Timestamp.UnixMilli(), someTime.UnixMilli())
	_, err = c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateReason: aws.String("r"), StateValue: "OK"})
	var missing *cwtypes.ResourceNotFound
	if !errors.As(err, &missing) || status(err) != 404 {
		t.Errorf("got %v", err)
	}
}

func TestLogsClient(t *testing.T) {
	t.Parallel()
	c := cloudwatchlogs.NewFromConfig(clientConfig(t))
	out, err := c.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), StartTime: aws.Int64(17)})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "message", *out.Events[0].Message, "s")
	expect(t, "time", *out.Events[0].Timestamp, 17)
	_, err = c.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("missing"), LogStreamName: aws.String("s")})
	var missing *logstypes.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

func TestLambdaClient(t *testing.T) {
	t.Parallel()
	c := lambda.NewFromConfig(clientConfig(t))
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(arn), Payload: []byte(`{"a":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "payload", string(out.Payload), `{"a":1}`)
	expect(t, "version", *out.ExecutedVersion, "$LATEST")
	expect(t, "label", *out.LogResult, arn)
	expect(t, "status", out.StatusCode, 200)
	for kind, want := range map[lambdatypes.InvocationType]int32{"Event": 202, "DryRun": 204} {
		out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: kind})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, string(kind), out.StatusCode, want)
		expect(t, "payload", len(out.Payload), 0)
	}
	created, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String("r"), Timeout: aws.Int32(3), Code: &lambdatypes.FunctionCode{ZipFile: make([]byte, 1<<20)},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "code size", created.CodeSize, 1<<20)
	expect(t, "timeout", *created.Timeout, 3)
	updated, err := c.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: aws.String("id"), BatchSize: aws.Int32(9)})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "id", *updated.UUID, "id")
	expect(t, "last modified", *updated.LastModified, someTime)
	if _, err := c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Error(err)
	}
	_, err = c.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: aws.String("x")})
	var missing *lambdatypes.ResourceNotFoundException
	if !errors.As(err, &missing) || *missing.Type != "User" || status(err) != 404 {
		t.Errorf("got %v", err)
	}
	_, err = c.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: aws.String("throttled")})
	var throttled *lambdatypes.TooManyRequestsException
	if !errors.As(err, &throttled) || *throttled.RetryAfterSeconds != "7" || status(err) != 429 {
		t.Errorf("got %v", err)
	}
	_, err = c.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if status(err) != 404 || !strings.HasPrefix(code(err), "UnknownOperationException") {
		t.Errorf("got %v", err)
	}
}

func TestSNSClient(t *testing.T) {
	t.Parallel()
	c := sns.NewFromConfig(clientConfig(t))
	out, err := c.Publish(t.Context(), &sns.PublishInput{
		TopicArn: aws.String("t"), Message: aws.String("a & b\n"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"a": {DataType: aws.String("Binary"), BinaryValue: []byte("bytes")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "id", *out.MessageId, "a & b\nbytes")
	topics, err := c.ListTopics(t.Context(), &sns.ListTopicsInput{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "topic", *topics.Topics[0].TopicArn, "<arn>")
	attributes, err := c.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "attribute", attributes.Attributes["Policy"], `{"a":"b"}`)
	if _, err := c.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String("t")}); err != nil {
		t.Error(err)
	}
	_, err = c.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String("missing"), Message: aws.String("m")})
	var missing *snstypes.NotFoundException
	if !errors.As(err, &missing) || *missing.Message != "Topic does not exist" || status(err) != 404 {
		t.Errorf("got %v", err)
	}
	_, err = c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: aws.String("t"), Protocol: aws.String("email")})
	expect(t, "unknown operation", code(err), "InvalidAction: Could not find operation Subscribe for version 2010-03-31")
}
