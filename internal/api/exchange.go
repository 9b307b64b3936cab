package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awscbor"
	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/awsquery"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// protocol is the form in which an exchange answers.
type protocol uint8

const (
	protocolJSON protocol = iota
	protocolCBOR          // both kinds
	protocolQuery
	protocolREST
)

// exchange is one request and its response.
type exchange struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	query url.Values // of the URL, nil if it has none
	scope scope

	svc      *service   // never nil
	op       *operation // nil if the service has none of that name
	asked    string     // the name that the request gave
	protocol protocol
	dialect  Dialect  // of response headers
	ctype    []string // content type of the response, nil for none
	id       string   // of the request, "" until identify

	body    []byte
	bodyBuf *[]byte
	caller  Caller
	sent    bool
	// attempt is of a write of an exactly-once invocation.
	attempt      *transaction.Attempt
	attemptEnded bool
}

func (x *exchange) close() {
	defer x.endAttempt(0, nil) // unless it was answered
	if p := recover(); p != nil {
		x.recovered(p)
	}
	if x.bodyBuf != nil {
		putBuffer(x.bodyBuf)
	}
}

// name is the operation for logs.
func (x *exchange) name() string {
	if x.op == nil {
		return x.svc.Name
	}
	return x.svc.Name + "." + x.op.Name
}

// preflight answers CORS requests and lets scripts of any origin that Hosts has let
// through read the responses of the others, as AWS does. It reports whether the
// request is done.
func (x *exchange) preflight() bool {
	if x.r.Header.Get("Origin") == "" {
		return false
	}
	head := x.w.Header()
	head.Set("Access-Control-Allow-Origin", "*")
	if x.r.Method != http.MethodOptions {
		return false
	}
	if asked := x.r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		head.Set("Access-Control-Allow-Headers", asked)
	}
	if asked := x.r.Header.Get("Access-Control-Request-Method"); asked != "" {
		head.Set("Access-Control-Allow-Methods", asked)
	}
	head.Set("Access-Control-Max-Age", "172800")
	x.identify(Plain)
	x.send(http.StatusOK, nil)
	return true
}

const exposedHeaders = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date"

// identify gives the exchange its id and the headers of a dialect.
func (x *exchange) identify(d Dialect) {
	x.dialect = d
	head := x.w.Header()
	if d == DynamoDB {
		x.id = newLongID()
	} else {
		x.id = newUUID()
	}
	head["X-Amzn-Requestid"] = []string{x.id}
	if d == Kinesis {
		head["X-Amz-Id-2"] = []string{newID2()}
	}
	if x.r.Method != http.MethodOptions && x.r.Header.Get("Origin") != "" {
		head.Set("Access-Control-Expose-Headers", exposedHeaders)
	}
	x.caller = Caller{RequestID: x.id, AccessKeyID: x.scope.accessKeyID, Region: x.scope.region, Host: x.r.Host, Path: x.r.URL.Path, Trace: x.r.Header.Get("X-Amzn-Trace-Id")}
}

