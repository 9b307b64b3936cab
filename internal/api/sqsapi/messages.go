package sqsapi

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/queue"
)

// The SDK's own inputs cannot tell a number that is absent from 0, which differ
// in what follows; so these are written out, with the names of the API.

type sendInput struct {
	QueueUrl                *string //nolint:revive,staticcheck // see above
	MessageBody             *string
	DelaySeconds            *int32
	MessageAttributes       map[string]types.MessageAttributeValue
	MessageDeduplicationId  *string //nolint:revive,staticcheck // see above
	MessageGroupId          *string //nolint:revive,staticcheck // see above
	MessageSystemAttributes map[string]types.MessageSystemAttributeValue
}

type sendBatchInput struct {
	QueueUrl *string //nolint:revive,staticcheck // see above
	Entries  []sendEntry
}

type sendEntry struct {
	Id                      *string //nolint:revive,staticcheck // see above
	MessageBody             *string
	DelaySeconds            *int32
	MessageAttributes       map[string]types.MessageAttributeValue
	MessageDeduplicationId  *string //nolint:revive,staticcheck // see above
	MessageGroupId          *string //nolint:revive,staticcheck // see above
	MessageSystemAttributes map[string]types.MessageSystemAttributeValue
}

type receiveInput struct {
	QueueUrl                    *string //nolint:revive,staticcheck // see above
	AttributeNames              []types.QueueAttributeName
	MaxNumberOfMessages         *int32
	MessageAttributeNames       []string
	MessageSystemAttributeNames []types.MessageSystemAttributeName
	ReceiveRequestAttemptId     *string //nolint:revive,staticcheck // see above
	VisibilityTimeout           *int32
	WaitTimeSeconds             *int32
}

type visibilityInput struct {
	QueueUrl          *string //nolint:revive,staticcheck // see above
	ReceiptHandle     *string
	VisibilityTimeout *int32
}

type visibilityBatchInput struct {
	QueueUrl *string //nolint:revive,staticcheck // see above
	Entries  []visibilityEntry
}

type visibilityEntry struct {
	Id                *string //nolint:revive,staticcheck // see above
	ReceiptHandle     *string
	VisibilityTimeout *int32
}

// traceHeader is the one system attribute that senders may set.
const traceHeader = "AWSTraceHeader"

// message translates an entry. The trace of the request, which instrumented clients
// send in a header, is that of the message unless it has one of its own.
func (e *sendEntry) message(ctx context.Context) (queue.Message, error) {
	m := queue.Message{
		Body: aws.ToString(e.MessageBody), Delay: whole(e.DelaySeconds), Group: e.MessageGroupId, DeduplicationID: e.MessageDeduplicationId,
		TraceHeader: api.CallerOf(ctx).Trace,
	}
	for name, a := range e.MessageAttributes {
		if len(a.StringListValues)+len(a.BinaryListValues) > 0 {
			return m, &queue.Error{Code: queue.Unsupported, Message: "Message attribute list values in SendMessage operation are not supported."}
		}
		if m.Attributes == nil {
			m.Attributes = map[string]queue.Attribute{}
		}
		m.Attributes[name] = queue.Attribute{Type: aws.ToString(a.DataType), String: aws.ToString(a.StringValue), Binary: a.BinaryValue}
	}
	for _, name := range slices.Sorted(maps.Keys(e.MessageSystemAttributes)) {
		a := e.MessageSystemAttributes[name]
		if name != traceHeader || aws.ToString(a.DataType) != "String" || aws.ToString(a.StringValue) == "" {
			return m, &queue.Error{Code: queue.InvalidValue, Message: "Message system attribute '" + name + "' is invalid: the only one that can be sent is AWSTraceHeader, a non-empty String."}
		}
		m.TraceHeader = *a.StringValue
	}
	return m, nil
}

