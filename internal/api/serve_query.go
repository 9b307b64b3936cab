package api

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/weirstream/weir/internal/api/awsquery"
)

// serveQuery serves the query protocol: a form in the body or the URL.
func (h *Handler) serveQuery(x *exchange) {
	x.identify(Plain)
	x.protocol, x.caller.Query = protocolQuery, true
	x.ctype = contentTypes["text/xml"]
	x.svc = h.querySigned(x.scope.service)
	if !x.read(h.queryLimit(x.svc)) {
		return
	}
	text := string(x.body)
	if x.query.Has("Action") {
		text = x.r.URL.RawQuery + "&" + text
	}
	form, err := awsquery.Parse(text)
	if err != nil {
		x.fail(x.decodeError(err))
		return
	}
	action, version := form.Get("Action"), form.Get("Version")
	if x.svc = h.queryService(x.svc, action, version); x.svc == unknownService {
		x.fail(&Error{Code: "NoSuchVersion", Message: "The requested version (" + version + ") of the service is not known."})
		return
	}
	x.op, form.Flat = x.svc.ops[action], x.svc.QueryFlat
	switch {
	case action == "":
		x.fail(&Error{Code: "MissingAction", Message: "The request must contain the parameter Action."})
	case x.op == nil:
		message := "Could not find operation " + action + " for version " + version
		if words := x.svc.QueryNoAction; words != "" {
			message = fmt.Sprintf(words, action)
		}
		x.fail(&Error{Code: "InvalidAction", Message: message})
	case x.authorized():
		x.call(func(in reflect.Value) error { return form.Decode(x.op.inShape, in) })
	}
}

// querySigned is the query service with a signing name.
func (h *Handler) querySigned(name string) *service {
	for _, svc := range h.queries {
		if svc.Name == name {
			return svc
		}
	}
	return unknownService
}

// queryLimit bounds a body before the form in it tells the service.
func (h *Handler) queryLimit(signed *service) int64 {
	if signed != unknownService {
		return signed.limit
	}
	limit := int64(DefaultMaxRequestBytes)
	for _, svc := range h.queries {
		limit = max(limit, svc.limit)
	}
	return limit
}

// queryService finds the service of a form: by version, the signature deciding
// between several; without a version (the links in confirmation mails) by
// action.
func (h *Handler) queryService(signed *service, action, version string) *service {
	if version == "" {
		if signed != unknownService {
			return signed
		}
		for _, svc := range h.queries {
			if svc.ops[action] != nil {
				return svc
			}
		}
		return unknownService
	}
	if signed.QueryVersion == version {
		return signed
	}
	for _, svc := range h.queries {
		if svc.QueryVersion == version {
			return svc
		}
	}
	return unknownService
}

func (x *exchange) answerQuery(out any) {
	e := awsquery.Encoder{Flat: x.svc.QueryFlat}
	v := reflect.ValueOf(out)
	if v.IsValid() {
		v = v.Elem()
	}
	e.Response(x.op.Name, x.svc.XMLNamespace, x.id, x.op.outShape, v)
	x.send(http.StatusOK, e.Bytes())
}

func (x *exchange) failQuery(f failure) {
	var e awsquery.Encoder
	e.Error(f.queryCode, f.message, !f.server, x.svc.XMLNamespace, x.id)
	x.send(f.status, e.Bytes())
}
