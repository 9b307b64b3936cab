package lambdaapi

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
)

// mappingHandlers are the operations on event source mappings.
type mappingHandlers struct{ mappings *mapping.Mappings }

func mappingOperations(m *mapping.Mappings) []api.Operation {
	h := mappingHandlers{m}
	return []api.Operation{
		api.Op("CreateEventSourceMapping", schemas.CreateEventSourceMapping, schemas.CreateEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, h.create),
		api.Op("GetEventSourceMapping", schemas.GetEventSourceMapping, schemas.GetEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, h.get),
		api.Op("ListEventSourceMappings", schemas.ListEventSourceMappings, schemas.ListEventSourceMappingsRequest, schemas.ListEventSourceMappingsResponse, h.list),
		api.Op("UpdateEventSourceMapping", schemas.UpdateEventSourceMapping, schemas.UpdateEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, h.update),
		api.Op("DeleteEventSourceMapping", schemas.DeleteEventSourceMapping, schemas.DeleteEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, h.delete),
	}
}

// mappingException maps errors of the domain to those of the API.
func mappingException(err error) error {
	var e *mapping.Error
	if !errors.As(err, &e) {
		return err
	}
	user := aws.String("User")
	switch e.Kind {
	case mapping.InvalidParameter:
		return &types.InvalidParameterValueException{Message: &e.Message, Type: user}
	case mapping.NotFound:
		return &types.ResourceNotFoundException{Message: &e.Message, Type: user}
	case mapping.Conflict:
		return &types.ResourceConflictException{Message: &e.Message, Type: user}
	case mapping.InUse:
		return &types.ResourceInUseException{Message: &e.Message, Type: user}
	case mapping.Validation:
		return api.Validation(e.Message)
	}
	return err
}

func (h mappingHandlers) create(ctx context.Context, in *lambda.CreateEventSourceMappingInput) (*lambda.CreateEventSourceMappingOutput, error) {
	spec := streamParameters{
		in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ParallelizationFactor, in.TumblingWindowInSeconds,
		in.MaximumRecordAgeInSeconds, in.MaximumRetryAttempts, in.BisectBatchOnFunctionError, in.FunctionResponseTypes,
		in.DestinationConfig, in.FilterCriteria, in.MetricsConfig, in.ScalingConfig,
	}.spec()
	spec.SourceARN, spec.Function, spec.Enabled, spec.Tags = aws.ToString(in.EventSourceArn), aws.ToString(in.FunctionName), in.Enabled, in.Tags
	spec.Starting = &mapping.StartingPosition{Type: string(in.StartingPosition), Timestamp: aws.ToTime(in.StartingPositionTimestamp)}
	spec.Unsupported = given(map[string]bool{
		"AmazonManagedKafkaEventSourceConfig": in.AmazonManagedKafkaEventSourceConfig != nil,
		"DocumentDBEventSourceConfig":         in.DocumentDBEventSourceConfig != nil,
		"KMSKeyArn":                           aws.ToString(in.KMSKeyArn) != "",
		"LoggingConfig":                       in.LoggingConfig != nil,
		"ProvisionedPollerConfig":             in.ProvisionedPollerConfig != nil,
		"Queues":                              len(in.Queues) > 0,
		"SelfManagedEventSource":              in.SelfManagedEventSource != nil,
		"SelfManagedKafkaEventSourceConfig":   in.SelfManagedKafkaEventSourceConfig != nil,
		"SourceAccessConfigurations":          len(in.SourceAccessConfigurations) > 0,
		"Topics":                              len(in.Topics) > 0,
	})
	var c api.Constraints
	c.Pattern("eventSourceArn", in.EventSourceArn, arnPattern)
	checkOne(&c, "topics", in.Topics)
	checkOne(&c, "queues", in.Queues)
	c.Required("functionName", in.FunctionName != nil)
	if err := cmp.Or(checkMapping(&c, in.FunctionName, spec), checkOnFailure(in.DestinationConfig)); err != nil {
		return nil, err
	}
	v, err := h.mappings.Create(ctx, spec)
	if err != nil {
		return nil, mappingException(err)
	}
	return mappingOutput(v), nil
}

