package dynamodbapi

import (
	"context"
	"errors"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/attr"
)

type streamHandlers struct {
	tables *table.Tables
	region string
}

// NewStreams returns the DynamoDB Streams service. region is what change records
// name as theirs.
func NewStreams(tables *table.Tables, region string) *api.Service {
	h := streamHandlers{tables, region}
	return &api.Service{
		Name:           "dynamodb",
		TargetPrefix:   "DynamoDBStreams_20120810",
		JSONVersion:    "1.0",
		Dialect:        api.DynamoDB,
		Prompt:         true,
		ErrorNamespace: errorNamespace,
		Operations: []api.Operation{
			api.Op("ListStreams", schemas.ListStreams, schemas.ListStreamsInput, schemas.ListStreamsOutput, h.listStreams),
			api.Op("DescribeStream", schemas.DescribeStream, schemas.DescribeStreamInput, schemas.DescribeStreamOutput, h.describeStream),
			api.Op("GetShardIterator", schemas.GetShardIterator, schemas.GetShardIteratorInput, schemas.GetShardIteratorOutput, h.getShardIterator),
			api.Op("GetRecords", schemas.GetRecords, schemas.GetRecordsInput, schemas.GetRecordsOutput, h.getRecords),
		},
	}
}

func streamException(err error) error {
	var notFound *table.NotFoundError
	switch {
	case errors.As(err, &notFound):
		return &types.ResourceNotFoundException{Message: &notFound.Message}
	case errors.Is(err, table.ErrExpiredIterator):
		return &types.ExpiredIteratorException{Message: aws.String("The shard iterator has expired. Shard iterators are valid for 15 minutes.")}
	case errors.Is(err, table.ErrTrimmed):
		return &types.TrimmedDataAccessException{Message: aws.String("The operation attempted to read past the oldest stream record in a shard.")}
	case errors.Is(err, stream.ErrNoLog):
		return &types.ResourceNotFoundException{Message: aws.String("Requested resource not found: Stream not found")}
	}
	return exception(err)
}

// maxStreamPage bounds the pages of ListStreams and DescribeStream, maxRecords those
// of GetRecords.
const (
	maxStreamPage = 100
	maxRecords    = 1000
)

func pageLimit(limit *int32, most int) int {
	if limit == nil {
		return most
	}
	return int(*limit)
}

// streamARN matches the ARNs of streams of tables.
var streamARN = regexp.MustCompile(`\Aarn:[a-z-]+:dynamodb:[^:]+:\d+:table/[a-zA-Z0-9_.-]{3,255}/stream/[0-9T:.-]+\z`)

// checkStream ends the checks of a request: it reports what constraints were broken,
// and refuses what is not the ARN of a stream, if it is there.
func checkStream(c *api.Constraints, arn *string) error {
	if err := c.Err(); err != nil {
		return err
	}
	if arn != nil && !streamARN.MatchString(*arn) {
		return api.Validation("Invalid StreamArn")
	}
	return nil
}

// checkStreamARN constrains the ARN of a stream.
func checkStreamARN(c *api.Constraints, path string, arn *string) {
	c.Required(path, arn != nil)
	c.Length(path, arn, 37, 1024)
}

func (h streamHandlers) listStreams(_ context.Context, in *dynamodbstreams.ListStreamsInput) (*dynamodbstreams.ListStreamsOutput, error) {
	var c api.Constraints
	if in.TableName != nil {
		checkName(&c, "tableName", in.TableName)
	}
	c.Length("exclusiveStartStreamArn", in.ExclusiveStartStreamArn, 37, 1024)
	c.Range("limit", in.Limit, 1, maxStreamPage)
	if err := checkStream(&c, in.ExclusiveStartStreamArn); err != nil {
		return nil, err
	}
	found, more := h.tables.ListStreams(text(in.TableName), text(in.ExclusiveStartStreamArn), pageLimit(in.Limit, maxStreamPage))
	out := &dynamodbstreams.ListStreamsOutput{Streams: make([]types.Stream, len(found))}
	for i, s := range found {
		out.Streams[i] = types.Stream{StreamArn: &s.ARN, TableName: &s.Table, StreamLabel: &s.Label}
	}
	if more {
		out.LastEvaluatedStreamArn = &found[len(found)-1].ARN
	}
	return out, nil
}

func (h streamHandlers) describeStream(_ context.Context, in *dynamodbstreams.DescribeStreamInput) (*dynamodbstreams.DescribeStreamOutput, error) {
	var c api.Constraints
	checkStreamARN(&c, "streamArn", in.StreamArn)
	c.Length("exclusiveStartShardId", in.ExclusiveStartShardId, 28, 65)
	c.Range("limit", in.Limit, 1, maxStreamPage)
	if f := in.ShardFilter; f != nil {
		c.Required("shardFilter.type", f.Type != "")
		api.Enum(&c, "shardFilter.type", f.Type, "CHILD_SHARDS")
		c.Required("shardFilter.shardId", f.ShardId != nil)
		c.Length("shardFilter.shardId", f.ShardId, 28, 65)
	}
	if err := checkStream(&c, in.StreamArn); err != nil {
		return nil, err
	}
	d, err := h.tables.DescribeStream(*in.StreamArn, text(in.ExclusiveStartShardId), pageLimit(in.Limit, maxStreamPage))
	if err != nil {
		return nil, streamException(err)
	}
	out := &types.StreamDescription{
		StreamArn: &d.ARN, StreamLabel: &d.Label, TableName: &d.Table,
		StreamStatus:            types.StreamStatusDisabled,
		StreamViewType:          types.StreamViewType(d.View),
		CreationRequestDateTime: &d.Created,
		Shards:                  []types.Shard{},
	}
	if d.Enabled {
		out.StreamStatus = types.StreamStatusEnabled
	}
	for i, k := range d.Key {
		out.KeySchema = append(out.KeySchema, types.KeySchemaElement{AttributeName: &k.Name, KeyType: types.KeyType(keyRole(i))})
	}
	for _, s := range d.Shards {
		if in.ShardFilter != nil && s.Parent != text(in.ShardFilter.ShardId) {
			continue
		}
		out.Shards = append(out.Shards, shard(s))
	}
	if d.LastShard != "" {
		out.LastEvaluatedShardId = &d.LastShard
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: out}, nil
}

