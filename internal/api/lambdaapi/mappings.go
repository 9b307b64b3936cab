package lambdaapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
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
	spec := mapping.Spec{
		SourceARN: aws.ToString(in.EventSourceArn), Function: aws.ToString(in.FunctionName), Enabled: in.Enabled,
		BatchSize: number(in.BatchSize), BatchingWindow: number(in.MaximumBatchingWindowInSeconds),
		Starting: &mapping.StartingPosition{Type: string(in.StartingPosition), Timestamp: aws.ToTime(in.StartingPositionTimestamp)},
		Tags:     in.Tags,
	}
	u := unsupported{}
	u.streamParameters(in.ParallelizationFactor, in.TumblingWindowInSeconds, in.MaximumRecordAgeInSeconds, in.MaximumRetryAttempts, in.BisectBatchOnFunctionError, in.FunctionResponseTypes)
	u.destination(in.DestinationConfig)
	u.filter(in.FilterCriteria)
	u.add("KMSKeyArn", in.KMSKeyArn != nil)
	u.add("MetricsConfig", in.MetricsConfig != nil && len(in.MetricsConfig.Metrics) > 0)
	u.add("LoggingConfig", in.LoggingConfig != nil)
	u.add("Queues", len(in.Queues) > 0)
	u.add("Topics", len(in.Topics) > 0)
	u.add("SelfManagedEventSource", in.SelfManagedEventSource != nil)
	u.add("SelfManagedKafkaEventSourceConfig", in.SelfManagedKafkaEventSourceConfig != nil)
	u.add("AmazonManagedKafkaEventSourceConfig", in.AmazonManagedKafkaEventSourceConfig != nil)
	u.add("DocumentDBEventSourceConfig", in.DocumentDBEventSourceConfig != nil)
	u.add("SourceAccessConfigurations", len(in.SourceAccessConfigurations) > 0)
	u.add("ScalingConfig", in.ScalingConfig != nil)
	u.add("ProvisionedPollerConfig", in.ProvisionedPollerConfig != nil)
	spec.Unsupported = u.names
	v, err := h.mappings.Create(ctx, spec)
	if err != nil {
		return nil, mappingException(err)
	}
	return mappingOutput(v), nil
}

// unsupported collects parameters that were given a value which asks for
// something that is not there. Their defaults ask for nothing.
type unsupported struct{ names []string }

func (u *unsupported) add(name string, asked bool) {
	if asked {
		u.names = append(u.names, name)
	}
}

func (u *unsupported) streamParameters(factor, tumbling, age, retries *int32, bisect *bool, responses []types.FunctionResponseType) {
	u.add("ParallelizationFactor", factor != nil && *factor != 1)
	u.add("TumblingWindowInSeconds", tumbling != nil && *tumbling != 0)
	u.add("MaximumRecordAgeInSeconds", age != nil && *age != -1)
	u.add("MaximumRetryAttempts", retries != nil && *retries != -1)
	u.add("BisectBatchOnFunctionError", aws.ToBool(bisect))
	u.add("FunctionResponseTypes", len(responses) > 0)
}

func (u *unsupported) destination(c *types.DestinationConfig) {
	if c == nil {
		return
	}
	u.add("DestinationConfig.OnFailure", c.OnFailure != nil && aws.ToString(c.OnFailure.Destination) != "")
	u.add("DestinationConfig.OnSuccess", c.OnSuccess != nil && aws.ToString(c.OnSuccess.Destination) != "")
}

