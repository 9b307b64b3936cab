package metric

import "fmt"

// Code says what is wrong with a request; the API layer turns it into an error
// name.
type Code string

// The codes of an [Error].
const (
	InvalidValue       Code = "InvalidParameterValue"
	InvalidCombination Code = "InvalidParameterCombination"
	MissingParameter   Code = "MissingParameter"
	Validation         Code = "ValidationError"
	NotFound           Code = "ResourceNotFound"
	LimitExceeded      Code = "LimitExceeded"
	InvalidToken       Code = "InvalidNextToken"
	InvalidFormat      Code = "InvalidFormat"
	InvalidDashboard   Code = "InvalidDashboard"
	DashboardNotFound  Code = "DashboardNotFound"
)

// Error is a request that cannot be served as it was made. The message is for
// the caller, in the words of the service.
type Error struct {
	Code     Code
	Message  string
	Problems []Problem // of a dashboard body, for InvalidDashboard
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
