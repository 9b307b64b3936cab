package lambdaapi

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
)

// taggable is a resource that a request on tags means: a function or a mapping.
type taggable struct {
	function string // reference, "" for a mapping
	mapping  string // UUID, "" for a function
}

func (h handlers) taggable(c *api.Constraints, arn *string) (taggable, error) {
	c.Required("resource", arn != nil)
	c.Length("resource", arn, 1, 256)
	c.Pattern("resource", arn, taggablePattern)
	if err := c.Err(); err != nil {
		return taggable{}, err
	}
	parsed, err := catalog.ParseARN(*arn)
	if err != nil {
		return taggable{}, exception(err)
	}
	kind, id, _ := strings.Cut(parsed.Resource, ":")
	switch kind {
	case "function":
		return h.taggableFunction(*arn)
	case "event-source-mapping":
		if _, err := h.mappings.Get(id); err != nil {
			return taggable{}, notFound("Event source mapping not found: " + *arn)
		}
		return taggable{mapping: id}, nil
	case "layer":
		return taggable{}, notFound("Layer not found: " + *arn)
	case "code-signing-config":
		return taggable{}, notFound("Code signing configuration not found: " + *arn)
	}
	return taggable{}, notFound("Capacity provider not found: " + *arn)
}

func (h handlers) taggableFunction(arn string) (taggable, error) {
	_, qualifier, err := function.NameOf(arn)
	if err != nil {
		return taggable{}, exception(err)
	}
	if qualifier != "" {
		return taggable{}, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	_, err = h.functions.Get(arn)
	return taggable{function: arn}, exception(err)
}

func (h handlers) tagResource(ctx context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	var c api.Constraints
	c.Required("tags", in.Tags != nil)
	res, err := h.taggable(&c, in.Resource)
	switch {
	case err != nil:
		return nil, err
	case len(in.Tags) == 0:
		return nil, invalid("An error occurred and the request cannot be processed.")
	case res.mapping != "":
		err := h.mappings.ChangeTags(ctx, res.mapping, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
		return &lambda.TagResourceOutput{}, mappingException(err)
	}
	return &lambda.TagResourceOutput{}, exception(h.functions.SetTags(res.function, in.Tags))
}

func (h handlers) untagResource(ctx context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	var c api.Constraints
	c.Required("tagKeys", len(in.TagKeys) > 0)
	res, err := h.taggable(&c, in.Resource)
	if err != nil {
		return nil, err
	}
	if res.mapping != "" {
		err := h.mappings.ChangeTags(ctx, res.mapping, func(tags map[string]string) {
			for _, key := range in.TagKeys {
				delete(tags, key)
			}
		})
		return &lambda.UntagResourceOutput{}, mappingException(err)
	}
	return &lambda.UntagResourceOutput{}, exception(h.functions.RemoveTags(res.function, in.TagKeys))
}

func (h handlers) listTags(_ context.Context, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	var c api.Constraints
	res, err := h.taggable(&c, in.Resource)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListTagsOutput{Tags: map[string]string{}}
	if res.mapping != "" {
		v, err := h.mappings.Get(res.mapping)
		if err == nil && len(v.Tags) > 0 {
			out.Tags = v.Tags
		}
		return out, mappingException(err)
	}
	def, err := h.functions.Get(res.function)
	if err == nil && len(def.Tags) > 0 {
		out.Tags = def.Tags
	}
	return out, exception(err)
}
