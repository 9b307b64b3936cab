package stack

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stack/template"
)

// Change is what a deployment would do to a resource.
type Change struct {
	Action     string // Add, Modify or Remove
	LogicalID  string
	PhysicalID string `json:",omitempty"`
	Type       string
	// Replacement is True, False or, when a property that needs replacement gets a
	// value that is not known yet, Conditional; "" for Add and Remove.
	Replacement string   `json:",omitempty"`
	Properties  []string `json:",omitempty"`
}

// Plan is what Validate finds out.
type Plan struct {
	Description string
	Changes     []Change
	// Kept are parameters that have their value from an earlier deployment.
	Kept []Parameter `json:",omitempty"`
	// OutputsChange says that outputs change, or may.
	OutputsChange bool
}

// Empty reports whether a deployment would do nothing.
func (p Plan) Empty() bool { return len(p.Changes) == 0 && !p.OutputsChange }

// planner goes through a bound template as if it were deployed. As a Resolver it
// answers for resources that exist and stay, and calls all others unknown.
type planner struct {
	bound    *template.Bound
	states   map[string]*state
	packages map[string]string // those sent along: SHA-256 by logical id
	used     map[string]string // those of them that functions use
	// needPackages makes a missing code package a problem.
	needPackages bool
	stackTags    map[string]string
	chosen       []string          // parameters that do not have their default
	offered      map[string]string // values of exports of other stacks, by name

	stays    map[string]bool     // logical ids whose Ref does not change
	changed  map[string][]string // their properties that change
	outputs  []plannedOutput
	problems template.Problems
	plan     Plan
}

func (p *planner) run(outputs []Output, fresh bool) error {
	p.stays, p.changed = map[string]bool{}, map[string][]string{}
	for _, r := range p.bound.Resources {
		p.resource(r)
	}
	for _, id := range slices.Sorted(maps.Keys(p.states)) {
		st := p.states[id]
		declared := slices.ContainsFunc(p.bound.Resources, func(r *template.Resource) bool { return r.LogicalID == id })
		if st.Current != nil && !declared {
			p.plan.Changes = append(p.plan.Changes, Change{Action: "Remove", LogicalID: id, PhysicalID: st.Current.id(), Type: st.Type})
		}
	}
	p.outputs = p.planOutputs()
	p.plan.OutputsChange = fresh || !slices.EqualFunc(p.outputs, outputs, func(a plannedOutput, o Output) bool { return !a.unknown && a.Output == o })
	p.plan.Description = p.bound.Template.Description
	return p.problems.Err()
}

// plannedOutput is an output as far as it is known.
type plannedOutput struct {
	Output
	line    int
	unknown bool // its value
}

func (p *planner) planOutputs() []plannedOutput {
	var outputs []plannedOutput
	for _, o := range p.bound.Outputs {
		out := plannedOutput{line: o.Line}
		out.Key, out.Description, out.ExportName = o.Name, o.Description, p.bound.ExportNames[o.Name]
		value, err := p.bound.Eval(o.Name, o.Value, p)
		switch {
		case err != nil:
			p.add(err)
			out.unknown = true
		case value.HasUnknown():
			out.unknown = true
		case !value.IsScalar():
			p.problems.Add(o.Line, o.Name, notAText, o.Name)
			out.unknown = true
		default:
			out.Value = value.Text
		}
		outputs = append(outputs, out)
	}
	return outputs
}

const notAText = "Template format error: Output %s is malformed. The Value field of every Outputs member must evaluate to a String."

func (p *planner) add(err error) {
	if problems, ok := err.(template.Problems); ok {
		p.problems = append(p.problems, problems...)
		return
	}
	p.problems.Add(0, "", "%v", err)
}

func (p *planner) resource(r *template.Resource) {
	kind := resource.Named(r.Type)
	if kind == nil {
		p.problems = append(p.problems, unknownType(p.bound.Template, r))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		p.problems.Add(r.Attributes[name].Line, r.LogicalID, "%s of a resource is not implemented", name)
	}
	properties, err := p.bound.Eval(r.LogicalID, r.Properties, p)
	if err != nil {
		p.add(err)
	}
	if problems := kind.Check(r.LogicalID, properties, r.Line); len(problems) > 0 {
		p.problems = append(p.problems, problems...)
		return
	}
	st := p.states[r.LogicalID]
	properties = p.withPackage(r, st, properties)
	switch {
	case st == nil || st.Current == nil:
		p.plan.Changes = append(p.plan.Changes, Change{Action: "Add", LogicalID: r.LogicalID, Type: r.Type})
	case st.Type != r.Type:
		p.problems.Add(r.Line, r.LogicalID, "Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", r.LogicalID)
	default:
		p.compare(r, kind, st, properties)
	}
}

