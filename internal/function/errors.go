package function

import (
	"errors"
	"fmt"
)

// The kinds of errors that callers tell apart with errors.Is. The text of an
// error of one of these kinds is meant for the client as it is.
var (
	// ErrNotFound: the function, version, statement, log group or stream does
	// not exist.
	ErrNotFound = errors.New("not found")
	// ErrExists: there is one of that name already.
	ErrExists = errors.New("already exists")
	// ErrInvalid: a parameter is outside of what is allowed.
	ErrInvalid = errors.New("invalid parameter")
	// ErrInvalidPayload: the payload of an invocation is not JSON.
	ErrInvalidPayload = errors.New("invalid payload")
	// ErrDenied: what is meant belongs to another account.
	ErrDenied = errors.New("denied")
	// ErrTooLarge: a code package or payload is over its limit.
	ErrTooLarge = errors.New("too large")
	// ErrThrottled: as many invocations as allowed are running or waiting.
	ErrThrottled = errors.New("throttled")
	// ErrRevision: the definition is not at the revision that was asked for.
	ErrRevision = errors.New("revision mismatch")
	// ErrUndeliverable: there is no such destination, or it refuses what it is
	// given, so that trying again is of no use.
	ErrUndeliverable = errors.New("undeliverable")
	// ErrConflict: an exactly-once invocation was rolled back again and again, as
	// what it read had changed; or aliases refer to a version that is to go.
	ErrConflict = errors.New("conflict")
	// ErrClosed: the server is shutting down.
	ErrClosed = errors.New("functions are closed")
)

// kindError is an error with a text for the client and a kind for the code.
type kindError struct {
	kind  error
	text  string
	cause error
}

func (e *kindError) Error() string { return e.text }

func (e *kindError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

func errorf(kind error, format string, args ...any) error {
	return &kindError{kind: kind, text: fmt.Sprintf(format, args...)}
}

func invalidf(format string, args ...any) error { return errorf(ErrInvalid, format, args...) }

// because attaches what led to an error of one of the kinds, for logs.
func because(err, cause error) error {
	var k *kindError
	if errors.As(err, &k) {
		return &kindError{kind: k.kind, text: k.text, cause: cause}
	}
	return err
}
