// Package kinesisapi is the Kinesis Data Streams API over package stream.
//
// It decodes, checks declared constraints, calls the domain and encodes; the
// texts of errors that depend on streams come from the domain.
package kinesisapi

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stream"
)

// maxRequest bounds a request: 10 MiB of data in base64, with room for keys.
const maxRequest = 16 << 20

type handlers struct{ streams *stream.Streams }

// New returns the service.
func New(streams *stream.Streams) *api.Service {
	h := handlers{streams}
	return &api.Service{
		Name:            "kinesis",
		TargetPrefix:    "Kinesis_20131202",
		JSONVersion:     "1.1",
		CBOR:            api.KinesisCBOR,
		Dialect:         api.Kinesis,
		Prompt:          true,
		MaxRequestBytes: maxRequest,
		Operations: append(missing(), []api.Operation{
			api.Op("CreateStream", schemas.CreateStream, schemas.CreateStreamInput, nil, h.createStream),
			api.Op("DeleteStream", schemas.DeleteStream, schemas.DeleteStreamInput, nil, h.deleteStream),
			api.Op("DescribeStream", schemas.DescribeStream, schemas.DescribeStreamInput, schemas.DescribeStreamOutput, h.describeStream),
			api.Op("DescribeStreamSummary", schemas.DescribeStreamSummary, schemas.DescribeStreamSummaryInput, schemas.DescribeStreamSummaryOutput, h.describeStreamSummary),
			api.Op("ListStreams", schemas.ListStreams, schemas.ListStreamsInput, schemas.ListStreamsOutput, h.listStreams),
			api.Op("ListShards", schemas.ListShards, schemas.ListShardsInput, schemas.ListShardsOutput, h.listShards),
			api.Op("PutRecord", schemas.PutRecord, schemas.PutRecordInput, schemas.PutRecordOutput, h.putRecord).Held(),
			api.Op("PutRecords", schemas.PutRecords, schemas.PutRecordsInput, schemas.PutRecordsOutput, h.putRecords).WithFast(h.putRecordsFast).Held(),
			api.Op("SplitShard", schemas.SplitShard, schemas.SplitShardInput, nil, h.splitShard),
			api.Op("MergeShards", schemas.MergeShards, schemas.MergeShardsInput, nil, h.mergeShards),
			api.Op("UpdateShardCount", schemas.UpdateShardCount, schemas.UpdateShardCountInput, schemas.UpdateShardCountOutput, h.updateShardCount),
			api.Op("IncreaseStreamRetentionPeriod", schemas.IncreaseStreamRetentionPeriod, schemas.IncreaseStreamRetentionPeriodInput, nil, h.increaseRetention),
			api.Op("DecreaseStreamRetentionPeriod", schemas.DecreaseStreamRetentionPeriod, schemas.DecreaseStreamRetentionPeriodInput, nil, h.decreaseRetention),
			api.Op("UpdateStreamMode", schemas.UpdateStreamMode, schemas.UpdateStreamModeInput, nil, h.updateStreamMode),
			api.Op("UpdateMaxRecordSize", schemas.UpdateMaxRecordSize, schemas.UpdateMaxRecordSizeInput, nil, h.updateMaxRecordSize),
			api.Op("EnableEnhancedMonitoring", schemas.EnableEnhancedMonitoring, schemas.EnableEnhancedMonitoringInput, schemas.EnhancedMonitoringOutput, h.enableMonitoring),
			api.Op("DisableEnhancedMonitoring", schemas.DisableEnhancedMonitoring, schemas.DisableEnhancedMonitoringInput, schemas.EnhancedMonitoringOutput, h.disableMonitoring),
			api.Op("StartStreamEncryption", schemas.StartStreamEncryption, schemas.StartStreamEncryptionInput, nil, h.startEncryption),
			api.Op("StopStreamEncryption", schemas.StopStreamEncryption, schemas.StopStreamEncryptionInput, nil, h.stopEncryption),
			api.Op("DescribeLimits", schemas.DescribeLimits, schemas.DescribeLimitsInput, schemas.DescribeLimitsOutput, h.describeLimits),
			api.Op("AddTagsToStream", schemas.AddTagsToStream, schemas.AddTagsToStreamInput, nil, h.addTags),
			api.Op("RemoveTagsFromStream", schemas.RemoveTagsFromStream, schemas.RemoveTagsFromStreamInput, nil, h.removeTags),
			api.Op("ListTagsForStream", schemas.ListTagsForStream, schemas.ListTagsForStreamInput, schemas.ListTagsForStreamOutput, h.listTags),
			api.Op("TagResource", schemas.TagResource, schemas.TagResourceInput, nil, h.tagResource),
			api.Op("UntagResource", schemas.UntagResource, schemas.UntagResourceInput, nil, h.untagResource),
			api.Op("ListTagsForResource", schemas.ListTagsForResource, schemas.ListTagsForResourceInput, schemas.ListTagsForResourceOutput, h.listTagsForResource),
			api.Op("RegisterStreamConsumer", schemas.RegisterStreamConsumer, schemas.RegisterStreamConsumerInput, schemas.RegisterStreamConsumerOutput, h.registerConsumer),
			api.Op("DescribeStreamConsumer", schemas.DescribeStreamConsumer, schemas.DescribeStreamConsumerInput, schemas.DescribeStreamConsumerOutput, h.describeStreamConsumer),
			api.Op("ListStreamConsumers", schemas.ListStreamConsumers, schemas.ListStreamConsumersInput, schemas.ListStreamConsumersOutput, h.listConsumers),
			api.Op("DeregisterStreamConsumer", schemas.DeregisterStreamConsumer, schemas.DeregisterStreamConsumerInput, nil, h.deregisterConsumer),
			api.OpEvents("SubscribeToShard", schemas.SubscribeToShard, schemas.SubscribeToShardInput, h.subscribeToShard),
			api.Op("GetShardIterator", schemas.GetShardIterator, schemas.GetShardIteratorInput, schemas.GetShardIteratorOutput, h.getShardIterator),
			api.Op("GetRecords", schemas.GetRecords, schemas.GetRecordsInput, schemas.GetRecordsOutput, h.getRecords).WithFast(h.getRecordsFast),
		}...),
	}
}

