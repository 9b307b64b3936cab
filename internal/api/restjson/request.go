package restjson

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/jsonscan"
)

// Request tells where in a request the members of an input are.
type Request struct {
	labels  []*shape.Member // in the order of the path
	query   []bound
	params  *shape.Member // all query parameters
	header  []bound
	payload *shape.Member // the body is this member
	body    *shape.Type   // the members in a JSON body
	fixed   url.Values    // query parameters that belong to the path
}

// bound is a member that is a query parameter or a header.
type bound struct {
	member *shape.Member
	name   string
}

// NewRequest reads the bindings of an operation's input.
func NewRequest(op *smithy.Schema, in *shape.Type) (*Request, error) {
	h, ok := smithy.SchemaTrait[*traits.HTTP](op)
	if !ok {
		return nil, fmt.Errorf("the operation's schema has no @http trait")
	}
	path, rawQuery, _ := strings.Cut(h.URI, "?")
	r := &Request{}
	r.fixed, _ = url.ParseQuery(rawQuery)
	for _, part := range split(path) {
		name, isLabel := strings.CutPrefix(part, "{")
		if !isLabel {
			continue
		}
		m := in.MemberNamed(strings.TrimRight(name, "+}"))
		if m == nil || m.Kind != shape.String {
			return nil, fmt.Errorf("label %s of path %s is not a member of text", part, path)
		}
		r.labels = append(r.labels, m)
	}
	r.body = in.Restrict(func(m *shape.Member) bool { return !r.bind(m) })
	return r, nil
}

// bind finds out where a member is, and reports whether that is outside of the
// JSON body.
func (r *Request) bind(m *shape.Member) bool {
	if _, ok := smithy.SchemaTrait[*traits.HTTPLabel](m.Schema); ok {
		return true
	}
	if q, ok := smithy.SchemaTrait[*traits.HTTPQuery](m.Schema); ok {
		r.query = append(r.query, bound{m, q.Name})
		return true
	}
	if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m.Schema); ok {
		r.header = append(r.header, bound{m, h.Name})
		return true
	}
	if _, ok := smithy.SchemaTrait[*traits.HTTPQueryParams](m.Schema); ok {
		r.params = m
		return true
	}
	if _, ok := smithy.SchemaTrait[*traits.HTTPPayload](m.Schema); ok {
		r.payload = m
		return true
	}
	return false
}

// Decode fills v, the input's struct, from a request. query are its parameters.
// A body is decoded by dec; the error is as of awsjson.Decoder.Decode. What is
// decoded does not share memory with body, except for a member that is a stream.
func (r *Request) Decode(labels Labels, query url.Values, header http.Header, body []byte, dec awsjson.Decoder, v reflect.Value) error {
	if err := r.decodeBody(body, dec, v); err != nil {
		return err
	}
	for i, m := range r.labels {
		text, err := url.PathUnescape(labels[i])
		if err != nil {
			return &awsjson.TypeError{Message: "The path is not correctly encoded"}
		}
		m.Settle(v.Field(m.Field)).SetString(text)
	}
	for _, b := range r.query {
		if err := setTexts(b.member, query[b.name], dec, v); err != nil {
			return err
		}
	}
	for _, b := range r.header {
		if err := setTexts(b.member, header.Values(b.name), dec, v); err != nil {
			return err
		}
	}
	if r.params != nil {
		r.setParams(query, v)
	}
	return nil
}

func (r *Request) decodeBody(body []byte, dec awsjson.Decoder, v reflect.Value) error {
	m := r.payload
	switch {
	case m == nil && len(r.body.Members) == 0:
		return nil
	case m == nil:
		if len(bytes.TrimSpace(body)) == 0 {
			return nil
		}
		return dec.Decode(body, r.body, v)
	case m.Kind == shape.Stream:
		v.Field(m.Field).Set(reflect.ValueOf(io.Reader(bytes.NewReader(body))))
	case len(body) == 0:
	case m.Kind == shape.Struct:
		return dec.Decode(body, m.Type, m.Settle(v.Field(m.Field)))
	case m.Kind == shape.Blob:
		m.Settle(v.Field(m.Field)).SetBytes(bytes.Clone(body))
	case m.Kind == shape.String:
		m.Settle(v.Field(m.Field)).SetString(string(body))
	}
	return nil
}

// setParams gives a map all query parameters that no other member has.
func (r *Request) setParams(query url.Values, v reflect.Value) {
	taken := map[string]bool{}
	for _, b := range r.query {
		taken[b.name] = true
	}
	m := map[string]string{}
	for name, values := range query {
		if !taken[name] && !r.fixed.Has(name) {
			m[name] = values[0]
		}
	}
	if len(m) > 0 && r.params.Go == reflect.TypeFor[map[string]string]() {
		v.Field(r.params.Field).Set(reflect.ValueOf(m))
	}
}

// setTexts sets a member from the values of a header or query parameter.
func setTexts(m *shape.Member, texts []string, dec awsjson.Decoder, v reflect.Value) error {
	if len(texts) == 0 {
		return nil
	}
	place := m.Settle(v.Field(m.Field))
	if m.Kind != shape.List {
		return setText(&m.Slot, texts[0], dec, place)
	}
	place.Set(reflect.MakeSlice(m.Go, len(texts), len(texts)))
	for i, text := range texts {
		if err := setText(&m.Elem, text, dec, m.Elem.Settle(place.Index(i))); err != nil {
			return err
		}
	}
	return nil
}

func setText(s *shape.Slot, text string, dec awsjson.Decoder, v reflect.Value) error {
	var err error
	switch s.Kind {
	case shape.String:
		v.SetString(text)
	case shape.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case shape.Byte, shape.Short, shape.Integer, shape.Long:
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case shape.Float, shape.Double:
		var f float64
		f, err = strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(f)
	case shape.Time:
		var t time.Time
		t, err = parseTime(text)
		v.Set(reflect.ValueOf(t))
	default:
		err = fmt.Errorf("no text form")
	}
	if err != nil {
		return &awsjson.TypeError{Message: dec.Dialect.Text(awsjson.Mismatch{Want: s.Type, Got: jsonscan.String, Text: text})}
	}
	return nil
}

func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	if t, err := http.ParseTime(text); err == nil {
		return t, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	return shape.TimeOf(seconds), err
}
