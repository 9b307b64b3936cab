package sam

import (
	"slices"

	"github.com/weirstream/weir/internal/stack/template"
)

// eventTargets are the types of destinations: what a function needs to be allowed
// for them, and the resource that is made when none is named.
var eventTargets = map[string]struct {
	policy, action, suffix, resource, attribute string
}{
	"SQS":         {"SQSPolicy", "sqs:SendMessage", "Queue", "AWS::SQS::Queue", "Arn"},
	"SNS":         {"SNSPolicy", "sns:publish", "Topic", "AWS::SNS::Topic", ""},
	"Lambda":      {policy: "LambdaPolicy", action: "lambda:InvokeFunction"},
	"S3Bucket":    {policy: "S3Policy", action: "s3:PutObject"},
	"EventBridge": {policy: "EventBridgePolicy", action: "events:PutEvents"},
}

// eventInvoke expands EventInvokeConfig, for the alias with the given logical id or
// for the function itself, and returns the policies that its destinations need.
func (x *expansion) eventInvoke(r *template.Resource, in *template.Node, aliasID string) (policies []*template.Node) {
	config := in.Get("EventInvokeConfig")
	if config == nil {
		return nil
	}
	if config.Kind != template.KindMap {
		x.problems.Add(config.Line, r.LogicalID, "Type of property 'EventInvokeConfig' is invalid.")
		return nil
	}
	id, line := r.LogicalID+"EventInvokeConfig", config.Line
	qualifier := template.String(line, "$LATEST")
	if alias := in.Get("AutoPublishAlias"); alias != nil {
		if name, ok := x.parameterText(alias); ok && name != "" {
			qualifier = template.String(line, name)
		}
	}
	out := template.Map(line).Set("FunctionName", ref(line, r.LogicalID)).Set("Qualifier", qualifier)
	for _, e := range config.Entries {
		switch e.Key {
		case "MaximumEventAgeInSeconds", "MaximumRetryAttempts":
			out.Set(e.Key, e.Value)
		case "DestinationConfig":
			var destinations *template.Node
			if e.Value.Kind != template.KindMap {
				x.problems.Add(e.Line, r.LogicalID, "Property 'EventInvokeConfig.DestinationConfig' should be a map.")
				continue
			}
			destinations, policies = x.eventDestinations(r, id, e.Value)
			out.Set("DestinationConfig", destinations)
		default:
			x.problems.Add(e.Line, r.LogicalID, "property %s not defined for resource of type AWS::Serverless::Function EventInvokeConfig", e.Key)
		}
	}
	emitted := x.emit(r, id, "AWS::Lambda::EventInvokeConfig", line, out)
	if aliasID != r.LogicalID {
		emitted.DependsOn = append(slices.Clone(emitted.DependsOn), template.Name{Text: aliasID, Line: line})
	}
	return policies
}

func (x *expansion) eventDestinations(r *template.Resource, id string, n *template.Node) (out *template.Node, policies []*template.Node) {
	out = template.Map(n.Line)
	for _, member := range []string{"OnSuccess", "OnFailure"} {
		d := n.Get(member)
		if d == nil {
			continue
		}
		if d.Kind != template.KindMap {
			x.problems.Add(d.Line, r.LogicalID, "Property 'EventInvokeConfig.DestinationConfig.%s' should be a map.", member)
			continue
		}
		kind := d.Get("Type")
		target, ok := eventTargets[scalarText(kind)]
		if !ok {
			x.problems.Add(d.Line, r.LogicalID, "'Type: %s' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']", scalarText(kind))
			continue
		}
		arn := d.Get("Destination")
		if arn == nil && target.resource == "" {
			x.problems.Add(d.Line, r.LogicalID, "Destination is required if Type is not SNS, SQS")
			continue
		}
		if target.resource != "" {
			arn = x.madeDestination(r, id+member+target.suffix, scalarText(kind), d)
		}
		out.Set(member, template.Map(d.Line).Set("Destination", arn))
		policies = append(policies, policyFor(d.Line, id+member+target.policy, target.action, arn))
	}
	return out, policies
}

// madeDestination makes a queue or a topic, with a logical id, where a destination
// names none, and returns the ARN of the destination.
func (x *expansion) madeDestination(r *template.Resource, id, kind string, d *template.Node) *template.Node {
	target := eventTargets[kind]
	made := ref(d.Line, id)
	if target.attribute != "" {
		made = attribute(d.Line, id, target.attribute)
	}
	arn, condition, needed := x.standIn(d.Get("Destination"), made)
	if needed {
		x.emitIf(condition, r, id, target.resource, d.Line, template.Map(d.Line))
		x.generated[r.LogicalID+".Destination"+target.suffix] = id
	}
	return arn
}

func scalarText(n *template.Node) string {
	if !n.IsScalar() {
		return ""
	}
	return n.Text
}

// policyFor is an inline policy that allows an action.
func policyFor(line int, name, action string, resource *template.Node) *template.Node {
	statement := template.Map(line).Set("Action", template.String(line, action)).
		Set("Effect", template.String(line, "Allow")).Set("Resource", resource)
	return template.Map(line).Set("PolicyName", template.String(line, name)).Set("PolicyDocument", statements(line, statement))
}
