package sam

import (
	"slices"

	"github.com/weirstream/weir/internal/stack/template"
)

// bucketEvent has a bucket of the template call a function: each event becomes a
// notification of the bucket, and a permission that the bucket waits for. target is
// the logical id of what is invoked.
func (x *expansion) bucketEvent(r *template.Resource, target string, e template.Entry) {
	in := e.Value.Get("Properties")
	bucket := x.bucketOf(in.Get("Bucket"))
	events := in.Get("Events")
	if bucket == "" || events == nil {
		x.problems.Add(e.Line, r.LogicalID, "Event with id [%s] is invalid. S3 events must reference an S3 bucket in the same template.", e.Key)
		return
	}
	for _, p := range in.Entries {
		if !slices.Contains([]string{"Bucket", "Events", "Filter"}, p.Key) {
			x.problems.Add(p.Line, r.LogicalID, "Event with id [%s] is invalid. property %s not defined for resource of type S3", e.Key, p.Key)
		}
	}
	permission := r.LogicalID + e.Key + "Permission"
	x.emit(r, permission, "AWS::Lambda::Permission", e.Line, template.Map(e.Line).
		Set("Action", template.String(e.Line, "lambda:InvokeFunction")).
		Set("FunctionName", template.Call(e.Line, "Ref", template.String(e.Line, target))).
		Set("Principal", template.String(e.Line, "s3.amazonaws.com")).
		Set("SourceAccount", template.Call(e.Line, "Ref", template.String(e.Line, "AWS::AccountId"))))
	list := []*template.Node{events}
	if events.Kind == template.KindList {
		list = events.Items
	}
	for _, event := range list {
		rule := template.Map(e.Line).Set("Event", event).Set("Function", arnOf(r, target, e.Line)).Set("Filter", in.Get("Filter"))
		x.notifications[bucket] = append(x.notifications[bucket], rule)
	}
	x.waits[bucket] = append(x.waits[bucket], template.Name{Text: permission, Line: e.Line})
}

// arnOf refers to the ARN of what an event of a function invokes: the function or
// its alias.
func arnOf(r *template.Resource, target string, line int) *template.Node {
	if target != r.LogicalID {
		return template.Call(line, "Ref", template.String(line, target))
	}
	return template.Call(line, "Fn::GetAtt", template.List(line, template.String(line, target), template.String(line, "Arn")))
}

// bucketOf returns the logical id of the bucket that a Ref names, "" if it is none.
func (x *expansion) bucketOf(ref *template.Node) string {
	id := ref.Get("Ref")
	if !id.IsScalar() {
		return ""
	}
	if b := x.in.Resource(id.Text); b == nil || b.Type != "AWS::S3::Bucket" {
		return ""
	}
	return id.Text
}

// notify adds the notifications of functions to the buckets.
func (x *expansion) notify() {
	for i, r := range x.out {
		rules := x.notifications[r.LogicalID]
		if len(rules) == 0 {
			continue
		}
		changed := *r
		changed.Properties = copied(r.Properties, r.Line)
		configuration := copied(changed.Properties.Get("NotificationConfiguration"), r.Line)
		all := template.List(r.Line)
		if old := configuration.Get("LambdaConfigurations"); old != nil {
			all.Items = slices.Clone(old.Items)
		}
		all.Items = append(all.Items, rules...)
		changed.Properties.Set("NotificationConfiguration", configuration.Set("LambdaConfigurations", all))
		changed.DependsOn = slices.Concat(r.DependsOn, x.waits[r.LogicalID])
		x.out[i] = &changed
	}
}

// copied is a map with the members of another, which may be nil.
func copied(n *template.Node, line int) *template.Node {
	out := template.Map(line)
	if n != nil {
		out.Entries = slices.Clone(n.Entries)
	}
	return out
}
