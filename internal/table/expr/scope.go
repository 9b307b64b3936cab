package expr

import (
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/table/attr"
)

// Name says which attribute name a #placeholder stands for.
type Name struct{ Placeholder, Name string }

// Value says which value a :placeholder stands for. If the value that the request
// gives is not valid, Invalid tells why.
type Value struct {
	Placeholder string
	Value       attr.Value
	Invalid     error
}

// Scope is the placeholders of one request. A nil slice means that the request
// does not have the parameter, which is not the same as an empty one.
type Scope struct {
	Names  []Name
	Values []Value

	usedNames, usedValues []bool
}

// maxPlaceholder is how many bytes a placeholder can have, with its first character.
const maxPlaceholder = 255

// check refuses placeholders that are malformed and values that are not valid.
func (s *Scope) check() error {
	s.usedNames = make([]bool, len(s.Names))
	s.usedValues = make([]bool, len(s.Values))
	if s.Names != nil && len(s.Names) == 0 {
		return attr.Invalidf("ExpressionAttributeNames must not be empty")
	}
	for _, n := range s.Names {
		if size := len(n.Placeholder); size > maxPlaceholder {
			return attr.Invalidf("ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: %d", size)
		}
		if !isPlaceholder(n.Placeholder, '#') {
			return attr.Invalidf(`ExpressionAttributeNames contains invalid key: Syntax error; key: "%s"`, n.Placeholder)
		}
	}
	for _, n := range s.Names {
		if err := attr.CheckName(len(n.Name)); err != nil {
			return attr.Invalidf("ExpressionAttributeNames contains invalid value: %v for key %s", err, n.Placeholder)
		}
	}
	if s.Values != nil && len(s.Values) == 0 {
		return attr.Invalidf("ExpressionAttributeValues must not be empty")
	}
	for _, v := range s.Values {
		if len(v.Placeholder) > maxPlaceholder {
			return attr.Invalidf("ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;")
		}
		if !isPlaceholder(v.Placeholder, ':') {
			return attr.Invalidf(`ExpressionAttributeValues contains invalid key: Syntax error; key: "%s"`, v.Placeholder)
		}
	}
	for _, v := range s.Values {
		if v.Invalid != nil {
			return attr.Invalidf("ExpressionAttributeValues contains invalid value: %v for key %s", v.Invalid, v.Placeholder)
		}
	}
	return nil
}

func isPlaceholder(s string, sigil byte) bool {
	return len(s) > 1 && s[0] == sigil && nameEnd(s, 1) == len(s)
}

func (s *Scope) name(placeholder string) (string, bool) {
	for i, n := range s.Names {
		if n.Placeholder == placeholder {
			s.usedNames[i] = true
			return n.Name, true
		}
	}
	return "", false
}

func (s *Scope) value(placeholder string) (attr.Value, bool) {
	for i, v := range s.Values {
		if v.Placeholder == placeholder {
			s.usedValues[i] = true
			return v.Value, true
		}
	}
	return attr.Value{}, false
}

// checkUnused refuses placeholders that no expression has looked up.
func (s *Scope) checkUnused() error {
	var unused []string
	for i, n := range s.Names {
		if !s.usedNames[i] {
			unused = append(unused, n.Placeholder)
		}
	}
	if len(unused) > 0 {
		return unusedError("ExpressionAttributeNames", unused)
	}
	for i, v := range s.Values {
		if !s.usedValues[i] {
			unused = append(unused, v.Placeholder)
		}
	}
	if len(unused) > 0 {
		return unusedError("ExpressionAttributeValues", unused)
	}
	return nil
}

func unusedError(parameter string, placeholders []string) error {
	slices.Sort(placeholders)
	return attr.Invalidf("Value provided in %s unused in expressions: keys: {%s}", parameter, strings.Join(placeholders, ", "))
}
