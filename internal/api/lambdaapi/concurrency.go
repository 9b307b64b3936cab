package lambdaapi

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

func (h handlers) concurrencyOperations() []api.Operation {
	return []api.Operation{
		api.Op("GetAccountSettings", schemas.GetAccountSettings, schemas.GetAccountSettingsRequest, schemas.GetAccountSettingsResponse, h.getAccountSettings),
		api.Op("PutFunctionConcurrency", schemas.PutFunctionConcurrency, schemas.PutFunctionConcurrencyRequest, schemas.Concurrency, h.putFunctionConcurrency),
		api.Op("GetFunctionConcurrency", schemas.GetFunctionConcurrency, schemas.GetFunctionConcurrencyRequest, schemas.GetFunctionConcurrencyResponse, h.getFunctionConcurrency),
		api.Op("DeleteFunctionConcurrency", schemas.DeleteFunctionConcurrency, schemas.DeleteFunctionConcurrencyRequest, nil, h.deleteFunctionConcurrency),
	}
}

func (h handlers) getAccountSettings(context.Context, *lambda.GetAccountSettingsInput) (*lambda.GetAccountSettingsOutput, error) {
	const storage = 80530636800
	usage := &types.AccountUsage{}
	for _, def := range h.functions.ListVersions() {
		if def.Version == "" {
			usage.FunctionCount++
		}
		usage.TotalCodeSize += def.CodeSize
	}
	limit, unreserved := h.functions.AccountConcurrency()
	return &lambda.GetAccountSettingsOutput{
		AccountUsage: usage,
		AccountLimit: &types.AccountLimit{
			CodeSizeUnzipped: function.MaxUnzippedBytes, CodeSizeZipped: function.MaxZipBytes, TotalCodeSize: storage,
			ConcurrentExecutions: int32(limit), UnreservedConcurrentExecutions: aws.Int32(int32(unreserved)),
		},
	}, nil
}

func (h handlers) putFunctionConcurrency(_ context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	c.Required("reservedConcurrentExecutions", in.ReservedConcurrentExecutions != nil)
	c.Range("reservedConcurrentExecutions", in.ReservedConcurrentExecutions, 0, math.MaxInt32)
	if err := c.Err(); err != nil {
		return nil, err
	}
	def, err := h.whole(in.FunctionName)
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) && strings.HasPrefix(missing.ErrorMessage(), "Function not found") {
		// This operation names the version of what it does not find.
		return nil, notFound(missing.ErrorMessage() + ":" + function.LatestVersion)
	}
	if err != nil {
		return nil, err
	}
	if err := h.functions.ReserveConcurrency(def.Name, int(*in.ReservedConcurrentExecutions)); err != nil {
		return nil, exception(err)
	}
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}, nil
}

func (h handlers) getFunctionConcurrency(_ context.Context, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	if err := c.Err(); err != nil {
		return nil, err
	}
	def, err := h.whole(in.FunctionName)
	if err != nil {
		return nil, err
	}
	out := &lambda.GetFunctionConcurrencyOutput{}
	if concurrency := concurrencyOf(def); concurrency != nil {
		out.ReservedConcurrentExecutions = concurrency.ReservedConcurrentExecutions
	}
	return out, nil
}

func (h handlers) deleteFunctionConcurrency(_ context.Context, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	if err := c.Err(); err != nil {
		return nil, err
	}
	def, err := h.whole(in.FunctionName)
	if err != nil {
		return nil, err
	}
	return &lambda.DeleteFunctionConcurrencyOutput{}, exception(h.functions.ReleaseConcurrency(def.Name))
}

// concurrencyOf returns the reservation of a function, nil if it has none.
func concurrencyOf(def function.Definition) *types.Concurrency {
	if def.ReservedConcurrency == nil {
		return nil
	}
	return &types.Concurrency{ReservedConcurrentExecutions: aws.Int32(int32(*def.ReservedConcurrency))}
}

// whole returns a function that must be meant as a whole, without a qualifier.
func (h handlers) whole(name *string) (function.Definition, error) {
	ref, err := referTo(name, nil)
	if err != nil {
		return function.Definition{}, err
	}
	if ref.qualifier != "" {
		return function.Definition{}, invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	def, err := h.functions.Get(ref.text)
	return def, exception(err)
}
