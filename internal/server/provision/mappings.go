package provision

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/stack/resource"
)

type mappings struct{ *mapping.Mappings }

func mappingError(err error) error {
	var e *mapping.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case mapping.NotFound:
		return mark(resource.ErrNotFound, err)
	case mapping.Conflict:
		return mark(resource.ErrAlreadyExists, err)
	}
	return mark(resource.ErrInvalid, err)
}

func mappingSpec(spec resource.MappingSpec) mapping.Spec {
	s := mapping.Spec{
		SourceARN: spec.SourceARN, Function: spec.Function, Enabled: spec.Enabled,
		BatchSize: spec.BatchSize, BatchingWindow: spec.BatchingWindowSeconds,
		Starting: &mapping.StartingPosition{Type: spec.StartingPosition},
		Factor:   orDefault(spec.Factor, 1), TumblingWindow: orDefault(spec.TumblingWindowSeconds, 0),
		MaximumRecordAge: orDefault(spec.MaximumRecordAgeSeconds, mapping.Unlimited),
		RetryLimit:       orDefault(spec.MaximumRetryAttempts, mapping.Unlimited),
		Bisect:           orDefault(spec.Bisect, false), ResponseTypes: &spec.ResponseTypes, OnFailure: &spec.OnFailure,
		Filters: &spec.Filters, Metrics: &spec.Metrics, Tags: spec.Tags,
		MaximumConcurrency: spec.MaximumConcurrency, Unbounded: spec.MaximumConcurrency == nil,
	}
	if spec.StartingTimestamp != nil {
		s.Starting.Timestamp = *spec.StartingTimestamp
	}
	return s
}

// orDefault makes a template say everything: what it leaves out goes back to the
// default when the stack is updated.
func orDefault[T any](given *T, value T) *T {
	if given == nil {
		return &value
	}
	return given
}

func (m mappings) CreateMapping(ctx context.Context, spec resource.MappingSpec) (resource.MappingMade, error) {
	v, err := m.Create(ctx, mappingSpec(spec))
	return resource.MappingMade{UUID: v.UUID, ARN: v.ARN}, mappingError(err)
}

func (m mappings) UpdateMapping(ctx context.Context, uuid string, spec resource.MappingSpec) error {
	if err := m.Settle(ctx, uuid); err != nil {
		return err
	}
	if _, err := m.Update(ctx, uuid, mappingSpec(spec)); err != nil {
		return mappingError(err)
	}
	return mappingError(m.ChangeTags(ctx, uuid, func(tags map[string]string) {
		clear(tags)
		maps.Copy(tags, spec.Tags)
	}))
}

func (m mappings) DeleteMapping(ctx context.Context, uuid string) error {
	if err := m.Settle(ctx, uuid); err != nil {
		return err
	}
	if _, err := m.Delete(ctx, uuid); err != nil {
		return gone(mappingError(err))
	}
	return m.Settle(ctx, uuid)
}

func (m mappings) FindMapping(_ context.Context, sourceARN, function string) (string, bool, error) {
	for _, v := range m.List(sourceARN, function) {
		// Without a qualifier the list has those of all versions and aliases, too.
		if strings.HasSuffix(v.FunctionARN, ":"+function) || v.FunctionARN == function {
			return v.UUID, true, nil
		}
	}
	return "", false, nil
}
