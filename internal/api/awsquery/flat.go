package awsquery

import "github.com/weirstream/weir/internal/api/shape"

// Flat tells how a service without "member" and "entry" in its forms and answers
// names the elements of lists and maps, by the name of the member that holds
// them. A list or map that it does not know is not flat.
type Flat map[string]Element

// Element is how an element of a flat list or map is named; "" means as its type.
// Key and Value are the parts of a map's entry.
type Element struct{ Name, Key, Value string }

// of returns the naming of a member's elements.
func (f Flat) of(m *shape.Member) (Element, bool) {
	e, ok := f[m.Name]
	if !ok || m.Kind != shape.List && m.Kind != shape.Map {
		return e, false
	}
	if e.Name == "" {
		e.Name = m.Elem.Name
	}
	return e, true
}

// member finds the member of t whose elements have a name.
func (f Flat) member(t *shape.Type, name string) *shape.Member {
	if f == nil {
		return nil
	}
	for _, m := range t.Members {
		if e, ok := f.of(m); ok && e.Name == name {
			return m
		}
	}
	return nil
}
