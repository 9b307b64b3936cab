package provision

import (
	"context"

	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/stack/resource"
)

func (f functions) PublishVersion(ctx context.Context, spec resource.VersionSpec) (resource.VersionMade, error) {
	def, err := f.Publish(ctx, spec.Function, function.Publishing{Description: spec.Description, CodeSHA256: spec.CodeSHA256})
	if err != nil {
		return resource.VersionMade{}, functionError(err)
	}
	return resource.VersionMade{ARN: function.ARN(f.identity, def.Name, def.Version), Version: def.Version}, nil
}

func (f functions) DeleteVersion(ctx context.Context, arn string) error {
	return gone(functionError(f.Delete(ctx, arn)))
}

func (f functions) CreateAlias(ctx context.Context, spec resource.AliasSpec) (string, error) {
	a, err := f.Functions.CreateAlias(ctx, spec.Function, function.Alias{
		Name: spec.Name, Version: spec.Version, Description: spec.Description, Weights: spec.Weights,
	})
	return function.ARN(f.identity, a.Function, a.Name), functionError(err)
}

func (f functions) UpdateAlias(ctx context.Context, spec resource.AliasSpec) error {
	_, err := f.Functions.UpdateAlias(ctx, spec.Function, spec.Name, function.AliasUpdate{
		Version: &spec.Version, Description: &spec.Description, Weights: &spec.Weights,
	})
	return functionError(err)
}

func (f functions) DeleteAlias(ctx context.Context, name, alias string) error {
	return gone(functionError(f.Functions.DeleteAlias(ctx, name, alias)))
}
