package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	KindString Kind = iota + 1
	KindNumber
	KindBool
	KindNull
	KindList
	KindMap
	// KindUnknown is a value that is not known before a resource exists.
	KindUnknown
)

// String names the kind for people.
func (k Kind) String() string {
	names := [...]string{"nothing", "String", "Number", "Boolean", "null", "List", "Map", "unknown value"}
	if int(k) >= len(names) {
		return "kind " + strconv.Itoa(int(k))
	}
	return names[k]
}

// Node is a value in a template.
type Node struct {
	Kind Kind
	// Text is the text of a scalar: as written, except that booleans are "true" or
	// "false" and integers are decimal.
	Text    string
	Items   []*Node
	Entries []Entry
	// Line is where the value stands in the template, counted from 1.
	Line int
}

// Entry is one member of a map.
type Entry struct {
	Key   string
	Line  int
	Value *Node
}

// String makes a string node.
func String(line int, text string) *Node { return &Node{Kind: KindString, Text: text, Line: line} }

// List makes a list node.
func List(line int, items ...*Node) *Node { return &Node{Kind: KindList, Items: items, Line: line} }

// Map makes a map node; fill it with Set.
func Map(line int) *Node { return &Node{Kind: KindMap, Line: line} }

// Unknown makes a node for a value that is not known yet; text describes it.
func Unknown(line int, text string) *Node { return &Node{Kind: KindUnknown, Text: text, Line: line} }

// Call makes the node of an intrinsic function in its long form.
func Call(line int, function string, argument *Node) *Node {
	return Map(line).Set(function, argument)
}

// Set adds or replaces a member of a map that is being built, and returns the
// map. A nil value is left out.
func (n *Node) Set(key string, value *Node) *Node {
	if value == nil {
		return n
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			n.Entries[i].Value = value
			return n
		}
	}
	n.Entries = append(n.Entries, Entry{Key: key, Line: value.Line, Value: value})
	return n
}

// Get returns a member of a map, nil when n is no map or has no such member.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != KindMap {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return n.Entries[i].Value
		}
	}
	return nil
}

// IsScalar reports whether the node is a string, a number or a boolean.
func (n *Node) IsScalar() bool {
	return n != nil && (n.Kind == KindString || n.Kind == KindNumber || n.Kind == KindBool)
}

// HasUnknown reports whether the node is or holds a value that is not known yet.
func (n *Node) HasUnknown() bool {
	if n == nil {
		return false
	}
	if n.Kind == KindUnknown {
		return true
	}
	for _, item := range n.Items {
		if item.HasUnknown() {
			return true
		}
	}
	for _, e := range n.Entries {
		if e.Value.HasUnknown() {
			return true
		}
	}
	return false
}

// Canonical is a text that two nodes share when CloudFormation takes them for the
// same value: members in key order, scalars by their text alone ("5" equals 5).
func (n *Node) Canonical() string {
	var b strings.Builder
	n.writeCanonical(&b)
	return b.String()
}

func (n *Node) writeCanonical(b *strings.Builder) {
	switch {
	case n == nil || n.Kind == KindNull:
		b.WriteString("null")
	case n.Kind == KindList:
		b.WriteByte('[')
		for _, item := range n.Items {
			item.writeCanonical(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case n.Kind == KindMap:
		byKey := make(map[string]*Node, len(n.Entries))
		for _, e := range n.Entries {
			byKey[e.Key] = e.Value
		}
		b.WriteByte('{')
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			b.WriteString(strconv.Quote(key))
			b.WriteByte(':')
			byKey[key].writeCanonical(b)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	case n.Kind == KindUnknown:
		b.WriteByte('?')
		b.WriteString(strconv.Quote(n.Text))
	default:
		b.WriteString(strconv.Quote(n.Text))
	}
}

// MarshalJSON writes the value as JSON, members in their order in the template.
func (n *Node) MarshalJSON() ([]byte, error) { return n.appendJSON(nil) }

func (n *Node) appendJSON(dst []byte) (_ []byte, err error) {
	if n == nil {
		return append(dst, "null"...), nil
	}
	switch n.Kind {
	case KindNull:
		return append(dst, "null"...), nil
	case KindBool:
		return append(dst, n.Text...), nil
	case KindNumber:
		if json.Valid([]byte(n.Text)) {
			return append(dst, n.Text...), nil
		}
		return appendJSONString(dst, n.Text)
	case KindString, KindUnknown:
		return appendJSONString(dst, n.Text)
	case KindList:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = item.appendJSON(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case KindMap:
		dst = append(dst, '{')
		for i, e := range n.Entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSONString(dst, e.Key); err != nil {
				return nil, err
			}
			dst = append(dst, ':')
			if dst, err = e.Value.appendJSON(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	default:
		return nil, fmt.Errorf("template: node of %v has no JSON form", n.Kind)
	}
}

// appendJSONString quotes s, leaving <, > and & readable.
func appendJSONString(dst []byte, s string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return append(dst, bytes.TrimRight(b.Bytes(), "\n")...), nil
}

// UnmarshalJSON reads what MarshalJSON wrote; lines are lost.
func (n *Node) UnmarshalJSON(text []byte) error {
	parsed, problems := parseJSON(text)
	if err := problems.Err(); err != nil {
		return err
	}
	*n = *parsed
	return nil
}