// exception maps errors of the domain to those of the API.
func exception(err error) error {
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case stream.NotFound:
		return &types.ResourceNotFoundException{Message: &e.Message}
	case stream.InUse:
		return &types.ResourceInUseException{Message: &e.Message}
	case stream.InvalidArgument:
		return &types.InvalidArgumentException{Message: &e.Message}
	case stream.LimitExceeded:
		return &types.LimitExceededException{Message: &e.Message}
	case stream.ExpiredIterator:
		return &types.ExpiredIteratorException{Message: &e.Message}
	case stream.Validation:
		return api.Validation(e.Message)
	}
	return err
}

func invalidArgument(message string) error {
	return &types.InvalidArgumentException{Message: &message}
}

// find returns the stream that a name, an ARN or both mean.
func (h handlers) find(name, arn *string) (*stream.Stream, error) {
	n, err := streamName(name, arn)
	if err != nil {
		return nil, err
	}
	st, err := h.streams.Get(n)
	return st, exception(err)
}

func streamName(name, arn *string) (string, error) {
	if arn == nil {
		if name == nil {
			return "", invalidArgument("Neither streamArn or streamName was provided")
		}
		return *name, nil
	}
	a, err := catalog.ParseARN(*arn)
	fromARN, ok := strings.CutPrefix(a.Resource, "stream/")
	if err != nil || !ok {
		return "", invalidArgument("StreamARN " + *arn + " is not the ARN of a stream.")
	}
	if name != nil && *name != fromARN {
		return "", invalidArgument("StreamName " + *name + " and StreamARN " + *arn + " do not mean the same stream.")
	}
	return fromARN, nil
}

// shardIndex reads a shard id, leniently as the service does.
func (h handlers) shardIndex(id, name string) (uint32, error) {
	index, ok := stream.ParseShardID(id)
	if !ok {
		account := h.streams.Account()
		return 0, &types.ResourceNotFoundException{Message: aws.String("Could not find shard " + id + " in stream " + name + " under account " + account + ".")}
	}
	return index, nil
}
