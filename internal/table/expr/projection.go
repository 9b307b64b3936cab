package expr

import (
	"github.com/weirstream/weir/internal/table/attr"
)

// projection is a parsed projection expression.
type projection struct{ syntax }

func parseProjection(text string) (*projection, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	p.path()
	for p.accept(",") {
		p.path()
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if p.flaw != nil {
		return nil, p.flaw
	}
	return &projection{p.syntax}, nil
}

func (p *projection) bind(scope *Scope) (*Projection, error) {
	e := p.newEnv()
	for i := range p.paths {
		if err := e.bindPath(&p.syntax, scope, i); err != nil {
			return nil, err
		}
	}
	if err := checkPaths(e.paths); err != nil {
		return nil, err
	}
	return NewProjection(e.paths), nil
}

// Projection selects parts of items.
type Projection struct {
	paths []Path
	root  selection
}

// NewProjection returns the projection to the given paths, none of which leads into
// another.
func NewProjection(paths []Path) *Projection {
	p := &Projection{paths: paths}
	for _, path := range paths {
		p.root.add(path)
	}
	return p
}

// Paths returns the paths that the projection selects.
func (p *Projection) Paths() []Path { return p.paths }

// Apply returns the selected parts of an item, in the maps and lists in which they
// are. Elements of lists move together, paths that lead nowhere are left out.
func (p *Projection) Apply(it attr.Item) attr.Item { return p.root.fromItem(it) }

// selection is which parts of a value are selected: all of it if there are no
// parts.
type selection struct {
	step  Step
	parts []*selection
}

func (s *selection) add(path Path) {
	if len(path) == 0 {
		return
	}
	part := s.part(path[0])
	if part == nil {
		part = &selection{step: path[0]}
		s.parts = append(s.parts, part)
	}
	part.add(path[1:])
}

func (s *selection) part(step Step) *selection {
	for _, part := range s.parts {
		if part.step == step {
			return part
		}
	}
	return nil
}

func (s *selection) fromItem(it attr.Item) attr.Item {
	var b attr.Builder
	for name, v := range it.All() {
		if part := s.named(name); part != nil {
			if v = part.from(v); v.Exists() {
				b.Add(name, v)
			}
		}
	}
	return b.Item()
}

func (s *selection) named(name []byte) *selection {
	for _, part := range s.parts {
		if part.step.Index < 0 && part.step.Name == string(name) {
			return part
		}
	}
	return nil
}

// from returns the selected parts of a value, or the zero Value if there are none.
func (s *selection) from(v attr.Value) attr.Value {
	switch {
	case len(s.parts) == 0:
		return v
	case v.Kind() == attr.Map && s.parts[0].step.Index < 0:
		if it := s.fromItem(v.Item()); !it.Empty() {
			return attr.MapValue(it)
		}
	case v.Kind() == attr.List && s.parts[0].step.Index >= 0:
		return s.fromList(v)
	}
	return attr.Value{}
}

func (s *selection) fromList(v attr.Value) attr.Value {
	var elements []attr.Value
	position := 0
	for element := range v.Elements() {
		if part := s.part(Step{Index: position}); part != nil {
			if element = part.from(element); element.Exists() {
				elements = append(elements, element)
			}
		}
		position++
	}
	if len(elements) == 0 {
		return attr.Value{}
	}
	return attr.ListValue(elements...)
}
