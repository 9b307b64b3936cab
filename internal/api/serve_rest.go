package api

import (
	"net/http"
	"reflect"

	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/restjson"
)

// serveREST serves REST JSON.
func (x *exchange) serveREST(labels restjson.Labels) {
	x.identify(x.svc.Dialect)
	x.protocol = protocolREST
	x.ctype = contentTypes[jsonType]
	if !x.read(x.svc.limit) || !x.authorized() {
		return
	}
	x.call(func(in reflect.Value) error {
		dec := awsjson.Decoder{Dialect: x.svc.dialect, JSONNames: true}
		return x.op.rest.Decode(labels, x.query, x.r.Header, x.body, dec, in)
	})
}

// unknownPath answers a request to a REST service whose path leads nowhere.
func (x *exchange) unknownPath() {
	x.identify(x.svc.Dialect)
	x.protocol = protocolREST
	x.ctype = contentTypes[jsonType]
	x.fail(&Error{
		Code:    "UnknownOperationException",
		Message: "No operation is served at " + x.r.Method + " " + x.r.URL.Path,
		Status:  http.StatusNotFound,
	})
}

func (x *exchange) answerREST(out any) {
	s := restjson.Serializer{Header: x.w.Header()}
	s.JSONNames = true
	buf := getBuffer()
	defer putBuffer(buf)
	s.Reset((*buf)[:0])
	if x.op.hasPayload {
		s.NoDocument()
	}
	if v, ok := out.(smithy.Serializable); ok {
		v.Serialize(&s)
		*buf = s.Bytes()
	}
	status := x.op.status
	if s.Status != 0 {
		status = s.Status
	}
	body := s.Body()
	if status == http.StatusNoContent {
		body = nil
	}
	if len(body) == 0 {
		x.ctype = nil
	}
	x.send(status, body)
}

func (x *exchange) failREST(f failure) {
	head := x.w.Header()
	s := restjson.Serializer{Header: head}
	s.JSONNames = true
	x.svc.writeError(&s, f, "")
	head.Set("X-Amzn-Errortype", f.code)
	x.send(f.status, s.Bytes())
}
