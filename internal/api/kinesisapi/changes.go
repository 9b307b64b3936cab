package kinesisapi

import (
	"context"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
)

func (h handlers) splitShard(ctx context.Context, in *kinesis.SplitShardInput) (*kinesis.SplitShardOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Required("shardToSplit", in.ShardToSplit != nil)
	checkName(&c, "shardToSplit", in.ShardToSplit)
	c.Required("newStartingHashKey", in.NewStartingHashKey != nil)
	c.Pattern("newStartingHashKey", in.NewStartingHashKey, hashKeyPattern)
	if err := c.Err(); err != nil {
		return nil, err
	}
	name, err := streamName(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	index, err := h.shardIndex(*in.ShardToSplit, name)
	if err != nil {
		return nil, err
	}
	return &kinesis.SplitShardOutput{}, exception(h.streams.SplitShard(ctx, name, index, *in.NewStartingHashKey))
}

func (h handlers) mergeShards(ctx context.Context, in *kinesis.MergeShardsInput) (*kinesis.MergeShardsOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Required("shardToMerge", in.ShardToMerge != nil)
	checkName(&c, "shardToMerge", in.ShardToMerge)
	c.Required("adjacentShardToMerge", in.AdjacentShardToMerge != nil)
	checkName(&c, "adjacentShardToMerge", in.AdjacentShardToMerge)
	if err := c.Err(); err != nil {
		return nil, err
	}
	name, err := streamName(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	lower, err := h.shardIndex(*in.ShardToMerge, name)
	if err != nil {
		return nil, err
	}
	upper, err := h.shardIndex(*in.AdjacentShardToMerge, name)
	if err != nil {
		return nil, err
	}
	return &kinesis.MergeShardsOutput{}, exception(h.streams.MergeShards(ctx, name, lower, upper))
}

func (h handlers) increaseRetention(ctx context.Context, in *kinesis.IncreaseStreamRetentionPeriodInput) (*kinesis.IncreaseStreamRetentionPeriodOutput, error) {
	st, err := h.retentionOf(in.StreamName, in.StreamARN, in.RetentionPeriodHours)
	if err != nil {
		return nil, err
	}
	return &kinesis.IncreaseStreamRetentionPeriodOutput{}, exception(h.streams.IncreaseRetention(ctx, st.Name(), int(*in.RetentionPeriodHours)))
}

func (h handlers) decreaseRetention(ctx context.Context, in *kinesis.DecreaseStreamRetentionPeriodInput) (*kinesis.DecreaseStreamRetentionPeriodOutput, error) {
	st, err := h.retentionOf(in.StreamName, in.StreamARN, in.RetentionPeriodHours)
	if err != nil {
		return nil, err
	}
	return &kinesis.DecreaseStreamRetentionPeriodOutput{}, exception(h.streams.DecreaseRetention(ctx, st.Name(), int(*in.RetentionPeriodHours)))
}

func (h handlers) retentionOf(name, arn *string, hours *int32) (*stream.Stream, error) {
	var c api.Constraints
	checkStream(&c, name, arn)
	c.Required("retentionPeriodHours", hours != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	return h.find(name, arn)
}

func (h handlers) updateShardCount(ctx context.Context, in *kinesis.UpdateShardCountInput) (*kinesis.UpdateShardCountOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Required("targetShardCount", in.TargetShardCount != nil)
	c.Range("targetShardCount", in.TargetShardCount, 1, math.MaxInt32)
	api.RequiredEnum(&c, "scalingType", in.ScalingType, func() bool { return api.Given(ctx, "ScalingType") }, types.ScalingTypeUniformScaling)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	before, err := h.streams.UpdateShardCount(ctx, st.Name(), int(*in.TargetShardCount))
	if err != nil {
		return nil, exception(err)
	}
	return &kinesis.UpdateShardCountOutput{
		StreamName: aws.String(st.Name()), StreamARN: aws.String(st.ARN()),
		CurrentShardCount: aws.Int32(int32(before)), TargetShardCount: in.TargetShardCount,
	}, nil
}