// checkOne constrains a list that, if it is there, has one element.
func checkOne(c *api.Constraints, path string, list []string) {
	if list != nil {
		c.ListSize(path, len(list), 1, 1, func(i int) string { return list[i] })
	}
}

// given returns which of some parameters, that are not there, were given.
func given(asked map[string]bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if asked[name] {
			names = append(names, name)
		}
	}
	return names
}

// streamParameters are what requests to create and to update have in common.
type streamParameters struct {
	batchSize, batchingWindow, factor, tumblingWindow, age, retries *int32
	bisect                                                          *bool
	responses                                                       []types.FunctionResponseType
	destination                                                     *types.DestinationConfig
	filter                                                          *types.FilterCriteria
	metrics                                                         *types.EventSourceMappingMetricsConfig
	scaling                                                         *types.ScalingConfig
}

func (p streamParameters) spec() mapping.Spec {
	s := mapping.Spec{
		BatchSize: number(p.batchSize), BatchingWindow: number(p.batchingWindow), Factor: number(p.factor),
		TumblingWindow: number(p.tumblingWindow), MaximumRecordAge: number(p.age), RetryLimit: number(p.retries), Bisect: p.bisect,
	}
	if p.responses != nil {
		s.ResponseTypes = texts(p.responses)
	}
	if p.metrics != nil {
		s.Metrics = texts(p.metrics.Metrics)
	}
	if p.scaling != nil {
		s.MaximumConcurrency = number(p.scaling.MaximumConcurrency)
		s.Unbounded = s.MaximumConcurrency == nil
	}
	if p.filter != nil {
		patterns := make([]string, len(p.filter.Filters))
		for i, f := range p.filter.Filters {
			patterns[i] = aws.ToString(f.Pattern)
		}
		s.Filters = &patterns
	}
	if d := p.destination; d != nil {
		if d.OnSuccess != nil {
			s.OnSuccess = aws.ToString(d.OnSuccess.Destination)
		}
		if d.OnFailure != nil {
			s.OnFailure = aws.String(aws.ToString(d.OnFailure.Destination))
		}
	}
	return s
}

func texts[T ~string](values []T) *[]string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return &all
}

func (h mappingHandlers) get(_ context.Context, in *lambda.GetEventSourceMappingInput) (*lambda.GetEventSourceMappingOutput, error) {
	v, err := h.mappings.Get(aws.ToString(in.UUID))
	if err != nil {
		return nil, mappingException(err)
	}
	out := lambda.GetEventSourceMappingOutput(*mappingOutput(v))
	return &out, nil
}

func (h mappingHandlers) update(ctx context.Context, in *lambda.UpdateEventSourceMappingInput) (*lambda.UpdateEventSourceMappingOutput, error) {
	spec := streamParameters{
		in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ParallelizationFactor, in.TumblingWindowInSeconds,
		in.MaximumRecordAgeInSeconds, in.MaximumRetryAttempts, in.BisectBatchOnFunctionError, in.FunctionResponseTypes,
		in.DestinationConfig, in.FilterCriteria, in.MetricsConfig, in.ScalingConfig,
	}.spec()
	spec.Function, spec.Enabled = aws.ToString(in.FunctionName), in.Enabled
	spec.Unsupported = given(map[string]bool{
		"AmazonManagedKafkaEventSourceConfig": in.AmazonManagedKafkaEventSourceConfig != nil,
		"DocumentDBEventSourceConfig":         in.DocumentDBEventSourceConfig != nil,
		"KMSKeyArn":                           aws.ToString(in.KMSKeyArn) != "",
		"LoggingConfig":                       in.LoggingConfig != nil,
		"ProvisionedPollerConfig":             in.ProvisionedPollerConfig != nil,
		"SelfManagedKafkaEventSourceConfig":   in.SelfManagedKafkaEventSourceConfig != nil,
		"SourceAccessConfigurations":          len(in.SourceAccessConfigurations) > 0,
	})
	if err := cmp.Or(checkMapping(&api.Constraints{}, in.FunctionName, spec), checkOnFailure(in.DestinationConfig)); err != nil {
		return nil, err
	}
	v, err := h.mappings.Update(ctx, aws.ToString(in.UUID), spec)
	if err != nil {
		return nil, mappingException(err)
	}
	out := lambda.UpdateEventSourceMappingOutput(*mappingOutput(v))
	return &out, nil
}

