package template

import (
	"regexp"
	"slices"
	"strings"
)

const (
	malformedExport = "Template format error: Output %s is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens."
	dependentExport = "The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs."
	dependentImport = "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"
	importCondition = "Template error: Cannot use Fn::ImportValue in Conditions."
)

var exportName = regexp.MustCompile(`^[A-Za-z0-9:-]+$`)

// export reads the Export of an output.
func (s *structure) export(o *Output, member Entry) {
	o.Export = member.Value.Get("Name")
	if o.Export == nil || len(member.Value.Entries) != 1 {
		s.problems.Add(member.Line, o.Name, malformedExport, o.Name)
	}
}

// nameExports computes the names of the exports, which no resource can change.
func (b *Bound) nameExports(problems *Problems) {
	by := map[string]string{}
	for _, o := range b.Outputs {
		if o.Export == nil {
			continue
		}
		e := evaluator{b: b, problems: problems, id: o.Name}
		name := e.eval(o.Export)
		if name == nil || name.Kind != KindUnknown && (!name.IsScalar() || !exportName.MatchString(name.Text)) {
			problems.Add(o.Export.Line, o.Name, malformedExport, o.Name)
			continue
		}
		if other, taken := by[name.Text]; taken {
			problems.Add(o.Export.Line, o.Name, "Export name %s is that of output %s too", name.Text, other)
		}
		by[name.Text], b.ExportNames[o.Name] = o.Name, name.Text
	}
}

func (e *evaluator) importValue(arg *Node) *Node {
	name := e.eval(arg)
	switch {
	case e.refs == nil:
		return e.fail(arg.Line, importCondition)
	case name != nil && name.Kind == KindUnknown:
		return name
	case !name.IsScalar():
		return e.fail(arg.Line, dependentImport)
	}
	return e.resolved(arg.Line)(e.refs.Import(name.Text, arg.Line))
}

// Import notes that the template imports a value.
func (r *recorder) Import(name string, line int) (*Node, error) {
	if !slices.Contains(r.bound.Imports, name) {
		r.bound.Imports = append(r.bound.Imports, name)
	}
	return Unknown(line, "{{"+name+"}}"), nil
}

// importValue checks an Fn::ImportValue.
func (c *nameCheck) importValue(n *Node) {
	if c.unresolved == unresolvedInConditions {
		c.problems.Add(n.Line, c.id, importCondition)
		return
	}
	c.fixed(n, dependentImport)
}

// fixed checks a value that must be known before anything exists.
func (c *nameCheck) fixed(n *Node, message string) {
	before := len(c.problems)
	c.walk(n)
	if len(c.problems) == before && c.depends(n) {
		c.problems = append(c.problems, Problem{Line: n.Line, LogicalID: c.id, Message: message})
	}
}

// depends reports whether a value depends on what is outside the template.
func (c *nameCheck) depends(n *Node) bool {
	if slices.ContainsFunc(n.Items, c.depends) {
		return true
	}
	for _, e := range n.Entries {
		switch e.Key {
		case "Ref":
			if c.resources[e.Value.Text] {
				return true
			}
		case "Fn::GetAtt", "Fn::GetAZs", "Fn::ImportValue":
			return true
		case "Fn::Sub":
			if c.subDepends(e.Value) {
				return true
			}
		default:
			if c.depends(e.Value) {
				return true
			}
		}
	}
	return false
}

func (c *nameCheck) subDepends(n *Node) bool {
	text, values, _ := splitSub(n)
	parts, _ := parseSub(text.Text)
	return values != nil && c.depends(values) || slices.ContainsFunc(parts, func(part subPart) bool {
		id, _, _ := strings.Cut(part.variable, ".")
		return values.Get(part.variable) == nil && c.resources[id]
	})
}
