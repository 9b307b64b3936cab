package lambdaapi

import (
	"context"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

// Provisioned concurrency is not implemented: to set it is refused, and there is
// none to be found.
func (h handlers) provisionedOperations() []api.Operation {
	return []api.Operation{
		api.Op("PutProvisionedConcurrencyConfig", schemas.PutProvisionedConcurrencyConfig, schemas.PutProvisionedConcurrencyConfigRequest, schemas.PutProvisionedConcurrencyConfigResponse, h.putProvisioned),
		api.Op("GetProvisionedConcurrencyConfig", schemas.GetProvisionedConcurrencyConfig, schemas.GetProvisionedConcurrencyConfigRequest, schemas.GetProvisionedConcurrencyConfigResponse, h.getProvisioned),
		api.Op("DeleteProvisionedConcurrencyConfig", schemas.DeleteProvisionedConcurrencyConfig, schemas.DeleteProvisionedConcurrencyConfigRequest, nil, h.deleteProvisioned),
		api.Op("ListProvisionedConcurrencyConfigs", schemas.ListProvisionedConcurrencyConfigs, schemas.ListProvisionedConcurrencyConfigsRequest, schemas.ListProvisionedConcurrencyConfigsResponse, h.listProvisioned),
	}
}

// provisionable makes sure that a request means a version or an alias that exists.
func (h handlers) provisionable(c *api.Constraints, name, qualifier *string, latest string) error {
	checkName(c, name)
	c.Required("qualifier", qualifier != nil)
	c.Length("qualifier", qualifier, 1, 128)
	if err := c.Err(); err != nil {
		return err
	}
	ref, err := referTo(name, qualifier)
	if err != nil {
		return err
	}
	if ref.qualifier == function.LatestVersion {
		return invalid(latest)
	}
	_, err = h.functions.Policy(ref.text) // tells what is missing as this API does
	return exception(err)
}

const unpublished = "The function resource provided must be an alias or a published version."

func (h handlers) putProvisioned(_ context.Context, in *lambda.PutProvisionedConcurrencyConfigInput) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
	var c api.Constraints
	c.Required("provisionedConcurrentExecutions", in.ProvisionedConcurrentExecutions != nil)
	c.Range("provisionedConcurrentExecutions", in.ProvisionedConcurrentExecutions, 1, math.MaxInt32)
	err := h.provisionable(&c, in.FunctionName, in.Qualifier, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	if err != nil {
		return nil, err
	}
	return nil, invalid("Weir does not implement provisioned concurrency yet.")
}

func (h handlers) getProvisioned(_ context.Context, in *lambda.GetProvisionedConcurrencyConfigInput) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	var c api.Constraints
	if err := h.provisionable(&c, in.FunctionName, in.Qualifier, unpublished); err != nil {
		return nil, err
	}
	return nil, &types.ProvisionedConcurrencyConfigNotFoundException{
		Message: aws.String("No Provisioned Concurrency Config found for this function"), Type: user,
	}
}

func (h handlers) deleteProvisioned(_ context.Context, in *lambda.DeleteProvisionedConcurrencyConfigInput) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error) {
	var c api.Constraints
	return &lambda.DeleteProvisionedConcurrencyConfigOutput{}, h.provisionable(&c, in.FunctionName, in.Qualifier, unpublished)
}

func (h handlers) listProvisioned(_ context.Context, in *lambda.ListProvisionedConcurrencyConfigsInput) (*lambda.ListProvisionedConcurrencyConfigsOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	checkPage(&c, in.MaxItems)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if _, err := h.functions.Get(*in.FunctionName); err != nil {
		return nil, exception(err)
	}
	return &lambda.ListProvisionedConcurrencyConfigsOutput{ProvisionedConcurrencyConfigs: []types.ProvisionedConcurrencyConfigListItem{}}, nil
}