func (h mappingHandlers) delete(ctx context.Context, in *lambda.DeleteEventSourceMappingInput) (*lambda.DeleteEventSourceMappingOutput, error) {
	v, err := h.mappings.Delete(ctx, aws.ToString(in.UUID))
	if err != nil {
		return nil, mappingException(err)
	}
	out := lambda.DeleteEventSourceMappingOutput(*mappingOutput(v))
	return &out, nil
}

// maxMappingsPage is what the service returns at most, whatever MaxItems says.
const maxMappingsPage = 100

func (h mappingHandlers) list(_ context.Context, in *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
	var c api.Constraints
	c.Pattern("eventSourceArn", in.EventSourceArn, arnPattern)
	c.Length("functionName", in.FunctionName, 1, 256)
	c.Pattern("functionName", in.FunctionName, namespacedPattern)
	c.Range("maxItems", in.MaxItems, 1, 10000)
	if err := c.Err(); err != nil {
		return nil, err
	}
	limit := maxMappingsPage
	if in.MaxItems != nil {
		limit = min(limit, int(*in.MaxItems))
	}
	out := &lambda.ListEventSourceMappingsOutput{EventSourceMappings: []types.EventSourceMappingConfiguration{}}
	for _, v := range h.mappings.List(aws.ToString(in.EventSourceArn), functionName(aws.ToString(in.FunctionName))) {
		if v.UUID <= aws.ToString(in.Marker) {
			continue
		}
		if len(out.EventSourceMappings) == limit {
			out.NextMarker = out.EventSourceMappings[limit-1].UUID
			break
		}
		out.EventSourceMappings = append(out.EventSourceMappings, mappingConfiguration(v))
	}
	return out, nil
}

// functionName reduces a partial ARN to the name, with its qualifier if it has one, by
// which mappings are listed.
func functionName(ref string) string {
	name, qualifier, err := function.NameOf(ref)
	if err != nil || strings.HasPrefix(ref, "arn:") {
		return ref
	}
	if qualifier != "" {
		name += ":" + qualifier
	}
	return name
}

func number(v *int32) *int {
	if v == nil {
		return nil
	}
	n := int(*v)
	return &n
}

func mappingConfiguration(v mapping.View) types.EventSourceMappingConfiguration {
	if v.OfQueue() {
		return queueMappingConfiguration(v)
	}
	c := types.EventSourceMappingConfiguration{
		BatchSize:                      aws.Int32(int32(v.BatchSize)),
		BisectBatchOnFunctionError:     aws.Bool(v.Bisect),
		DestinationConfig:              &types.DestinationConfig{OnFailure: &types.OnFailure{}},
		EventSourceArn:                 aws.String(v.SourceARN),
		EventSourceMappingArn:          aws.String(v.ARN),
		FunctionArn:                    aws.String(v.FunctionARN),
		FunctionResponseTypes:          []types.FunctionResponseType{},
		LastModified:                   aws.Time(time.UnixMilli(v.LastModified)),
		LastProcessingResult:           aws.String(v.LastProcessingResult),
		MaximumBatchingWindowInSeconds: aws.Int32(int32(v.BatchingWindow)),
		MaximumRecordAgeInSeconds:      aws.Int32(mapping.Unlimited),
		MaximumRetryAttempts:           aws.Int32(mapping.Unlimited),
		ParallelizationFactor:          aws.Int32(int32(max(v.Factor, 1))),
		StartingPosition:               types.EventSourcePosition(v.Starting.Type),
		State:                          aws.String(string(v.State)),
		StateTransitionReason:          aws.String("User action"),
		TumblingWindowInSeconds:        aws.Int32(int32(v.TumblingWindow)),
		UUID:                           aws.String(v.UUID),
	}
	if !v.Starting.Timestamp.IsZero() {
		c.StartingPositionTimestamp = aws.Time(v.Starting.Timestamp)
	}
	if v.MaximumRecordAge > 0 {
		c.MaximumRecordAgeInSeconds = aws.Int32(int32(v.MaximumRecordAge))
	}
	if v.RetryLimit != nil {
		c.MaximumRetryAttempts = aws.Int32(int32(*v.RetryLimit))
	}
	addCommon(&c, v)
	if v.OnFailure != "" {
		c.DestinationConfig.OnFailure.Destination = &v.OnFailure
	}
	return c
}

