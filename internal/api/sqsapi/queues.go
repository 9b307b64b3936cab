package sqsapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/weirstream/weir/internal/queue"
)

func (h handlers) createQueue(ctx context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	if in.QueueName == nil {
		return nil, missing("QueueName")
	}
	q, err := h.queues.Create(ctx, *in.QueueName, in.Attributes, in.Tags)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	return &sqs.CreateQueueOutput{QueueUrl: h.url(ctx, q.Name())}, nil
}

func (h handlers) deleteQueue(ctx context.Context, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, h.exception(ctx, h.queues.Delete(ctx, q.Name()))
}

func (h handlers) getQueueURL(ctx context.Context, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	if in.QueueName == nil {
		return nil, missing("QueueName")
	}
	q, err := h.queues.Get(*in.QueueName)
	if err == nil && in.QueueOwnerAWSAccountId != nil && *in.QueueOwnerAWSAccountId != h.queues.Account() {
		err = &queue.Error{Code: queue.NotFound, Message: "The specified queue does not exist."}
	}
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: h.url(ctx, q.Name())}, nil
}

// maxPage is how many queues a page lists at most, and how many are listed when
// pages are not asked for.
const maxPage = 1000

func (h handlers) listQueues(ctx context.Context, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	names, next, err := page(h.queues.Names(aws.ToString(in.QueueNamePrefix)), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	return &sqs.ListQueuesOutput{QueueUrls: h.urls(ctx, names), NextToken: next}, nil
}

func (h handlers) listDeadLetterSourceQueues(ctx context.Context, in *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	names, next, err := page(q.Sources(), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	urls := h.urls(ctx, names)
	if urls == nil {
		urls = []string{}
	}
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

// urls is nil without names: an empty list is left out.
func (h handlers) urls(ctx context.Context, names []string) []string {
	var urls []string
	for _, name := range names {
		urls = append(urls, *h.url(ctx, name))
	}
	return urls
}

// page returns the part of sorted names that a request asks for and the token of
// the next one, which is the last name before it.
func page(names []string, most *int32, token *string) ([]string, *string, error) {
	limit := maxPage
	if most != nil {
		if *most < 1 || *most > maxPage {
			return nil, nil, &queue.Error{Code: queue.InvalidValue, Message: "Value " + strconv.Itoa(int(*most)) + " for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."}
		}
		limit = int(*most)
	}
	if token != nil {
		last, err := base64.URLEncoding.DecodeString(*token)
		if err != nil || len(last) == 0 {
			return nil, nil, &queue.Error{Code: queue.InvalidValue, Message: "Invalid or expired next token."}
		}
		i, found := slices.BinarySearch(names, string(last))
		if found {
			i++
		}
		names = names[i:]
	}
	if len(names) <= limit {
		return names, nil, nil
	}
	if most == nil {
		return names[:limit], nil, nil
	}
	return names[:limit], aws.String(base64.URLEncoding.EncodeToString([]byte(names[limit-1]))), nil
}

func (h handlers) getQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(in.AttributeNames))
	for i, name := range in.AttributeNames {
		names[i] = string(name)
	}
	attributes, err := q.Attributes(ctx, names)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	if len(attributes) == 0 {
		attributes = nil
	}
	return &sqs.GetQueueAttributesOutput{Attributes: attributes}, nil
}

func (h handlers) setQueueAttributes(ctx context.Context, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.Attributes == nil {
		return nil, missing("Attributes")
	}
	return nil, h.exception(ctx, q.SetAttributes(ctx, in.Attributes))
}

func (h handlers) purgeQueue(ctx context.Context, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, h.exception(ctx, q.Purge(ctx))
}

func (h handlers) tagQueue(ctx context.Context, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.Tags == nil {
		return nil, missing("Tags")
	}
	return nil, h.exception(ctx, q.Tag(ctx, in.Tags, nil))
}

func (h handlers) untagQueue(ctx context.Context, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.TagKeys == nil {
		return nil, missing("TagKeys")
	}
	return nil, h.exception(ctx, q.Tag(ctx, nil, in.TagKeys))
}

func (h handlers) listQueueTags(ctx context.Context, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	tags := q.Definition().Tags
	if len(tags) == 0 {
		tags = nil
	}
	return &sqs.ListQueueTagsOutput{Tags: tags}, nil
}

func (h handlers) addPermission(ctx context.Context, in *sqs.AddPermissionInput) (*sqs.AddPermissionOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Label == nil:
		return nil, missing("Label")
	case len(in.AWSAccountIds) == 0:
		return nil, missing("PrincipalId")
	case len(in.Actions) == 0:
		return nil, missing("Actions")
	}
	return nil, h.exception(ctx, q.AddPermission(ctx, *in.Label, in.AWSAccountIds, in.Actions))
}

func (h handlers) removePermission(ctx context.Context, in *sqs.RemovePermissionInput) (*sqs.RemovePermissionOutput, error) {
	q, err := h.queue(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, h.exception(ctx, q.RemovePermission(ctx, aws.ToString(in.Label)))
}

func (h handlers) startMessageMoveTask(ctx context.Context, in *sqs.StartMessageMoveTaskInput) (*sqs.StartMessageMoveTaskOutput, error) {
	if in.SourceArn == nil {
		return nil, missing("SourceArn")
	}
	t, err := h.queues.StartMove(ctx, *in.SourceArn, in.DestinationArn, whole(in.MaxNumberOfMessagesPerSecond))
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: &t.Handle}, nil
}

func (h handlers) listMessageMoveTasks(ctx context.Context, in *sqs.ListMessageMoveTasksInput) (*sqs.ListMessageMoveTasksOutput, error) {
	if in.SourceArn == nil {
		return nil, missing("SourceArn")
	}
	most := 1
	if in.MaxResults != nil {
		if most = int(*in.MaxResults); most < 1 || most > 10 {
			return nil, h.exception(ctx, &queue.Error{Code: queue.InvalidValue, Message: "Value " + strconv.Itoa(most) + " for parameter MaxResults is invalid. Reason: Must be between 1 and 10, if provided."})
		}
	}
	tasks, err := h.queues.Moves(ctx, *in.SourceArn, most)
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	out := &sqs.ListMessageMoveTasksOutput{Results: []types.ListMessageMoveTasksResultEntry{}}
	for _, t := range tasks {
		entry := types.ListMessageMoveTasksResultEntry{
			TaskHandle: given(t.Handle), SourceArn: &t.Source, DestinationArn: given(t.Destination), Status: &t.Status, FailureReason: given(t.Failure),
			ApproximateNumberOfMessagesMoved: int64(t.Moved), ApproximateNumberOfMessagesToMove: aws.Int64(int64(t.ToMove)),
			StartedTimestamp: t.Started.UnixMilli(),
		}
		if t.Rate > 0 {
			entry.MaxNumberOfMessagesPerSecond = aws.Int32(int32(t.Rate)) //nolint:gosec // at most 500
		}
		out.Results = append(out.Results, entry)
	}
	return out, nil
}

func (h handlers) cancelMessageMoveTask(ctx context.Context, in *sqs.CancelMessageMoveTaskInput) (*sqs.CancelMessageMoveTaskOutput, error) {
	moved, err := h.queues.CancelMove(ctx, aws.ToString(in.TaskHandle))
	if err != nil {
		return nil, h.exception(ctx, err)
	}
	return &sqs.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: int64(moved)}, nil
}

// given is nil for the empty text.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func whole(n *int32) *int {
	if n == nil {
		return nil
	}
	return aws.Int(int(*n))
}
