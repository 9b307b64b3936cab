package awsquery

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/weirstream/weir/internal/api/shape"
)

// Encoder writes answers.
type Encoder struct {
	bytes.Buffer
	// Flat names the elements of flat lists and maps, if the service has such.
	Flat Flat
}

// Response writes the answer of an operation: v is its output struct, described
// by t, or invalid if the operation has none. An output without members makes an
// empty result element: clients look for it.
func (e *Encoder) Response(operation, namespace, requestID string, t *shape.Type, v reflect.Value) {
	e.openWith(operation+"Response", namespace)
	if v.IsValid() {
		e.open(operation + "Result")
		e.structure(t, v)
		e.close(operation + "Result")
	}
	e.open("ResponseMetadata")
	e.element("RequestId", requestID)
	e.close("ResponseMetadata")
	e.close(operation + "Response")
}

// Error writes an error. sender tells that the client is to blame.
func (e *Encoder) Error(code, message string, sender bool, namespace, requestID string) {
	e.openWith("ErrorResponse", namespace)
	e.open("Error")
	if sender {
		e.element("Type", "Sender")
	} else {
		e.element("Type", "Receiver")
	}
	e.element("Code", code)
	if message != "" {
		e.element("Message", message)
	}
	e.close("Error")
	e.element("RequestId", requestID)
	e.close("ErrorResponse")
}

func (e *Encoder) open(name string) {
	e.WriteByte('<')
	e.WriteString(name)
	e.WriteByte('>')
}

func (e *Encoder) openWith(name, namespace string) {
	if namespace == "" {
		e.open(name)
		return
	}
	e.open(name + ` xmlns="` + namespace + `"`)
}

func (e *Encoder) close(name string) {
	e.WriteString("</")
	e.WriteString(name)
	e.WriteByte('>')
}

func (e *Encoder) element(name, text string) {
	e.open(name)
	// Writing to a buffer does not fail.
	_ = xml.EscapeText(e, []byte(text))
	e.close(name)
}

func (e *Encoder) structure(t *shape.Type, v reflect.Value) {
	for _, m := range t.Members {
		f := v.Field(m.Field)
		if absent(f) {
			continue
		}
		if elem, ok := e.Flat.of(m); ok {
			e.flat(elem, &m.Slot, f)
		} else {
			e.value(m.Name, &m.Slot, f)
		}
	}
}

// absent tells members that are left out: nil ones and, as in the SDK's own
// serializers, zero scalars that are not behind a pointer.
func absent(v reflect.Value) bool {
	return v.IsZero() // an empty list that is not nil is present
}

func (e *Encoder) value(name string, s *shape.Slot, v reflect.Value) {
	if s.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case shape.Struct:
		e.open(name)
		if v.IsValid() {
			e.structure(s.Type, v)
		}
		e.close(name)
	case shape.Union:
		e.open(name)
		e.variant(s.Type, v)
		e.close(name)
	case shape.List:
		e.open(name)
		for i := range v.Len() {
			e.value("member", &s.Elem, v.Index(i))
		}
		e.close(name)
	case shape.Map:
		e.open(name)
		e.mapping(s.Type, v)
		e.close(name)
	default:
		e.element(name, text(s, v))
	}
}

func (e *Encoder) variant(t *shape.Type, v reflect.Value) {
	if v.IsNil() {
		return
	}
	held := v.Elem().Elem() // interface, pointer
	for _, m := range t.Members {
		if m.Variant == held.Type() {
			e.value(m.Name, &m.Slot, held.Field(m.Field))
		}
	}
}

func (e *Encoder) mapping(t *shape.Type, v reflect.Value) {
	e.entries(Element{"entry", "key", "value"}, t, v)
}

func (e *Encoder) entries(names Element, t *shape.Type, v reflect.Value) {
	entries := map[string]reflect.Value{}
	for k, elem := range v.Seq2() {
		entries[k.String()] = elem
	}
	for _, k := range slices.Sorted(maps.Keys(entries)) {
		e.open(names.Name)
		e.element(names.Key, k)
		e.value(names.Value, &t.Elem, entries[k])
		e.close(names.Name)
	}
}

// flat writes the elements of a list or map with nothing around them.
func (e *Encoder) flat(names Element, s *shape.Slot, v reflect.Value) {
	if s.Kind == shape.Map {
		e.entries(names, s.Type, v)
		return
	}
	for i := range v.Len() {
		e.value(names.Name, &s.Elem, v.Index(i))
	}
}

func text(s *shape.Slot, v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	switch s.Kind {
	case shape.String:
		return v.String()
	case shape.Blob:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case shape.Bool:
		return strconv.FormatBool(v.Bool())
	case shape.Byte, shape.Short, shape.Integer, shape.Long:
		return strconv.FormatInt(v.Int(), 10)
	case shape.Float, shape.Double:
		return float(v.Float(), v.Type().Bits())
	case shape.Time:
		if t, ok := v.Interface().(time.Time); ok {
			return t.UTC().Format("2006-01-02T15:04:05.999Z")
		}
	}
	return ""
}

func float(f float64, size int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.FormatFloat(f, format, -1, size)
}
