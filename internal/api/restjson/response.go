package restjson

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/weirstream/weir/internal/api/awsjson"
)

// CheckOutput reports an output whose members cannot all be sent: a payload
// that is not text or bytes, such as an event stream. A nil schema is fine.
func CheckOutput(out *smithy.Schema) error {
	if out == nil {
		return nil
	}
	for name, m := range out.Members() {
		_, payload := smithy.SchemaTrait[*traits.HTTPPayload](m)
		text := m.Type() == smithy.ShapeTypeBlob || m.Type() == smithy.ShapeTypeString
		if _, streaming := smithy.SchemaTrait[*traits.Streaming](m); payload && (!text || streaming) {
			return fmt.Errorf("payload %s of output %s has no wire form here", name, out.ID().Name)
		}
		if _, ok := smithy.SchemaTrait[*traits.HTTPPrefixHeaders](m); ok {
			return fmt.Errorf("prefix headers %s of output %s have no wire form here", name, out.ID().Name)
		}
	}
	return nil
}

// Serializer spreads an output or error over headers, status and body.
type Serializer struct {
	awsjson.Serializer
	// Header gets the members that are headers.
	Header http.Header
	// Status is the status that a member told, 0 if none did.
	Status int

	payload    []byte
	hasPayload bool
}

var _ smithy.ShapeSerializer = (*Serializer)(nil)

// Body returns the body: the payload if the output has one (it may be empty),
// else the JSON document.
func (s *Serializer) Body() []byte {
	if s.hasPayload {
		return s.payload
	}
	return s.Bytes()
}

// NoDocument says that the output has a payload member, so that there is no
// document even if the payload is absent.
func (s *Serializer) NoDocument() { s.hasPayload = true }

// HasPayload reports whether the output has a payload member.
func HasPayload(out *smithy.Schema) bool {
	if out != nil {
		for _, m := range out.Members() {
			if _, ok := smithy.SchemaTrait[*traits.HTTPPayload](m); ok {
				return true
			}
		}
	}
	return false
}

// header sets the header that a member is, and reports whether it is one.
func (s *Serializer) header(schema *smithy.Schema, text func() string) bool {
	if s.Depth() != 1 {
		return false
	}
	h, ok := smithy.SchemaTrait[*traits.HTTPHeader](schema)
	if ok {
		s.Header.Set(h.Name, text())
	}
	return ok
}

func (s *Serializer) isPayload(schema *smithy.Schema) bool {
	if s.Depth() != 1 {
		return false
	}
	_, ok := smithy.SchemaTrait[*traits.HTTPPayload](schema)
	return ok
}

// WriteString writes a header, the payload or a member of the body.
func (s *Serializer) WriteString(schema *smithy.Schema, v string) {
	switch {
	case s.header(schema, func() string { return v }):
	case s.isPayload(schema):
		s.payload, s.hasPayload = []byte(v), true
	default:
		s.Serializer.WriteString(schema, v)
	}
}

// WriteBlob writes the payload or a member of the body.
func (s *Serializer) WriteBlob(schema *smithy.Schema, v []byte) {
	if s.isPayload(schema) {
		s.payload, s.hasPayload = v, true
		return
	}
	s.Serializer.WriteBlob(schema, v)
}

// WriteInt32 writes the status, a header or a member of the body.
func (s *Serializer) WriteInt32(schema *smithy.Schema, v int32) {
	if _, ok := smithy.SchemaTrait[*traits.HTTPResponseCode](schema); ok && s.Depth() == 1 {
		s.Status = int(v)
		return
	}
	s.WriteInt64(schema, int64(v))
}

// WriteInt64 writes a header or a member of the body.
func (s *Serializer) WriteInt64(schema *smithy.Schema, v int64) {
	if !s.header(schema, func() string { return strconv.FormatInt(v, 10) }) {
		s.Serializer.WriteInt64(schema, v)
	}
}

// WriteBool writes a header or a member of the body.
func (s *Serializer) WriteBool(schema *smithy.Schema, v bool) {
	if !s.header(schema, func() string { return strconv.FormatBool(v) }) {
		s.Serializer.WriteBool(schema, v)
	}
}

// WriteTime writes a header or a member of the body.
func (s *Serializer) WriteTime(schema *smithy.Schema, v time.Time) {
	if !s.header(schema, func() string { return v.UTC().Format(http.TimeFormat) }) {
		s.Serializer.WriteTime(schema, v)
	}
}