func shard(s table.ChangeShard) types.Shard {
	out := types.Shard{ShardId: &s.ID, SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: &s.First}}
	if s.Closed {
		out.SequenceNumberRange.EndingSequenceNumber = &s.Last
	}
	if s.Parent != "" {
		out.ParentShardId = &s.Parent
	}
	return out
}

func (h streamHandlers) getShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput) (*dynamodbstreams.GetShardIteratorOutput, error) {
	var c api.Constraints
	checkStreamARN(&c, "streamArn", in.StreamArn)
	c.Required("shardId", in.ShardId != nil)
	c.Length("shardId", in.ShardId, 28, 65)
	c.Required("shardIteratorType", in.ShardIteratorType != "")
	api.Enum(&c, "shardIteratorType", in.ShardIteratorType, "AFTER_SEQUENCE_NUMBER", "LATEST", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON")
	c.Length("sequenceNumber", in.SequenceNumber, 21, 40)
	if err := checkStream(&c, in.StreamArn); err != nil {
		return nil, err
	}
	it, err := h.tables.GetShardIterator(*in.StreamArn, *in.ShardId, table.IteratorType(in.ShardIteratorType), text(in.SequenceNumber))
	if err != nil {
		return nil, streamException(err)
	}
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: &it}, nil
}

func (h streamHandlers) getRecords(_ context.Context, in *dynamodbstreams.GetRecordsInput) (*dynamodbstreams.GetRecordsOutput, error) {
	var c api.Constraints
	c.Required("shardIterator", in.ShardIterator != nil)
	c.Length("shardIterator", in.ShardIterator, 1, 2048)
	c.Range("limit", in.Limit, 1, maxRecords)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s, changes, next, err := h.tables.GetRecords(*in.ShardIterator, pageLimit(in.Limit, maxRecords))
	if err != nil {
		return nil, streamException(err)
	}
	out := &dynamodbstreams.GetRecordsOutput{Records: make([]types.Record, len(changes))}
	for i := range changes {
		out.Records[i] = h.record(s, &changes[i])
	}
	if next != "" {
		out.NextShardIterator = &next
	}
	return out, nil
}

func (h streamHandlers) record(s *table.ChangeStream, c *table.Change) types.Record {
	r := types.Record{
		EventID:      &c.ID,
		EventName:    types.OperationType(c.Kind.String()),
		EventVersion: aws.String("1.1"),
		EventSource:  aws.String("aws:dynamodb"),
		AwsRegion:    &h.region,
		Dynamodb: &types.StreamRecord{
			ApproximateCreationDateTime: &c.Time,
			Keys:                        streamItem(c.Keys),
			SequenceNumber:              &c.Sequence,
			SizeBytes:                   aws.Int64(int64(c.Size())),
			StreamViewType:              types.StreamViewType(s.View()),
		},
	}
	if c.HasNew {
		r.Dynamodb.NewImage = streamItem(c.New)
	}
	if c.HasOld {
		r.Dynamodb.OldImage = streamItem(c.Old)
	}
	return r
}

// streamItem and streamValue are sdkMap and sdkValue for the types of this service,
// which the SDK has twice.
func streamItem(it table.Item) map[string]types.AttributeValue {
	m := map[string]types.AttributeValue{}
	for name, v := range it.All() {
		m[string(name)] = streamValue(v)
	}
	return m
}

func streamValue(v table.Value) types.AttributeValue {
	switch v.Kind() {
	case attr.String:
		return &types.AttributeValueMemberS{Value: string(v.Text())}
	case attr.Number:
		return &types.AttributeValueMemberN{Value: v.NumberText()}
	case attr.Binary:
		return &types.AttributeValueMemberB{Value: v.Text()}
	case attr.Bool:
		return &types.AttributeValueMemberBOOL{Value: v.Truth()}
	case attr.Null:
		return &types.AttributeValueMemberNULL{Value: true}
	case attr.StringSet:
		return &types.AttributeValueMemberSS{Value: elements(v, func(e table.Value) string { return string(e.Text()) })}
	case attr.NumberSet:
		return &types.AttributeValueMemberNS{Value: elements(v, table.Value.NumberText)}
	case attr.BinarySet:
		return &types.AttributeValueMemberBS{Value: elements(v, table.Value.Text)}
	case attr.List:
		return &types.AttributeValueMemberL{Value: elements(v, streamValue)}
	case attr.Map:
		return &types.AttributeValueMemberM{Value: streamItem(v.Item())}
	}
	return nil
}
