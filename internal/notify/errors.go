package notify

import (
	"errors"
	"fmt"
)

// Code says what is wrong with a request; the API layer turns it into an error
// name.
type Code string

// The codes of an [Error].
const (
	InvalidParameter Code = "InvalidParameter"
	// InvalidAttribute is a message attribute that breaks a rule.
	InvalidAttribute Code = "ParameterValueInvalid"
	NotFound         Code = "NotFound"
	NotAuthorized    Code = "AuthorizationError"
	TooManyEntries   Code = "TooManyEntriesInBatchRequest"
	EmptyBatch       Code = "EmptyBatchRequest"
	EntriesNotUnique Code = "BatchEntryIdsNotDistinct"
	InvalidEntryID   Code = "InvalidBatchEntryId"
	BatchTooLong     Code = "BatchRequestTooLong"
	TagLimit         Code = "TagLimitExceeded"
	ResourceNotFound Code = "ResourceNotFound"
	FilterLimit      Code = "FilterPolicyLimitExceeded"
)

// Error is a request that cannot be served as it was made. The message is for
// the caller, in the words of the service.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func errorf(code Code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// invalid is an InvalidParameter error whose text starts as all of them do.
func invalid(format string, args ...any) *Error {
	return errorf(InvalidParameter, "Invalid parameter: "+format, args...)
}

// ErrUndeliverable marks the errors of an Invoker that trying again will not
// cure, such as a function that does not exist.
var ErrUndeliverable = errors.New("undeliverable")
