package lambdaapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

var (
	eventQualifierPattern = api.MustPattern(`\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`)
	destinationPattern    = api.MustPattern(`$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
)

func (h handlers) eventOperations() []api.Operation {
	return []api.Operation{
		api.Op("PutFunctionEventInvokeConfig", schemas.PutFunctionEventInvokeConfig, schemas.PutFunctionEventInvokeConfigRequest, schemas.FunctionEventInvokeConfig, h.putEventInvokeConfig),
		api.Op("UpdateFunctionEventInvokeConfig", schemas.UpdateFunctionEventInvokeConfig, schemas.UpdateFunctionEventInvokeConfigRequest, schemas.FunctionEventInvokeConfig, h.updateEventInvokeConfig),
		api.Op("GetFunctionEventInvokeConfig", schemas.GetFunctionEventInvokeConfig, schemas.GetFunctionEventInvokeConfigRequest, schemas.FunctionEventInvokeConfig, h.getEventInvokeConfig),
		api.Op("ListFunctionEventInvokeConfigs", schemas.ListFunctionEventInvokeConfigs, schemas.ListFunctionEventInvokeConfigsRequest, schemas.ListFunctionEventInvokeConfigsResponse, h.listEventInvokeConfigs),
		api.Op("DeleteFunctionEventInvokeConfig", schemas.DeleteFunctionEventInvokeConfig, schemas.DeleteFunctionEventInvokeConfigRequest, nil, h.deleteEventInvokeConfig),
	}
}

func (h handlers) putEventInvokeConfig(ctx context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	ref, update, err := eventInvokeUpdate(in.FunctionName, in.Qualifier, in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig)
	if err != nil {
		return nil, err
	}
	config, err := h.functions.PutEventInvokeConfig(ctx, ref, update)
	if err != nil {
		return nil, exception(err)
	}
	return h.eventInvokeConfig(config), nil
}

func (h handlers) updateEventInvokeConfig(ctx context.Context, in *lambda.UpdateFunctionEventInvokeConfigInput) (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
	ref, update, err := eventInvokeUpdate(in.FunctionName, in.Qualifier, in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig)
	if err != nil {
		return nil, err
	}
	config, err := h.functions.UpdateEventInvokeConfig(ctx, ref, update)
	if err != nil {
		return nil, exception(err)
	}
	out := lambda.UpdateFunctionEventInvokeConfigOutput(*h.eventInvokeConfig(config))
	return &out, nil
}

// eventInvokeUpdate checks what is to be set and for what.
func eventInvokeUpdate(name, qualifier *string, attempts, age *int32, destinations *types.DestinationConfig) (string, function.EventInvokeUpdate, error) {
	var c api.Constraints
	checkEventReference(&c, name, qualifier)
	c.Range("maximumRetryAttempts", attempts, 0, function.MaxRetryAttempts)
	c.Range("maximumEventAgeInSeconds", age, function.MinEventAgeSeconds, function.MaxEventAgeSeconds)
	u := function.EventInvokeUpdate{RetryAttempts: number(attempts), EventAgeSeconds: number(age)}
	if destinations != nil {
		u.Destinations = &function.EventDestinations{}
		if d := destinations.OnSuccess; d != nil {
			u.Destinations.OnSuccess = aws.ToString(d.Destination)
			c.Length("destinationConfig.onSuccess.destination", d.Destination, 0, 350)
			c.Pattern("destinationConfig.onSuccess.destination", d.Destination, destinationPattern)
		}
		if d := destinations.OnFailure; d != nil {
			u.Destinations.OnFailure = aws.ToString(d.Destination)
			c.Length("destinationConfig.onFailure.destination", d.Destination, 0, 350)
			c.Pattern("destinationConfig.onFailure.destination", d.Destination, destinationPattern)
		}
	}
	if err := c.Err(); err != nil {
		return "", u, err
	}
	ref, err := referTo(name, qualifier)
	return ref.text, u, err
}

func checkEventReference(c *api.Constraints, name, qualifier *string) {
	c.Required("functionName", name != nil)
	c.Length("functionName", name, 1, 256)
	c.Pattern("functionName", name, namespacedPattern)
	c.Length("qualifier", qualifier, 1, 128)
	c.Pattern("qualifier", qualifier, eventQualifierPattern)
}

func (h handlers) getEventInvokeConfig(_ context.Context, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	ref, err := eventReference(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	config, err := h.functions.EventInvokeConfig(ref)
	if err != nil {
		return nil, exception(err)
	}
	out := lambda.GetFunctionEventInvokeConfigOutput(*h.eventInvokeConfig(config))
	return &out, nil
}

func eventReference(name, qualifier *string) (string, error) {
	var c api.Constraints
	checkEventReference(&c, name, qualifier)
	if err := c.Err(); err != nil {
		return "", err
	}
	ref, err := referTo(name, qualifier)
	return ref.text, err
}

func (h handlers) listEventInvokeConfigs(_ context.Context, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	var c api.Constraints
	checkEventReference(&c, in.FunctionName, nil)
	c.Range("maxItems", in.MaxItems, 1, 50)
	if err := c.Err(); err != nil {
		return nil, err
	}
	configs, err := h.functions.EventInvokeConfigs(*in.FunctionName)
	if err != nil {
		return nil, exception(err)
	}
	out := &lambda.ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []types.FunctionEventInvokeConfig{}}
	for _, config := range configs {
		if config.Qualifier <= aws.ToString(in.Marker) {
			continue
		}
		if n := len(out.FunctionEventInvokeConfigs); n == pageSize(in.MaxItems) {
			_, last, err := function.NameOf(*out.FunctionEventInvokeConfigs[n-1].FunctionArn)
			if err != nil {
				return nil, exception(err)
			}
			out.NextMarker = &last
			break
		}
		shown := h.eventInvokeConfig(config)
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, types.FunctionEventInvokeConfig{
			DestinationConfig: shown.DestinationConfig, FunctionArn: shown.FunctionArn, LastModified: shown.LastModified,
			MaximumEventAgeInSeconds: shown.MaximumEventAgeInSeconds, MaximumRetryAttempts: shown.MaximumRetryAttempts,
		})
	}
	return out, nil
}

func (h handlers) deleteEventInvokeConfig(ctx context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	ref, err := eventReference(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := h.functions.DeleteEventInvokeConfig(ctx, ref); err != nil {
		return nil, exception(err)
	}
	return &lambda.DeleteFunctionEventInvokeConfigOutput{}, nil
}

func (h handlers) eventInvokeConfig(c function.EventInvokeConfig) *lambda.PutFunctionEventInvokeConfigOutput {
	out := &lambda.PutFunctionEventInvokeConfigOutput{
		FunctionArn:       aws.String(function.ARN(h.identity, c.Function, c.Qualifier)),
		LastModified:      aws.Time(c.LastModified),
		DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{}, OnFailure: &types.OnFailure{}},
	}
	if c.Destinations.OnSuccess != "" {
		out.DestinationConfig.OnSuccess.Destination = &c.Destinations.OnSuccess
	}
	if c.Destinations.OnFailure != "" {
		out.DestinationConfig.OnFailure.Destination = &c.Destinations.OnFailure
	}
	if c.RetryAttempts != nil {
		out.MaximumRetryAttempts = aws.Int32(int32(*c.RetryAttempts))
	}
	if c.EventAgeSeconds != nil {
		out.MaximumEventAgeInSeconds = aws.Int32(int32(*c.EventAgeSeconds))
	}
	return out
}
