package pattern

import (
	"slices"
	"strings"
	"sync"

	"github.com/weirstream/weir/internal/jsonscan"
)

// Pattern is a compiled pattern. Any number of goroutines may match with it.
type Pattern struct {
	root     *node
	branches []bitBranch
	width    int // words in a set of bits
	large    bool
	machines sync.Pool
}

// Compile reads a pattern. An error is an *Error.
func Compile(text []byte, d Dialect) (*Pattern, error) {
	branches, reason := compile(text, d)
	if reason == "" {
		var p *Pattern
		if p, reason = newPattern(branches, d); reason == "" {
			return p, nil
		}
	}
	return nil, &Error{Dialect: d, Reason: reason}
}

// compile returns the branches of a pattern, or what is wrong with it.
func compile(text []byte, d Dialect) (branches []branch, reason string) {
	if grammars[d].topic && len(text) <= maxText {
		if reason := CheckJSON(text); reason != "" {
			return nil, reason
		}
	}
	o, reason := parse(text, d)
	if reason == "" {
		reason = check(o, d)
	}
	if reason != "" {
		return nil, reason
	}
	branches, ok := expand(o)
	if !ok {
		return nil, tooLarge(d)
	}
	return branches, ""
}

func newPattern(branches []branch, d Dialect) (p *Pattern, reason string) {
	t := newTrie(branches)
	if t == nil {
		return nil, tooLarge(d)
	}
	p = &Pattern{root: t.root, branches: t.branches, width: t.width(), large: slices.ContainsFunc(branches, branch.comparesBeyond)}
	p.machines.New = func() any { return &machine{pattern: p} }
	return p, ""
}

// CheckNumbers refuses, with an *Error, a filter policy with an operator that compares
// with a number beyond a billion, which is the range of topics. A number that is one
// of the wanted values itself may be larger: it is often an identifier. This is apart
// from Compile, for policies that were set before there was the check.
func (p *Pattern) CheckNumbers() error {
	if !p.large {
		return nil
	}
	return &Error{Dialect: MessageBody, Reason: "Value must be between -1.0E9 and 1.0E9, inclusive"}
}

// comparesBeyond reports whether an operator compares with a number beyond a billion.
func (b branch) comparesBeyond() bool {
	for _, c := range b {
		if slices.ContainsFunc(c.tests, comparesBeyond) {
			return true
		}
	}
	return false
}

func comparesBeyond(t test) bool {
	switch t := t.(type) {
	case *span:
		return t.low != nil && t.low.beyond(billion) || t.high != nil && t.high.beyond(billion)
	case *except:
		return slices.ContainsFunc(t.values.numbers, func(n number) bool { return n.decimal.beyond(billion) })
	}
	return false
}

func tooLarge(d Dialect) string {
	if grammars[d].topic {
		return reasonPolicySize
	}
	return reasonBranches
}

// Match reports whether an event, the text of a JSON object, is wanted. Other
// texts are not.
func (p *Pattern) Match(event []byte) bool {
	m := p.machine()
	defer m.release()
	return m.document(event) && m.decide()
}

// Attribute is an attribute of a message that is published to a topic.
type Attribute struct {
	Name string
	// Type is String, Number or String.Array; what follows another dot does not
	// matter. Attributes of other types are not looked at.
	Type  string
	Value string
}

// MatchAttributes reports whether a message with these attributes is wanted. An
// attribute of type String.Array is a JSON array, and a Number a JSON number; if
// it is not, no condition on it holds.
func (p *Pattern) MatchAttributes(attributes []Attribute) bool {
	m := p.machine()
	defer m.release()
	for i := range attributes {
		m.attribute(&attributes[i])
	}
	return m.decide()
}

func (m *machine) attribute(a *Attribute) {
	n := m.pattern.root.find([]byte(a.Name))
	if n == nil {
		return
	}
	kind, custom, _ := strings.Cut(a.Type, ".")
	switch {
	case kind == "String" && strings.HasPrefix(custom+".", "Array."):
		m.begin([]byte(a.Value))
		if m.peek() != '[' {
			m.fail()
		} else {
			m.array(n, 0)
		}
		if !m.ended() {
			m.spoil(n)
		}
	case kind == "String":
		m.judge(n, value{kind: isString, text: []byte(a.Value)}, 0)
	case kind == "Number":
		if text := []byte(a.Value); len(text) > 0 && jsonscan.NumberLen(text) == len(text) {
			m.judge(n, value{kind: isNumber, text: text}, 0)
			return
		}
		m.spoil(n)
	}
}
