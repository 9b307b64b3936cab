package provision

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/stack/resource"
)

type functions struct {
	*function.Functions
	identity catalog.Identity
}

func functionError(err error) error {
	switch {
	case errors.Is(err, function.ErrNotFound):
		return mark(resource.ErrNotFound, err)
	case errors.Is(err, function.ErrExists):
		return mark(resource.ErrAlreadyExists, err)
	case errors.Is(err, function.ErrInvalid), errors.Is(err, function.ErrTooLarge):
		return mark(resource.ErrInvalid, err)
	}
	return err
}

func (f functions) CreateFunction(ctx context.Context, spec resource.FunctionSpec) (string, error) {
	_, err := f.Create(ctx, function.Definition{
		Name: spec.Name, Runtime: spec.Runtime, Handler: spec.Handler, Role: spec.Role, Description: spec.Description,
		TimeoutSeconds: spec.TimeoutSeconds, MemoryMB: spec.MemoryMB, EphemeralMB: spec.EphemeralMB,
		Architecture: spec.Architecture, Tracing: spec.Tracing, LogGroup: spec.LogGroup,
		Environment: spec.Environment, Tags: spec.Tags, DeadLetterARN: spec.DeadLetterARN,
	}, spec.Zip)
	if err == nil {
		err = f.reserve(spec)
	}
	return function.ARN(f.identity, spec.Name, ""), functionError(err)
}

// reserve makes the reserved concurrency of a function what a template says.
func (f functions) reserve(spec resource.FunctionSpec) error {
	if spec.ReservedConcurrency == nil {
		return f.ReleaseConcurrency(spec.Name)
	}
	return f.ReserveConcurrency(spec.Name, *spec.ReservedConcurrency)
}

func (f functions) UpdateFunction(ctx context.Context, spec resource.FunctionSpec) error {
	environment := spec.Environment
	if environment == nil {
		environment = map[string]string{}
	}
	// A property that is not in the template goes back to its default.
	spec = withDefaults(spec)
	_, err := f.UpdateConfiguration(ctx, spec.Name, function.ConfigurationUpdate{
		Runtime: &spec.Runtime, Handler: &spec.Handler, Role: &spec.Role, Description: &spec.Description,
		TimeoutSeconds: &spec.TimeoutSeconds, MemoryMB: &spec.MemoryMB, EphemeralMB: &spec.EphemeralMB,
		Tracing: &spec.Tracing, LogGroup: &spec.LogGroup, Environment: &environment, DeadLetterARN: &spec.DeadLetterARN,
	})
	if err != nil {
		return functionError(err)
	}
	if err := errors.Join(f.updateTags(spec.Name, spec.Tags), f.reserve(spec)); err != nil {
		return functionError(err)
	}
	if spec.Zip == nil {
		return nil
	}
	_, err = f.UpdateCode(ctx, spec.Name, function.CodeUpdate{Package: spec.Zip})
	return functionError(err)
}

func (f functions) updateTags(name string, tags map[string]string) error {
	def, err := f.Get(name)
	if err != nil {
		return err
	}
	stale := slices.DeleteFunc(slices.Sorted(maps.Keys(def.Tags)), func(key string) bool {
		_, keep := tags[key]
		return keep
	})
	if len(stale) > 0 {
		if err := f.RemoveTags(name, stale); err != nil {
			return err
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return f.SetTags(name, tags)
}

func (f functions) DeleteFunction(ctx context.Context, name string) error {
	return gone(functionError(f.Delete(ctx, name)))
}

func (f functions) PutEventInvokeConfig(ctx context.Context, spec resource.EventInvokeSpec) error {
	_, err := f.Functions.PutEventInvokeConfig(ctx, qualified(spec.Function, spec.Qualifier), function.EventInvokeUpdate{
		RetryAttempts: spec.RetryAttempts, EventAgeSeconds: spec.EventAgeSeconds,
		Destinations: &function.EventDestinations{OnSuccess: spec.OnSuccess, OnFailure: spec.OnFailure},
	})
	return functionError(err)
}

func (f functions) DeleteEventInvokeConfig(ctx context.Context, name, qualifier string) error {
	return gone(functionError(f.Functions.DeleteEventInvokeConfig(ctx, qualified(name, qualifier))))
}

// qualified names a version or alias of a function that is given by name or ARN.
func qualified(name, qualifier string) string { return name + ":" + qualifier }

// withDefaults fills in what the service takes for a property that is not given.
func withDefaults(spec resource.FunctionSpec) resource.FunctionSpec {
	spec.TimeoutSeconds = cmp.Or(spec.TimeoutSeconds, function.DefaultTimeoutSeconds)
	spec.MemoryMB = cmp.Or(spec.MemoryMB, function.DefaultMemoryMB)
	spec.EphemeralMB = cmp.Or(spec.EphemeralMB, function.DefaultEphemeralMB)
	spec.Tracing = cmp.Or(spec.Tracing, "PassThrough")
	spec.LogGroup = cmp.Or(spec.LogGroup, "/aws/lambda/"+spec.Name)
	return spec
}

type logGroups struct{ *function.Logs }

func (l logGroups) CreateLogGroup(ctx context.Context, spec resource.LogGroupSpec) error {
	if err := l.DeclareGroup(ctx, spec.Name, spec.Tags); err != nil {
		return functionError(err)
	}
	return l.UpdateLogGroup(ctx, spec)
}

func (l logGroups) UpdateLogGroup(ctx context.Context, spec resource.LogGroupSpec) error {
	return functionError(l.SetRetention(ctx, spec.Name, spec.RetentionDays))
}

func (l logGroups) DeleteLogGroup(ctx context.Context, name string) error {
	return gone(functionError(l.DeleteGroup(ctx, name)))
}

type permissions struct{ *function.Functions }

func (p permissions) AddPermission(_ context.Context, spec resource.PermissionSpec) error {
	st := function.Statement{Sid: spec.StatementID, Effect: "Allow", Principal: spec.Principal, Action: spec.Action}
	conditions := map[string]map[string]string{}
	for _, c := range []struct{ op, key, value string }{
		{"ArnLike", "AWS:SourceArn", spec.SourceARN},
		{"StringEquals", "AWS:SourceAccount", spec.SourceAccount},
		{"StringEquals", "aws:PrincipalOrgID", spec.PrincipalOrgID},
		{"StringEquals", "lambda:EventSourceToken", spec.EventSourceToken},
	} {
		if c.value == "" {
			continue
		}
		if conditions[c.op] == nil {
			conditions[c.op] = map[string]string{}
		}
		conditions[c.op][c.key] = c.value
	}
	if len(conditions) > 0 {
		st.Condition = conditions
	}
	_, err := p.Functions.AddPermission(spec.Function, st, "")
	return functionError(err)
}

func (p permissions) RemovePermission(_ context.Context, name, statementID string) error {
	return gone(functionError(p.Functions.RemovePermission(name, statementID, "")))
}
