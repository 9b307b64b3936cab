package snsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/weirstream/weir/internal/notify"
)

func (h handlers) subscribe(ctx context.Context, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	arn, err := h.topics.Subscribe(ctx, notify.SubscribeRequest{
		TopicARN: aws.ToString(in.TopicArn), Protocol: aws.ToString(in.Protocol), Endpoint: aws.ToString(in.Endpoint),
		Attributes: in.Attributes, ReturnARN: in.ReturnSubscriptionArn,
	})
	if err != nil {
		return nil, exception(err)
	}
	return &sns.SubscribeOutput{SubscriptionArn: &arn}, nil
}

func (h handlers) confirmSubscription(ctx context.Context, in *sns.ConfirmSubscriptionInput) (*sns.ConfirmSubscriptionOutput, error) {
	arn, err := h.topics.Confirm(ctx, aws.ToString(in.TopicArn), aws.ToString(in.Token),
		signed(ctx), aws.ToString(in.AuthenticateOnUnsubscribe) == "true")
	if err != nil {
		return nil, exception(err)
	}
	return &sns.ConfirmSubscriptionOutput{SubscriptionArn: &arn}, nil
}

func (h handlers) unsubscribe(ctx context.Context, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	return nil, exception(h.topics.Unsubscribe(ctx, aws.ToString(in.SubscriptionArn), signed(ctx)))
}

func (h handlers) listSubscriptions(ctx context.Context, in *sns.ListSubscriptionsInput) (*sns.ListSubscriptionsOutput, error) {
	subs, next, err := h.listed(ctx, "", in.NextToken)
	if err != nil {
		return nil, err
	}
	return &sns.ListSubscriptionsOutput{Subscriptions: subs, NextToken: next}, nil
}

func (h handlers) listSubscriptionsByTopic(ctx context.Context, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	if in.TopicArn == nil {
		return nil, invalid("TopicArn")
	}
	subs, next, err := h.listed(ctx, *in.TopicArn, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: subs, NextToken: next}, nil
}

func (h handlers) listed(ctx context.Context, topicARN string, token *string) ([]types.Subscription, *string, error) {
	all, err := h.topics.Subscriptions(ctx, topicARN)
	if err != nil {
		return nil, nil, exception(err)
	}
	subs, next, err := page(all, func(s notify.Subscription) string { return s.ARN }, token)
	if err != nil {
		return nil, nil, err
	}
	out := make([]types.Subscription, len(subs))
	for i := range subs {
		s := &subs[i]
		out[i] = types.Subscription{
			SubscriptionArn: aws.String(s.ListedARN()), TopicArn: &s.TopicARN, Owner: aws.String(h.topics.Account()),
			Protocol: &s.Protocol, Endpoint: &s.Endpoint,
		}
	}
	return out, next, nil
}

func (h handlers) getSubscriptionAttributes(ctx context.Context, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	attributes, err := h.topics.SubscriptionAttributes(ctx, aws.ToString(in.SubscriptionArn))
	if err != nil {
		return nil, exception(err)
	}
	return &sns.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

func (h handlers) setSubscriptionAttributes(ctx context.Context, in *sns.SetSubscriptionAttributesInput) (*sns.SetSubscriptionAttributesOutput, error) {
	attribute := map[string]string{aws.ToString(in.AttributeName): aws.ToString(in.AttributeValue)}
	return nil, exception(h.topics.SetSubscriptionAttributes(ctx, aws.ToString(in.SubscriptionArn), attribute))
}
