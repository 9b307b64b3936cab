package awsjson

import (
	"bytes"
	"encoding/base64"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
	"github.com/aws/smithy-go/traits"
)

// Serializer writes one JSON document. Outputs and errors of the SDK write
// themselves to it. The zero value is ready.
type Serializer struct {
	buf []byte
	// open has one entry per open container.
	open []frame
	// JSONNames uses the names of the @jsonName trait (REST JSON).
	JSONNames bool
}

type frame struct {
	named bool // its values are members, written with their names
	isMap bool // its values follow a key
	some  bool // it has a value
}

var _ smithy.ShapeSerializer = (*Serializer)(nil)

// Reset starts a new document that is appended to buf.
func (s *Serializer) Reset(buf []byte) {
	s.buf, s.open = buf, s.open[:0]
}

// Bytes returns what is written so far, after what Reset got.
func (s *Serializer) Bytes() []byte { return s.buf }

// Depth is the number of containers that are open.
func (s *Serializer) Depth() int { return len(s.open) }

// begin writes what goes before a value.
func (s *Serializer) begin(schema *smithy.Schema) {
	if len(s.open) == 0 {
		return
	}
	f := &s.open[len(s.open)-1]
	if f.isMap {
		return // WriteKey did it
	}
	s.comma(f)
	if f.named {
		s.key(s.name(schema))
	}
}

func (s *Serializer) comma(f *frame) {
	if f.some {
		s.buf = append(s.buf, ',')
	}
	f.some = true
}

func (s *Serializer) key(name string) {
	s.buf = AppendString(s.buf, name)
	s.buf = append(s.buf, ':')
}

// WriteNamed writes a member of the open structure that no schema knows.
func (s *Serializer) WriteNamed(name, value string) {
	s.comma(&s.open[len(s.open)-1])
	s.key(name)
	s.buf = AppendString(s.buf, value)
}

func (s *Serializer) name(schema *smithy.Schema) string {
	if s.JSONNames {
		if j, ok := smithy.SchemaTrait[*traits.JSONName](schema); ok {
			return j.Name
		}
	}
	return schema.MemberName()
}

func (s *Serializer) push(c byte, f frame) {
	s.buf = append(s.buf, c)
	s.open = append(s.open, f)
}

func (s *Serializer) pop(c byte) {
	s.buf = append(s.buf, c)
	s.open = s.open[:len(s.open)-1]
}

// WriteStruct opens a structure.
func (s *Serializer) WriteStruct(schema *smithy.Schema) {
	s.begin(schema)
	s.push('{', frame{named: true})
}

// CloseStruct closes it.
func (s *Serializer) CloseStruct() { s.pop('}') }

// WriteUnion opens a union; its variant is written next.
func (s *Serializer) WriteUnion(schema, _ *smithy.Schema) { s.WriteStruct(schema) }

// CloseUnion closes it.
func (s *Serializer) CloseUnion() { s.pop('}') }

// WriteList opens a list.
func (s *Serializer) WriteList(schema *smithy.Schema) {
	s.begin(schema)
	s.push('[', frame{})
}

// CloseList closes it.
func (s *Serializer) CloseList() { s.pop(']') }

// WriteMap opens a map.
func (s *Serializer) WriteMap(schema *smithy.Schema) {
	s.begin(schema)
	s.push('{', frame{isMap: true})
}

// WriteKey writes the key of the value that is written next.
func (s *Serializer) WriteKey(_ *smithy.Schema, key string) {
	s.settleKey()
	s.comma(&s.open[len(s.open)-1])
	s.key(key)
}

// settleKey writes null for a key that got no value: the SDK's structs write
// nothing for a union without a variant.
func (s *Serializer) settleKey() {
	if n := len(s.buf); n > 0 && s.buf[n-1] == ':' {
		s.buf = append(s.buf, "null"...)
	}
}

// CloseMap closes it.
func (s *Serializer) CloseMap() {
	s.settleKey()
	s.pop('}')
}

// WriteInt8 writes a number.
func (s *Serializer) WriteInt8(schema *smithy.Schema, v int8) { s.WriteInt64(schema, int64(v)) }

