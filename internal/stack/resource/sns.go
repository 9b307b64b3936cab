package resource

import (
	"context"
	"errors"
	"slices"
)

// topicSettings are a topic with the subscriptions that it declares itself.
type topicSettings struct {
	TopicSpec
	subscriptions []SubscriptionSpec // TopicARN is filled in later
}

var snsTopic = define(Type{
	Name: "AWS::SNS::Topic", NameProperty: "TopicName", NameLimit: 256,
	Properties: []string{"DisplayName", "FifoTopic", "Subscription", "Tags", "TopicName"},
	Unimplemented: []string{"ArchivePolicy", "ContentBasedDeduplication", "DataProtectionPolicy", "DeliveryStatusLogging",
		"FifoThroughputScope", "KmsMasterKeyId", "SignatureVersion", "TracingConfig"},
	Replace:    []string{"FifoTopic", "TopicName"},
	Attributes: []string{"TopicArn", "TopicName"},
}, operations[topicSettings]{
	decode: func(o *object) topicSettings {
		s := topicSettings{TopicSpec: TopicSpec{Name: o.text("TopicName"), DisplayName: o.text("DisplayName"), Tags: o.tags()}}
		o.only("FifoTopic", "false")
		for _, sub := range o.objects("Subscription") {
			sub.require("Endpoint", "Protocol")
			s.subscriptions = append(s.subscriptions, SubscriptionSpec{Protocol: protocol(sub), Endpoint: sub.text("Endpoint")})
			sub.done()
		}
		return s
	},
	create: func(ctx context.Context, p *Providers, t Target, s topicSettings) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		arn, err := p.Topics.CreateTopic(ctx, s.TopicSpec)
		if err != nil {
			return Made{}, err
		}
		return madeTopic(s.Name, arn), subscribe(ctx, p, arn, s.subscriptions)
	},
	update: func(ctx context.Context, p *Providers, t Target, old, s topicSettings) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		if err := p.Topics.UpdateTopic(ctx, t.PhysicalID, s.TopicSpec); err != nil {
			return Made{}, err
		}
		if err := unsubscribe(ctx, p, t.PhysicalID, without(old.subscriptions, s.subscriptions)); err != nil {
			return Made{}, err
		}
		return madeTopic(s.Name, t.PhysicalID), subscribe(ctx, p, t.PhysicalID, without(s.subscriptions, old.subscriptions))
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ topicSettings) error {
		arn := t.PhysicalID
		if arn == "" { // its creation was interrupted
			arn = t.Identity.ARN("sns", t.Name)
		}
		return p.Topics.DeleteTopic(ctx, arn)
	},
})

func madeTopic(name, arn string) Made {
	return Made{PhysicalID: arn, Attributes: map[string]string{"TopicArn": arn, "TopicName": name}}
}

// without returns the subscriptions that others do not have.
func without(subs, others []SubscriptionSpec) []SubscriptionSpec {
	return slices.DeleteFunc(slices.Clone(subs), func(s SubscriptionSpec) bool { return slices.Contains(others, s) })
}

func subscribe(ctx context.Context, p *Providers, topicARN string, subs []SubscriptionSpec) error {
	for _, s := range subs {
		s.TopicARN = topicARN
		if _, err := p.Topics.Subscribe(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func unsubscribe(ctx context.Context, p *Providers, topicARN string, subs []SubscriptionSpec) error {
	for _, s := range subs {
		s.TopicARN = topicARN
		arn, ok, err := p.Topics.FindSubscription(ctx, s)
		if err == nil && ok {
			err = p.Topics.Unsubscribe(ctx, arn)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// protocol reads a protocol that Weir delivers by.
func protocol(o *object) string {
	text := o.text("Protocol")
	if n := o.get("Protocol"); n.IsScalar() && !slices.Contains([]string{"email", "http", "https", "lambda", "sqs"}, text) {
		o.fail(n.Line, "protocol %s is not implemented: email, http, https, lambda and sqs are", text)
	}
	return text
}

var snsSubscription = define(Type{
	Name:          "AWS::SNS::Subscription",
	Properties:    []string{"DeliveryPolicy", "Endpoint", "FilterPolicy", "FilterPolicyScope", "Protocol", "RawMessageDelivery", "RedrivePolicy", "TopicArn"},
	Unimplemented: []string{"Region", "ReplayPolicy", "SubscriptionRoleArn"},
	Replace:       []string{"Endpoint", "Protocol", "TopicArn"},
	Attributes:    []string{"Arn"},
}, operations[SubscriptionSpec]{
	decode: func(o *object) SubscriptionSpec {
		o.require("Protocol", "TopicArn", "Endpoint")
		raw := o.boolean("RawMessageDelivery")
		return SubscriptionSpec{
			TopicARN: o.text("TopicArn"), Protocol: protocol(o), Endpoint: o.text("Endpoint"), Raw: raw != nil && *raw,
			DeliveryPolicy: o.document("DeliveryPolicy"), RedrivePolicy: o.document("RedrivePolicy"),
			FilterPolicy: o.document("FilterPolicy"), FilterScope: o.oneOf("FilterPolicyScope", "MessageAttributes", "MessageBody"),
		}
	},
	create: func(ctx context.Context, p *Providers, _ Target, s SubscriptionSpec) (Made, error) {
		arn, err := p.Topics.Subscribe(ctx, s)
		return named(arn, arn), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s SubscriptionSpec) (Made, error) {
		return named(t.PhysicalID, t.PhysicalID), p.Topics.UpdateSubscription(ctx, t.PhysicalID, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ SubscriptionSpec) error {
		return p.Topics.Unsubscribe(ctx, t.PhysicalID)
	},
	find: func(ctx context.Context, p *Providers, s SubscriptionSpec) (string, bool, error) {
		return p.Topics.FindSubscription(ctx, s)
	},
})

// topicPolicySpec is one access policy for several topics.
type topicPolicySpec struct {
	policy string
	topics []string // ARNs
}

var snsTopicPolicy = define(Type{
	Name: "AWS::SNS::TopicPolicy", NameLimit: 255,
	Properties: []string{"PolicyDocument", "Topics"},
	Attributes: []string{"Id"},
}, operations[topicPolicySpec]{
	decode: func(o *object) topicPolicySpec {
		o.require("PolicyDocument", "Topics")
		return topicPolicySpec{o.document("PolicyDocument"), o.texts("Topics")}
	},
	create: func(ctx context.Context, p *Providers, t Target, s topicPolicySpec) (Made, error) {
		return Made{PhysicalID: t.Name, Attributes: map[string]string{"Id": t.Name}}, setTopicPolicies(ctx, p, s.topics, s.policy)
	},
	update: func(ctx context.Context, p *Providers, t Target, old, s topicPolicySpec) (Made, error) {
		left := slices.DeleteFunc(slices.Clone(old.topics), func(arn string) bool { return slices.Contains(s.topics, arn) })
		if err := setTopicPolicies(ctx, p, left, ""); err != nil {
			return Made{}, err
		}
		return Made{PhysicalID: t.PhysicalID, Attributes: map[string]string{"Id": t.PhysicalID}}, setTopicPolicies(ctx, p, s.topics, s.policy)
	},
	remove: func(ctx context.Context, p *Providers, _ Target, s topicPolicySpec) error {
		return setTopicPolicies(ctx, p, s.topics, "")
	},
})

func setTopicPolicies(ctx context.Context, p *Providers, arns []string, policy string) error {
	for _, arn := range arns {
		if err := p.Topics.SetTopicPolicy(ctx, arn, policy); err != nil {
			return err
		}
	}
	return nil
}
