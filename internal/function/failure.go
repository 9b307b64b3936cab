package function

import (
	"encoding/json"
	"fmt"
	"time"
)

// failure is an invocation, or an initialization, that did not work out.
type failure struct {
	errorType string // as in the report; "" if the runtime did not tell
	body      []byte // what the caller gets
	status    string // Status in the REPORT line: "timeout", "error" or ""
}

func (f failure) outcome() outcome {
	return outcome{payload: f.body, failed: true, errorType: f.errorType, status: f.status}
}

// failedf is a failure that the environment itself reports.
func failedf(requestID, errorType, format string, args ...any) failure {
	text := "RequestId: " + requestID + " Error: " + fmt.Sprintf(format, args...)
	return failure{errorType: errorType, body: typeFirst(errorType, text), status: "error"}
}

// exited is the failure of an invocation whose process ended; reason is the
// one of process.wait.
func exited(requestID, reason string) failure {
	if reason == "" {
		return failedf(requestID, "Runtime.ExitError", "Runtime exited without providing a reason")
	}
	return failedf(requestID, "Runtime.ExitError", "Runtime exited with error: %s", reason)
}

// timedOut is the failure of an invocation that took longer than it may.
func timedOut(requestID string, timeout time.Duration) failure {
	f := failedf(requestID, "Sandbox.Timedout", "Task timed out after %.2f seconds", timeout.Seconds())
	f.status = "timeout"
	return f
}

// The members of error documents come in one of two orders, depending on which
// part of the service wrote them; recordings have both.

func typeFirst(errorType, message string) []byte {
	return mustJSON(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{errorType, message})
}

func messageFirst(errorType, message string) []byte {
	return mustJSON(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, errorType})
}

func mustJSON(v any) []byte {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of strings only
	}
	return doc
}
