package stream

import "fmt"

// Kind classifies an Error; each is one exception of the Kinesis API.
type Kind int

// The kinds of errors that requests meet.
const (
	NotFound Kind = iota + 1
	InUse
	InvalidArgument
	Validation
	LimitExceeded
	ExpiredIterator
)

// Error is a refused request. Message is the text that Kinesis gives.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
