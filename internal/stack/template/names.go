package template

import (
	"maps"
	"slices"
	"strings"
)

const (
	unresolvedInResources  = "Template format error: Unresolved resource dependencies [%s] in the Resources block of the template"
	unresolvedInOutputs    = "Unresolved resource dependencies [%s] in the Outputs block of the template"
	unresolvedInConditions = "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template"
)

// unimplemented are the functions that templates may hold and Weir does not
// compute.
var unimplemented = map[string]string{
	"Fn::GetStackOutput": "use a parameter",
	"Fn::Transform":      "macros are not implemented",
	"Fn::RefAll":         "parameter types of AWS are not implemented",
	"Fn::ValueOf":        "parameter types of AWS are not implemented",
	"Fn::ValueOfAll":     "parameter types of AWS are not implemented",
}

// implemented are the functions that evaluator computes.
var implemented = map[string]bool{
	"Fn::GetAtt": true, "Fn::Sub": true, "Fn::Join": true, "Fn::Select": true, "Fn::Split": true, "Fn::Base64": true,
	"Fn::FindInMap": true, "Fn::If": true, "Fn::GetAZs": true, "Fn::Cidr": true, "Fn::ImportValue": true,
	"Fn::Equals": true, "Fn::And": true, "Fn::Or": true, "Fn::Not": true,
	"Fn::Contains": true, "Fn::EachMemberEquals": true, "Fn::EachMemberIn": true,
	"Fn::Length": true, "Fn::ToJsonString": true,
}

// nameCheck looks at every function of a template, also where a condition is
// false, and notes names that nothing has.
type nameCheck struct {
	t          *Template
	problems   Problems
	id         string
	unresolved string
	resources  map[string]bool
}

func (t *Template) checkNames() Problems {
	c := nameCheck{t: t, resources: map[string]bool{}}
	c.rules()
	c.unresolved = unresolvedInConditions
	for _, name := range slices.Sorted(maps.Keys(t.Conditions)) {
		c.walk(t.Conditions[name])
	}
	for _, r := range t.Resources {
		c.resources[r.LogicalID] = true
	}
	for _, r := range t.Resources {
		c.id, c.unresolved = r.LogicalID, unresolvedInResources
		c.walk(r.Properties)
		c.walk(r.Metadata)
		for _, on := range r.DependsOn {
			if !c.resources[on.Text] {
				c.problems.Add(on.Line, c.id, unresolvedInResources, on.Text)
			}
		}
	}
	for _, o := range t.Outputs {
		c.id, c.unresolved = o.Name, unresolvedInOutputs
		c.walk(o.Value)
		if o.Export != nil {
			c.fixed(o.Export, dependentExport)
		}
	}
	return c.problems
}

func (c *nameCheck) walk(n *Node) {
	if n == nil {
		return
	}
	if n.Kind == KindString && isDynamic(n.Text) {
		c.dynamic(n.Line)
		return
	}
	for _, item := range n.Items {
		c.walk(item)
	}
	for _, e := range n.Entries {
		if e.Key == "Ref" && len(n.Entries) == 1 {
			c.ref(e.Value)
			continue
		}
		if strings.HasPrefix(e.Key, "Fn::") {
			c.function(n, e)
			continue
		}
		c.walk(e.Value)
	}
}

// isDynamic reports whether a text holds a dynamic reference.
func isDynamic(text string) bool { return strings.Contains(text, "{{resolve:") }

func (c *nameCheck) dynamic(line int) {
	c.problems = append(c.problems, Problem{Line: line, LogicalID: c.id, Message: noDynamic, Hint: "pass the value as a parameter"})
}

const noDynamic = "dynamic references are not implemented"

func (c *nameCheck) ref(n *Node) {
	if n.Kind != KindString {
		c.problems.Add(n.Line, c.id, "Template format error: All Ref elements must be a string")
		return
	}
	c.name(n.Line, n.Text)
}

// name checks that Ref has an answer for a name.
func (c *nameCheck) name(line int, name string) {
	if strings.HasPrefix(name, "AWS::") {
		if _, ok := pseudoParameters[name]; ok {
			return
		}
	}
	if c.t.Parameter(name) == nil && !c.resources[name] {
		c.problems.Add(line, c.id, c.unresolved, name)
	}
}

func (c *nameCheck) function(n *Node, e Entry) {
	hint, known := unimplemented[e.Key]
	switch {
	case strings.HasPrefix(e.Key, loopPrefix), extensions[e.Key] && !c.t.Extended:
		c.problems = append(c.problems, Problem{Line: e.Line, LogicalID: c.id,
			Message: "Template error: function " + e.Key + " does not exist", Hint: needsExtension})
		return
	case known:
		c.problems = append(c.problems, Problem{Line: e.Line, LogicalID: c.id,
			Message: "function " + e.Key + " is not implemented", Hint: hint})
		return
	case !implemented[e.Key]:
		c.problems.Add(e.Line, c.id, "Template error: function %s does not exist", e.Key)
		return
	case c.misplaced(e):
		return
	case len(n.Entries) != 1:
		c.problems.Add(e.Line, c.id, "Template error: %s must be the only member of its map", e.Key)
		return
	}
	switch e.Key {
	case "Fn::GetAtt":
		c.getAtt(e.Value)
	case "Fn::Sub":
		c.sub(e.Value)
	case "Fn::If":
		c.fnIf(e.Value)
	case "Fn::ImportValue":
		c.importValue(e.Value)
	default:
		c.walk(e.Value)
	}
}

func (c *nameCheck) getAtt(n *Node) {
	id, attribute, message := splitGetAtt(n)
	switch {
	case message != "":
		c.problems.Add(n.Line, c.id, "%s", message)
	case !c.resources[id] && c.unresolved == unresolvedInConditions:
		c.problems.Add(n.Line, c.id, unresolvedInConditions, id)
	case !c.resources[id]:
		c.problems.Add(n.Line, c.id, "Template error: instance of Fn::GetAtt references undefined resource %s", id)
	default:
		c.walk(attribute)
	}
}

func (c *nameCheck) fnIf(n *Node) {
	if n.Kind == KindList && len(n.Items) == 3 && n.Items[0].Kind == KindString {
		if _, ok := c.t.Conditions[n.Items[0].Text]; !ok {
			c.problems.Add(n.Items[0].Line, c.id, "Template error: unresolved condition dependency %s in Fn::If", n.Items[0].Text)
		}
	}
	c.walk(n)
}

func (c *nameCheck) sub(n *Node) {
	text, values, message := splitSub(n)
	if message != "" {
		c.problems.Add(n.Line, c.id, "%s", message)
		return
	}
	c.walk(values)
	if isDynamic(text.Text) {
		c.dynamic(text.Line)
	}
	parts, message := parseSub(text.Text)
	if message != "" {
		c.problems.Add(text.Line, c.id, "%s", message)
		return
	}
	for _, part := range parts {
		if part.variable == "" || values.Get(part.variable) != nil {
			continue
		}
		id, _, isAttribute := strings.Cut(part.variable, ".")
		line := text.Line + part.line
		if isAttribute && !c.resources[id] {
			c.problems.Add(line, c.id, c.unresolved, id)
		} else if !isAttribute {
			c.name(line, part.variable)
		}
	}
}
