package api

import (
	"net/http"
	"reflect"

	"github.com/weirstream/weir/internal/api/awscbor"
	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/jsonscan"
)

const (
	jsonType      = "application/json"
	jsonType10    = "application/x-amz-json-1.0"
	jsonType11    = "application/x-amz-json-1.1"
	kinesisBinary = "application/x-amz-cbor-1.1"
)

// contentTypes are the values of Content-Type in responses, shared by all.
var contentTypes = map[string][]string{
	jsonType: {jsonType}, jsonType10: {jsonType10}, jsonType11: {jsonType11},
	kinesisBinary: {kinesisBinary}, cborType: {cborType}, "text/xml": {"text/xml"},
}

const undetermined = "Unable to determine service/operation name to be authorized"

// errUnusable says that a body is no document at all.
var errUnusable = &Error{Code: "SerializationException"}

// unknownOperation refuses an operation that the service does not have here.
// Kinesis and DynamoDB say no more than that.
func (x *exchange) unknownOperation() *Error {
	e := &Error{Code: "UnknownOperationException"}
	if x.svc.Dialect == Plain {
		e.Message = "The operation " + x.asked + " is not supported"
	}
	return e
}

// serveJSON serves the protocols that name the operation in X-Amz-Target: AWS
// JSON and the binary protocol of Kinesis. named tells that there was a name of
// a service and one of an operation. Which check comes first is the dialect's
// habit, and tests of clients know it.
func (x *exchange) serveJSON(named bool) {
	x.identify(x.svc.Dialect)
	ok := false
	switch x.svc.Dialect {
	case Kinesis:
		ok = x.checkKinesis(named)
	case DynamoDB:
		ok = x.checkDynamoDB()
	default:
		ok = x.checkPlain()
	}
	if !ok {
		return
	}
	if !x.admit() || x.protocol == protocolJSON && x.op.fast != nil && x.hurry() {
		return
	}
	x.call(func(in reflect.Value) error {
		if x.protocol == protocolCBOR {
			return awscbor.Decoder{Dialect: x.svc.dialect, Millis: true}.Decode(x.body, x.op.inShape, in)
		}
		return awsjson.Decoder{Dialect: x.svc.dialect}.Decode(x.body, x.op.inShape, in)
	})
}

// hurry tries the hot path of the operation.
func (x *exchange) hurry() bool {
	buf := getBuffer()
	defer putBuffer(buf)
	w := ResponseWriter{buf: (*buf)[:0]}
	handled, err := x.op.fast(x.context(), x.body, &w)
	switch {
	case err != nil:
		x.fail(err)
	case handled:
		x.send(http.StatusOK, w.buf)
	}
	*buf = w.buf
	return handled || err != nil
}

// isMap reports whether the body is a map of JSON or CBOR.
func (x *exchange) isMap() bool {
	if x.protocol == protocolCBOR {
		return awscbor.Valid(x.body)
	}
	kind, ok := jsonscan.Valid(x.body)
	return ok && kind == jsonscan.Object
}

// checkKinesis judges a request in the order of Kinesis.
func (x *exchange) checkKinesis(named bool) bool {
	media := mediaType(x.r)
	if media != jsonType11 {
		x.protocol = protocolCBOR
		x.ctype = contentTypes[kinesisBinary]
	} else {
		x.ctype = contentTypes[jsonType11]
	}
	if x.r.Method != http.MethodPost {
		x.raw(http.StatusForbidden, "AccessDeniedException", undetermined)
		return false
	}
	if !x.read(x.svc.limit) {
		return false
	}
	switch {
	case len(x.body) == 0 && x.op != nil:
		x.fail(errUnusable)
		return false
	case len(x.body) == 0:
		x.fail(x.unknownOperation())
		return false
	case media == jsonType:
		x.refuseBareJSON()
		return false
	case media == jsonType11 || media == kinesisBinary:
		return x.checkDocument()
	case !named:
		x.raw(http.StatusForbidden, "AccessDeniedException", undetermined)
		return false
	}
	x.raw(http.StatusNotFound, "UnknownOperationException", "")
	return false
}

// refuseBareJSON answers application/json, with which Kinesis gets no further
// than the body.
func (x *exchange) refuseBareJSON() {
	x.protocol = protocolJSON
	x.ctype = contentTypes[jsonType]
	status, code := http.StatusNotFound, "UnknownOperationException"
	if !x.isMap() {
		status, code = http.StatusBadRequest, "SerializationException"
	}
	x.send(status, []byte(`{"Output":{"__type":"com.amazon.coral.service#`+code+`"},"Version":"1.0"}`))
}

// checkDocument makes the checks that follow once the form of the document is
// clear: document, operation, signature. A request that passes the others
// leaves the document to the decoder, which judges it in passing.
func (x *exchange) checkDocument() bool {
	problem := x.authProblem()
	if x.op != nil && problem == nil {
		return true
	}
	switch {
	case !x.isMap():
		x.fail(errUnusable)
	case x.op == nil:
		x.fail(x.unknownOperation())
	default:
		x.fail(problem)
	}
	return false
}

// checkDynamoDB judges a request in the order of DynamoDB.
func (x *exchange) checkDynamoDB() bool {
	media := mediaType(x.r)
	x.ctype = contentTypes[jsonType]
	if media == jsonType10 {
		x.ctype = contentTypes[jsonType10]
	}
	if x.r.Method == http.MethodGet {
		x.ctype = nil
		x.send(http.StatusOK, x.h.health)
		return false
	}
	if !x.read(x.svc.limit) {
		return false
	}
	wrongType := len(x.body) > 0 && media != jsonType && media != jsonType10
	if x.r.Method != http.MethodPost || wrongType {
		x.raw(http.StatusNotFound, "UnknownOperationException", "")
		return false
	}
	if len(x.body) > 0 {
		return x.checkDocument()
	}
	switch {
	case x.op == nil:
		x.fail(x.unknownOperation())
	case x.authorized():
		x.fail(errUnusable)
	}
	return false
}

// checkPlain judges a request as most services do.
func (x *exchange) checkPlain() bool {
	media := mediaType(x.r)
	x.ctype = contentTypes[media]
	known := media == jsonType || media == jsonType10 || media == jsonType11
	if x.r.Method != http.MethodPost || !known {
		x.raw(http.StatusNotFound, "UnknownOperationException", "")
		return false
	}
	if !x.read(x.svc.limit) {
		return false
	}
	if len(x.body) == 0 {
		x.body = []byte("{}")
	}
	return x.checkDocument()
}
