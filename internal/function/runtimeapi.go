package function

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	runtimeAPIPrefix = "/2018-06-01/runtime/"
	// MaxResponseBytes bounds what a function may return. The service's own
	// limit is this odd number, 100 bytes above 6 MiB.
	MaxResponseBytes = 6291556
	// maxErrorBytes bounds the report of an error.
	maxErrorBytes = 1 << 20
	// maxDiscardBytes is how much of an oversized body is read to keep the
	// connection, so that the runtime gets to see the answer.
	maxDiscardBytes = 64 << 20
	maxHeaderBytes  = 64 << 10
	// maxCopiedBody is up to where copying a body behind its header costs less than
	// handing the system two pieces.
	maxCopiedBody = 4 << 10
)

// apiConn is a connection of a runtime to the Runtime API of its environment.
//
// One goroutine reads requests from it. The answer to "next" is not written by
// that goroutine but by the one that has an invocation to hand out, later, so
// that an invocation costs no change of goroutine on its way in.
type apiConn struct {
	conn   net.Conn
	limits *io.LimitedReader
	reader *bufio.Reader

	last bool // the client wants the connection closed after the answer to its request

	writing sync.Mutex
	header  []byte // reused
}

func newAPIConn(conn net.Conn) *apiConn {
	limits := &io.LimitedReader{R: conn}
	return &apiConn{conn: conn, limits: limits, reader: bufio.NewReaderSize(limits, 16<<10)}
}

// serve answers requests until the connection ends.
func (c *apiConn) serve(e *environment) {
	defer e.dropConn(c)
	for {
		c.limits.N = maxHeaderBytes
		req, err := http.ReadRequest(c.reader)
		if err != nil {
			return
		}
		c.limits.N = maxDiscardBytes
		if req.Header.Get("Expect") == "100-continue" {
			if c.write([]byte("HTTP/1.1 100 Continue\r\n\r\n"), nil) != nil {
				return
			}
		}
		c.last = req.Close
		if !c.handle(e, req) || c.limits.N <= 0 { // then not all of the body was read
			return
		}
	}
}

// handle answers one request, or registers the connection as waiting for an
// invocation; false ends the connection.
func (c *apiConn) handle(e *environment, req *http.Request) bool {
	defer req.Body.Close()
	path, ok := strings.CutPrefix(req.URL.Path, runtimeAPIPrefix)
	switch {
	case !ok && req.URL.Path == "/2018-06-01/ping":
		return c.reply(http.StatusOK, `"pong"`)
	case !ok:
		return c.refuse(http.StatusNotFound, "ResourceNotFound", "There is no "+req.URL.Path)
	case path == "invocation/next" && req.Method == http.MethodGet:
		if !e.next(c) {
			return c.refuse(http.StatusForbidden, "InvalidStateTransition", "The initialization has failed, or the invocation before has not been answered")
		}
		return true
	case path == "init/error" && req.Method == http.MethodPost:
		return c.handleInitError(e, req)
	}
	id, action, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	switch {
	case req.Method != http.MethodPost || !strings.HasPrefix(path, "invocation/"):
		return c.refuse(http.StatusNotFound, "ResourceNotFound", "There is no "+req.Method+" "+req.URL.Path)
	case action == "response":
		return c.handleResponse(e, id, req)
	case action == "error":
		return c.handleError(e, id, req)
	}
	return c.refuse(http.StatusNotFound, "ResourceNotFound", "There is no "+req.URL.Path)
}

func (c *apiConn) handleResponse(e *environment, id string, req *http.Request) bool {
	body, err := readBody(req, MaxResponseBytes)
	if errors.Is(err, ErrTooLarge) {
		text := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponseBytes)
		failure := failure{errorType: "Function.ResponseSizeTooLarge", body: messageFirst("Function.ResponseSizeTooLarge", text)}
		if !e.respond(id, failure.outcome()) {
			return c.refuseID()
		}
		return c.refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", text)
	}
	if err != nil {
		return false
	}
	if mode := req.Header.Get("Lambda-Runtime-Function-Response-Mode"); mode != "" && mode != "streaming" {
		text := "Invalid function response mode"
		failure := failure{errorType: "Runtime.InvalidResponseModeHeader", body: typeFirst("Runtime.InvalidResponseModeHeader", text)}
		if !e.respond(id, failure.outcome()) {
			return c.refuseID()
		}
		return c.refuse(http.StatusBadRequest, "InvalidFunctionResponseMode", text)
	}
	result := outcome{payload: body}
	if kind := req.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		// A streamed response that broke off.
		failure := failure{errorType: kind, body: typeFirst(kind, "The function ended its response with an error")}
		result = failure.outcome()
	}
	if !e.respond(id, result) {
		return c.refuseID()
	}
	return c.reply(http.StatusAccepted, `{"status":"OK"}`)
}

