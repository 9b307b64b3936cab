// Package stsapi answers the Security Token Service as far as clients ask who
// they are. Everyone is the root of the server's account.
package stsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
)

// New returns the service for an account.
func New(id catalog.Identity) *api.Service {
	return &api.Service{
		Name:         "sts",
		QueryVersion: "2011-06-15",
		XMLNamespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []api.Operation{
			api.Op("GetCallerIdentity", nil, nil, nil, callerIdentity(id)),
		},
	}
}

func callerIdentity(id catalog.Identity) func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	// ARNs of IAM have no region.
	root := catalog.ARN{Partition: id.Partition, Service: "iam", Account: id.Account, Resource: "root"}
	return func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{
			Account: aws.String(id.Account),
			Arn:     aws.String(root.String()),
			UserId:  aws.String(id.Account),
		}, nil
	}
}
