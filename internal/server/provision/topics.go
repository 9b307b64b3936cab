package provision

import (
	"context"
	"errors"
	"maps"
	"strconv"

	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/stack/resource"
)

type topics struct{ *notify.Topics }

func topicError(err error) error {
	var e *notify.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Code == notify.NotFound {
		return mark(resource.ErrNotFound, err)
	}
	return mark(resource.ErrInvalid, err)
}

func (t topics) CreateTopic(ctx context.Context, spec resource.TopicSpec) (string, error) {
	arn, err := t.Topics.CreateTopic(ctx, spec.Name, displayName(spec), spec.Tags)
	return arn, topicError(err)
}

func displayName(spec resource.TopicSpec) map[string]string {
	if spec.DisplayName == "" {
		return nil
	}
	return map[string]string{"DisplayName": spec.DisplayName}
}

func (t topics) UpdateTopic(ctx context.Context, arn string, spec resource.TopicSpec) error {
	if err := t.SetTopicAttribute(ctx, arn, "DisplayName", spec.DisplayName); err != nil {
		return topicError(err)
	}
	topic, err := t.Topic(ctx, arn)
	if err != nil {
		return topicError(err)
	}
	var stale []string
	for key := range topic.Tags {
		if _, keep := spec.Tags[key]; !keep {
			stale = append(stale, key)
		}
	}
	return topicError(t.TagTopic(ctx, arn, spec.Tags, stale))
}

func (t topics) DeleteTopic(ctx context.Context, arn string) error {
	subs, err := t.Subscriptions(ctx, arn)
	if err != nil {
		return gone(topicError(err))
	}
	for _, sub := range subs {
		if err := t.Topics.Unsubscribe(ctx, sub.ARN, true); err != nil {
			return topicError(err)
		}
	}
	return gone(topicError(t.Topics.DeleteTopic(ctx, arn)))
}

func (t topics) Subscribe(ctx context.Context, spec resource.SubscriptionSpec) (string, error) {
	req := notify.SubscribeRequest{
		TopicARN: spec.TopicARN, Protocol: spec.Protocol, Endpoint: spec.Endpoint, ReturnARN: true, Attributes: subscriptionAttributes(spec),
	}
	// Protocols that know no raw delivery and no delivery policy accept none.
	maps.DeleteFunc(req.Attributes, func(name, value string) bool { return value == "" || value == "false" })
	arn, err := t.Topics.Subscribe(ctx, req)
	return arn, topicError(err)
}

// subscriptionAttributes are those of the API, defaults included.
func subscriptionAttributes(spec resource.SubscriptionSpec) map[string]string {
	attributes := map[string]string{
		"RawMessageDelivery": strconv.FormatBool(spec.Raw), "DeliveryPolicy": spec.DeliveryPolicy,
		"RedrivePolicy": spec.RedrivePolicy, "FilterPolicy": spec.FilterPolicy, "FilterPolicyScope": "MessageAttributes",
	}
	if spec.FilterScope != "" {
		attributes["FilterPolicyScope"] = spec.FilterScope
	}
	return attributes
}

func (t topics) UpdateSubscription(ctx context.Context, arn string, spec resource.SubscriptionSpec) error {
	return topicError(t.SetSubscriptionAttributes(ctx, arn, subscriptionAttributes(spec)))
}

func (t topics) SetTopicPolicy(ctx context.Context, arn, policy string) error {
	err := topicError(t.SetTopicAttribute(ctx, arn, "Policy", policy))
	if policy == "" {
		return gone(err)
	}
	return err
}

func (t topics) Unsubscribe(ctx context.Context, arn string) error {
	return gone(topicError(t.Topics.Unsubscribe(ctx, arn, true)))
}

func (t topics) FindSubscription(ctx context.Context, spec resource.SubscriptionSpec) (string, bool, error) {
	subs, err := t.Subscriptions(ctx, spec.TopicARN)
	if err != nil {
		err = topicError(err)
		return "", false, gone(err)
	}
	for _, sub := range subs {
		if sub.Protocol == spec.Protocol && sub.Endpoint == spec.Endpoint {
			return sub.ARN, true, nil
		}
	}
	return "", false, nil
}
