package snsapi

import (
	"context"
	"errors"

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
	m, err := message(in.Message, in.Subject, in.MessageStructure, in.MessageAttributes, in.MessageGroupId, in.MessageDeduplicationId)
	if err != nil {
		return nil, err
	}
	id, err := h.topics.Publish(ctx, *target, m)
	if err != nil {
		return nil, exception(err)
	}
	return &sns.PublishOutput{MessageId: &id}, nil
}

func message(body, subject, structure *string, attributes map[string]types.MessageAttributeValue, group, deduplication *string) (notify.Message, error) {
	if group != nil {
		return notify.Message{}, invalid("MessageGroupId Reason: The request includes MessageGroupId parameter that is not valid for this topic type")
	}
	if deduplication != nil {
		return notify.Message{}, invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	}
	if subject != nil && *subject == "" {
		return notify.Message{}, invalid("Subject")
	}
	m := notify.Message{Subject: aws.ToString(subject), Body: aws.ToString(body)}
	switch aws.ToString(structure) {
	case "":
	case "json":
		var err error
		if m.Body, m.Bodies, err = notify.ParseStructure(m.Body); err != nil {
			return notify.Message{}, exception(err)
		}
	default:
		return notify.Message{}, invalid("MessageStructure")
	}
	for name, a := range attributes {
		if m.Attributes == nil {
			m.Attributes = map[string]notify.Attribute{}
		}
		m.Attributes[name] = notify.Attribute{Type: aws.ToString(a.DataType), String: aws.ToString(a.StringValue), Binary: a.BinaryValue}
	}
	return m, nil
}

func (h handlers) publishBatch(ctx context.Context, in *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
	out := &sns.PublishBatchOutput{Successful: []types.PublishBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	entries := make([]notify.Entry, len(in.PublishBatchRequestEntries))
	malformed := map[string]error{}
	for i, e := range in.PublishBatchRequestEntries {
		m, err := message(e.Message, e.Subject, e.MessageStructure, e.MessageAttributes, e.MessageGroupId, e.MessageDeduplicationId)
		if err != nil {
			malformed[aws.ToString(e.Id)] = err
		}
		entries[i] = notify.Entry{ID: aws.ToString(e.Id), Message: m}
	}
	// An entry that is malformed has no message, which the domain refuses too.
	results, err := h.topics.PublishBatch(ctx, aws.ToString(in.TopicArn), entries)
	if err != nil {
		return nil, exception(err)
	}
	for i := range results {
		r := &results[i]
		if r.Err == nil {
			out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: &r.ID, MessageId: &r.MessageID})
			continue
		}
		failure := exception(r.Err)
		if err := malformed[r.ID]; err != nil {
			failure = err
		}
		out.Failed = append(out.Failed, failedEntry(r.ID, failure))
	}
	return out, nil
}

func failedEntry(id string, err error) types.BatchResultErrorEntry {
	entry := types.BatchResultErrorEntry{Id: &id, Code: aws.String("InternalError"), SenderFault: false}
	var e *api.Error
	if errors.As(err, &e) {
		entry.Code, entry.Message, entry.SenderFault = &e.Code, &e.Message, true
	}
	return entry
}
