package sam

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/weirstream/weir/internal/stack/template"
)

const policyPrefix = "arn:aws:iam::aws:policy/"

// serviceRolePolicies are the managed policies whose path is service-role/.
var serviceRolePolicies = []string{"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole",
	"AWSLambdaKinesisExecutionRole", "AWSLambdaDynamoDBExecutionRole", "AWSLambdaSQSQueueExecutionRole",
	"AWSLambdaMSKExecutionRole", "AWSLambdaRole", "AWSLambdaENIManagementAccess"}

// managedPolicy is the ARN of a managed policy given by name or ARN.
func managedPolicy(name string) string {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case slices.Contains(serviceRolePolicies, name):
		return policyPrefix + "service-role/" + name
	default:
		return policyPrefix + name
	}
}

// role adds the role that a function without one gets, if a condition holds. more
// are inline policies beside its own.
func (x *expansion) role(r *template.Resource, condition string, in *template.Node, events []string, more []*template.Node) {
	line := r.Line
	managed := []*template.Node{template.String(line, managedPolicy("AWSLambdaBasicExecutionRole"))}
	if mode := in.Get("Tracing"); mode != nil && mode.Text == "Active" {
		managed = append(managed, template.String(line, managedPolicy("AWSXrayWriteOnlyAccess")))
	}
	if in.Get("VpcConfig") != nil {
		managed = append(managed, template.String(line, managedPolicy("AWSLambdaVPCAccessExecutionRole")))
	}
	named, inline := x.policies(r, in.Get("Policies"))
	inline = append(inline, more...)
	for _, policy := range named {
		if !slices.ContainsFunc(managed, func(m *template.Node) bool { return m.Canonical() == policy.Canonical() }) {
			managed = append(managed, policy)
		}
	}
	for _, kind := range []string{"Kinesis", "DynamoDB", "SQS"} {
		if slices.Contains(events, kind) {
			managed = append(managed, template.String(line, managedPolicy(eventSources[kind].policy)))
		}
	}
	trust := in.Get("AssumeRolePolicyDocument")
	if trust == nil {
		trust = statements(line, template.Map(line).Set("Action", template.List(line, template.String(line, "sts:AssumeRole"))).
			Set("Effect", template.String(line, "Allow")).
			Set("Principal", template.Map(line).Set("Service", template.List(line, template.String(line, "lambda.amazonaws.com")))))
	}
	out := template.Map(line).Set("AssumeRolePolicyDocument", trust).Set("ManagedPolicyArns", template.List(line, managed...))
	if len(inline) > 0 {
		out.Set("Policies", template.List(line, inline...))
	}
	out.Set("Path", in.Get("RolePath"))
	out.Set("PermissionsBoundary", in.Get("PermissionsBoundary"))
	out.Set("Tags", tagList(in.Get("Tags"), [2]string{"lambda:createdBy", "SAM"}))
	x.emitIf(condition, r, r.LogicalID+"Role", "AWS::IAM::Role", line, out)
}

func statements(line int, statement ...*template.Node) *template.Node {
	return template.Map(line).Set("Version", template.String(line, "2012-10-17")).Set("Statement", template.List(line, statement...))
}

// policies splits the Policies property into managed policies and inline ones.
func (x *expansion) policies(r *template.Resource, n *template.Node) (managed, inline []*template.Node) {
	if n == nil {
		return nil, nil
	}
	items := []*template.Node{n}
	if n.Kind == template.KindList {
		items = n.Items
	}
	for i, item := range items {
		policy, kind := x.policy(r, fmt.Sprintf("%sRolePolicy%d", r.LogicalID, i), item)
		switch kind {
		case managedKind:
			managed = append(managed, policy)
		case inlineKind:
			inline = append(inline, policy)
		case absentKind:
		default:
			x.problems.Add(item.Line, r.LogicalID, "Policy at index %d in the 'Policies' property is not valid", i)
		}
	}
	return managed, inline
}

// policyKind says where in a role a policy belongs.
type policyKind int

const (
	invalidKind policyKind = iota
	absentKind             // AWS::NoValue
	managedKind
	inlineKind
)