// WriteInt16 writes a number.
func (s *Serializer) WriteInt16(schema *smithy.Schema, v int16) { s.WriteInt64(schema, int64(v)) }

// WriteInt32 writes a number.
func (s *Serializer) WriteInt32(schema *smithy.Schema, v int32) { s.WriteInt64(schema, int64(v)) }

// WriteInt64 writes a number.
func (s *Serializer) WriteInt64(schema *smithy.Schema, v int64) {
	s.begin(schema)
	s.buf = strconv.AppendInt(s.buf, v, 10)
}

// WriteFloat32 writes a number.
func (s *Serializer) WriteFloat32(schema *smithy.Schema, v float32) {
	s.begin(schema)
	s.buf = appendFloat(s.buf, float64(v), 32)
}

// WriteFloat64 writes a number.
func (s *Serializer) WriteFloat64(schema *smithy.Schema, v float64) {
	s.begin(schema)
	s.buf = appendFloat(s.buf, v, 64)
}

// WriteBool writes true or false.
func (s *Serializer) WriteBool(schema *smithy.Schema, v bool) {
	s.begin(schema)
	s.buf = strconv.AppendBool(s.buf, v)
}

// WriteString writes a string.
func (s *Serializer) WriteString(schema *smithy.Schema, v string) {
	s.begin(schema)
	s.buf = AppendString(s.buf, v)
}

// WriteBigInt writes a number.
func (s *Serializer) WriteBigInt(schema *smithy.Schema, v *big.Int) {
	s.begin(schema)
	s.buf = v.Append(s.buf, 10)
}

// WriteBigFloat writes a number.
func (s *Serializer) WriteBigFloat(schema *smithy.Schema, v *big.Float) {
	s.begin(schema)
	s.buf = v.Append(s.buf, 'g', -1)
}

// WriteBlob writes base64.
func (s *Serializer) WriteBlob(schema *smithy.Schema, v []byte) {
	s.begin(schema)
	s.buf = append(s.buf, '"')
	s.buf = base64.StdEncoding.AppendEncode(s.buf, v)
	s.buf = append(s.buf, '"')
}

// WriteTime writes seconds since the epoch, or the text form that the schema
// demands.
func (s *Serializer) WriteTime(schema *smithy.Schema, v time.Time) {
	s.begin(schema)
	switch f, _ := smithy.SchemaTrait[*traits.TimestampFormat](schema); {
	case f != nil && f.Format == "date-time":
		s.buf = AppendString(s.buf, v.UTC().Format("2006-01-02T15:04:05.999Z"))
	case f != nil && f.Format == "http-date":
		s.buf = AppendString(s.buf, v.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	default:
		s.buf = AppendEpoch(s.buf, v)
	}
}

// WriteNil writes null.
func (s *Serializer) WriteNil(schema *smithy.Schema) {
	s.begin(schema)
	s.buf = append(s.buf, "null"...)
}

// WriteDocument writes null: no shape of the services served here holds a
// document.
func (s *Serializer) WriteDocument(schema *smithy.Schema, _ document.Value) { s.WriteNil(schema) }

// AppendEpoch appends a time as seconds since the epoch, with milliseconds if
// there are any.
func AppendEpoch(dst []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		dst = append(dst, '-')
		ms = -ms
	}
	dst = strconv.AppendInt(dst, ms/1000, 10)
	ms %= 1000
	if ms == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendFloat appends a number as the services write it.
func AppendFloat(dst []byte, v float64) []byte { return appendFloat(dst, v, 64) }

func appendFloat(dst []byte, v float64, size int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, v, format, -1, size)
	if format == 'f' && bytes.IndexByte(dst[n:], '.') < 0 {
		// Some languages tell 1.0 from 1.
		dst = append(dst, ".0"...)
	}
	return dst
}

// plain tells the bytes that a JSON string holds as they are.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

const hex = "0123456789abcdef"

// AppendString appends a string in quotes. What is not valid UTF-8 becomes
// U+FFFD, as a JSON text cannot hold it.
func AppendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(slices.Grow(dst, len(s)+2), '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if !plain[c] {
				dst = append(dst, s[start:i]...)
				dst = appendEscaped(dst, c)
				start = i + 1
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = utf8.AppendRune(dst, utf8.RuneError)
			start = i + 1
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
