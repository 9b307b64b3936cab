// Package awsjson is the codec of the AWS JSON protocols: it fills the input
// structs of the SDK from JSON documents and is a serializer to which outputs
// and errors of the SDK describe themselves. Package restjson builds on it.
//
// Decoding is one pass over the text. Values of the wrong type are reported
// only if the whole text is valid JSON, as the services do; the first of them
// counts. Unknown members are skipped, null counts as absent; in lists and maps
// it leaves the zero value. Of members that occur twice the last one wins.
package awsjson

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/jsonscan"
)

// MaxElements bounds the elements of all lists and maps of one document
// together, so that a small document cannot occupy a large memory.
const MaxElements = 2 << 20

// ErrNotObject says that a document is valid JSON, but not an object.
var ErrNotObject = errors.New("the document is not an object")

// ErrTooLarge says that a document exceeds MaxElements.
var ErrTooLarge = fmt.Errorf("the document has more than %d elements", MaxElements)

// TypeError says that a value is not of the type that its place demands, in the
// words of the service.
type TypeError struct{ Message string }

// Error returns the message.
func (e *TypeError) Error() string { return e.Message }

// Decoder decodes documents of one dialect. It is a value without state of its
// own and may be shared.
type Decoder struct {
	Dialect *Dialect
	// JSONNames uses the names of the @jsonName trait (REST JSON).
	JSONNames bool
}

// Decode fills v, a struct described by t, from a document. The error is a
// *TypeError, or else the document is unusable as a whole: a
// *jsonscan.SyntaxError, ErrNotObject or ErrTooLarge. What is decoded does not
// share memory with data.
func (c Decoder) Decode(data []byte, t *shape.Type, v reflect.Value) error {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.Decoder = c
	d.scan.Reset(data)
	if d.scan.Kind() != jsonscan.Object {
		d.scan.Skip()
		if err := d.scan.End(); err != nil {
			return err
		}
		return ErrNotObject
	}
	d.structure(t, v)
	if err := d.scan.End(); err != nil {
		return err
	}
	if d.elements > MaxElements {
		return ErrTooLarge
	}
	if d.mismatch != nil {
		return d.mismatch
	}
	return nil
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder is the state of one call.
type decoder struct {
	Decoder
	scan     jsonscan.Scanner
	elements int
	nulls    int        // elements of lists of scalars that are null
	mismatch *TypeError // the first one
}

func (d *decoder) release() {
	d.scan.Reset(nil)
	d.Dialect, d.elements, d.nulls, d.mismatch = nil, 0, 0, nil
	decoders.Put(d)
}

// value reads the next value into the place v. element tells whether it is in a
// list or map.
func (d *decoder) value(s *shape.Slot, v reflect.Value, element bool) {
	got := d.scan.Kind()
	if got == jsonscan.Null {
		d.scan.Null()
		v.SetZero()
		return
	}
	switch s.Kind {
	case shape.Struct, shape.Union, shape.Map:
		if got != jsonscan.Object {
			d.refuse(s, got, element)
			return
		}
		d.object(s, v)
	case shape.List:
		if got != jsonscan.Array {
			d.refuse(s, got, element)
			return
		}
		d.list(s.Type, s.Settle(v))
	default:
		d.scalar(s, v, got)
	}
}

func (d *decoder) object(s *shape.Slot, v reflect.Value) {
	switch s.Kind {
	case shape.Struct:
		d.structure(s.Type, s.Settle(v))
	case shape.Union:
		d.union(s.Type, v)
	default:
		d.mapping(s.Type, s.Settle(v))
	}
}

// refuse notes that the next value is of the wrong type and skips it.
func (d *decoder) refuse(s *shape.Slot, got jsonscan.Kind, element bool) {
	m := Mismatch{Want: s.Type, Got: got, Element: element}
	if got == jsonscan.Number || got == jsonscan.String {
		m.Text = string(d.scan.Raw())
	} else {
		d.scan.Skip()
	}
	d.note(m)
}

func (d *decoder) note(m Mismatch) {
	if d.mismatch == nil {
		d.mismatch = &TypeError{Message: d.Dialect.Text(m)}
	}
}

func (d *decoder) structure(t *shape.Type, v reflect.Value) {
	if !d.scan.Object() {
		return
	}
	for {
		name, ok := d.scan.Member()
		if !ok {
			return
		}
		m := d.member(t, name)
		if m == nil {
			d.scan.Skip()
			continue
		}
		d.value(&m.Slot, v.Field(m.Field), false)
	}
}

func (d *decoder) member(t *shape.Type, name []byte) *shape.Member {
	if !d.JSONNames {
		return t.Member(name)
	}
	for _, m := range t.Members {
		if m.JSONName == string(name) {
			return m
		}
	}
	return nil
}

// union leaves v nil if no variant is set, and an unknown variant that names them if
// more than one is, or one that has a null in a list of scalars: whether that is an
// error, and which, is for the service to say.
func (d *decoder) union(t *shape.Type, v reflect.Value) {
	if !d.scan.Object() {
		return
	}
	v.SetZero()
	var held shape.Variants
	for {
		name, ok := d.scan.Member()
		if !ok {
			return
		}
		m := d.member(t, name)
		if m == nil || d.scan.Kind() == jsonscan.Null {
			d.scan.Skip()
			continue
		}
		nulls := d.nulls
		d.value(&m.Slot, m.SetVariant(v), false)
		if !held.Add(t, m, v) {
			d.note(Mismatch{Want: t, Got: jsonscan.Object})
		}
		if d.nulls > nulls && m.Scalars() {
			t.SetUnknown(v, m.Name)
		}
	}
}

// grow counts an element, and reports whether there may be another one.
func (d *decoder) grow() bool {
	d.elements++
	return d.elements <= MaxElements
}

func (d *decoder) list(t *shape.Type, v reflect.Value) {
	if !d.scan.Array() {
		return
	}
	v.Set(reflect.MakeSlice(t.Go, 0, 0))
	for n := 0; d.scan.Element(); n++ {
		if !d.grow() {
			d.scan.Skip()
			continue
		}
		if n == v.Cap() {
			v.Grow(max(4, n))
		}
		v.SetLen(n + 1)
		if d.scan.Kind() == jsonscan.Null && t.Scalars() {
			d.nulls++
		}
		d.value(&t.Elem, v.Index(n), true)
	}
}

func (d *decoder) mapping(t *shape.Type, v reflect.Value) {
	if !d.scan.Object() {
		return
	}
	v.Set(reflect.MakeMap(t.Go))
	key := reflect.New(t.Go.Key()).Elem()
	elem := reflect.New(t.Go.Elem()).Elem()
	for {
		name, ok := d.scan.Member()
		if !ok {
			return
		}
		if !d.grow() {
			d.scan.Skip()
			continue
		}
		key.SetString(string(name))
		elem.SetZero()
		d.value(&t.Elem, elem, true)
		v.SetMapIndex(key, elem)
	}
}
