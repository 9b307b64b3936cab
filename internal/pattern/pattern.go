package pattern

import (
	"strings"
	"sync"

	"github.com/weirstream/weir/internal/jsonscan"
)

// Pattern is a compiled pattern. Any number of goroutines may match with it.
type Pattern struct {
	root     *node
	branches []bitBranch
	width    int // words in a set of bits
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
	p = &Pattern{root: t.root, branches: t.branches, width: t.width()}
	p.machines.New = func() any { return &machine{pattern: p} }
	return p, ""
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
