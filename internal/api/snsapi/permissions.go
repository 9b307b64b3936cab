package snsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/weirstream/weir/internal/api"
)

func (h handlers) addPermission(ctx context.Context, in *sns.AddPermissionInput) (*sns.AddPermissionOutput, error) {
	var c api.Constraints
	c.Required("label", in.Label != nil)
	c.Required("aWSAccountId", in.AWSAccountId != nil)
	c.Required("actionName", in.ActionName != nil)
	if err := violations(&c); err != nil {
		return nil, err
	}
	return nil, exception(h.topics.AddPermission(ctx, aws.ToString(in.TopicArn), aws.ToString(in.Label), in.AWSAccountId, in.ActionName))
}

func (h handlers) removePermission(ctx context.Context, in *sns.RemovePermissionInput) (*sns.RemovePermissionOutput, error) {
	var c api.Constraints
	c.Required("label", in.Label != nil)
	if err := violations(&c); err != nil {
		return nil, err
	}
	return nil, exception(h.topics.RemovePermission(ctx, aws.ToString(in.TopicArn), aws.ToString(in.Label)))
}
