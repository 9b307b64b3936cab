package lambdaapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

func (h handlers) versionOperations() []api.Operation {
	return []api.Operation{
		api.Op("PublishVersion", schemas.PublishVersion, schemas.PublishVersionRequest, schemas.FunctionConfiguration, h.publishVersion),
		api.Op("ListVersionsByFunction", schemas.ListVersionsByFunction, schemas.ListVersionsByFunctionRequest, schemas.ListVersionsByFunctionResponse, h.listVersions),
		api.Op("CreateAlias", schemas.CreateAlias, schemas.CreateAliasRequest, schemas.AliasConfiguration, h.createAlias),
		api.Op("GetAlias", schemas.GetAlias, schemas.GetAliasRequest, schemas.AliasConfiguration, h.getAlias),
		api.Op("UpdateAlias", schemas.UpdateAlias, schemas.UpdateAliasRequest, schemas.AliasConfiguration, h.updateAlias),
		api.Op("DeleteAlias", schemas.DeleteAlias, schemas.DeleteAliasRequest, nil, h.deleteAlias),
		api.Op("ListAliases", schemas.ListAliases, schemas.ListAliasesRequest, schemas.ListAliasesResponse, h.listAliases),
	}
}

func (h handlers) publishVersion(ctx context.Context, in *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	c.Length("description", in.Description, 0, 256)
	if err := c.Err(); err != nil {
		return nil, err
	}
	var u unsupported
	u.add("PublishTo", in.PublishTo != "")
	if err := u.refuse(); err != nil {
		return nil, err
	}
	def, err := h.functions.Publish(ctx, *in.FunctionName, function.Publishing{
		Description: in.Description, CodeSHA256: aws.ToString(in.CodeSha256), RevisionID: aws.ToString(in.RevisionId),
	})
	if err != nil {
		return nil, exception(err)
	}
	out := lambda.PublishVersionOutput(*h.configuration(def, def.Version))
	return &out, nil
}

func (h handlers) listVersions(_ context.Context, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	var c api.Constraints
	checkReference(&c, in.FunctionName, nil)
	checkPage(&c, in.MaxItems)
	if err := c.Err(); err != nil {
		return nil, err
	}
	versions, err := h.functions.Versions(*in.FunctionName)
	if err != nil {
		return nil, exception(err)
	}
	page, next := pageOf(versions, in.Marker, in.MaxItems, function.Definition.VersionName)
	out := &lambda.ListVersionsByFunctionOutput{Versions: []types.FunctionConfiguration{}, NextMarker: next}
	for _, def := range page {
		out.Versions = append(out.Versions, *inList(h.configuration(def, def.VersionName())))
	}
	return out, nil
}

// pageOf returns the part of a list that comes after a marker, and the marker of
// the part after it. An element's mark tells it from all others.
func pageOf[T any](all []T, marker *string, maxItems *int32, mark func(T) string) (page []T, next *string) {
	if marker != nil {
		for i, v := range all {
			if mark(v) == *marker {
				all = all[i+1:]
				break
			}
		}
	}
	if n := pageSize(maxItems); n < len(all) {
		return all[:n], aws.String(mark(all[n-1]))
	}
	return all, nil
}

// weights returns what a routing configuration says; nil if there is none.
func weights(routing *types.AliasRoutingConfiguration) *map[string]float64 {
	if routing == nil {
		return nil
	}
	w := routing.AdditionalVersionWeights
	if len(w) == 0 {
		w = nil
	}
	return &w
}

func (h handlers) createAlias(ctx context.Context, in *lambda.CreateAliasInput) (*lambda.CreateAliasOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	checkAlias(&c, in.Name)
	c.Required("functionVersion", in.FunctionVersion != nil)
	c.Length("functionVersion", in.FunctionVersion, 1, 1024)
	c.Pattern("functionVersion", in.FunctionVersion, versionPattern)
	c.Length("description", in.Description, 0, 256)
	checkRouting(&c, in.RoutingConfig)
	if err := c.Err(); err != nil {
		return nil, err
	}
	a := function.Alias{Name: *in.Name, Version: *in.FunctionVersion, Description: aws.ToString(in.Description)}
	if w := weights(in.RoutingConfig); w != nil {
		a.Weights = *w
	}
	a, err := h.functions.CreateAlias(ctx, *in.FunctionName, a)
	if err != nil {
		return nil, exception(err)
	}
	out := lambda.CreateAliasOutput(*h.alias(a))
	return &out, nil
}

func (h handlers) getAlias(_ context.Context, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	checkAlias(&c, in.Name)
	if err := c.Err(); err != nil {
		return nil, err
	}
	a, err := h.functions.Alias(*in.FunctionName, *in.Name)
	if err != nil {
		return nil, exception(err)
	}
	return h.alias(a), nil
}

func (h handlers) updateAlias(ctx context.Context, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	checkAlias(&c, in.Name)
	c.Length("functionVersion", in.FunctionVersion, 1, 1024)
	c.Pattern("functionVersion", in.FunctionVersion, versionPattern)
	c.Length("description", in.Description, 0, 256)
	checkRouting(&c, in.RoutingConfig)
	if err := c.Err(); err != nil {
		return nil, err
	}
	a, err := h.functions.UpdateAlias(ctx, *in.FunctionName, *in.Name, function.AliasUpdate{
		Version: in.FunctionVersion, Description: in.Description, Weights: weights(in.RoutingConfig), RevisionID: aws.ToString(in.RevisionId),
	})
	if err != nil {
		return nil, exception(err)
	}
	out := lambda.UpdateAliasOutput(*h.alias(a))
	return &out, nil
}

func (h handlers) deleteAlias(ctx context.Context, in *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	checkAlias(&c, in.Name)
	if err := c.Err(); err != nil {
		return nil, err
	}
	return &lambda.DeleteAliasOutput{}, exception(h.functions.DeleteAlias(ctx, *in.FunctionName, *in.Name))
}

func (h handlers) listAliases(_ context.Context, in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	checkPage(&c, in.MaxItems)
	c.Length("functionVersion", in.FunctionVersion, 1, 1024)
	c.Pattern("functionVersion", in.FunctionVersion, versionPattern)
	if err := c.Err(); err != nil {
		return nil, err
	}
	all, err := h.functions.Aliases(*in.FunctionName)
	if err != nil {
		return nil, exception(err)
	}
	if in.FunctionVersion != nil {
		all = slices.DeleteFunc(all, func(a function.Alias) bool { return a.Version != *in.FunctionVersion })
	}
	page, next := pageOf(all, in.Marker, in.MaxItems, func(a function.Alias) string { return a.Name })
	out := &lambda.ListAliasesOutput{Aliases: []types.AliasConfiguration{}, NextMarker: next}
	for _, a := range page {
		c := h.alias(a)
		out.Aliases = append(out.Aliases, types.AliasConfiguration{
			AliasArn: c.AliasArn, Description: c.Description, FunctionVersion: c.FunctionVersion, Name: c.Name,
			RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig,
		})
	}
	return out, nil
}

// alias describes an alias as it is to clients.
func (h handlers) alias(a function.Alias) *lambda.GetAliasOutput {
	out := &lambda.GetAliasOutput{
		AliasArn: aws.String(function.ARN(h.identity, a.Function, a.Name)), Description: &a.Description,
		FunctionVersion: &a.Version, Name: &a.Name, RevisionId: &a.RevisionID,
	}
	if len(a.Weights) > 0 {
		out.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: a.Weights}
	}
	return out
}
