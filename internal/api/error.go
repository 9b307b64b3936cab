package api

import "net/http"

// Error is an exception that the SDK does not model, such as
// ValidationException of most services. Modelled exceptions are returned as
// the SDK's own types.
type Error struct {
	// Code is the bare exception name; the protocol adds a namespace.
	Code string
	// Message is for the client; "" leaves the member out.
	Message string
	// Status is the HTTP status; 0 means 400.
	Status int
	// QueryCode is the code in the query protocol and in x-amzn-query-error
	// where it differs from Code.
	QueryCode string
	// Cause is what led here, for logs only; may be nil.
	Cause error
}

// Error returns code, message and cause.
func (e *Error) Error() string {
	s := e.Code
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Validation returns a ValidationException with the given message.
func Validation(message string) *Error {
	return &Error{Code: "ValidationException", Message: message, QueryCode: "ValidationError"}
}