func (c *apiConn) handleError(e *environment, id string, req *http.Request) bool {
	body, err := readError(req)
	if err != nil {
		return false
	}
	if !e.respond(id, reported(req, body).outcome()) {
		return c.refuseID()
	}
	return c.reply(http.StatusAccepted, `{"status":"OK"}`)
}

func (c *apiConn) handleInitError(e *environment, req *http.Request) bool {
	body, err := readError(req)
	if err != nil {
		return false
	}
	if !e.initFailed(reported(req, body)) {
		return c.refuse(http.StatusForbidden, "InvalidStateTransition", "The initialization has ended")
	}
	return c.reply(http.StatusAccepted, `{"status":"OK"}`)
}

// reported is the failure that a runtime told of. Its body is passed on as it
// is, unless it is not JSON.
func reported(req *http.Request, body []byte) failure {
	kind := req.Header.Get("Lambda-Runtime-Function-Error-Type")
	if len(body) == 0 || !json.Valid(body) {
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		return failure{errorType: kind, body: typeFirst(kind, string(body))}
	}
	return failure{errorType: kind, body: body}
}

// readError reads the report of an error. Of one that is too large, that is said.
func readError(req *http.Request) ([]byte, error) {
	body, err := readBody(req, maxErrorBytes)
	if errors.Is(err, ErrTooLarge) {
		return []byte("The report of the error is too large: " + err.Error()), nil
	}
	return body, err
}

// readBody reads a request's body. One over the limit is read to its end, as
// far as that is reasonable, and gives an error of kind ErrTooLarge.
func readBody(req *http.Request, limit int64) ([]byte, error) {
	if n := req.ContentLength; n >= 0 && n <= limit {
		body := make([]byte, n)
		_, err := io.ReadFull(req.Body, body)
		return body, err
	}
	var buf bytes.Buffer
	if req.ContentLength < 0 {
		n, err := buf.ReadFrom(io.LimitReader(req.Body, limit+1))
		if err != nil {
			return nil, err
		}
		if n <= limit {
			return buf.Bytes(), nil
		}
	}
	_, _ = io.Copy(io.Discard, req.Body) // for the sake of the connection
	return nil, errorf(ErrTooLarge, "body of more than %d bytes", limit)
}

func (c *apiConn) refuseID() bool {
	return c.refuse(http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}

func (c *apiConn) refuse(status int, kind, text string) bool {
	return c.reply(status, string(messageFirst(kind, text)))
}

func (c *apiConn) reply(status int, body string) bool {
	head := "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + endOfHeader(c.last)
	return c.write([]byte(head+body), nil) == nil && !c.last
}

func endOfHeader(last bool) string {
	if last {
		return "\r\nConnection: close\r\n\r\n"
	}
	return "\r\n\r\n"
}

// waiter is a connection that has asked for an invocation.
type waiter struct {
	*apiConn
	last bool // of this request: there may be another one before the answer is written
}

// send answers the "next" that the connection waits with.
func (w waiter) send(inv *invocation) error {
	c := w.apiConn
	h := append(c.header[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	h = append(h, inv.id...)
	h = append(h, "\r\nLambda-Runtime-Deadline-Ms: "...)
	h = strconv.AppendInt(h, inv.deadline.UnixMilli(), 10)
	h = append(h, "\r\nLambda-Runtime-Invoked-Function-Arn: "...)
	h = append(h, inv.arn...)
	h = append(h, "\r\nLambda-Runtime-Trace-Id: "...)
	h = append(h, inv.traceID...)
	if inv.clientContext != "" {
		h = append(h, "\r\nLambda-Runtime-Client-Context: "...)
		h = append(h, inv.clientContext...)
	}
	h = append(h, "\r\nContent-Length: "...)
	h = strconv.AppendInt(h, int64(len(inv.payload)), 10)
	h = append(h, endOfHeader(w.last)...)
	body := inv.payload
	if len(body) <= maxCopiedBody {
		h, body = append(h, body...), nil
	}
	c.header = h
	if err := c.write(h, body); err != nil {
		return err
	}
	if w.last {
		_ = c.conn.Close() // what serves it drops it
	}
	return nil
}

func (c *apiConn) write(head, body []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if len(body) == 0 {
		_, err := c.conn.Write(head)
		return err
	}
	buffers := net.Buffers{head, body}
	_, err := buffers.WriteTo(c.conn)
	return err
}
