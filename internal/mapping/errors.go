package mapping

import "fmt"

// Kind classifies an Error; each is one exception of the Lambda API.
type Kind int

// The kinds of errors that requests meet.
const (
	InvalidParameter Kind = iota + 1
	Validation
	NotFound
	Conflict
	InUse
)

// Error is a refused request. Message is the text that Lambda gives, where it is
// known.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
