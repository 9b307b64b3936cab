package attr

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
)

// Kind is the data type of a value.
type Kind byte

// The data types. Missing is the kind of the zero Value. The numbers are part of
// the stored form.
const (
	Missing   Kind = 0
	String    Kind = 1
	Number    Kind = 2
	Binary    Kind = 3
	Bool      Kind = 4
	Null      Kind = 5
	StringSet Kind = 6
	NumberSet Kind = 7
	BinarySet Kind = 8
	List      Kind = 9
	Map       Kind = 10
)

var kindNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}

// String returns the descriptor of the type: S, N, B, BOOL, NULL, SS, NS, BS, L or M.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", byte(k))
}

// KindOf returns the kind with a descriptor, or Missing when there is none.
func KindOf(descriptor string) Kind {
	for k, name := range kindNames {
		if k > 0 && name == descriptor {
			return Kind(k)
		}
	}
	return Missing
}

// IsSet reports whether the kind is SS, NS or BS.
func (k Kind) IsSet() bool { return k >= StringSet && k <= BinarySet }

// member returns the kind of the members of a set.
func (k Kind) member() Kind { return k - StringSet + String }

// InvalidError says that a request breaks a rule of the data model or of the
// expression language. Message is worded as DynamoDB words it.
type InvalidError struct{ Message string }

func (e *InvalidError) Error() string { return e.Message }

// Invalidf returns an InvalidError.
func Invalidf(format string, args ...any) error {
	return &InvalidError{Message: fmt.Sprintf(format, args...)}
}

// Value is one attribute value. The zero Value is the absence of one.
type Value struct{ enc []byte }

// Kind returns the data type.
func (v Value) Kind() Kind {
	if len(v.enc) == 0 {
		return Missing
	}
	return Kind(v.enc[0])
}

// Exists reports whether v is a value at all.
func (v Value) Exists() bool { return len(v.enc) > 0 }

// Encoded returns the stored form, which must not be changed.
func (v Value) Encoded() []byte { return v.enc }

// payload returns what follows the kind.
func (v Value) payload() []byte { return v.enc[1:] }

// Text returns the bytes of an S or B, which must not be changed, and nil for
// other kinds.
func (v Value) Text() []byte {
	if k := v.Kind(); k != String && k != Binary {
		return nil
	}
	return v.payload()
}

// Truth reports whether v is the BOOL true.
func (v Value) Truth() bool { return v.Kind() == Bool && v.payload()[0] == 1 }

// Item returns the entries of an M, and an empty item for other kinds.
func (v Value) Item() Item {
	if v.Kind() != Map {
		return Item{}
	}
	return Item{v.payload()}
}

// Elements iterates over the elements of a list or the members of a set.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if k := v.Kind(); k != List && !k.IsSet() {
			return
		}
		for rest := v.payload(); len(rest) > 0; {
			var e []byte
			e, rest = cut(rest)
			if !yield(Value{e}) {
				return
			}
		}
	}
}

// Len returns the number of elements of a list, members of a set or entries of a
// map, and 0 for other kinds.
func (v Value) Len() int {
	if v.Kind() == Map {
		return v.Item().Len()
	}
	n := 0
	for range v.Elements() {
		n++
	}
	return n
}

// Index returns the i-th element of a list, or the zero Value.
func (v Value) Index(i int) Value {
	if v.Kind() != List {
		return Value{}
	}
	for e := range v.Elements() {
		if i == 0 {
			return e
		}
		i--
	}
	return Value{}
}

// Equal reports whether two values are the same. Numbers are compared by value,
// sets and maps without regard to order.
func (v Value) Equal(w Value) bool { return bytes.Equal(v.enc, w.enc) }

// Compare orders two values of the same kind, S, N or B; ok is false for others.
func (v Value) Compare(w Value) (order int, ok bool) {
	k := v.Kind()
	if k != w.Kind() || k != String && k != Number && k != Binary {
		return 0, false
	}
	return bytes.Compare(v.payload(), w.payload()), true
}

// StringValue returns an S.
func StringValue(s string) Value { return Value{append([]byte{byte(String)}, s...)} }

// BinaryValue returns a B with a copy of b.
func BinaryValue(b []byte) Value { return Value{append([]byte{byte(Binary)}, b...)} }

// ListValue returns an L.
func ListValue(elements ...Value) Value {
	enc := []byte{byte(List)}
	for _, e := range elements {
		enc = appendSized(enc, e.enc)
	}
	return Value{enc}
}

// MapValue returns an M with the entries of an item.
func MapValue(entries Item) Value { return Value{append([]byte{byte(Map)}, entries.enc...)} }

// SetValue returns the set of the given members, which must be one or more and all
// S, all N or all B. Equal members are merged.
func SetValue(members ...Value) Value {
	kind := members[0].Kind() - String + StringSet
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Value) int { return bytes.Compare(a.enc, b.enc) })
	members = slices.CompactFunc(members, Value.Equal)
	enc := []byte{byte(kind)}
	for _, m := range members {
		enc = appendSized(enc, m.enc)
	}
	return Value{enc}
}

// Union returns the set of the members of two sets of the same kind.
func Union(v, w Value) Value {
	return SetValue(slices.Concat(slices.Collect(v.Elements()), slices.Collect(w.Elements()))...)
}

// Difference returns the set of the members of v that are not in w, or the zero
// Value when there are none.
func Difference(v, w Value) Value {
	var left []Value
	for m := range v.Elements() {
		if !w.Has(m) {
			left = append(left, m)
		}
	}
	if len(left) == 0 {
		return Value{}
	}
	return SetValue(left...)
}

// Has reports whether a list or set has the given element.
func (v Value) Has(e Value) bool {
	for m := range v.Elements() {
		if m.Equal(e) {
			return true
		}
	}
	return false
}

// Concat returns the list of the elements of two lists.
func Concat(v, w Value) Value {
	enc := make([]byte, 0, len(v.enc)+len(w.enc))
	return Value{append(append(enc, v.enc...), w.payload()...)}
}

// cut takes a part with its length in front off b, which is well formed.
func cut(b []byte) (part, rest []byte) {
	n := uint64(b[0])
	w := 1
	if n >= 0x80 {
		n, w = binary.Uvarint(b)
	}
	return b[w : w+int(n) : w+int(n)], b[w+int(n):]
}

func appendSized(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}
