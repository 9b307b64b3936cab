package s3api

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/store"
)

// apiError is an error that is known here only.
type apiError struct {
	code, message string
	status        int
	details       []object.Detail
	cause         error // for logs; may be nil
}

func (e *apiError) Error() string {
	if e.cause != nil {
		return e.code + ": " + e.message + ": " + e.cause.Error()
	}
	return e.code + ": " + e.message
}

// Unwrap returns the cause.
func (e *apiError) Unwrap() error { return e.cause }

func (e *apiError) detail(name, value string) {
	e.details = append(e.details, object.Detail{Name: name, Value: value})
}

func notImplemented(what string) error {
	return &apiError{code: "NotImplemented", status: http.StatusNotImplemented, message: what + " is not implemented by Weir"}
}

func invalidArgument(message, name, value string) error {
	e := &apiError{code: "InvalidArgument", status: http.StatusBadRequest, message: message}
	e.detail("ArgumentName", name)
	e.detail("ArgumentValue", value)
	return e
}

func invalidRequest(message string) error {
	return &apiError{code: "InvalidRequest", status: http.StatusBadRequest, message: message}
}

// malformedXML refuses a document; cause may be nil.
func malformedXML(cause error) error {
	return &apiError{code: "MalformedXML", status: http.StatusBadRequest, message: "The XML you provided was not well-formed or did not validate against our published schema", cause: cause}
}

// errNotModified answers a condition of a read; it has no document.
var errNotModified = &apiError{code: "NotModified", status: http.StatusNotModified}

// statuses of the domain's codes; the others are 400.
var statuses = map[object.Code]int{
	object.NoSuchBucket:       http.StatusNotFound,
	object.NoSuchKey:          http.StatusNotFound,
	object.NoSuchUpload:       http.StatusNotFound,
	object.BucketExists:       http.StatusConflict,
	object.BucketNotEmpty:     http.StatusConflict,
	object.PreconditionFailed: http.StatusPreconditionFailed,
}

// errorOf translates what an operation returned; known is false for what is not
// meant for clients.
func errorOf(err error) (e apiError, known bool) {
	var own *apiError
	if errors.As(err, &own) {
		return *own, true
	}
	var domain *object.Error
	if errors.As(err, &domain) {
		status := statuses[domain.Code]
		if status == 0 {
			status = http.StatusBadRequest
		}
		return apiError{code: string(domain.Code), message: domain.Message, status: status, details: domain.Details}, true
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return apiError{code: "IncompleteBody", status: http.StatusBadRequest, message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}, true
	}
	if errors.Is(err, store.ErrDiskFull) { // which the store logs
		return apiError{code: "InternalError", status: http.StatusInternalServerError, message: store.ErrDiskFull.Error()}, true
	}
	return apiError{code: "InternalError", status: http.StatusInternalServerError, message: "We encountered an internal error. Please try again."}, false
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	if x.r.Context().Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		panic(http.ErrAbortHandler) // the client is gone
	}
	e, known := errorOf(err)
	level := slog.LevelDebug
	var connection *net.OpError // a client that breaks off is no fault of the server
	if !known && !errors.As(err, &connection) {
		level = slog.LevelError
	}
	x.h.log.Log(x.r.Context(), level, "request failed", "operation", "s3 "+x.r.Method+" "+x.r.URL.Path, "request", x.requestID, "err", err)
	if x.answered {
		panic(http.ErrAbortHandler) // in the middle of a body: only breaking off tells the client
	}
	var body []byte
	if x.r.Method != http.MethodHead && e.status != http.StatusNotModified {
		body = x.errorDocument(e)
	}
	if x.r.ContentLength != 0 {
		// What is left of the body need not be read for an answer.
		x.w.Header().Set("Connection", "close")
	}
	x.send(e.status, "application/xml", body)
}

// errorDocument writes the document by hand, as its members differ.
func (x *exchange) errorDocument(e apiError) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Error>")
	members := append([]object.Detail{{Name: "Code", Value: e.code}, {Name: "Message", Value: e.message}}, e.details...)
	for _, m := range append(members, object.Detail{Name: "RequestId", Value: x.requestID}, object.Detail{Name: "HostId", Value: x.hostID}) {
		b.WriteString("<" + m.Name + ">")
		_ = xml.EscapeText(&b, []byte(m.Value)) // a buffer takes everything
		b.WriteString("</" + m.Name + ">")
	}
	b.WriteString("</Error>")
	return b.Bytes()
}

// send writes a response with its whole body.
func (x *exchange) send(status int, contentType string, body []byte) {
	x.answered = true
	head := x.w.Header()
	head["Content-Type"] = nil // no guessing
	if len(body) > 0 {
		head.Set("Content-Type", contentType)
	}
	if status != http.StatusNoContent && status != http.StatusNotModified && x.r.Method != http.MethodHead {
		head.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that is gone needs no answer
}

// document answers with XML.
func (x *exchange) document(v any) error {
	body, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	x.send(http.StatusOK, "application/xml", append([]byte(xml.Header), body...))
	return nil
}

// nothing answers without a body.
func (x *exchange) nothing(status int) error {
	x.send(status, "", nil)
	return nil
}
