package kinesisapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api"
)

// missing are the operations of the service that are not there yet. What it does not
// have either gets the bare UnknownOperationException.
func missing() []api.Operation {
	return []api.Operation{
		notImplemented[kinesis.UpdateStreamWarmThroughputInput, kinesis.UpdateStreamWarmThroughputOutput](schemas.UpdateStreamWarmThroughput, schemas.UpdateStreamWarmThroughputInput),
		notImplemented[kinesis.UpdateStreamRecordDistributionStrategyInput, kinesis.UpdateStreamRecordDistributionStrategyOutput](schemas.UpdateStreamRecordDistributionStrategy, schemas.UpdateStreamRecordDistributionStrategyInput),
		notImplemented[kinesis.PutResourcePolicyInput, kinesis.PutResourcePolicyOutput](schemas.PutResourcePolicy, schemas.PutResourcePolicyInput),
		notImplemented[kinesis.GetResourcePolicyInput, kinesis.GetResourcePolicyOutput](schemas.GetResourcePolicy, schemas.GetResourcePolicyInput),
		notImplemented[kinesis.DeleteResourcePolicyInput, kinesis.DeleteResourcePolicyOutput](schemas.DeleteResourcePolicy, schemas.DeleteResourcePolicyInput),
		notImplemented[kinesis.DescribeAccountSettingsInput, kinesis.DescribeAccountSettingsOutput](schemas.DescribeAccountSettings, schemas.DescribeAccountSettingsInput),
		notImplemented[kinesis.UpdateAccountSettingsInput, kinesis.UpdateAccountSettingsOutput](schemas.UpdateAccountSettings, schemas.UpdateAccountSettingsInput),
		notImplemented[kinesis.CreateChannelInput, kinesis.CreateChannelOutput](schemas.CreateChannel, schemas.CreateChannelInput),
		notImplemented[kinesis.DescribeChannelInput, kinesis.DescribeChannelOutput](schemas.DescribeChannel, schemas.DescribeChannelInput),
		notImplemented[kinesis.ListChannelsInput, kinesis.ListChannelsOutput](schemas.ListChannels, schemas.ListChannelsInput),
		notImplemented[kinesis.UpdateChannelInput, kinesis.UpdateChannelOutput](schemas.UpdateChannel, schemas.UpdateChannelInput),
		notImplemented[kinesis.DeleteChannelInput, kinesis.DeleteChannelOutput](schemas.DeleteChannel, schemas.DeleteChannelInput),
	}
}

func notImplemented[In, Out any](op, in *smithy.Schema) api.Operation {
	name := op.ID().Name
	return api.Op(name, op, in, nil, func(context.Context, *In) (*Out, error) {
		return nil, &api.Error{Code: "UnknownOperationException", Message: name + " is not implemented by Weir"}
	}).Missing()
}
