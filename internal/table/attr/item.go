package attr

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
	"strings"
)

// Item is a set of named attributes: an item of a table, a part of one such as
// its key, or the entries of a map. The zero Item is empty.
type Item struct{ enc []byte }

// Encoded returns the stored form, which must not be changed.
func (it Item) Encoded() []byte { return it.enc }

// Empty reports whether there are no attributes.
func (it Item) Empty() bool { return len(it.enc) == 0 }

// Equal reports whether two items have the same attributes with the same values.
func (it Item) Equal(other Item) bool { return bytes.Equal(it.enc, other.enc) }

// All iterates over the attributes in byte order of their names. A name must not
// be changed.
func (it Item) All() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for rest := it.enc; len(rest) > 0; {
			var name, value []byte
			name, rest = cut(rest)
			value, rest = cut(rest)
			if !yield(name, Value{value}) {
				return
			}
		}
	}
}

// Len returns the number of attributes.
func (it Item) Len() int {
	n := 0
	for range it.All() {
		n++
	}
	return n
}

// Get returns the value of an attribute, or the zero Value.
func (it Item) Get(name string) Value {
	for rest := it.enc; len(rest) > 0; {
		var n, value []byte
		n, rest = cut(rest)
		value, rest = cut(rest)
		if string(n) == name {
			return Value{value}
		}
		if string(n) > name {
			break
		}
	}
	return Value{}
}

// Attribute is a name with a value.
type Attribute struct {
	Name  string
	Value Value
}

// NewItem returns an item with the given attributes; of several with the same
// name the last one counts, and one with the zero Value is left out.
func NewItem(attributes ...Attribute) Item {
	return Item{}.With(attributes...)
}

// With returns the item with the given attributes replaced or added; an attribute
// with the zero Value is removed. Of several changes with the same name the last
// one counts.
func (it Item) With(changes ...Attribute) Item {
	if len(changes) > 1 {
		changes = slices.Clone(changes)
		slices.SortStableFunc(changes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	}
	size := len(it.enc)
	for _, c := range changes {
		size += len(c.Name) + len(c.Value.enc) + 4
	}
	enc := make([]byte, 0, size)
	rest := it.enc
	for i, c := range changes {
		if i+1 < len(changes) && changes[i+1].Name == c.Name {
			continue
		}
		before := rest
		for len(rest) > 0 {
			name, after := cut(rest)
			if string(name) >= c.Name {
				break
			}
			_, rest = cut(after)
		}
		enc = append(enc, before[:len(before)-len(rest)]...)
		if len(rest) > 0 {
			if name, after := cut(rest); string(name) == c.Name {
				_, rest = cut(after)
			}
		}
		if c.Value.Exists() {
			enc = appendAttribute(enc, c.Name, c.Value)
		}
	}
	return Item{append(enc, rest...)}
}

func appendAttribute[T ~string | ~[]byte](enc []byte, name T, v Value) []byte {
	enc = binary.AppendUvarint(enc, uint64(len(name)))
	enc = append(enc, name...)
	return appendSized(enc, v.enc)
}

// Builder collects attributes that arrive in byte order of their names.
type Builder struct{ enc []byte }

// Add appends an attribute.
func (b *Builder) Add(name []byte, v Value) { b.enc = appendAttribute(b.enc, name, v) }

// Item returns what was collected.
func (b *Builder) Item() Item { return Item{b.enc} }