// send writes the response. It may be called once.
func (x *exchange) send(status int, body []byte) {
	x.sent = true
	x.endAttempt(status, body)
	head := x.w.Header()
	if x.ctype != nil {
		head["Content-Type"] = x.ctype
	} else {
		head["Content-Type"] = nil // no guessing
	}
	if status != http.StatusNoContent {
		head["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if x.dialect == DynamoDB {
		head["X-Amz-Crc32"] = []string{strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}
	}
	x.w.WriteHeader(status)
	// A client that is gone needs no answer.
	_, _ = x.w.Write(body)
}

// read reads the request's body. If it cannot, it answers and returns false.
func (x *exchange) read(limit int64) bool {
	x.bodyBuf = getBuffer()
	var err error
	x.body, err = readBody(x.r, *x.bodyBuf, limit)
	*x.bodyBuf = x.body
	var own *Error
	switch {
	case err == nil:
		return true
	case errors.As(err, &own):
		x.fail(own)
	case errors.Is(err, errTooLarge):
		// The rest of the body is not read, so the connection cannot go on.
		x.w.Header().Set("Connection", "close")
		x.failTooLarge(limit)
	case x.r.Context().Err() != nil:
		x.abandon()
	default:
		x.fail(&Error{Code: "SerializationException", Message: "The request body cannot be read", Cause: err})
	}
	return false
}

// failTooLarge answers a request whose body is over the limit. Services of JSON that
// are not REST say nothing more.
func (x *exchange) failTooLarge(limit int64) {
	if x.protocol != protocolREST {
		x.ctype = nil
		x.send(http.StatusRequestEntityTooLarge, nil)
		return
	}
	x.fail(&Error{
		Code:    "RequestEntityTooLargeException",
		Message: fmt.Sprintf("Request must be smaller than %d bytes for the %s operation", limit, x.op.Name),
		Status:  http.StatusRequestEntityTooLarge,
	})
}

// context is the context of the operation.
func (x *exchange) context() context.Context {
	x.caller.document, x.caller.binary = x.body, x.protocol == protocolCBOR
	return context.WithValue(x.r.Context(), callerKey{}, &x.caller)
}

// call decodes the input with decode, calls the operation and answers.
func (x *exchange) call(decode func(in reflect.Value) error) {
	if !x.admit() {
		return
	}
	in := reflect.New(x.op.inType)
	if err := decode(in.Elem()); err != nil {
		x.fail(x.decodeError(err))
		return
	}
	out, err := x.op.call(x.context(), in.Interface())
	if err != nil {
		x.fail(err)
		return
	}
	x.answer(out)
}

// decodeError translates an error of a codec. Of a document that is unusable as
// a whole, Kinesis and DynamoDB say no more than that.
func (x *exchange) decodeError(err error) *Error {
	var mismatch *awsjson.TypeError
	if errors.As(err, &mismatch) {
		return &Error{Code: "SerializationException", Message: mismatch.Message}
	}
	var form *awsquery.FormError
	if errors.As(err, &form) {
		return &Error{Code: "SerializationException", Message: form.Message, QueryCode: "MalformedInput"}
	}
	if x.svc.Dialect == Plain {
		return &Error{Code: "SerializationException", Message: err.Error()}
	}
	return errUnusable
}

// answer encodes an output and sends it. A nil output of an operation that has
// one is sent as if it were empty.
func (x *exchange) answer(out any) {
	if events, ok := out.(Events); ok {
		x.answerEvents(events)
		return
	}
	switch x.protocol {
	case protocolQuery:
		x.answerQuery(out)
		return
	case protocolREST:
		x.answerREST(out)
		return
	}
	if x.op.out == nil {
		x.send(http.StatusOK, nil)
		return
	}
	v, _ := out.(smithy.Serializable)
	buf := getBuffer()
	defer putBuffer(buf)
	if x.protocol == protocolCBOR {
		*buf = encodeCBOR(v, (*buf)[:0], x.svc.CBOR == KinesisCBOR)
	} else {
		*buf = encodeJSON(v, (*buf)[:0])
	}
	x.send(http.StatusOK, *buf)
}

func encodeJSON(v smithy.Serializable, dst []byte) []byte {
	if v == nil {
		return append(dst, '{', '}')
	}
	var s awsjson.Serializer
	s.Reset(dst)
	v.Serialize(&s)
	return s.Bytes()
}

func encodeCBOR(v smithy.Serializable, dst []byte, millis bool) []byte {
	if v == nil {
		return append(dst, 0xa0) // the empty map
	}
	s := awscbor.Serializer{Millis: millis}
	s.Reset(dst)
	v.Serialize(&s)
	return s.Bytes()
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	if x.r.Context().Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		x.abandon()
	}
	if x.id == "" {
		x.identify(x.svc.Dialect)
	}
	f := x.failed(err)
	switch x.protocol {
	case protocolQuery:
		x.failQuery(f)
	case protocolREST:
		x.failREST(f)
	default:
		x.failDocument(f)
	}
}

// abandon breaks the connection off: the client is gone, or the server ends. Returning
// without an answer would tell a client that is still there of success.
func (x *exchange) abandon() { panic(http.ErrAbortHandler) }

// failed describes an error to the client and logs it.
func (x *exchange) failed(err error) failure {
	f, known := x.svc.failureOf(err)
	level := slog.LevelDebug
	// The store says itself, and less often, that the disk is full.
	if (!known || f.server) && !errors.Is(err, store.ErrDiskFull) {
		level = slog.LevelError
	}
	x.h.cfg.Log.Log(x.r.Context(), level, "request failed", "operation", x.name(), "request", x.id, "err", err)
	return f
}

// failDocument answers with an error in the protocols that are one document,
// JSON and CBOR.
func (x *exchange) failDocument(f failure) {
	status := f.status
	if x.svc.QueryCompatible {
		status = x.queryCompatible(f)
	}
	var body []byte
	if x.protocol == protocolCBOR {
		var s awscbor.Serializer
		s.Millis = x.svc.CBOR == KinesisCBOR
		x.svc.writeError(&s, f, x.svc.typeName(f))
		body = s.Bytes()
	} else {
		var s awsjson.Serializer
		x.svc.writeError(&s, f, x.svc.typeName(f))
		body = s.Bytes()
	}
	x.send(status, body)
}

// queryCompatible tells the code that the error had in the query protocol. It is told
// to all: SDKs that look at the code, and at no other, need not ask for it. A client that
// asks gets the status of that time, too; any other one gets the plain status.
func (x *exchange) queryCompatible(f failure) int {
	fault, plain := "Sender", http.StatusBadRequest
	if f.server {
		fault, plain = "Receiver", http.StatusInternalServerError
	}
	x.w.Header().Set("X-Amzn-Query-Error", f.queryCode+";"+fault)
	if !strings.EqualFold(x.r.Header.Get("X-Amzn-Query-Mode"), "true") {
		return plain
	}
	return f.status
}

// raw answers with an XML fragment, as AWS does where it cannot tell the
// service. The message may be empty.
func (x *exchange) raw(status int, code, message string) {
	if x.id == "" {
		x.identify(x.svc.Dialect)
	}
	x.ctype = nil
	var b bytes.Buffer
	if message == "" {
		b.WriteString("<" + code + "/>\n")
	} else {
		b.WriteString("<" + code + ">\n  <Message>" + message + "</Message>\n</" + code + ">\n")
	}
	x.send(status, b.Bytes())
}
