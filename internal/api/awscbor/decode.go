// Package awscbor is the codec of the two binary protocols: Smithy RPC v2 CBOR
// and the older dialect of Kinesis, application/x-amz-cbor-1.1, which differs in
// timestamps (tag 1 around milliseconds instead of seconds). It fills the input
// structs of the SDK from CBOR documents, and is a serializer to which outputs
// and errors of the SDK describe themselves.
//
// Items of definite and of indefinite length are read; indefinite ones are
// written, as the length is not known when a value begins to describe itself.
// Sizes that a document claims are checked against what there is before
// anything is allocated. As in package awsjson a value of the wrong type is
// reported only if the whole document is well-formed.
package awscbor

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/jsonscan"
)

// ErrNotMap says that a document is valid CBOR, but not a map.
var ErrNotMap = errors.New("the document is not a map")

// Decoder decodes documents of one dialect. It is a value without state of its
// own and may be shared.
type Decoder struct {
	Dialect *awsjson.Dialect
	// Millis reads timestamps as milliseconds (Kinesis) instead of seconds.
	Millis bool
}

// Decode fills v, a struct described by t, from a document. The error is an
// *awsjson.TypeError, or else the document is unusable as a whole. What is
// decoded does not share memory with data.
func (c Decoder) Decode(data []byte, t *shape.Type, v reflect.Value) error {
	d := &decoder{Decoder: c, reader: reader{data: data}}
	h, _ := d.head()
	if h.major == majorMap {
		d.structure(h, t, v)
	} else {
		d.skip(h)
	}
	if d.err == nil && d.pos < len(data) {
		d.fail("data after the document")
	}
	switch {
	case d.err != nil:
		return d.err
	case h.major != majorMap:
		return ErrNotMap
	case d.elements > awsjson.MaxElements:
		return fmt.Errorf("the document has more than %d elements", awsjson.MaxElements)
	case d.mismatch != nil:
		return d.mismatch
	}
	return nil
}

// decoder is the state of one call.
type decoder struct {
	Decoder
	reader
	elements int
	mismatch *awsjson.TypeError // the first one
}

// refuse notes that the item that begins with h is of the wrong type and skips
// it.
func (d *decoder) refuse(h head, s *shape.Slot, element bool) {
	d.skip(h)
	if d.mismatch == nil {
		m := awsjson.Mismatch{Want: s.Type, Got: kindOf(h), Element: element}
		d.mismatch = &awsjson.TypeError{Message: d.Dialect.Text(m)}
	}
}

// kindOf is the kind of JSON value that an item corresponds to, for texts.
func kindOf(h head) jsonscan.Kind {
	switch h.major {
	case majorBytes, majorText:
		return jsonscan.String
	case majorArray:
		return jsonscan.Array
	case majorMap:
		return jsonscan.Object
	case majorSimple:
		switch h.info {
		case infoTrue:
			return jsonscan.True
		case infoFalse:
			return jsonscan.False
		}
	}
	return jsonscan.Number
}

func (d *decoder) value(s *shape.Slot, v reflect.Value, element bool) {
	h, _ := d.head()
	if h.null() {
		v.SetZero()
		return
	}
	ok := false
	switch s.Kind {
	case shape.Struct:
		if ok = h.major == majorMap; ok {
			d.structure(h, s.Type, s.Settle(v))
		}
	case shape.Union:
		if ok = h.major == majorMap; ok {
			d.union(h, s, v)
		}
	case shape.Map:
		if ok = h.major == majorMap; ok {
			d.mapping(h, s.Type, s.Settle(v))
		}
	case shape.List:
		if ok = h.major == majorArray; ok {
			d.list(h, s.Type, s.Settle(v))
		}
	default:
		ok = d.scalar(h, s, v)
	}
	if !ok {
		d.refuse(h, s, element)
	}
}

