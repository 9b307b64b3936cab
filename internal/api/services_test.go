package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logsschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbschemas "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinschemas "github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	kintypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/stsapi"
	"github.com/weirstream/weir/internal/catalog"
)

// The services of the tests answer with what they got, so that a test sees what
// arrived.

var someTime = time.UnixMilli(1701760153593).UTC()

func kinesisService() *api.Service {
	streamName := api.MustPattern("[a-zA-Z0-9_.-]+")
	createStream := func(_ context.Context, in *kinesis.CreateStreamInput) (*kinesis.CreateStreamOutput, error) {
		var c api.Constraints
		c.Required("streamName", in.StreamName != nil)
		c.Length("streamName", in.StreamName, 1, 128)
		c.Pattern("streamName", in.StreamName, streamName)
		c.Range("shardCount", in.ShardCount, 1, 1<<31-1)
		return nil, c.Err()
	}
	putRecords := func(_ context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
		out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0), EncryptionType: kintypes.EncryptionTypeNone}
		for _, r := range in.Records {
			out.Records = append(out.Records, kintypes.PutRecordsResultEntry{SequenceNumber: r.PartitionKey, ShardId: aws.String(string(r.Data))})
		}
		return out, nil
	}
	getRecords := func(_ context.Context, in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
		switch aws.ToString(in.ShardIterator) {
		case "expired":
			return nil, &kintypes.ExpiredIteratorException{Message: aws.String("too old")}
		case "broken":
			return nil, errors.New("disk on fire")
		case "panic":
			panic("a bug")
		}
		return &kinesis.GetRecordsOutput{
			Records:            []kintypes.Record{{Data: []byte("\x00\xff"), PartitionKey: in.ShardIterator, SequenceNumber: aws.String("1"), ApproximateArrivalTimestamp: &someTime}},
			MillisBehindLatest: aws.Int64(0),
		}, nil
	}
	return &api.Service{
		Name: "kinesis", TargetPrefix: "Kinesis_20131202", JSONVersion: "1.1", CBOR: api.KinesisCBOR, Dialect: api.Kinesis, MaxRequestBytes: 1 << 20,
		Operations: []api.Operation{
			api.Op("CreateStream", kinschemas.CreateStream, kinschemas.CreateStreamInput, nil, createStream),
			api.Op("PutRecords", kinschemas.PutRecords, kinschemas.PutRecordsInput, kinschemas.PutRecordsOutput, putRecords),
			api.Op("GetRecords", kinschemas.GetRecords, kinschemas.GetRecordsInput, kinschemas.GetRecordsOutput, getRecords),
		},
	}
}

func dynamoDBService() *api.Service {
	getItem := func(_ context.Context, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
		return &dynamodb.GetItemOutput{Item: in.Key}, nil
	}
	putItem := func(_ context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
		switch aws.ToString(in.TableName) {
		case "conditional":
			return nil, &ddbtypes.ConditionalCheckFailedException{Message: aws.String("The conditional request failed"), Item: in.Item}
		case "throttled":
			return nil, &api.Error{Code: "ThrottlingException", Message: "slow down"}
		case "missing":
			return nil, fmt.Errorf("put: %w", &ddbtypes.ResourceNotFoundException{Message: aws.String("Requested resource not found")})
		case "failing":
			return nil, &ddbtypes.InternalServerError{Message: aws.String("oh")}
		}
		return nil, api.Validation("bad")
	}
	return &api.Service{
		Name: "dynamodb", TargetPrefix: "DynamoDB_20120810", JSONVersion: "1.0", Dialect: api.DynamoDB,
		ErrorNamespace: "com.amazonaws.dynamodb.v20120810", MaxRequestBytes: 16 << 20,
		ErrorMessageMember: func(err error) string {
			var c *ddbtypes.ConditionalCheckFailedException
			if errors.As(err, &c) && c.Item != nil {
				return "Message"
			}
			return ""
		},
		Unions: []api.Union{api.UnionOf[ddbtypes.AttributeValue](
			&ddbtypes.AttributeValueMemberB{}, &ddbtypes.AttributeValueMemberBOOL{}, &ddbtypes.AttributeValueMemberBS{},
			&ddbtypes.AttributeValueMemberL{}, &ddbtypes.AttributeValueMemberM{}, &ddbtypes.AttributeValueMemberN{},
			&ddbtypes.AttributeValueMemberNS{}, &ddbtypes.AttributeValueMemberNULL{}, &ddbtypes.AttributeValueMemberS{},
			&ddbtypes.AttributeValueMemberSS{}, &ddbtypes.UnknownUnionMember{},
		)},
		Operations: []api.Operation{
			api.Op("GetItem", ddbschemas.GetItem, ddbschemas.GetItemInput, ddbschemas.GetItemOutput, getItem).WithFast(fastGetItem),
			api.Op("PutItem", ddbschemas.PutItem, ddbschemas.PutItemInput, ddbschemas.PutItemOutput, putItem),
		},
	}
}

