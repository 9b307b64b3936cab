package snsapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/notify"
)

func (h handlers) publish(ctx context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
	if in.PhoneNumber != nil {
		return nil, invalid("PhoneNumber Reason: text messages are not implemented")
	}
	target := in.TopicArn
	switch {
	case target == nil:
		target = in.TargetArn
	case in.TargetArn != nil:
		return nil, invalid("TopicArn Reason: Both TopicArn and TargetArn specified. Please specify only one of them")
	}
	if target == nil {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	if in.TargetArn != nil && strings.Contains(*in.TargetArn, ":endpoint/") {
		return nil, invalid("TargetArn Reason: No endpoint found for the target arn specified")
	}
	m, err := message(ctx, publication{
		in.Message, in.Subject, in.MessageStructure, in.MessageGroupId, in.MessageDeduplicationId, in.MessageAttributes, "",
	})
	if err != nil {
		return nil, err
	}
	id, err := h.topics.Publish(ctx, *target, m)
	if err != nil {
		return nil, exception(err)
	}
	return &sns.PublishOutput{MessageId: &id}, nil
}

// publication is what a message and an entry of a batch have in common.
type publication struct {
	body, subject, structure, group, deduplication *string
	attributes                                     map[string]types.MessageAttributeValue
	path                                           string // of its members in errors
}

func message(ctx context.Context, p publication) (notify.Message, error) {
	if p.deduplication != nil {
		return notify.Message{}, invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	}
	if p.subject != nil && *p.subject == "" {
		return notify.Message{}, invalid("Subject")
	}
	m := notify.Message{Subject: aws.ToString(p.subject), Body: aws.ToString(p.body), Group: aws.ToString(p.group), Trace: api.CallerOf(ctx).Trace}
	switch aws.ToString(p.structure) {
	case "":
	case "json":
		var err error
		if m.Body, m.Bodies, err = notify.ParseStructure(m.Body); err != nil {
			return notify.Message{}, exception(err)
		}
	default:
		return notify.Message{}, invalid("MessageStructure")
	}
	for _, name := range slices.Sorted(maps.Keys(p.attributes)) {
		a := p.attributes[name]
		if a.DataType == nil {
			return notify.Message{}, &api.Error{Code: "ValidationError", Message: "1 validation error detected: Value null at '" + p.path + "messageAttributes." + name +
				".member.dataType' failed to satisfy constraint: Member must not be null"}
		}
		if m.Attributes == nil {
			m.Attributes = map[string]notify.Attribute{}
		}
		m.Attributes[name] = notify.Attribute{Type: *a.DataType, String: aws.ToString(a.StringValue), Binary: a.BinaryValue}
	}
	return m, nil
}

// publishBatch publishes all messages or none: what the service finds wrong with one
// of them is an error of the request.
func (h handlers) publishBatch(ctx context.Context, in *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
	entries := make([]notify.Entry, len(in.PublishBatchRequestEntries))
	for i, e := range in.PublishBatchRequestEntries {
		m, err := message(ctx, publication{
			e.Message, e.Subject, e.MessageStructure, e.MessageGroupId, e.MessageDeduplicationId, e.MessageAttributes,
			fmt.Sprintf("publishBatchRequestEntries.%d.member.", i+1),
		})
		if err != nil {
			return nil, err
		}
		entries[i] = notify.Entry{ID: aws.ToString(e.Id), Message: m}
	}
	ids, err := h.topics.PublishBatch(ctx, aws.ToString(in.TopicArn), entries)
	if err != nil {
		return nil, exception(err)
	}
	out := &sns.PublishBatchOutput{Successful: make([]types.PublishBatchResultEntry, len(ids)), Failed: []types.BatchResultErrorEntry{}}
	for i := range ids {
		out.Successful[i] = types.PublishBatchResultEntry{Id: &entries[i].ID, MessageId: &ids[i]}
	}
	return out, nil
}
