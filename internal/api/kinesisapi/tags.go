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

const (
	maxTags       = 50
	maxTagsListed = 50
)

// tagText is what keys and values of tags are made of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-%@]*$`)

// findForTags finds a stream and checks the texts of tags. The service lets a percent
// sign pass a first check and refuses it in a second one.
func (h handlers) findForTags(name, arn *string, action string, texts []string) (*stream.Stream, error) {
	st, err := h.find(name, arn)
	if err != nil {
		return nil, err
	}
	return st, h.checkTagTexts(st.Name(), action, texts)
}

// checkTagTexts checks the keys and values of tags that are for the stream of a name.
func (h handlers) checkTagTexts(name, action string, texts []string) error {
	if slices.ContainsFunc(texts, func(text string) bool { return !tagText.MatchString(text) }) {
		return invalidArgument("Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @.")
	}
	if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "%") }) {
		return invalidArgument("Failed to " + action + " stream " + name + " under account " + h.streams.Account() + " because some tags contained illegal characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.")
	}
	return nil
}

func tagTexts(tags map[string]string) []string {
	return append(slices.Collect(maps.Keys(tags)), slices.Collect(maps.Values(tags))...)
}

func (h handlers) tooManyTags(name string) error {
	return invalidArgument("Failed to add tags to stream " + name + " under account " + h.streams.Account() + " because a given stream cannot have more than 10 tags associated with it.")
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
		return nil, h.tooManyTags(st.Name())
	}
	return &kinesis.AddTagsToStreamOutput{}, exception(h.streams.SetTags(ctx, st.Name(), tags))
}

func (h handlers) removeTags(ctx context.Context, in *kinesis.RemoveTagsFromStreamInput) (*kinesis.RemoveTagsFromStreamOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	checkTagKeys(&c, in.TagKeys)
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

// tagged is a stream or a consumer as the operations on tags of any resource see it.
type tagged struct {
	tags map[string]string
	set  func(ctx context.Context, tags map[string]string) error
}

var resourceARNPattern = api.MustPattern(`arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+`)

func checkResource(c *api.Constraints, arn *string) {
	c.Required("resourceARN", arn != nil)
	c.Length("resourceARN", arn, 1, maxARNLength)
	c.Pattern("resourceARN", arn, resourceARNPattern)
}

// findTagged returns what an ARN means, if the texts of tags are fine.
func (h handlers) findTagged(arn *string, action string, texts []string) (tagged, error) {
	streamARN, _, ofConsumer := strings.Cut(*arn, "/consumer/")
	st, err := h.findForTags(nil, &streamARN, action, texts)
	if err != nil {
		return tagged{}, err
	}
	if !ofConsumer {
		return tagged{st.Definition().Tags, func(ctx context.Context, tags map[string]string) error {
			return exception(h.streams.SetTags(ctx, st.Name(), tags))
		}}, nil
	}
	_, consumer, err := h.streams.ConsumerByARN(*arn)
	if err != nil {
		return tagged{}, exception(err)
	}
	return tagged{consumer.Tags, func(ctx context.Context, tags map[string]string) error {
		return exception(h.streams.SetConsumerTags(ctx, *arn, tags))
	}}, nil
}

func (h handlers) tagResource(ctx context.Context, in *kinesis.TagResourceInput) (*kinesis.TagResourceOutput, error) {
	var c api.Constraints
	checkResource(&c, in.ResourceARN)
	c.Required("tags", in.Tags != nil)
	checkTags(&c, in.Tags)
	if err := c.Err(); err != nil {
		return nil, err
	}
	found, err := h.findTagged(in.ResourceARN, "add tags to", tagTexts(in.Tags))
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	maps.Copy(tags, found.tags)
	maps.Copy(tags, in.Tags)
	if len(tags) > maxTags {
		return nil, invalidArgument("Failed to add tags to " + *in.ResourceARN + " because it cannot have more than 50 tags.")
	}
	return &kinesis.TagResourceOutput{}, found.set(ctx, tags)
}

func (h handlers) untagResource(ctx context.Context, in *kinesis.UntagResourceInput) (*kinesis.UntagResourceOutput, error) {
	var c api.Constraints
	checkResource(&c, in.ResourceARN)
	checkTagKeys(&c, in.TagKeys)
	if err := c.Err(); err != nil {
		return nil, err
	}
	found, err := h.findTagged(in.ResourceARN, "remove tags from", in.TagKeys)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(found.tags)
	for _, key := range in.TagKeys {
		delete(tags, key)
	}
	return &kinesis.UntagResourceOutput{}, found.set(ctx, tags)
}

func (h handlers) listTagsForResource(_ context.Context, in *kinesis.ListTagsForResourceInput) (*kinesis.ListTagsForResourceOutput, error) {
	var c api.Constraints
	checkResource(&c, in.ResourceARN)
	if err := c.Err(); err != nil {
		return nil, err
	}
	found, err := h.findTagged(in.ResourceARN, "", nil)
	if err != nil {
		return nil, err
	}
	out := &kinesis.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(found.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(found.tags[key])})
	}
	return out, nil
}