func (h handlers) sendMessage(ctx context.Context, in *sendInput) (*sqs.SendMessageOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	e := sendEntry{nil, in.MessageBody, in.DelaySeconds, in.MessageAttributes, in.MessageDeduplicationId, in.MessageGroupId, in.MessageSystemAttributes}
	m, err := e.message(ctx)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	sent, err := send(ctx, q, m)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	return &sqs.SendMessageOutput{
		MessageId: &sent.MessageID, MD5OfMessageBody: &sent.BodyMD5, MD5OfMessageAttributes: given(sent.AttributesMD5),
		MD5OfMessageSystemAttributes: given(sent.SystemMD5), SequenceNumber: given(sent.Sequence),
	}, nil
}

func (h handlers) sendMessageBatch(ctx context.Context, in *sendBatchInput) (*sqs.SendMessageBatchOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	entries := make([]queue.Entry, len(in.Entries))
	malformed := map[string]error{}
	for i := range in.Entries {
		e := &in.Entries[i]
		m, err := e.message(ctx)
		if err != nil {
			// It goes on without a body, which the domain refuses too.
			m.Body = ""
			malformed[aws.ToString(e.Id)] = err
		}
		entries[i] = queue.Entry{ID: aws.ToString(e.Id), Message: m}
	}
	results, err := sendBatch(ctx, q, entries)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	out := &sqs.SendMessageBatchOutput{}
	for i := range results {
		r := &results[i]
		if err := malformed[r.ID]; err != nil {
			r.Err = err
		}
		if r.Err != nil {
			out.Failed = append(out.Failed, failed(r.ID, r.Err))
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
			Id: &r.ID, MessageId: &r.Sent.MessageID, MD5OfMessageBody: &r.Sent.BodyMD5, MD5OfMessageAttributes: given(r.Sent.AttributesMD5),
			MD5OfMessageSystemAttributes: given(r.Sent.SystemMD5), SequenceNumber: given(r.Sent.Sequence),
		})
	}
	return out, nil
}

// send sends a message where the operation takes effect.
func send(ctx context.Context, q *queue.Queue, m queue.Message) (queue.Sent, error) {
	if tx := api.EffectsOf(ctx); tx != nil {
		return q.SendIn(ctx, tx, m)
	}
	return q.Send(ctx, m)
}

// sendBatch sends messages where the operation takes effect.
func sendBatch(ctx context.Context, q *queue.Queue, entries []queue.Entry) ([]queue.Result, error) {
	if tx := api.EffectsOf(ctx); tx != nil {
		return q.SendBatchIn(ctx, tx, entries)
	}
	return q.SendBatch(ctx, entries)
}

func (h handlers) receiveMessage(ctx context.Context, in *receiveInput) (*sqs.ReceiveMessageOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	system, err := systemNames(in)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	got, err := q.Receive(ctx, queue.ReceiveRequest{
		Max: whole(in.MaxNumberOfMessages), Visibility: whole(in.VisibilityTimeout), Wait: whole(in.WaitTimeSeconds), AttemptID: in.ReceiveRequestAttemptId,
	})
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	out := &sqs.ReceiveMessageOutput{}
	for i := range got {
		out.Messages = append(out.Messages, message(&got[i], system, in.MessageAttributeNames))
	}
	return out, nil
}

// systemNames are the system attributes that are asked for. The older parameter takes
// the names of attributes of queues too, which no message has.
func systemNames(in *receiveInput) (names []string, err error) {
	known := types.MessageSystemAttributeName("").Values()
	for _, name := range in.AttributeNames {
		if !slices.Contains(name.Values(), name) && !slices.Contains(known, types.MessageSystemAttributeName(name)) {
			return nil, unknownAttribute(string(name))
		}
		names = append(names, string(name))
	}
	for _, name := range in.MessageSystemAttributeNames {
		if !slices.Contains(known, name) {
			return nil, unknownAttribute(string(name))
		}
		names = append(names, string(name))
	}
	return names, nil
}

func unknownAttribute(name string) error {
	return &queue.Error{Code: queue.InvalidAttribute, Message: "Unknown Attribute " + name + "."}
}

