package cloudwatchapi

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
)

func tagMap(tags []types.Tag) (map[string]string, error) {
	var c api.Constraints
	all := make(map[string]string, len(tags))
	for i, t := range tags {
		c.Required(api.MemberPath("tags", i, "key"), t.Key != nil)
		c.Length(api.MemberPath("tags", i, "key"), t.Key, 1, 128)
		c.Required(api.MemberPath("tags", i, "value"), t.Value != nil)
		c.Length(api.MemberPath("tags", i, "value"), t.Value, 0, 256)
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all, c.Err()
}

// tagged is the resource that an ARN means: an alarm or a dashboard.
type tagged struct {
	tags   map[string]string
	change func(set map[string]string, remove []string) error
}

func (h handlers) tagged(arn *string) (tagged, error) {
	var c api.Constraints
	c.Required("resourceARN", arn != nil)
	c.Length("resourceARN", arn, 1, 1024)
	if err := c.Err(); err != nil {
		return tagged{}, err
	}
	notFound := &types.ResourceNotFoundException{Message: aws.String("Unknown"), ResourceId: arn}
	a, err := catalog.ParseARN(*arn)
	if err != nil || a.Service != "cloudwatch" {
		return tagged{}, &types.InvalidParameterValueException{Message: aws.String("The value " + *arn + " for parameter ResourceARN is not the ARN of an alarm or dashboard.")}
	}
	if name, ok := strings.CutPrefix(a.Resource, "alarm:"); ok {
		alarm, ok := h.Alarms.Get(name)
		if !ok || alarm.ARN != *arn {
			// The service lists no tags for it, and lets none be set.
			return tagged{change: func(map[string]string, []string) error { return notFound }}, nil
		}
		return tagged{alarm.Tags, func(set map[string]string, remove []string) error { return h.Alarms.Tag(name, set, remove) }}, nil
	}
	name := strings.TrimPrefix(a.Resource, "dashboard/")
	dashboard, err := h.Dashboards.Get(name)
	if err != nil || h.Dashboards.ARN(name) != *arn {
		return tagged{}, notFound
	}
	return tagged{dashboard.Tags, func(set map[string]string, remove []string) error { return h.Dashboards.Tag(name, set, remove) }}, nil
}

func (h handlers) tagResource(_ context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	t, err := h.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if in.Tags == nil {
		var c api.Constraints
		c.Required("tags", false)
		return nil, c.Err()
	}
	set, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.TagResourceOutput{}, exception(t.change(set, nil))
}

func (h handlers) untagResource(_ context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	t, err := h.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	var c api.Constraints
	c.Required("tagKeys", in.TagKeys != nil)
	c.ElementLengths("tagKeys", in.TagKeys, 1, 128)
	if err := c.Err(); err != nil {
		return nil, err
	}
	return &cloudwatch.UntagResourceOutput{}, exception(t.change(nil, in.TagKeys))
}

func (h handlers) listTagsForResource(_ context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	t, err := h.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(t.tags[key])})
	}
	return out, nil
}
