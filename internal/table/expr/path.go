package expr

import (
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/table/attr"
)

// Step leads from an item, map or list to one of its parts.
type Step struct {
	Name  string // of an attribute or map entry, if Index is negative
	Index int    // of a list element
}

// Path leads from an item to a part of it. Its first step is a name.
type Path []Step

// Attribute returns the path of a top-level attribute.
func Attribute(name string) Path { return Path{{Name: name, Index: -1}} }

// String renders the path as error messages do: [a, b, [1]].
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if s.Index < 0 {
			b.WriteString(s.Name)
			continue
		}
		b.WriteString("[" + strconv.Itoa(s.Index) + "]")
	}
	b.WriteByte(']')
	return b.String()
}

func (p Path) equal(q Path) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// find returns the value at the path, or the zero Value.
func (p Path) find(it attr.Item) attr.Value {
	v := it.Get(p[0].Name)
	for _, s := range p[1:] {
		if s.Index >= 0 {
			v = v.Index(s.Index)
		} else {
			v = v.Item().Get(s.Name)
		}
	}
	return v
}

// checkPaths refuses paths of which one leads into, or contradicts, another.
func checkPaths(paths []Path) error {
	var conflict error
	for i, q := range paths {
		for _, p := range paths[:i] {
			overlaps, conflicts := relate(p, q)
			if overlaps {
				return pathsError("overlap", p, q)
			}
			if conflicts && conflict == nil {
				conflict = pathsError("conflict", p, q)
			}
		}
	}
	return conflict
}

// relate reports whether one path is a part of the other, and whether they want
// the same value to be a map as well as a list.
func relate(p, q Path) (overlaps, conflicts bool) {
	for i := range min(len(p), len(q)) {
		if (p[i].Index < 0) != (q[i].Index < 0) {
			return false, true
		}
		if p[i] != q[i] {
			return false, false
		}
	}
	return true, false
}

func pathsError(what string, p, q Path) error {
	return attr.Invalidf("Two document paths %s with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", what, p, q)
}

// rawStep is a step as written.
type rawStep struct {
	Step
	placeholder bool // Name is a #placeholder
}

// syntax is what every parsed expression has: its paths and value placeholders in
// the order of the text. The nodes of its tree refer to them by index.
type syntax struct {
	paths  [][]rawStep
	values []string
}

// maxSteps bounds the steps of a path, as deep as values can be.
const maxSteps = attr.MaxDepth + 1

// path reads a document path and returns its index in the syntax.
func (p *parser) path() int {
	steps := p.steps([]rawStep{p.nameStep()})
	p.syntax.paths = append(p.syntax.paths, steps)
	return len(p.syntax.paths) - 1
}

// steps reads what leads on from a path.
func (p *parser) steps(path []rawStep) []rawStep {
	for {
		switch {
		case p.accept("."):
			path = append(path, p.nameStep())
		case p.accept("["):
			if p.tok.kind != tokenDigits {
				p.fail()
			}
			path = append(path, rawStep{Step: Step{Index: p.index()}})
			p.expect("]")
		default:
			if len(path) > maxSteps {
				p.note(p.prev.start, attr.Invalidf("The document path has too many nesting levels; nesting levels: %d", len(path)))
			}
			return path
		}
	}
}

func (p *parser) nameStep() rawStep {
	t := p.tok
	if t.kind != tokenName && t.kind != tokenNamed || p.isKeyword(t) {
		p.fail()
		return rawStep{}
	}
	p.advance()
	if t.kind == tokenName && isReserved(t.text) {
		p.note(t.start, reservedKeyword(t.text))
	}
	return rawStep{Step: Step{Name: t.text, Index: -1}, placeholder: t.kind == tokenNamed}
}

func (p *parser) index() int {
	digits := p.advance()
	i, err := strconv.ParseInt(digits.text, 10, 32)
	if err != nil {
		p.note(digits.start, attr.Invalidf("List index is not within the allowable range; index: [%s]", digits.text))
	}
	return int(i)
}

// value reads a value placeholder and returns its index in the syntax.
func (p *parser) value() int {
	p.syntax.values = append(p.syntax.values, p.advance().text)
	return len(p.syntax.values) - 1
}

// env is what the paths and values of an expression stand for in one request.
type env struct {
	paths  []Path
	values []attr.Value
}

func (s *syntax) newEnv() env {
	return env{paths: make([]Path, len(s.paths)), values: make([]attr.Value, len(s.values))}
}

// bindPath resolves the placeholders of a path.
func (e *env) bindPath(s *syntax, scope *Scope, i int) error {
	raw := s.paths[i]
	path := make(Path, len(raw))
	for k, step := range raw {
		path[k] = step.Step
		if !step.placeholder {
			continue
		}
		name, ok := scope.name(step.Name)
		if !ok {
			return attr.Invalidf("An expression attribute name used in the document path is not defined; attribute name: %s", step.Name)
		}
		path[k].Name = name
	}
	e.paths[i] = path
	return nil
}

func (e *env) bindValue(s *syntax, scope *Scope, i int) error {
	v, ok := scope.value(s.values[i])
	if !ok {
		return attr.Invalidf("An expression attribute value used in expression is not defined; attribute value: %s", s.values[i])
	}
	e.values[i] = v
	return nil
}
