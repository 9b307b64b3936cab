package shape

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// Builder describes the types of one service.
type Builder struct {
	unions map[reflect.Type][]reflect.Type
	seen   map[seenKey]*Type
}

// seenKey identifies an aggregate: the same Go type may hold different shapes
// ([]string), and the same shape is met through many members.
type seenKey struct {
	goType reflect.Type
	id     smithy.ShapeID
}

// NewBuilder returns a builder that knows the variants of unions by their
// interface.
func NewBuilder(unions map[reflect.Type][]reflect.Type) *Builder {
	return &Builder{unions: unions, seen: map[seenKey]*Type{}}
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
	readerType = reflect.TypeFor[io.Reader]()
)

// Describe describes the struct type t, whose schema may be nil.
func (b *Builder) Describe(t reflect.Type, schema *smithy.Schema) (*Type, error) {
	slot, err := b.slot(t, schema)
	if err != nil {
		return nil, fmt.Errorf("describe %v: %w", t, err)
	}
	if slot.Kind != Struct || slot.Pointer {
		return nil, fmt.Errorf("describe %v: not a struct", t)
	}
	return slot.Type, nil
}

func (b *Builder) slot(t reflect.Type, schema *smithy.Schema) (Slot, error) {
	s := Slot{Time: timeFormat(schema)}
	if t.Kind() == reflect.Pointer {
		s.Pointer = true
		t = t.Elem()
	}
	typ, err := b.describe(t, schema)
	s.Type = typ
	return s, err
}

func timeFormat(schema *smithy.Schema) TimeFormat {
	f, ok := smithy.SchemaTrait[*traits.TimestampFormat](schema)
	if !ok {
		return ProtocolTime
	}
	switch f.Format {
	case "epoch-seconds":
		return EpochSeconds
	case "date-time":
		return DateTime
	case "http-date":
		return HTTPDate
	}
	return ProtocolTime
}

var scalars = map[reflect.Kind]Kind{
	reflect.String: String, reflect.Bool: Bool,
	reflect.Int8: Byte, reflect.Int16: Short, reflect.Int32: Integer, reflect.Int64: Long,
	reflect.Float32: Float, reflect.Float64: Double,
}

func (b *Builder) describe(t reflect.Type, schema *smithy.Schema) (*Type, error) {
	if k, ok := scalars[t.Kind()]; ok {
		return &Type{Kind: k, Name: name(t, schema), Go: t}, nil
	}
	switch {
	case t == timeType:
		return &Type{Kind: Time, Name: name(t, schema), Go: t}, nil
	case t == bytesType:
		return &Type{Kind: Blob, Name: name(t, schema), Go: t}, nil
	case t == readerType:
		return &Type{Kind: Stream, Name: name(t, schema), Go: t}, nil
	}
	key := seenKey{goType: t, id: shapeID(schema)}
	if known, ok := b.seen[key]; ok {
		return known, nil
	}
	typ := &Type{Name: name(t, schema), Go: t}
	b.seen[key] = typ
	return typ, b.aggregate(typ, schema)
}

func (b *Builder) aggregate(typ *Type, schema *smithy.Schema) (err error) {
	t := typ.Go
	switch {
	case t.Kind() == reflect.Slice:
		typ.Kind = List
		typ.Elem, err = b.slot(t.Elem(), part(schema, (*smithy.Schema).ListMember))
		return err
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		typ.Kind = Map
		typ.Elem, err = b.slot(t.Elem(), part(schema, (*smithy.Schema).MapValue))
		return err
	case t.Kind() == reflect.Struct:
		typ.Kind = Struct
		return b.fields(typ, schema)
	case t.Kind() == reflect.Interface:
		typ.Kind = Union
		return b.variants(typ, schema)
	}
	return fmt.Errorf("no wire form for %v", t)
}

func part(schema *smithy.Schema, of func(*smithy.Schema) *smithy.Schema) *smithy.Schema {
	if schema == nil {
		return nil
	}
	return of(schema)
}

// shapeID is the id of the shape itself, also for a member that targets it.
func shapeID(schema *smithy.Schema) smithy.ShapeID {
	if schema == nil {
		return smithy.ShapeID{}
	}
	if id := schema.TargetID(); id.Name != "" {
		return id
	}
	return schema.ID()
}

func name(t reflect.Type, schema *smithy.Schema) string {
	if id := shapeID(schema); id.Name != "" {
		return id.Name
	}
	return t.Name()
}

func (b *Builder) fields(typ *Type, schema *smithy.Schema) error {
	byField := map[string]*smithy.Schema{}
	if schema != nil {
		for n, m := range schema.Members() {
			byField[upperFirst(n)] = m
		}
	}
	for i := range typ.Go.NumField() {
		f := typ.Go.Field(i)
		ms := byField[f.Name]
		if !f.IsExported() || f.Anonymous || f.Name == "ResultMetadata" || schema != nil && ms == nil {
			continue
		}
		delete(byField, f.Name)
		m, err := b.member(f.Name, f.Type, ms)
		if err != nil {
			return fmt.Errorf("member %s: %w", f.Name, err)
		}
		m.Field = i
		typ.add(m)
	}
	for n := range byField {
		return fmt.Errorf("%v has no field for member %s", typ.Go, n)
	}
	return nil
}

func (b *Builder) member(field string, t reflect.Type, schema *smithy.Schema) (*Member, error) {
	slot, err := b.slot(t, schema)
	if err != nil {
		return nil, err
	}
	m := &Member{Slot: slot, Name: field, JSONName: field, Schema: schema}
	if schema != nil {
		m.Name, m.JSONName = schema.MemberName(), schema.MemberName()
		if j, ok := smithy.SchemaTrait[*traits.JSONName](schema); ok {
			m.JSONName = j.Name
		}
	}
	return m, nil
}

func (b *Builder) variants(typ *Type, schema *smithy.Schema) error {
	structs, ok := b.unions[typ.Go]
	if !ok || schema == nil {
		return fmt.Errorf("the variants of the union %v are not known", typ.Go)
	}
	byStruct := map[string]*smithy.Schema{}
	for n, m := range schema.Members() {
		byStruct[typ.Go.Name()+"Member"+upperFirst(n)] = m
	}
	for _, v := range structs {
		if v.Name() == "UnknownUnionMember" {
			typ.unknown = v
			continue
		}
		value, hasValue := v.FieldByName("Value")
		ms := byStruct[v.Name()]
		if !hasValue || ms == nil {
			return fmt.Errorf("%v is not a variant of the union %v", v, typ.Go)
		}
		delete(byStruct, v.Name())
		m, err := b.member(ms.MemberName(), value.Type, ms)
		if err != nil {
			return fmt.Errorf("variant %v: %w", v, err)
		}
		m.Variant, m.Field = v, value.Index[0]
		typ.add(m)
	}
	for n := range byStruct {
		return fmt.Errorf("variant %s of the union %v is not known", n, typ.Go)
	}
	slices.SortFunc(typ.Members, func(a, b *Member) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (t *Type) add(m *Member) {
	if t.byName == nil {
		t.byName = map[string]*Member{}
	}
	t.Members = append(t.Members, m)
	t.byName[m.Name] = m
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
