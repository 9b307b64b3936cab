package snsapi

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/notify"
)

// pageSize is how many topics or subscriptions a page of a list has.
const pageSize = 100

// page returns the part of a list, ordered by name, that follows a token, and the
// token of the next part.
func page[T any](all []T, name func(T) string, token *string) (part []T, next *string, err error) {
	from := 0
	if token != nil {
		after, err := base64.URLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalid("NextToken")
		}
		found := false
		from, found = slices.BinarySearchFunc(all, string(after), func(e T, target string) int { return strings.Compare(name(e), target) })
		if found {
			from++
		}
	}
	all = all[from:]
	if len(all) <= pageSize {
		return all, nil, nil
	}
	last := base64.URLEncoding.EncodeToString([]byte(name(all[pageSize-1])))
	return all[:pageSize], &last, nil
}

func (h handlers) createTopic(ctx context.Context, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	if in.DataProtectionPolicy != nil {
		return nil, invalid("DataProtectionPolicy is not implemented")
	}
	var tags map[string]string
	if in.Tags != nil {
		var c api.Constraints
		checkTags(&c, in.Tags)
		if err := violations(&c); err != nil {
			return nil, err
		}
		tags = tagMap(in.Tags)
	}
	arn, err := h.topics.CreateTopic(ctx, aws.ToString(in.Name), in.Attributes, tags)
	if err != nil {
		return nil, exception(err)
	}
	return &sns.CreateTopicOutput{TopicArn: &arn}, nil
}

func (h handlers) deleteTopic(ctx context.Context, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	return nil, exception(h.topics.DeleteTopic(ctx, aws.ToString(in.TopicArn)))
}

func (h handlers) listTopics(_ context.Context, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	arns, next, err := page(h.topics.Topics(), func(arn string) string { return arn }, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sns.ListTopicsOutput{Topics: make([]types.Topic, len(arns)), NextToken: next}
	for i := range arns {
		out.Topics[i] = types.Topic{TopicArn: &arns[i]}
	}
	return out, nil
}

func (h handlers) getTopicAttributes(ctx context.Context, in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
	attributes, err := h.topics.TopicAttributes(ctx, aws.ToString(in.TopicArn))
	if err != nil {
		return nil, exception(err)
	}
	return &sns.GetTopicAttributesOutput{Attributes: attributes}, nil
}

func (h handlers) setTopicAttributes(ctx context.Context, in *sns.SetTopicAttributesInput) (*sns.SetTopicAttributesOutput, error) {
	err := h.topics.SetTopicAttribute(ctx, aws.ToString(in.TopicArn), aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue))
	return nil, exception(err)
}

func tagMap(tags []types.Tag) map[string]string {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

// taggedTopic finds the topic that tags are for; its absence has an error of its
// own here.
func (h handlers) taggedTopic(ctx context.Context, arn *string) (notify.Topic, error) {
	topic, err := h.topics.Topic(ctx, aws.ToString(arn))
	if err != nil {
		return topic, exception(&notify.Error{Code: notify.ResourceNotFound, Message: "Resource does not exist"})
	}
	return topic, nil
}

func (h handlers) tagResource(ctx context.Context, in *sns.TagResourceInput) (*sns.TagResourceOutput, error) {
	var c api.Constraints
	c.Required("tags", in.Tags != nil)
	checkTags(&c, in.Tags)
	if err := violations(&c); err != nil {
		return nil, err
	}
	topic, err := h.taggedTopic(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(tagMap(in.Tags)) < len(in.Tags) {
		return nil, invalid("Duplicated keys are not allowed.")
	}
	return &sns.TagResourceOutput{}, exception(h.topics.TagTopic(ctx, topic.ARN, tagMap(in.Tags), nil))
}

func (h handlers) untagResource(ctx context.Context, in *sns.UntagResourceInput) (*sns.UntagResourceOutput, error) {
	var c api.Constraints
	c.Required("tagKeys", in.TagKeys != nil)
	c.ElementLengths("tagKeys", in.TagKeys, 1, 128)
	if err := violations(&c); err != nil {
		return nil, err
	}
	topic, err := h.taggedTopic(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sns.UntagResourceOutput{}, exception(h.topics.TagTopic(ctx, topic.ARN, nil, in.TagKeys))
}

func (h handlers) listTagsForResource(ctx context.Context, in *sns.ListTagsForResourceInput) (*sns.ListTagsForResourceOutput, error) {
	topic, err := h.taggedTopic(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &sns.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(topic.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(topic.Tags[key])})
	}
	return out, nil
}
