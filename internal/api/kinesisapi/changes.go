package kinesisapi

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

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

const (
	maxTags       = 50
	maxTagsListed = 50
)

// tagText is what keys and values of tags are made of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-%@]*$`)

// findForTags checks the texts of tags and finds their stream. The service lets a
// percent sign pass a first check and refuses it in a second one.
func (h handlers) findForTags(name, arn *string, action string, texts []string) (*stream.Stream, error) {
	percent := false
	for _, text := range texts {
		if !tagText.MatchString(text) {
			return nil, invalidArgument("Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @.")
		}
		percent = percent || strings.Contains(text, "%")
	}
	st, err := h.find(name, arn)
	if err == nil && percent {
		err = invalidArgument("Failed to " + action + " stream " + st.Name() + " under account " + h.streams.Account() + " because some tags contained illegal characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.")
	}
	return st, err
}

func tagTexts(tags map[string]string) []string {
	return append(slices.Collect(maps.Keys(tags)), slices.Collect(maps.Values(tags))...)
}

func (h handlers) tooManyTags(st *stream.Stream) error {
	return invalidArgument("Failed to add tags to stream " + st.Name() + " under account " + h.streams.Account() + " because a given stream cannot have more than 10 tags associated with it.")
}

func (h handlers) addTags(ctx context.Context, in *kinesis.AddTagsToStreamInput) (*kinesis.AddTagsToStreamOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Required("tags", in.Tags != nil)
	checkTags(&c, in.Tags)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.findForTags(in.StreamName, in.StreamARN, "add tags to", tagTexts(in.Tags))
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(st.Definition().Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, in.Tags)
	if len(tags) > maxTags {
		return nil, h.tooManyTags(st)
	}
	return &kinesis.AddTagsToStreamOutput{}, exception(h.streams.SetTags(ctx, st.Name(), tags))
}

func (h handlers) removeTags(ctx context.Context, in *kinesis.RemoveTagsFromStreamInput) (*kinesis.RemoveTagsFromStreamOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Required("tagKeys", in.TagKeys != nil)
	if in.TagKeys != nil {
		c.ListSize("tagKeys", len(in.TagKeys), 1, 50, func(i int) string { return in.TagKeys[i] })
		c.ElementLengths("tagKeys", in.TagKeys, 1, 128)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.findForTags(in.StreamName, in.StreamARN, "remove tags from", in.TagKeys)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(st.Definition().Tags)
	for _, key := range in.TagKeys {
		delete(tags, key)
	}
	return &kinesis.RemoveTagsFromStreamOutput{}, exception(h.streams.SetTags(ctx, st.Name(), tags))
}

func (h handlers) listTags(_ context.Context, in *kinesis.ListTagsForStreamInput) (*kinesis.ListTagsForStreamOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Range("limit", in.Limit, 1, maxTagsListed)
	c.Length("exclusiveStartTagKey", in.ExclusiveStartTagKey, 1, 128)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	tags := st.Definition().Tags
	limit := int(aws.ToInt32(or(in.Limit, maxTagsListed)))
	out := &kinesis.ListTagsForStreamOutput{Tags: []types.Tag{}, HasMoreTags: aws.Bool(false)}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if key <= aws.ToString(in.ExclusiveStartTagKey) {
			continue
		}
		if len(out.Tags) == limit {
			out.HasMoreTags = aws.Bool(true)
			break
		}
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out, nil
}