// policy is an item of the Policies property as a role has it; both arms of an Fn::If
// must be of one kind. name is for inline policies.
func (x *expansion) policy(r *template.Resource, name string, item *template.Node) (*template.Node, policyKind) {
	var document *template.Node
	condition, arms, chosen := choice(item)
	switch {
	case chosen:
		return x.chosenPolicy(r, name, item.Line, condition, arms)
	case isNoValue(item):
		return item, absentKind
	case item.Kind == template.KindString:
		return template.String(item.Line, managedPolicy(item.Text)), managedKind
	case isCall(item):
		return item, managedKind
	case item.Get("Statement") != nil:
		document = item
	case item.Kind == template.KindMap && len(item.Entries) == 1 && policyTemplates()[item.Entries[0].Key] != nil:
		document = x.fromTemplate(r, item.Entries[0])
	default:
		return nil, invalidKind
	}
	return template.Map(item.Line).Set("PolicyName", template.String(item.Line, name)).Set("PolicyDocument", document), inlineKind
}

func (x *expansion) chosenPolicy(r *template.Resource, name string, line int, condition string, arms [2]*template.Node) (*template.Node, policyKind) {
	first, kind := x.policy(r, name, arms[0])
	second, other := x.policy(r, name, arms[1])
	switch {
	case kind == absentKind:
		kind = other
	case other != absentKind && other != kind:
		return nil, invalidKind
	}
	return choose(line, condition, [2]*template.Node{first, second}), kind
}

//go:embed policies.txt
var policyText string

type policyTemplate struct {
	parameters []string
	statements []policyStatement
}

type policyStatement struct{ actions, resources []string }

// policyTemplates parses the policy templates when they are first needed.
var policyTemplates = sync.OnceValue(func() map[string]*policyTemplate {
	templates := map[string]*policyTemplate{}
	var current *policyTemplate
	for line := range strings.Lines(policyText) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if line[0] != '\t' {
			current = &policyTemplate{parameters: fields[1:]}
			templates[fields[0]] = current
			continue
		}
		at := slices.Index(fields, "@")
		statement := policyStatement{resources: fields[at+1:]}
		for _, action := range fields[1:at] {
			statement.actions = append(statement.actions, fields[0]+action)
		}
		current.statements = append(current.statements, statement)
	}
	return templates
})

// fromTemplate fills a policy template with the parameters that the function gives.
func (x *expansion) fromTemplate(r *template.Resource, e template.Entry) *template.Node {
	t := policyTemplates()[e.Key]
	values := template.Map(e.Line)
	var missing []string
	for _, name := range t.parameters {
		value := e.Value.Get(name)
		if value == nil {
			missing = append(missing, name)
		}
		values.Set(name, value)
	}
	if len(missing) > 0 {
		x.problems.Add(e.Line, r.LogicalID, "Following required parameters of template '%s' don't have values: %s", e.Key, quoteList(missing))
	}
	var list []*template.Node
	for _, s := range t.statements {
		actions, resources := template.List(e.Line), template.List(e.Line)
		for _, action := range s.actions {
			actions.Items = append(actions.Items, template.String(e.Line, action))
		}
		for _, resource := range s.resources {
			resources.Items = append(resources.Items, resourceARN(e.Line, resource, values))
		}
		list = append(list, template.Map(e.Line).Set("Effect", template.String(e.Line, "Allow")).
			Set("Action", actions).Set("Resource", resources))
	}
	return statements(e.Line, list...)
}

// resourceARN spells out a resource of policies.txt.
func resourceARN(line int, resource string, values *template.Node) *template.Node {
	service, path, ok := strings.Cut(resource, ":")
	if resource == "*" {
		return template.String(line, resource)
	}
	text := resource
	switch {
	case !ok: // the ARN itself is the parameter
	case strings.HasPrefix(path, "::"):
		text = "arn:${AWS::Partition}:" + service + ":" + path
	default:
		text = "arn:${AWS::Partition}:" + service + ":${AWS::Region}:${AWS::AccountId}:" + path
	}
	return template.Call(line, "Fn::Sub", template.List(line, template.String(line, text), values))
}
