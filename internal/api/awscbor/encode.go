package awscbor

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// Serializer writes one CBOR document. Outputs and errors of the SDK write
// themselves to it. The zero value is ready and writes RPC v2.
type Serializer struct {
	// Millis writes timestamps as milliseconds (Kinesis) instead of seconds.
	Millis bool

	buf []byte
	// open tells of each open container whether its values carry names.
	open []bool
	// keyEnd is where the last key of a map ends.
	keyEnd int
}

var _ smithy.ShapeSerializer = (*Serializer)(nil)

// Reset starts a new document that is appended to buf.
func (s *Serializer) Reset(buf []byte) {
	s.buf, s.open, s.keyEnd = buf, s.open[:0], 0
}

// Bytes returns what is written so far, after what Reset got.
func (s *Serializer) Bytes() []byte { return s.buf }

// Depth is the number of containers that are open.
func (s *Serializer) Depth() int { return len(s.open) }

func (s *Serializer) begin(schema *smithy.Schema) {
	if n := len(s.open); n > 0 && s.open[n-1] {
		s.text(schema.MemberName())
	}
}

// WriteNamed writes a member of the open structure that no schema knows.
func (s *Serializer) WriteNamed(name, value string) {
	s.text(name)
	s.text(value)
}

func (s *Serializer) push(schema *smithy.Schema, major byte, named bool) {
	s.begin(schema)
	s.buf = append(s.buf, major<<5|infoIndefinite)
	s.open = append(s.open, named)
}

func (s *Serializer) pop() {
	s.buf = append(s.buf, breakByte)
	s.open = s.open[:len(s.open)-1]
}

func (s *Serializer) head(major byte, n uint64) {
	major <<= 5
	switch {
	case n < 24:
		s.buf = append(s.buf, major|byte(n))
	case n <= math.MaxUint8:
		s.buf = append(s.buf, major|24, byte(n))
	case n <= math.MaxUint16:
		s.buf = binary.BigEndian.AppendUint16(append(s.buf, major|25), uint16(n))
	case n <= math.MaxUint32:
		s.buf = binary.BigEndian.AppendUint32(append(s.buf, major|26), uint32(n))
	default:
		s.buf = binary.BigEndian.AppendUint64(append(s.buf, major|27), n)
	}
}

func (s *Serializer) text(v string) {
	v = strings.ToValidUTF8(v, "\uFFFD")
	s.head(majorText, uint64(len(v)))
	s.buf = append(s.buf, v...)
}

func (s *Serializer) integer(v int64) {
	if v < 0 {
		s.head(majorNegative, uint64(-1-v))
		return
	}
	s.head(majorUint, uint64(v))
}

func (s *Serializer) float(v float64) {
	s.buf = binary.BigEndian.AppendUint64(append(s.buf, majorSimple<<5|infoFloat64), math.Float64bits(v))
}

// WriteStruct opens a structure.
func (s *Serializer) WriteStruct(schema *smithy.Schema) { s.push(schema, majorMap, true) }

// CloseStruct closes it.
func (s *Serializer) CloseStruct() { s.pop() }

// WriteUnion opens a union; its variant is written next.
func (s *Serializer) WriteUnion(schema, _ *smithy.Schema) { s.push(schema, majorMap, true) }

// CloseUnion closes it.
func (s *Serializer) CloseUnion() { s.pop() }

// WriteList opens a list.
func (s *Serializer) WriteList(schema *smithy.Schema) { s.push(schema, majorArray, false) }

// CloseList closes it.
func (s *Serializer) CloseList() { s.pop() }

// WriteMap opens a map.
func (s *Serializer) WriteMap(schema *smithy.Schema) { s.push(schema, majorMap, false) }

// WriteKey writes the key of the value that is written next.
func (s *Serializer) WriteKey(_ *smithy.Schema, key string) {
	s.settleKey()
	s.text(key)
	s.keyEnd = len(s.buf)
}