// queueMappingConfiguration is what is shown of a mapping of a queue, which is less.
func queueMappingConfiguration(v mapping.View) types.EventSourceMappingConfiguration {
	c := types.EventSourceMappingConfiguration{
		BatchSize:                      aws.Int32(int32(v.BatchSize)),
		EventSourceArn:                 aws.String(v.SourceARN),
		EventSourceMappingArn:          aws.String(v.ARN),
		FunctionArn:                    aws.String(v.FunctionARN),
		FunctionResponseTypes:          []types.FunctionResponseType{},
		LastModified:                   aws.Time(time.UnixMilli(v.LastModified)),
		MaximumBatchingWindowInSeconds: aws.Int32(int32(v.BatchingWindow)),
		State:                          aws.String(string(v.State)),
		StateTransitionReason:          aws.String("USER_INITIATED"),
		UUID:                           aws.String(v.UUID),
	}
	if v.MaximumConcurrency > 0 {
		c.ScalingConfig = &types.ScalingConfig{MaximumConcurrency: aws.Int32(int32(v.MaximumConcurrency))}
	}
	addCommon(&c, v)
	return c
}

// addCommon adds what mappings of all kinds show if it is set.
func addCommon(c *types.EventSourceMappingConfiguration, v mapping.View) {
	if v.ReportItemFailures {
		c.FunctionResponseTypes = []types.FunctionResponseType{types.FunctionResponseTypeReportBatchItemFailures}
	}
	if v.EventCount {
		c.MetricsConfig = &types.EventSourceMappingMetricsConfig{Metrics: []types.EventSourceMappingMetric{types.EventSourceMappingMetricEventCount}}
	}
	if len(v.Filters) > 0 {
		c.FilterCriteria = &types.FilterCriteria{}
		for _, p := range v.Filters {
			c.FilterCriteria.Filters = append(c.FilterCriteria.Filters, types.Filter{Pattern: aws.String(p)})
		}
	}
}

func mappingOutput(v mapping.View) *lambda.CreateEventSourceMappingOutput {
	c := mappingConfiguration(v)
	return &lambda.CreateEventSourceMappingOutput{
		BatchSize:                      c.BatchSize,
		BisectBatchOnFunctionError:     c.BisectBatchOnFunctionError,
		DestinationConfig:              c.DestinationConfig,
		EventSourceArn:                 c.EventSourceArn,
		EventSourceMappingArn:          c.EventSourceMappingArn,
		FilterCriteria:                 c.FilterCriteria,
		FunctionArn:                    c.FunctionArn,
		FunctionResponseTypes:          c.FunctionResponseTypes,
		LastModified:                   c.LastModified,
		LastProcessingResult:           c.LastProcessingResult,
		MaximumBatchingWindowInSeconds: c.MaximumBatchingWindowInSeconds,
		MaximumRecordAgeInSeconds:      c.MaximumRecordAgeInSeconds,
		MaximumRetryAttempts:           c.MaximumRetryAttempts,
		MetricsConfig:                  c.MetricsConfig,
		ParallelizationFactor:          c.ParallelizationFactor,
		ScalingConfig:                  c.ScalingConfig,
		StartingPosition:               c.StartingPosition,
		StartingPositionTimestamp:      c.StartingPositionTimestamp,
		State:                          c.State,
		StateTransitionReason:          c.StateTransitionReason,
		TumblingWindowInSeconds:        c.TumblingWindowInSeconds,
		UUID:                           c.UUID,
	}
}