// message shows of a message what was asked for.
func message(r *queue.Received, system, names []string) types.Message {
	m := types.Message{MessageId: &r.MessageID, ReceiptHandle: &r.Handle, Body: &r.Body, MD5OfBody: aws.String(queue.BodyMD5(r.Body))}
	for name, value := range systemAttributes(r) {
		if value != "" && (slices.Contains(system, name) || slices.Contains(system, "All")) {
			if m.Attributes == nil {
				m.Attributes = map[string]string{}
			}
			m.Attributes[name] = value
		}
	}
	shown := map[string]queue.Attribute{}
	for name, a := range r.Attributes {
		if !wanted(name, names) {
			continue
		}
		shown[name] = a
		if m.MessageAttributes == nil {
			m.MessageAttributes = map[string]types.MessageAttributeValue{}
		}
		value := types.MessageAttributeValue{DataType: aws.String(a.Type), BinaryValue: a.Binary}
		if a.Binary == nil {
			value.StringValue = aws.String(a.String)
		}
		m.MessageAttributes[name] = value
	}
	m.MD5OfMessageAttributes = given(queue.AttributesMD5(shown))
	return m
}

// systemAttributes are those that a message has; "" where it has none.
func systemAttributes(r *queue.Received) map[string]string {
	return map[string]string{
		"SenderId":                         r.Sender,
		"SentTimestamp":                    millis(r.Sent),
		"ApproximateReceiveCount":          strconv.Itoa(r.Receives),
		"ApproximateFirstReceiveTimestamp": millis(r.FirstReceived),
		"SequenceNumber":                   r.Sequence,
		"MessageDeduplicationId":           r.DeduplicationID,
		"MessageGroupId":                   r.Group,
		traceHeader:                        r.Trace,
		"DeadLetterQueueSourceArn":         r.Origin,
	}
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// wanted reports whether a message attribute is among those asked for: by name, by
// a prefix with ".*" after it, or all.
func wanted(name string, names []string) bool {
	return slices.ContainsFunc(names, func(ask string) bool {
		prefix, isPrefix := strings.CutSuffix(ask, ".*")
		return ask == name || ask == "All" || ask == "*" || isPrefix && strings.HasPrefix(name, prefix)
	})
}

func (h handlers) deleteMessage(ctx context.Context, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.ReceiptHandle == nil {
		return nil, missing("ReceiptHandle")
	}
	return nil, h.exception(ctx, q.Delete(ctx, *in.ReceiptHandle))
}

func (h handlers) deleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	entries := make([]queue.Handled, len(in.Entries))
	for i, e := range in.Entries {
		entries[i] = queue.Handled{ID: aws.ToString(e.Id), Handle: aws.ToString(e.ReceiptHandle)}
	}
	results, err := q.DeleteBatch(ctx, entries)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	out := &sqs.DeleteMessageBatchOutput{}
	for i := range results {
		if r := &results[i]; r.Err != nil {
			out.Failed = append(out.Failed, failed(r.ID, r.Err))
		} else {
			out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: &r.ID})
		}
	}
	return out, nil
}

func (h handlers) changeMessageVisibility(ctx context.Context, in *visibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	switch {
	case err != nil:
		return nil, err
	case in.ReceiptHandle == nil:
		return nil, missing("ReceiptHandle")
	case in.VisibilityTimeout == nil:
		return nil, missing("VisibilityTimeout")
	}
	return nil, h.exception(ctx, q.ChangeVisibility(ctx, *in.ReceiptHandle, int(*in.VisibilityTimeout)))
}

func (h handlers) changeMessageVisibilityBatch(ctx context.Context, in *visibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	entries := make([]queue.Handled, len(in.Entries))
	for i, e := range in.Entries {
		entries[i] = queue.Handled{ID: aws.ToString(e.Id), Handle: aws.ToString(e.ReceiptHandle), Visibility: int(aws.ToInt32(e.VisibilityTimeout))}
	}
	results, err := q.ChangeVisibilityBatch(ctx, entries)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for i := range results {
		if r := &results[i]; r.Err != nil {
			out.Failed = append(out.Failed, failed(r.ID, r.Err))
		} else {
			out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: &r.ID})
		}
	}
	return out, nil
}