// settleKey writes null for a key that got no value: the SDK's structs write
// nothing for a union without a variant.
func (s *Serializer) settleKey() {
	if s.keyEnd > 0 && s.keyEnd == len(s.buf) {
		s.buf = append(s.buf, majorSimple<<5|infoNull)
	}
}

// CloseMap closes it.
func (s *Serializer) CloseMap() {
	s.settleKey()
	s.pop()
}

// WriteInt8 writes an integer.
func (s *Serializer) WriteInt8(schema *smithy.Schema, v int8) { s.WriteInt64(schema, int64(v)) }

// WriteInt16 writes an integer.
func (s *Serializer) WriteInt16(schema *smithy.Schema, v int16) { s.WriteInt64(schema, int64(v)) }

// WriteInt32 writes an integer.
func (s *Serializer) WriteInt32(schema *smithy.Schema, v int32) { s.WriteInt64(schema, int64(v)) }

// WriteInt64 writes an integer.
func (s *Serializer) WriteInt64(schema *smithy.Schema, v int64) {
	s.begin(schema)
	s.integer(v)
}

// WriteFloat32 writes a float of four bytes.
func (s *Serializer) WriteFloat32(schema *smithy.Schema, v float32) {
	s.begin(schema)
	s.buf = binary.BigEndian.AppendUint32(append(s.buf, majorSimple<<5|infoFloat32), math.Float32bits(v))
}

// WriteFloat64 writes a float of eight bytes.
func (s *Serializer) WriteFloat64(schema *smithy.Schema, v float64) {
	s.begin(schema)
	s.float(v)
}

// WriteBool writes true or false.
func (s *Serializer) WriteBool(schema *smithy.Schema, v bool) {
	s.begin(schema)
	info := byte(infoFalse)
	if v {
		info = infoTrue
	}
	s.buf = append(s.buf, majorSimple<<5|info)
}

// WriteString writes a text.
func (s *Serializer) WriteString(schema *smithy.Schema, v string) {
	s.begin(schema)
	s.text(v)
}

// WriteBigInt writes a bignum.
func (s *Serializer) WriteBigInt(schema *smithy.Schema, v *big.Int) {
	s.begin(schema)
	if v.Sign() >= 0 {
		s.bignum(2, v)
		return
	}
	s.bignum(3, new(big.Int).Not(v))
}

func (s *Serializer) bignum(tag uint64, v *big.Int) {
	s.head(majorTag, tag)
	b := v.Bytes()
	s.head(majorBytes, uint64(len(b)))
	s.buf = append(s.buf, b...)
}

// WriteBigFloat writes the nearest float of eight bytes.
func (s *Serializer) WriteBigFloat(schema *smithy.Schema, v *big.Float) {
	f, _ := v.Float64()
	s.WriteFloat64(schema, f)
}

// WriteBlob writes bytes.
func (s *Serializer) WriteBlob(schema *smithy.Schema, v []byte) {
	s.begin(schema)
	s.head(majorBytes, uint64(len(v)))
	s.buf = append(s.buf, v...)
}

// WriteTime writes tag 1 and a number: milliseconds in the dialect of Kinesis,
// whose clients cannot read floats; else seconds, as an integer if there is no
// fraction.
func (s *Serializer) WriteTime(schema *smithy.Schema, v time.Time) {
	s.begin(schema)
	s.head(majorTag, 1)
	ms := v.UnixMilli()
	switch {
	case s.Millis:
		s.integer(ms)
	case ms%1000 == 0:
		s.integer(ms / 1000)
	default:
		s.float(float64(ms) / 1000)
	}
}

// WriteNil writes null.
func (s *Serializer) WriteNil(schema *smithy.Schema) {
	s.begin(schema)
	s.buf = append(s.buf, majorSimple<<5|infoNull)
}

// WriteDocument writes null: no shape of the services served here holds a
// document.
func (s *Serializer) WriteDocument(schema *smithy.Schema, _ document.Value) { s.WriteNil(schema) }
