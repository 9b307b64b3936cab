// Package sam expands the resources of the AWS Serverless Application Model into
// those of CloudFormation, as the transform AWS::Serverless-2016-10-31 does on
// AWS: the same logical ids, the same generated roles and event source mappings.
//
// Intrinsic functions inside are carried over, not computed. Every generated node
// has the line of what it was generated for.
package sam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/stack/template"
)

// Transform is the name by which a template asks for the expansion.
const Transform = "AWS::Serverless-2016-10-31"

// Inputs are what the expansion depends on beside the template.
type Inputs struct {
	// Parameters are values for the parameters of the template.
	Parameters map[string]string
	// Packages are the digests of local code packages by the logical id of their
	// function, as far as they are known. A function that publishes versions gets a
	// new one when its digest changes.
	Packages map[string]string
}

// Expand returns the template with serverless resources replaced. A template that
// does not ask for it is returned as it is. The error is a template.Problems that
// also names transforms that are not implemented; beside it comes what could be
// expanded.
func Expand(t *template.Template, in Inputs) (*template.Template, error) {
	x := expansion{in: t, inputs: in}
	asked := false
	for _, name := range t.Transforms {
		if name.Text == Transform {
			asked = true
			continue
		}
		x.problems = append(x.problems, template.Problem{Line: name.Line,
			Message: "transform " + name.Text + " is not implemented", Hint: "only " + Transform + " is"})
	}
	if !asked {
		if t.Globals != nil {
			x.problems.Add(t.Globals.Line, "", "Invalid template property or properties [Globals]")
		}
		return t, x.problems.Err()
	}
	x.notifications, x.waits = map[string][]*template.Node{}, map[string][]wait{}
	x.conditions, x.generated = maps.Clone(t.Conditions), map[string]string{}
	x.readGlobals()
	for _, r := range t.Resources {
		x.resource(r)
	}
	x.notify()
	out := *t
	out.Resources, out.Globals, out.Conditions = x.out, nil, x.conditions
	x.resolve(&out)
	return &out, x.problems.Err()
}

type expansion struct {
	in       *template.Template
	inputs   Inputs
	globals  map[string]*template.Node // by section
	out      []*template.Resource
	problems template.Problems
	// conditions are those of the template and those that resources were given.
	conditions map[string]*template.Node
	// notifications and waits are, by the logical id of a bucket, whom it calls and
	// which permissions must be there before.
	notifications map[string][]*template.Node
	waits         map[string][]wait
	// generated are the logical ids that stand for references such as "F.Alias".
	generated map[string]string
}

func (x *expansion) resource(r *template.Resource) {
	if n := r.Attributes["Connectors"]; n != nil {
		x.problems.Add(n.Line, r.LogicalID, "Connectors are not implemented")
	}
	switch r.Type {
	case "AWS::Serverless::Function":
		x.function(r)
	case "AWS::Serverless::SimpleTable":
		x.simpleTable(r)
	default:
		if strings.HasPrefix(r.Type, "AWS::Serverless::") {
			x.problems = append(x.problems, template.Problem{Line: r.Line, LogicalID: r.LogicalID,
				Message: fmt.Sprintf("Template format error: Unrecognized resource types: [%s]", r.Type), Hint: "Weir does not implement it"})
			return
		}
		x.out = append(x.out, r)
	}
}

// emit adds a generated resource. Condition and policies of the source go to
// every generated resource; DependsOn and Metadata only to the base resource.
func (x *expansion) emit(source *template.Resource, id, kind string, line int, properties *template.Node) *template.Resource {
	r := &template.Resource{
		LogicalID: id, Type: kind, Line: line, Properties: properties,
		Condition: source.Condition, DeletionPolicy: source.DeletionPolicy, UpdateReplacePolicy: source.UpdateReplacePolicy,
		Attributes: map[string]*template.Node{},
	}
	if id == source.LogicalID {
		r.DependsOn, r.Metadata = source.DependsOn, source.Metadata
	} else if x.in.Resource(id) != nil {
		x.problems.Add(line, source.LogicalID, "the generated logical id %s is taken by another resource", id)
	}
	x.out = append(x.out, r)
	return r
}

