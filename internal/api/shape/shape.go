// Package shape joins the two halves of what is known of a request or response
// type, the Go struct of the SDK and its Smithy schema, into one description
// that codecs walk: which member sits in which field, and what it is.
//
// A description is built once, when the server starts; walking it needs no
// look-up by name except for the names that come from the wire. Types that
// refer to themselves (a DynamoDB attribute value) are described by a cycle.
// Without a schema (SDKs of an older generation) the Go struct alone decides.
//
// Descriptions do not change after they are built and may be shared.
package shape

import (
	"reflect"
	"slices"

	"github.com/aws/smithy-go"
)

// Kind is what a value is, seen from the wire.
type Kind uint8

// The kinds.
const (
	Struct Kind = iota + 1
	Union
	List
	Map
	String
	Blob
	Bool
	Byte
	Short
	Integer
	Long
	Float
	Double
	Time
	Stream // a body that is read, not held: io.Reader
)

// TimeFormat is how a timestamp is written.
type TimeFormat uint8

// The formats. ProtocolTime is whatever the protocol does by default.
const (
	ProtocolTime TimeFormat = iota
	EpochSeconds
	DateTime
	HTTPDate
)

// Type describes a type. Which fields are set depends on Kind.
type Type struct {
	Kind Kind
	// Name is the Smithy name of the shape, the Go name if there is no schema.
	Name string
	// Go is the type that holds a value, never a pointer; for a union the
	// interface.
	Go reflect.Type
	// Elem is the element of a List, the value of a Map.
	Elem Slot
	// Members of a Struct or Union, in the order of the Go struct (by name for
	// a union).
	Members []*Member

	byName  map[string]*Member
	unknown reflect.Type
}

// Slot is a place that holds a value of a type.
type Slot struct {
	*Type
	// Pointer says that the place holds a pointer to the value.
	Pointer bool
	// Time is the format of a timestamp.
	Time TimeFormat
}

// Member is a member of a Struct or a Union.
type Member struct {
	Slot
	// Name is the member's name in the model, JSONName that in REST JSON
	// documents.
	Name, JSONName string
	// Field is the index of the Go field that holds the member, in the struct or,
	// for a Union, in Variant.
	Field int
	// Variant is the struct that stands for the member of a Union.
	Variant reflect.Type
	// Schema is the member's schema, nil if there is none.
	Schema *smithy.Schema
}

// Member returns the member with the given name, nil if there is none.
func (t *Type) Member(name []byte) *Member { return t.byName[string(name)] }

// MemberNamed is Member for a string.
func (t *Type) MemberNamed(name string) *Member { return t.byName[name] }

// Restrict returns t with only the members that keep wants.
func (t *Type) Restrict(keep func(*Member) bool) *Type {
	part := *t
	part.Members, part.byName = nil, nil
	for _, m := range t.Members {
		if keep(m) {
			part.add(m)
		}
	}
	return &part
}

// Settle makes v, the place described by s, hold a new zero value and returns
// that value, behind the pointer if there is one.
func (s *Slot) Settle(v reflect.Value) reflect.Value {
	if !s.Pointer {
		return v
	}
	p := reflect.New(s.Go)
	v.Set(p)
	return p.Elem()
}

// SetVariant makes v, a place for the union t, hold a new variant for m and
// returns the place for the member's value.
func (m *Member) SetVariant(v reflect.Value) reflect.Value {
	p := reflect.New(m.Variant)
	v.Set(p)
	return p.Elem().Field(m.Field)
}

// Variants counts the members that a request sets of one union.
type Variants struct {
	first  *Member
	others []*Member
}

// Add notes that v, a place for the union t, was set to m. If another member was
// set before, v gets the SDK's UnknownUnionMember, whose Tag names all of them in
// the order in which they came, so that the service can say what is wrong; Add
// returns false if the union was described without it.
func (vs *Variants) Add(t *Type, m *Member, v reflect.Value) bool {
	if vs.first == nil {
		vs.first = m
	}
	if m != vs.first && !slices.Contains(vs.others, m) {
		vs.others = append(vs.others, m)
	}
	if len(vs.others) == 0 {
		return true
	}
	names := vs.first.Name
	for _, m := range vs.others {
		names += "," + m.Name
	}
	return t.SetUnknown(v, names)
}

// SetUnknown makes v, a place for the union t, hold the SDK's UnknownUnionMember; it
// returns false if the union was described without it. A Tag of one name stands for a
// member that the request sets to a list of scalars with a null among them, which the
// SDK's type cannot hold.
func (t *Type) SetUnknown(v reflect.Value, tag string) bool {
	if t.unknown == nil {
		return false
	}
	p := reflect.New(t.unknown)
	p.Elem().FieldByName("Tag").SetString(tag)
	v.Set(p)
	return true
}

// Scalars reports whether t is a list of scalars.
func (t *Type) Scalars() bool {
	if t.Kind != List {
		return false
	}
	k := t.Elem.Kind
	return k != Struct && k != Union && k != Map && k != List
}
