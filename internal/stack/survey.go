package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stack/sam"
	"github.com/weirstream/weir/internal/stack/template"
)

// Parse reads a template, expands its serverless resources and binds it. It needs
// no server, so whoever packs the code of functions can use it too. packages are
// the SHA-256 of local code, as far as they are known, by the logical id of the
// function. The error is a template.Problems that tells also of what a later look
// would find: whoever mends a template wants to know all of it.
func Parse(text []byte, parameters, packages map[string]string, setting template.Setting) (*template.Bound, error) {
	t, err := template.ParseFor(text, parameters, setting)
	if t == nil {
		return nil, err
	}
	expanded, unexpanded := sam.Expand(t, sam.Inputs{Parameters: parameters, Packages: packages})
	if err != nil || unexpanded != nil {
		return nil, survey(expanded, t.Decided(parameters, setting), err, unexpanded, t.CheckParameters(parameters).Err())
	}
	bound, err := expanded.Bind(parameters, setting)
	if err != nil {
		return nil, survey(expanded, expanded.Decided(parameters, setting), err)
	}
	return bound, nil
}

// survey adds to what is wrong with a template that cannot be bound what can be
// said of its resources all the same, taking everything that would have to be
// computed for unknown. Resources are left out whose condition is not known to hold.
func survey(t *template.Template, holds map[string]bool, errs ...error) error {
	var problems template.Problems
	for _, err := range errs {
		found, ok := err.(template.Problems)
		if err != nil && !ok {
			return err
		}
		problems = append(problems, found...)
	}
	before := len(problems)
	for _, r := range t.Resources {
		if r.Condition != "" && !holds[r.Condition] {
			continue
		}
		kind := resource.Named(r.Type)
		if kind == nil {
			problems = append(problems, unknownType(t, r))
			continue
		}
		p := uncomputed(r.Properties)
		if p != nil && p.Kind != template.KindMap {
			continue
		}
		for _, found := range kind.Check(r.LogicalID, withoutChoices(kind, p), r.Line) {
			if !blamed(problems[:before], found) {
				problems = append(problems, found)
			}
		}
	}
	return problems.Err()
}

// blamed reports whether something else is wrong in the same place, of which the
// problem may be a consequence.
func blamed(problems template.Problems, found template.Problem) bool {
	return slices.ContainsFunc(problems, func(p template.Problem) bool {
		return p.Line == found.Line && p.LogicalID == found.LogicalID
	})
}

// withoutChoices leaves out properties that the type does not have and whose value
// is computed: they may come to nothing.
func withoutChoices(kind *resource.Type, properties *template.Node) *template.Node {
	if properties == nil {
		return nil
	}
	out := template.Map(properties.Line)
	for _, e := range properties.Entries {
		if e.Value.Kind != template.KindUnknown || slices.Contains(kind.Properties, e.Key) {
			out.Entries = append(out.Entries, e)
		}
	}
	return out
}

// uncomputed is a value with every intrinsic function in it unknown.
func uncomputed(n *template.Node) *template.Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Items, out.Entries = slices.Clone(n.Items), slices.Clone(n.Entries)
	for i, item := range out.Items {
		out.Items[i] = uncomputed(item)
	}
	for i, e := range out.Entries {
		if e.Key == "Ref" && len(n.Entries) == 1 || strings.HasPrefix(e.Key, "Fn::") {
			return template.Unknown(n.Line, e.Key)
		}
		out.Entries[i].Value = uncomputed(e.Value)
	}
	return &out
}

// customHints say what to do without the custom resources of the AWS CDK.
var customHints = map[string]string{
	"Custom::LogRetention":          "give the function a logGroup in place of logRetention",
	"Custom::S3AutoDeleteObjects":   "leave out autoDeleteObjects",
	"Custom::S3BucketNotifications": "set NotificationConfiguration of the bucket itself, a CfnBucket",
}

// unknownType says that there is no such type.
func unknownType(t *template.Template, r *template.Resource) template.Problem {
	if strings.HasPrefix(r.Type, "Custom::") || r.Type == "AWS::CloudFormation::CustomResource" {
		return template.Problem{Line: r.Line, LogicalID: r.LogicalID, Message: "custom resources such as " + r.Type + " are not implemented", Hint: customHints[r.Type]}
	}
	hint := "Weir does not implement it"
	asked := slices.ContainsFunc(t.Transforms, func(n template.Name) bool { return n.Text == sam.Transform })
	if strings.HasPrefix(r.Type, "AWS::Serverless::") && !asked {
		hint = "it needs 'Transform: " + sam.Transform + "'"
	}
	return template.Problem{Line: r.Line, LogicalID: r.LogicalID,
		Message: fmt.Sprintf("Template format error: Unrecognized resource types: [%s]", r.Type), Hint: hint}
}
