package stack

import (
	"errors"
	"fmt"
	"strings"
)

// Kinds of errors. What an Error says is in CloudFormation's words.
var (
	// ErrNotFound says that there is no such stack.
	ErrNotFound = errors.New("stack not found")
	// ErrBusy says that the stack is in a status in which it cannot be changed.
	ErrBusy = errors.New("stack cannot be changed in its status")
	// ErrNoUpdates says that a deployment would change nothing.
	ErrNoUpdates = errors.New("nothing to update")
	// ErrInUse says that another stack imports what the stack exports.
	ErrInUse = errors.New("exports of the stack are in use")
	// ErrClosed says that the server ended before the operation did.
	ErrClosed = errors.New("the server is ending; the operation is ended on its next start")
)

// Error is an error with the kind that callers can test for.
type Error struct {
	Kind    error
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Unwrap is the kind.
func (e *Error) Unwrap() error { return e.Kind }

func errorf(kind error, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func busy(id string, status Status) error {
	return errorf(ErrBusy, "Stack:%s is in %s state and can not be updated.", id, status)
}

// FailedError says that an operation ended in another status than asked for.
type FailedError struct {
	Stack  string
	Status Status
	Reason string
	// Failed are the events of the resources that failed.
	Failed []Event
}

// Error names the stack, its status and every resource that failed.
func (e *FailedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stack %s: %s", e.Stack, e.Status)
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", strings.TrimSpace(e.Reason))
	}
	for _, f := range e.Failed {
		fmt.Fprintf(&b, "\n%s %s %s: %s", f.Status, f.ResourceType, f.LogicalID, f.Reason)
	}
	return b.String()
}
