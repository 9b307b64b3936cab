package sqsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/queue"
)

// exception maps errors of the domain to those of the API.
func (h handlers) exception(ctx context.Context, err error) error {
	var e *queue.Error
	if !errors.As(err, &e) {
		return err
	}
	m := &e.Message
	switch e.Code {
	case queue.NotFound:
		if api.CallerOf(ctx).Query {
			old := "The specified queue does not exist for this wsdl version."
			m = &old
		}
		return &types.QueueDoesNotExist{Message: m}
	case queue.NameExists:
		return &types.QueueNameExists{Message: m}
	case queue.InvalidAttribute:
		return &types.InvalidAttributeName{Message: m}
	case queue.InvalidAttributeText:
		return &types.InvalidAttributeValue{Message: m}
	case queue.InvalidContents:
		return &types.InvalidMessageContents{Message: m}
	case queue.InvalidReceipt:
		return &types.ReceiptHandleIsInvalid{Message: m}
	case queue.OverLimit:
		return &types.OverLimit{Message: m}
	case queue.PurgeInProgress:
		return &types.PurgeQueueInProgress{Message: m}
	case queue.Unsupported:
		return &types.UnsupportedOperation{Message: m}
	case queue.ResourceNotFound:
		return &types.ResourceNotFoundException{Message: m}
	case queue.EmptyBatch:
		return &types.EmptyBatchRequest{Message: m}
	case queue.TooManyEntries:
		return &types.TooManyEntriesInBatchRequest{Message: m}
	case queue.EntriesNotDistinct:
		return &types.BatchEntryIdsNotDistinct{Message: m}
	case queue.InvalidEntryID:
		return &types.InvalidBatchEntryId{Message: m}
	case queue.BatchTooLong:
		return &types.BatchRequestTooLong{Message: m}
	}
	return &api.Error{Code: string(e.Code), Message: e.Message, QueryCode: legacy(e.Code), Status: http.StatusBadRequest}
}

// legacy is the code that the query protocol and entries of batches have for an
// error that the SDK does not model.
func legacy(code queue.Code) string {
	switch code {
	case queue.InvalidValue:
		return "InvalidParameterValue"
	case queue.MissingParameter:
		return "MissingParameter"
	}
	return string(code)
}

// failed is an entry of a batch that failed.
func failed(id string, err error) types.BatchResultErrorEntry {
	code, fault, message := "InternalError", false, ""
	var e *queue.Error
	if errors.As(err, &e) {
		code, fault, message = legacy(e.Code), true, e.Message
	}
	return types.BatchResultErrorEntry{Id: &id, Code: &code, SenderFault: fault, Message: &message}
}
