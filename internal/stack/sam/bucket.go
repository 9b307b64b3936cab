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
	list := []*template.Node{events}
	if events.Kind == template.KindList {
		list = events.Items
	}
	if slices.ContainsFunc(list, func(n *template.Node) bool { return n.Kind != template.KindString }) {
		x.problems.Add(events.Line, r.LogicalID+e.Key, "Type of property 'Events' is invalid.")
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
	for _, event := range list {
		rule := template.Map(e.Line).Set("Event", event).Set("Function", arnOf(r, target, e.Line)).Set("Filter", in.Get("Filter"))
		if r.Condition != "" {
			rule = choose(e.Line, r.Condition, [2]*template.Node{rule, noValue(e.Line)})
		}
		x.notifications[bucket] = append(x.notifications[bucket], rule)
	}
	x.waits[bucket] = append(x.waits[bucket], wait{template.Name{Text: permission, Line: e.Line}, r.Condition})
}

// wait is a permission that a bucket waits for, if it exists: if a condition holds.
type wait struct {
	permission template.Name
	condition  string
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
		old := r.Properties.Get("NotificationConfiguration")
		if old != nil && old.Kind != template.KindMap {
			x.problems.Add(old.Line, r.LogicalID, "Property 'NotificationConfiguration' should be a map.")
			continue
		}
		configuration := copied(old, r.Line)
		all := template.List(r.Line)
		if old := configuration.Get("LambdaConfigurations"); old != nil {
			if old.Kind != template.KindList {
				x.problems.Add(old.Line, r.LogicalID, "Invalid type for LambdaConfigurations. Must be a list.")
				continue
			}
			all.Items = slices.Clone(old.Items)
		}
		for _, rule := range rules {
			if !slices.ContainsFunc(all.Items, func(n *template.Node) bool { return n.Canonical() == rule.Canonical() }) {
				all.Items = append(all.Items, rule)
			}
		}
		changed.Properties.Set("NotificationConfiguration", configuration.Set("LambdaConfigurations", all))
		x.await(&changed)
		x.out[i] = &changed
	}
}

// await makes a bucket wait for the permissions of whom it calls. One that may not
// exist cannot be named in DependsOn, so a tag refers to it.
func (x *expansion) await(bucket *template.Resource) {
	for _, w := range x.waits[bucket.LogicalID] {
		name, line := w.permission.Text, w.permission.Line
		if w.condition == "" {
			bucket.DependsOn = append(slices.Clone(bucket.DependsOn), w.permission)
			continue
		}
		tags := bucket.Properties.Get("Tags")
		if tags != nil && tags.Kind != template.KindList {
			x.problems.Add(tags.Line, bucket.LogicalID, "Property 'Tags' should be a list.")
			return
		}
		all := template.List(line)
		if tags != nil {
			all.Items = slices.Clone(tags.Items)
		}
		made := [2]*template.Node{ref(line, name), template.String(line, "no dependency")}
		all.Items = append(all.Items, tagNode(line, "sam:ConditionalDependsOn:"+name, choose(line, w.condition, made)))
		bucket.Properties.Set("Tags", all)
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
