package queue

import (
	"errors"
	"fmt"
)

// Code says what is wrong with a request; the API layer turns it into the
// exception of that name.
type Code string

// The codes of an [Error].
const (
	NotFound             Code = "QueueDoesNotExist"
	NameExists           Code = "QueueNameExists"
	InvalidValue         Code = "InvalidParameterValueException"
	MissingParameter     Code = "MissingRequiredParameterException"
	InvalidAttribute     Code = "InvalidAttributeName"
	InvalidAttributeText Code = "InvalidAttributeValue"
	InvalidContents      Code = "InvalidMessageContents"
	InvalidReceipt       Code = "ReceiptHandleIsInvalid"
	OverLimit            Code = "OverLimit"
	PurgeInProgress      Code = "PurgeQueueInProgress"
	Unsupported          Code = "UnsupportedOperation"
	ResourceNotFound     Code = "ResourceNotFoundException"
	EmptyBatch           Code = "EmptyBatchRequest"
	TooManyEntries       Code = "TooManyEntriesInBatchRequest"
	EntriesNotDistinct   Code = "BatchEntryIdsNotDistinct"
	InvalidEntryID       Code = "InvalidBatchEntryId"
	BatchTooLong         Code = "BatchRequestTooLong"
)

// Error is a request that cannot be served as it was made. The message is for
// the caller, in the words of the service.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is makes all errors with the code NotFound equal to ErrNotFound.
func (e *Error) Is(target error) bool { return target == ErrNotFound && e.Code == NotFound }

// ErrNotFound is what errors about queues that do not exist match.
var ErrNotFound = errors.New("queue does not exist")

func errorf(code Code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// invalid is the error about the value of a parameter.
func invalid(parameter string, value any, reason string) *Error {
	return errorf(InvalidValue, "Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func notFound() *Error { return errorf(NotFound, "The specified queue does not exist.") }
