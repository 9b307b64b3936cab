package resource

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/weirstream/weir/internal/stack/template"
)

const queueSuffix = ".fifo"

// queueTexts are the properties of a queue that are attributes of the same name
// and scalars.
var queueTexts = []string{"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
	"MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled", "VisibilityTimeout"}

var sqsQueue = define(Type{
	Name: "AWS::SQS::Queue", NameProperty: "QueueName", NameLimit: 80,
	NameSuffix: func(properties *template.Node) string {
		if fifo := properties.Get("FifoQueue"); fifo.IsScalar() && fifo.Text == "true" {
			return queueSuffix
		}
		return ""
	},
	Properties: []string{"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
		"MaximumMessageSize", "MessageRetentionPeriod", "QueueName", "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy",
		"RedrivePolicy", "SqsManagedSseEnabled", "Tags", "VisibilityTimeout"},
	Unimplemented: []string{"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId"},
	Replace:       []string{"FifoQueue", "QueueName"},
	Attributes:    []string{"Arn", "QueueName", "QueueUrl"},
}, operations[QueueSpec]{
	decode: func(o *object) QueueSpec {
		s := QueueSpec{Name: o.text("QueueName"), Attributes: map[string]string{}, Tags: o.tags()}
		for _, name := range queueTexts {
			if text := o.text(name); text != "" {
				s.Attributes[name] = text
			}
		}
		for _, name := range []string{"RedriveAllowPolicy", "RedrivePolicy"} {
			if text := o.document(name); text != "" {
				s.Attributes[name] = text
			}
		}
		if s.Attributes["FifoQueue"] == "false" { // on its own a queue is a standard one
			delete(s.Attributes, "FifoQueue")
		}
		return s
	},
	create: func(ctx context.Context, p *Providers, t Target, s QueueSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		url, err := p.Queues.CreateQueue(ctx, s)
		return madeQueue(t, url), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s QueueSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		return madeQueue(t, t.PhysicalID), p.Queues.UpdateQueue(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ QueueSpec) error {
		return p.Queues.DeleteQueue(ctx, t.Name)
	},
})

func madeQueue(t Target, url string) Made {
	return Made{PhysicalID: url, Attributes: map[string]string{"Arn": t.Identity.ARN("sqs", t.Name), "QueueName": t.Name, "QueueUrl": url}}
}

// document reads a JSON object that may be written as text, and returns it as
// JSON.
func (o *object) document(member string) string {
	n := o.get(member)
	switch {
	case n == nil || n.HasUnknown():
		return ""
	case n.Kind == template.KindMap:
		text, err := n.MarshalJSON()
		if err != nil {
			o.fail(n.Line, "%v", err)
		}
		return string(text)
	case n.IsScalar() && json.Valid([]byte(n.Text)):
		return n.Text
	}
	o.wrongKind(n, member, "Json")
	return ""
}

// queuePolicySpec is one access policy for several queues.
type queuePolicySpec struct {
	policy string
	queues []string // URLs
}

var sqsQueuePolicy = define(Type{
	Name: "AWS::SQS::QueuePolicy", NameLimit: 255,
	Properties: []string{"PolicyDocument", "Queues"},
	Attributes: []string{"Id"},
}, operations[queuePolicySpec]{
	decode: func(o *object) queuePolicySpec {
		o.require("PolicyDocument", "Queues")
		return queuePolicySpec{o.document("PolicyDocument"), o.texts("Queues")}
	},
	create: func(ctx context.Context, p *Providers, t Target, s queuePolicySpec) (Made, error) {
		return Made{PhysicalID: t.Name, Attributes: map[string]string{"Id": t.Name}}, setQueuePolicies(ctx, p, s.queues, s.policy)
	},
	update: func(ctx context.Context, p *Providers, t Target, old, s queuePolicySpec) (Made, error) {
		left := slices.DeleteFunc(slices.Clone(old.queues), func(url string) bool { return slices.Contains(s.queues, url) })
		if err := setQueuePolicies(ctx, p, left, ""); err != nil {
			return Made{}, err
		}
		return Made{PhysicalID: t.PhysicalID, Attributes: map[string]string{"Id": t.PhysicalID}}, setQueuePolicies(ctx, p, s.queues, s.policy)
	},
	remove: func(ctx context.Context, p *Providers, _ Target, s queuePolicySpec) error {
		return setQueuePolicies(ctx, p, s.queues, "")
	},
})

func setQueuePolicies(ctx context.Context, p *Providers, urls []string, policy string) error {
	for _, url := range urls {
		if err := p.Queues.SetQueuePolicy(ctx, url, policy); err != nil {
			return err
		}
	}
	return nil
}
