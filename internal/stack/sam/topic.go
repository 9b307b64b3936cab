package sam

import (
	"slices"

	"github.com/weirstream/weir/internal/stack/template"
)

// topicEvent has a topic call a function: a subscription, and a permission for the
// topic. What the event says of the subscription is passed on.
func (x *expansion) topicEvent(r *template.Resource, target string, e template.Entry) {
	id := r.LogicalID + e.Key
	in := e.Value.Get("Properties")
	topic := in.Get("Topic")
	if topic == nil {
		x.problems.Add(e.Line, id, "Missing required property 'Topic'.")
		return
	}
	subscription := template.Map(e.Line)
	for _, p := range in.Entries {
		switch {
		case p.Key == "Topic":
		case p.Key == "SqsSubscription":
			if p.Value.Text != "false" {
				x.problems.Add(p.Line, r.LogicalID, "property %s of event %s is not implemented", p.Key, e.Key)
			}
		case slices.Contains([]string{"FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Region"}, p.Key):
			subscription.Entries = append(subscription.Entries, p)
		default:
			x.problems.Add(p.Line, r.LogicalID, "Event with id [%s] is invalid. property %s not defined for resource of type SNS", e.Key, p.Key)
		}
	}
	x.emit(r, id, "AWS::SNS::Subscription", e.Line, subscription.
		Set("Endpoint", arnOf(r, target, e.Line)).
		Set("Protocol", template.String(e.Line, "lambda")).
		Set("TopicArn", topic))
	x.emit(r, id+"Permission", "AWS::Lambda::Permission", e.Line, template.Map(e.Line).
		Set("Action", template.String(e.Line, "lambda:InvokeFunction")).
		Set("FunctionName", template.Call(e.Line, "Ref", template.String(e.Line, target))).
		Set("Principal", template.String(e.Line, "sns.amazonaws.com")).
		Set("SourceArn", topic))
}