func (d *decoder) scalar(h head, s *shape.Slot, v reflect.Value) bool {
	number := h.major == majorUint || h.major == majorNegative || h.float()
	switch s.Kind {
	case shape.String:
		if h.major != majorText {
			return false
		}
		s.Settle(v).SetString(string(d.bytes(h)))
	case shape.Blob:
		if h.major != majorBytes {
			return false
		}
		s.Settle(v).SetBytes(append([]byte{}, d.bytes(h)...))
	case shape.Bool:
		if h.major != majorSimple || h.info != infoTrue && h.info != infoFalse {
			return false
		}
		s.Settle(v).SetBool(h.info == infoTrue)
	case shape.Byte, shape.Short, shape.Integer, shape.Long:
		if !number {
			return false
		}
		place := s.Settle(v)
		place.SetInt(h.integer(place.Type().Bits()))
	case shape.Float, shape.Double:
		if !number {
			return false
		}
		s.Settle(v).SetFloat(h.number())
	case shape.Time:
		if !number {
			return false
		}
		d.timestamp(h, s.Settle(v))
	default:
		return false
	}
	return true
}

func (d *decoder) timestamp(h head, v reflect.Value) {
	t := shape.TimeOf(h.number())
	if d.Millis {
		t = shape.TimeOfMillis(h.integer(64))
	}
	v.Set(reflect.ValueOf(t))
}

// key reads the name of a member or the key of a map.
func (d *decoder) key() []byte {
	h, _ := d.head()
	if h.major != majorText {
		d.fail("a key is not a text")
		return nil
	}
	return d.bytes(h)
}

func (d *decoder) structure(h head, t *shape.Type, v reflect.Value) {
	if !d.enter(h) {
		return
	}
	for n := uint64(0); d.more(h, n); n++ {
		if m := t.Member(d.key()); m != nil {
			d.value(&m.Slot, v.Field(m.Field), false)
		} else {
			d.skipNext()
		}
	}
	d.leave()
}

// union treats none and several variants as package awsjson does.
func (d *decoder) union(h head, s *shape.Slot, v reflect.Value) {
	if !d.enter(h) {
		return
	}
	v.SetZero()
	var held shape.Variants
	for n := uint64(0); d.more(h, n); n++ {
		m := s.Member(d.key())
		if m == nil || d.pos < len(d.data) && d.data[d.pos] == majorSimple<<5|infoNull {
			d.skipNext()
			continue
		}
		d.value(&m.Slot, m.SetVariant(v), false)
		if !held.Add(s.Type, m, v) && d.mismatch == nil {
			d.mismatch = &awsjson.TypeError{Message: d.Dialect.Text(awsjson.Mismatch{Want: s.Type, Got: jsonscan.Object})}
		}
	}
	d.leave()
}

func (d *decoder) list(h head, t *shape.Type, v reflect.Value) {
	if !d.enter(h) {
		return
	}
	v.Set(reflect.MakeSlice(t.Go, 0, 0))
	for n := uint64(0); d.more(h, n); n++ {
		if d.elements++; d.elements > awsjson.MaxElements {
			d.skipNext()
			continue
		}
		i := v.Len()
		if i == v.Cap() {
			v.Grow(max(4, i))
		}
		v.SetLen(i + 1)
		d.value(&t.Elem, v.Index(i), true)
	}
	d.leave()
}

func (d *decoder) mapping(h head, t *shape.Type, v reflect.Value) {
	if !d.enter(h) {
		return
	}
	v.Set(reflect.MakeMap(t.Go))
	key := reflect.New(t.Go.Key()).Elem()
	elem := reflect.New(t.Go.Elem()).Elem()
	for n := uint64(0); d.more(h, n); n++ {
		key.SetString(string(d.key()))
		elem.SetZero()
		d.value(&t.Elem, elem, true)
		if d.elements++; d.elements <= awsjson.MaxElements {
			v.SetMapIndex(key, elem)
		}
	}
	d.leave()
}

// Valid reports whether data is one well-formed map.
func Valid(data []byte) bool {
	r := reader{data: data}
	h, _ := r.head()
	r.skip(h)
	return r.err == nil && r.pos == len(data) && h.major == majorMap
}