// checkNames reports properties of a serverless resource that do not exist or are
// not implemented.
func (x *expansion) checkNames(r *template.Resource, properties *template.Node, known, unimplemented []string) {
	for _, e := range properties.Entries {
		switch {
		case slices.Contains(known, e.Key):
		case slices.Contains(unimplemented, e.Key):
			x.problems.Add(e.Line, r.LogicalID, "property %s of %s is not implemented", e.Key, r.Type)
		default:
			x.problems.Add(e.Line, r.LogicalID, "property %s not defined for resource of type %s", e.Key, r.Type)
		}
	}
}

// tagList turns a map of tags into the list form.
func tagList(tags *template.Node, first ...[2]string) *template.Node {
	line := 0
	if tags != nil {
		line = tags.Line
	}
	list := template.List(line)
	for _, tag := range first {
		list.Items = append(list.Items, tagNode(line, tag[0], template.String(line, tag[1])))
	}
	if tags != nil {
		for _, e := range tags.Entries {
			list.Items = append(list.Items, tagNode(e.Line, e.Key, e.Value))
		}
	}
	return list
}

func tagNode(line int, key string, value *template.Node) *template.Node {
	return template.Map(line).Set("Key", template.String(line, key)).Set("Value", value)
}

// simpleTable expands a table with a single key, "id" of type String by default.
func (x *expansion) simpleTable(r *template.Resource) {
	in := r.Properties
	if in == nil {
		in = template.Map(r.Line)
	}
	in = x.withGlobals("SimpleTable", r, in)
	x.checkNames(r, in, []string{"PrimaryKey", "ProvisionedThroughput", "TableName", "Tags", "SSESpecification", "PointInTimeRecoverySpecification"}, nil)
	name, kind := template.String(r.Line, "id"), template.String(r.Line, "S")
	if key := in.Get("PrimaryKey"); key != nil {
		if n := key.Get("Name"); n != nil {
			name = n
		} else {
			x.problems.Add(key.Line, r.LogicalID, "Property 'PrimaryKey.Name' is required.")
		}
		kinds := map[string]string{"String": "S", "Number": "N", "Binary": "B"}
		n := key.Get("Type")
		short, ok := "", false
		if n != nil {
			short, ok = kinds[n.Text]
		}
		if !ok {
			x.problems.Add(key.Line, r.LogicalID, `'Type' of PrimaryKey must be "String", "Number" or "Binary"`)
		}
		kind = template.String(key.Line, short)
	}
	out := template.Map(r.Line)
	out.Set("TableName", in.Get("TableName"))
	out.Set("AttributeDefinitions", template.List(r.Line,
		template.Map(r.Line).Set("AttributeName", name).Set("AttributeType", kind)))
	out.Set("KeySchema", template.List(r.Line,
		template.Map(r.Line).Set("AttributeName", name).Set("KeyType", template.String(r.Line, "HASH"))))
	if throughput := in.Get("ProvisionedThroughput"); throughput != nil {
		out.Set("ProvisionedThroughput", throughput)
	} else {
		out.Set("BillingMode", template.String(r.Line, "PAY_PER_REQUEST"))
	}
	if tags := in.Get("Tags"); tags != nil {
		out.Set("Tags", tagList(tags))
	}
	out.Set("SSESpecification", in.Get("SSESpecification"))
	out.Set("PointInTimeRecoverySpecification", in.Get("PointInTimeRecoverySpecification"))
	x.emit(r, r.LogicalID, "AWS::DynamoDB::Table", r.Line, out)
}

// quoteList writes names as the transform's messages do.
func quoteList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("'%s'", name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
