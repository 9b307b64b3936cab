package table

import (
	"errors"
	"fmt"

	"github.com/weirstream/weir/internal/table/attr"
)

// InvalidError says that a request breaks a rule. Message is worded as DynamoDB
// words it.
type InvalidError = attr.InvalidError

// NotFoundError says that a table or a stream does not exist.
type NotFoundError struct{ Message string }

func (e *NotFoundError) Error() string { return e.Message }

// InUseError says that a table cannot be changed as it is.
type InUseError struct{ Message string }

func (e *InUseError) Error() string { return e.Message }

// ConditionError says that the condition of a write does not hold.
type ConditionError struct {
	Item    Item // as it is, if the request asked for it
	HasItem bool
}

func (e *ConditionError) Error() string { return "The conditional request failed" }

var (
	// ErrExpiredIterator says that a shard iterator is too old.
	ErrExpiredIterator = errors.New("iterator has expired")
	// ErrTrimmed says that a position of a stream is older than what is retained.
	ErrTrimmed = errors.New("records have been trimmed")
)

// invalidParameter is an InvalidError with the prefix of many messages.
func invalidParameter(format string, args ...any) error {
	return attr.Invalidf("One or more parameter values were invalid: %s", fmt.Sprintf(format, args...))
}

var errNoTable = &NotFoundError{"Requested resource not found"}

func noTable(name string) error {
	return &NotFoundError{fmt.Sprintf("Requested resource not found: Table: %s not found", name)}
}

func noStream(arn string) error {
	return &NotFoundError{fmt.Sprintf("Requested resource not found: Stream: %s not found", arn)}
}
