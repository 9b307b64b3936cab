// Package sqsapi is the SQS API over package queue, by the JSON protocol and by the
// older query protocol.
//
// It decodes, calls the domain and encodes. A queue's URL is this server's address
// as the client calls it, the account and the queue's name; requests may also be
// posted to that URL.
package sqsapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/schemas"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/awsquery"
	"github.com/weirstream/weir/internal/queue"
)

// maxRequest bounds a request: a batch of 1 MiB, escaped in JSON or a form.
const maxRequest = 8 << 20

type handlers struct{ queues *queue.Queues }

// flat are the names of elements in the query protocol. Those of structures are
// named as their types.
var flat = awsquery.Flat{
	"Attributes":                  {Name: "Attribute", Key: "Name", Value: "Value"},
	"MessageAttributes":           {Name: "MessageAttribute", Key: "Name", Value: "Value"},
	"MessageSystemAttributes":     {Name: "MessageSystemAttribute", Key: "Name", Value: "Value"},
	"Tags":                        {Name: "Tag", Key: "Key", Value: "Value"},
	"tags":                        {Name: "Tag", Key: "Key", Value: "Value"},
	"AttributeNames":              {Name: "AttributeName"},
	"MessageAttributeNames":       {Name: "MessageAttributeName"},
	"MessageSystemAttributeNames": {Name: "MessageSystemAttributeName"},
	"TagKeys":                     {Name: "TagKey"},
	"QueueUrls":                   {Name: "QueueUrl"},
	"queueUrls":                   {Name: "QueueUrl"},
	"AWSAccountIds":               {Name: "AWSAccountId"},
	"Actions":                     {Name: "ActionName"},
	"StringListValues":            {Name: "StringListValue"},
	"BinaryListValues":            {Name: "BinaryListValue"},
	"Entries":                     {},
	"Messages":                    {},
	"Successful":                  {},
	"Failed":                      {},
	"Results":                     {},
}