func (u *unsupported) filter(c *types.FilterCriteria) {
	u.add("FilterCriteria", c != nil && len(c.Filters) > 0)
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
	spec := mapping.Spec{
		Function: aws.ToString(in.FunctionName), Enabled: in.Enabled,
		BatchSize: number(in.BatchSize), BatchingWindow: number(in.MaximumBatchingWindowInSeconds),
	}
	u := unsupported{}
	u.streamParameters(in.ParallelizationFactor, in.TumblingWindowInSeconds, in.MaximumRecordAgeInSeconds, in.MaximumRetryAttempts, in.BisectBatchOnFunctionError, in.FunctionResponseTypes)
	u.destination(in.DestinationConfig)
	u.filter(in.FilterCriteria)
	u.add("KMSKeyArn", in.KMSKeyArn != nil)
	u.add("MetricsConfig", in.MetricsConfig != nil && len(in.MetricsConfig.Metrics) > 0)
	u.add("LoggingConfig", in.LoggingConfig != nil)
	u.add("SelfManagedKafkaEventSourceConfig", in.SelfManagedKafkaEventSourceConfig != nil)
	u.add("AmazonManagedKafkaEventSourceConfig", in.AmazonManagedKafkaEventSourceConfig != nil)
	u.add("DocumentDBEventSourceConfig", in.DocumentDBEventSourceConfig != nil)
	u.add("SourceAccessConfigurations", len(in.SourceAccessConfigurations) > 0)
	u.add("ScalingConfig", in.ScalingConfig != nil)
	u.add("ProvisionedPollerConfig", in.ProvisionedPollerConfig != nil)
	spec.Unsupported = u.names
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

// functionName reduces an unqualified ARN to the name by which mappings are
// listed; a qualified one stays, as it selects the mappings of that qualifier.
func functionName(ref string) string {
	parts := strings.Split(ref, ":")
	if len(parts) == 7 && parts[5] == "function" {
		return parts[6]
	}
	return ref
}

func number(v *int32) *int {
	if v == nil {
		return nil
	}
	n := int(*v)
	return &n
}

func mappingConfiguration(v mapping.View) types.EventSourceMappingConfiguration {
	c := types.EventSourceMappingConfiguration{
		BatchSize:                      aws.Int32(int32(v.BatchSize)),
		BisectBatchOnFunctionError:     aws.Bool(false),
		DestinationConfig:              &types.DestinationConfig{OnFailure: &types.OnFailure{}},
		EventSourceArn:                 aws.String(v.SourceARN),
		EventSourceMappingArn:          aws.String(v.ARN),
		FunctionArn:                    aws.String(v.FunctionARN),
		FunctionResponseTypes:          []types.FunctionResponseType{},
		LastModified:                   aws.Time(time.UnixMilli(v.LastModified)),
		LastProcessingResult:           aws.String(v.LastProcessingResult),
		MaximumBatchingWindowInSeconds: aws.Int32(int32(v.BatchingWindow)),
		MaximumRecordAgeInSeconds:      aws.Int32(-1),
		MaximumRetryAttempts:           aws.Int32(-1),
		ParallelizationFactor:          aws.Int32(1),
		StartingPosition:               types.EventSourcePosition(v.Starting.Type),
		State:                          aws.String(string(v.State)),
		StateTransitionReason:          aws.String("User action"),
		TumblingWindowInSeconds:        aws.Int32(0),
		UUID:                           aws.String(v.UUID),
	}
	if !v.Starting.Timestamp.IsZero() {
		c.StartingPositionTimestamp = aws.Time(v.Starting.Timestamp)
	}
	return c
}

func mappingOutput(v mapping.View) *lambda.CreateEventSourceMappingOutput {
	c := mappingConfiguration(v)
	return &lambda.CreateEventSourceMappingOutput{
		BatchSize:                      c.BatchSize,
		BisectBatchOnFunctionError:     c.BisectBatchOnFunctionError,
		DestinationConfig:              c.DestinationConfig,
		EventSourceArn:                 c.EventSourceArn,
		EventSourceMappingArn:          c.EventSourceMappingArn,
		FunctionArn:                    c.FunctionArn,
		FunctionResponseTypes:          c.FunctionResponseTypes,
		LastModified:                   c.LastModified,
		LastProcessingResult:           c.LastProcessingResult,
		MaximumBatchingWindowInSeconds: c.MaximumBatchingWindowInSeconds,
		MaximumRecordAgeInSeconds:      c.MaximumRecordAgeInSeconds,
		MaximumRetryAttempts:           c.MaximumRetryAttempts,
		ParallelizationFactor:          c.ParallelizationFactor,
		StartingPosition:               c.StartingPosition,
		StartingPositionTimestamp:      c.StartingPositionTimestamp,
		State:                          c.State,
		StateTransitionReason:          c.StateTransitionReason,
		TumblingWindowInSeconds:        c.TumblingWindowInSeconds,
		UUID:                           c.UUID,
	}
}
