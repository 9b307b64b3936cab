package snsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

func (h handlers) addPermission(ctx context.Context, in *sns.AddPermissionInput) (*sns.AddPermissionOutput, error) {
	return nil, exception(h.topics.AddPermission(ctx, aws.ToString(in.TopicArn), aws.ToString(in.Label), in.AWSAccountId, in.ActionName))
}

func (h handlers) removePermission(ctx context.Context, in *sns.RemovePermissionInput) (*sns.RemovePermissionOutput, error) {
	return nil, exception(h.topics.RemovePermission(ctx, aws.ToString(in.TopicArn), aws.ToString(in.Label)))
}