// fastGetItem handles one body and refuses another; the rest is not for it.
func fastGetItem(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	switch {
	case strings.Contains(string(body), `"fast"`):
		_, err := fmt.Fprintf(w, `{"Item":{"k":{"S":"by %s in %s"}}}`, api.CallerOf(ctx).AccessKeyID, api.CallerOf(ctx).Region)
		return true, err
	case strings.Contains(string(body), `"fast error"`):
		return false, &ddbtypes.ResourceNotFoundException{Message: aws.String("fast")}
	}
	return false, nil
}

func cloudWatchService() *api.Service {
	putMetricData := func(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
		if len(in.MetricData) != 300 {
			return nil, &cwtypes.InvalidParameterValueException{Message: aws.String(fmt.Sprintf("%d datums", len(in.MetricData)))}
		}
		return nil, nil
	}
	statistics := func(_ context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
		return &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []cwtypes.Datapoint{{Timestamp: in.StartTime, Sum: aws.Float64(1.5)}}}, nil
	}
	setAlarmState := func(_ context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
		if in.StateValue == "" {
			return nil, api.Validation("no state")
		}
		return nil, &cwtypes.ResourceNotFound{}
	}
	describeAlarms := func(context.Context, *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cwtypes.MetricAlarm{}, CompositeAlarms: []cwtypes.CompositeAlarm{}}, nil
	}
	return &api.Service{
		Name: "monitoring", TargetPrefix: "GraniteServiceVersion20100801", JSONVersion: "1.0", CBOR: api.RPCv2CBOR,
		QueryVersion: "2010-08-01", XMLNamespace: "http://monitoring.amazonaws.com/doc/2010-08-01/", QueryCompatible: true,
		ErrorNamespace: "com.amazonaws.cloudwatch.v2010_08_01",
		Unions: []api.Union{
			api.UnionOf[cwtypes.EvaluationCriteria](&cwtypes.EvaluationCriteriaMemberPromQLCriteria{}),
			api.UnionOf[cwtypes.EvaluationWindow](&cwtypes.EvaluationWindowMemberSlidingWindow{}, &cwtypes.EvaluationWindowMemberWallClockWindow{}),
		},
		Operations: []api.Operation{
			api.Op("PutMetricData", cwschemas.PutMetricData, cwschemas.PutMetricDataInput, nil, putMetricData),
			api.Op("GetMetricStatistics", cwschemas.GetMetricStatistics, cwschemas.GetMetricStatisticsInput, cwschemas.GetMetricStatisticsOutput, statistics),
			api.Op("SetAlarmState", cwschemas.SetAlarmState, cwschemas.SetAlarmStateInput, nil, setAlarmState),
			api.Op("DescribeAlarms", cwschemas.DescribeAlarms, cwschemas.DescribeAlarmsInput, cwschemas.DescribeAlarmsOutput, describeAlarms),
		},
	}
}

func logsService() *api.Service {
	getLogEvents := func(_ context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
		if aws.ToString(in.LogGroupName) == "missing" {
			return nil, &logstypes.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
		}
		return &cloudwatchlogs.GetLogEventsOutput{Events: []logstypes.OutputLogEvent{{Message: in.LogStreamName, Timestamp: in.StartTime}}}, nil
	}
	return &api.Service{
		Name: "logs", TargetPrefix: "Logs_20140328", JSONVersion: "1.1",
		Operations: []api.Operation{
			api.Op("GetLogEvents", logsschemas.GetLogEvents, logsschemas.GetLogEventsRequest, logsschemas.GetLogEventsResponse, getLogEvents),
		},
	}
}