// New returns the service.
func New(queues *queue.Queues) *api.Service {
	h := handlers{queues}
	return &api.Service{
		Name:            "sqs",
		TargetPrefix:    "AmazonSQS",
		JSONVersion:     "1.0",
		QueryVersion:    "2012-11-05",
		XMLNamespace:    "http://queue.amazonaws.com/doc/2012-11-05/",
		QueryFlat:       flat,
		QueryNoAction:   "The action %s is not valid for this endpoint.",
		QueryCompatible: true,
		ErrorNamespace:  "com.amazonaws.sqs",
		MaxRequestBytes: maxRequest,
		Operations: []api.Operation{
			api.Op("CreateQueue", schemas.CreateQueue, schemas.CreateQueueRequest, schemas.CreateQueueResult, h.createQueue),
			api.Op("DeleteQueue", schemas.DeleteQueue, schemas.DeleteQueueRequest, nil, h.deleteQueue),
			api.Op("ListQueues", schemas.ListQueues, schemas.ListQueuesRequest, schemas.ListQueuesResult, h.listQueues),
			api.Op("GetQueueUrl", schemas.GetQueueUrl, schemas.GetQueueUrlRequest, schemas.GetQueueUrlResult, h.getQueueURL),
			api.Op("GetQueueAttributes", schemas.GetQueueAttributes, schemas.GetQueueAttributesRequest, schemas.GetQueueAttributesResult, h.getQueueAttributes),
			api.Op("SetQueueAttributes", schemas.SetQueueAttributes, schemas.SetQueueAttributesRequest, nil, h.setQueueAttributes),
			api.Op("PurgeQueue", schemas.PurgeQueue, schemas.PurgeQueueRequest, nil, h.purgeQueue),
			api.Op("TagQueue", schemas.TagQueue, schemas.TagQueueRequest, nil, h.tagQueue),
			api.Op("UntagQueue", schemas.UntagQueue, schemas.UntagQueueRequest, nil, h.untagQueue),
			api.Op("ListQueueTags", schemas.ListQueueTags, schemas.ListQueueTagsRequest, schemas.ListQueueTagsResult, h.listQueueTags),
			api.Op("AddPermission", schemas.AddPermission, schemas.AddPermissionRequest, nil, h.addPermission),
			api.Op("RemovePermission", schemas.RemovePermission, schemas.RemovePermissionRequest, nil, h.removePermission),
			api.Op("SendMessage", schemas.SendMessage, schemas.SendMessageRequest, schemas.SendMessageResult, h.sendMessage).Held(),
			api.Op("SendMessageBatch", schemas.SendMessageBatch, schemas.SendMessageBatchRequest, schemas.SendMessageBatchResult, h.sendMessageBatch).Held(),
			api.Op("ReceiveMessage", schemas.ReceiveMessage, schemas.ReceiveMessageRequest, schemas.ReceiveMessageResult, h.receiveMessage),
			api.Op("DeleteMessage", schemas.DeleteMessage, schemas.DeleteMessageRequest, nil, h.deleteMessage),
			api.Op("DeleteMessageBatch", schemas.DeleteMessageBatch, schemas.DeleteMessageBatchRequest, schemas.DeleteMessageBatchResult, h.deleteMessageBatch),
			api.Op("ChangeMessageVisibility", schemas.ChangeMessageVisibility, schemas.ChangeMessageVisibilityRequest, nil, h.changeMessageVisibility),
			api.Op("ChangeMessageVisibilityBatch", schemas.ChangeMessageVisibilityBatch, schemas.ChangeMessageVisibilityBatchRequest, schemas.ChangeMessageVisibilityBatchResult, h.changeMessageVisibilityBatch),
			api.Op("ListDeadLetterSourceQueues", schemas.ListDeadLetterSourceQueues, schemas.ListDeadLetterSourceQueuesRequest, schemas.ListDeadLetterSourceQueuesResult, h.listDeadLetterSourceQueues),
			api.Op("StartMessageMoveTask", schemas.StartMessageMoveTask, schemas.StartMessageMoveTaskRequest, schemas.StartMessageMoveTaskResult, h.startMessageMoveTask),
			api.Op("ListMessageMoveTasks", schemas.ListMessageMoveTasks, schemas.ListMessageMoveTasksRequest, schemas.ListMessageMoveTasksResult, h.listMessageMoveTasks),
			api.Op("CancelMessageMoveTask", schemas.CancelMessageMoveTask, schemas.CancelMessageMoveTaskRequest, schemas.CancelMessageMoveTaskResult, h.cancelMessageMoveTask),
		},
	}
}

// url is what the caller reaches a queue by.
func (h handlers) url(ctx context.Context, name string) *string {
	u := url.URL{Scheme: "http", Host: api.CallerOf(ctx).Host, Path: "/" + h.queues.Account() + "/" + name}
	return aws.String(u.String())
}

// queue finds the queue of a URL; a request that has none was posted to it.
func (h handlers) queue(ctx context.Context, queueURL *string) (*queue.Queue, error) {
	caller := api.CallerOf(ctx)
	text := aws.ToString(queueURL)
	if text == "" && strings.Count(caller.Path, "/") == 2 {
		text = caller.Path
	}
	if text == "" {
		return nil, missing("QueueUrl")
	}
	account, name := h.parse(text)
	q, err := h.queues.Get(name)
	if err != nil || account != h.queues.Account() {
		return nil, h.exception(ctx, &queue.Error{Code: queue.NotFound, Message: "The specified queue does not exist."})
	}
	return q, nil
}

// parse takes account and name from a queue's URL. Its host does not matter: the
// server may be known by several. A name alone is taken as well.
func (h handlers) parse(text string) (account, name string) {
	u, err := url.Parse(text)
	if err != nil {
		return "", ""
	}
	path := strings.Trim(u.Path, "/")
	before, name, found := cutLast(path)
	if !found {
		return h.queues.Account(), path
	}
	_, account, found = cutLast(before)
	if !found {
		account = before
	}
	return account, name
}

func cutLast(path string) (before, last string, found bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

func missing(parameter string) error {
	return &api.Error{
		Code: string(queue.MissingParameter), Message: "The request must contain the parameter " + parameter + ".",
		QueryCode: "MissingParameter", Status: http.StatusBadRequest,
	}
}