func (p *planner) compare(r *template.Resource, kind *resource.Type, st *state, properties *template.Node) {
	change := kind.Compare(st.Current.Properties, properties)
	for _, name := range change.Fixed {
		if n := properties.Get(name); n == nil || !n.HasUnknown() {
			line := r.Line
			if n != nil {
				line = n.Line
			}
			p.problems.Add(line, r.LogicalID, cannotChange, name, r.Type)
		}
	}
	c := Change{Action: "Modify", LogicalID: r.LogicalID, PhysicalID: st.Current.id(), Type: r.Type, Replacement: "False", Properties: change.Names}
	for _, name := range change.Replace {
		if properties.Get(name).HasUnknown() && c.Replacement == "False" {
			c.Replacement = "Conditional"
		} else if !properties.Get(name).HasUnknown() {
			c.Replacement = "True"
		}
	}
	p.stays[r.LogicalID], p.changed[r.LogicalID] = c.Replacement == "False", change.Names
	if len(change.Names) > 0 || kind.Tagged() && !maps.Equal(st.Current.StackTags, p.stackTags) {
		p.plan.Changes = append(p.plan.Changes, c)
	}
}

const cannotChange = "changing %s of an existing %s is not implemented"

// withPackage puts the code package of a function in place of its path, or of what
// a bucket would hold.
func (p *planner) withPackage(r *template.Resource, st *state, properties *template.Node) *template.Node {
	path, local := resource.LocalCode(properties)
	if r.Type != functionType || !local && !resource.StoredCode(properties) {
		return properties
	}
	if sha256, ok := p.packages[r.LogicalID]; ok {
		p.used[r.LogicalID] = sha256
		return resource.WithPackage(properties, sha256)
	}
	if !local {
		return properties
	}
	if p.needPackages {
		p.problems = append(p.problems, template.Problem{Line: properties.Get("Code").Line, LogicalID: r.LogicalID,
			Message: "the code in " + path + " was not sent with the template", Hint: "weir deploy packs and sends it"})
	}
	if sha256 := st.packageOf(); sha256 != "" {
		return resource.WithPackage(properties, sha256)
	}
	return properties
}

// packageOf returns the SHA-256 of the code package that a function has, "" if it
// has none or is no function.
func (st *state) packageOf() string {
	if st == nil || st.Current == nil || st.Type != functionType {
		return ""
	}
	sha256 := st.Current.Properties.Get("Code").Get(resource.PackageMember)
	if sha256 == nil {
		return ""
	}
	return sha256.Text
}

// functionType is the resource type whose code comes from outside the template.
const functionType = "AWS::Lambda::Function"

// Ref implements template.Resolver.
func (p *planner) Ref(id string, line int) (*template.Node, error) {
	if p.stays[id] {
		return template.String(line, p.states[id].Current.PhysicalID), nil
	}
	return template.Unknown(line, "{{"+id+"}}"), nil
}

// Attribute implements template.Resolver.
func (p *planner) Attribute(id, name string, line int) (*template.Node, error) {
	r := p.bound.Template.Resource(id)
	kind := resource.Named(r.Type)
	if kind != nil && !kind.Gives(name, r.Properties) {
		return nil, noAttribute(line, name, r.Type)
	}
	if p.stays[id] && !slices.Contains(p.changed[id], kind.Needs[name]) {
		if value, ok := p.states[id].Current.Attributes[name]; ok {
			return template.String(line, value), nil
		}
	}
	return template.Unknown(line, "{{"+id+"."+name+"}}"), nil
}

func noAttribute(line int, name, kind string) error {
	return template.Problems{{Line: line, Message: fmt.Sprintf("Requested attribute %s does not exist in schema for %s", name, kind)}}
}