func lambdaService() *api.Service {
	invoke := func(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		switch in.InvocationType {
		case lambdatypes.InvocationTypeEvent:
			return &lambda.InvokeOutput{StatusCode: 202}, nil
		case lambdatypes.InvocationTypeDryRun:
			return &lambda.InvokeOutput{StatusCode: 204}, nil
		}
		return &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: aws.String("$LATEST"), Payload: in.Payload, LogResult: in.FunctionName}, nil
	}
	createFunction := func(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
		var c api.Constraints
		c.Required("role", in.Role != nil)
		c.Required("code", in.Code != nil)
		if err := c.Err(); err != nil {
			return nil, err
		}
		return &lambda.CreateFunctionOutput{FunctionName: in.FunctionName, CodeSize: int64(len(in.Code.ZipFile)), Timeout: in.Timeout}, nil
	}
	getMapping := func(_ context.Context, in *lambda.GetEventSourceMappingInput) (*lambda.GetEventSourceMappingOutput, error) {
		if aws.ToString(in.UUID) == "throttled" {
			return nil, &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Type: aws.String("User"), RetryAfterSeconds: aws.String("7")}
		}
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("The resource you requested does not exist."), Type: aws.String("User")}
	}
	deleteFunction := func(context.Context, *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
		return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
	}
	updateMapping := func(_ context.Context, in *lambda.UpdateEventSourceMappingInput) (*lambda.UpdateEventSourceMappingOutput, error) {
		return &lambda.UpdateEventSourceMappingOutput{UUID: in.UUID, BatchSize: in.BatchSize, LastModified: &someTime}, nil
	}
	return &api.Service{
		Name: "lambda", REST: true, MaxRequestBytes: 70 << 20,
		Operations: []api.Operation{
			api.Op("Invoke", lambdaschemas.Invoke, lambdaschemas.InvocationRequest, lambdaschemas.InvocationResponse, invoke),
			api.Op("CreateFunction", lambdaschemas.CreateFunction, lambdaschemas.CreateFunctionRequest, lambdaschemas.FunctionConfiguration, createFunction),
			api.Op("DeleteFunction", lambdaschemas.DeleteFunction, lambdaschemas.DeleteFunctionRequest, lambdaschemas.DeleteFunctionResponse, deleteFunction),
			api.Op("GetEventSourceMapping", lambdaschemas.GetEventSourceMapping, lambdaschemas.GetEventSourceMappingRequest, lambdaschemas.EventSourceMappingConfiguration, getMapping),
			api.Op("UpdateEventSourceMapping", lambdaschemas.UpdateEventSourceMapping, lambdaschemas.UpdateEventSourceMappingRequest, lambdaschemas.EventSourceMappingConfiguration, updateMapping),
		},
	}
}

func snsService() *api.Service {
	publish := func(_ context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
		if aws.ToString(in.TopicArn) == "missing" {
			return nil, &snstypes.NotFoundException{Message: aws.String("Topic does not exist")}
		}
		return &sns.PublishOutput{MessageId: aws.String(aws.ToString(in.Message) + string(in.MessageAttributes["a"].BinaryValue))}, nil
	}
	listTopics := func(context.Context, *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
		return &sns.ListTopicsOutput{Topics: []snstypes.Topic{{TopicArn: aws.String("<arn>")}}}, nil
	}
	attributes := func(context.Context, *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
		return &sns.GetTopicAttributesOutput{Attributes: map[string]string{"Owner": "me", "Policy": `{"a":"b"}`}}, nil
	}
	confirm := func(_ context.Context, in *sns.ConfirmSubscriptionInput) (*sns.ConfirmSubscriptionOutput, error) {
		return &sns.ConfirmSubscriptionOutput{SubscriptionArn: aws.String(aws.ToString(in.TopicArn) + ":" + aws.ToString(in.Token))}, nil
	}
	deleteTopic := func(context.Context, *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) { return nil, nil }
	return &api.Service{
		Name: "sns", QueryVersion: "2010-03-31", XMLNamespace: "http://sns.amazonaws.com/doc/2010-03-31/", MaxRequestBytes: 2 << 20,
		ErrorStatus: map[string]int{"NotFound": http.StatusNotFound},
		Operations: []api.Operation{
			api.Op("Publish", nil, nil, nil, publish),
			api.Op("ListTopics", nil, nil, nil, listTopics),
			api.Op("GetTopicAttributes", nil, nil, nil, attributes),
			api.Op("ConfirmSubscription", nil, nil, nil, confirm),
			api.Op("DeleteTopic", nil, nil, nil, deleteTopic),
		},
	}
}

var identity = catalog.Identity{Partition: "aws", Region: "us-east-1", Account: "000000000000"}

func newHandler(t testing.TB, cfg api.Config) *api.Handler {
	t.Helper()
	cfg.Services = []*api.Service{
		kinesisService(), dynamoDBService(), cloudWatchService(), logsService(), lambdaService(), snsService(), stsapi.New(identity),
	}
	cfg.Identity = identity
	h, err := api.NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// clientConfig starts a server and returns the configuration of its clients.
func clientConfig(t testing.TB) aws.Config {
	t.Helper()
	server := httptest.NewServer(newHandler(t, api.Config{}))
	t.Cleanup(server.Close)
	return aws.Config{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String(server.URL),
		Credentials:      credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		RetryMaxAttempts: 1,
	}
}
