package resource

import (
	"context"
	"maps"
	"slices"
	"time"
)

var lambdaPermission = define(Type{
	Name: "AWS::Lambda::Permission", NameLimit: 100,
	Properties:    []string{"Action", "EventSourceToken", "FunctionName", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"},
	Unimplemented: []string{"FunctionUrlAuthType", "InvokedViaFunctionUrl"},
	Replace:       []string{"*"},
	Attributes:    []string{"Id"},
}, operations[PermissionSpec]{
	decode: func(o *object) PermissionSpec {
		o.require("Action", "FunctionName", "Principal")
		return PermissionSpec{Function: o.text("FunctionName"), Action: o.text("Action"), Principal: o.text("Principal"),
			SourceARN: o.text("SourceArn"), SourceAccount: o.text("SourceAccount"),
			PrincipalOrgID: o.text("PrincipalOrgID"), EventSourceToken: o.text("EventSourceToken")}
	},
	create: func(ctx context.Context, p *Providers, t Target, s PermissionSpec) (Made, error) {
		s.StatementID = t.Name
		return Made{PhysicalID: t.Name, Attributes: map[string]string{"Id": t.Name}}, p.Permissions.AddPermission(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, s PermissionSpec) error {
		return p.Permissions.RemovePermission(ctx, s.Function, t.Name)
	},
})

// mappingDefaults are parameters of event source mappings that are implemented
// with their default value only.
var mappingDefaults = map[string]string{
	"BisectBatchOnFunctionError": "false",
	"MaximumRecordAgeInSeconds":  "-1",
	"MaximumRetryAttempts":       "-1",
	"ParallelizationFactor":      "1",
	"TumblingWindowInSeconds":    "0",
}

var lambdaEventSourceMapping = define(Type{
	Name: "AWS::Lambda::EventSourceMapping",
	Properties: []string{"BatchSize", "BisectBatchOnFunctionError", "Enabled", "EventSourceArn", "FunctionName",
		"MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "ParallelizationFactor",
		"StartingPosition", "StartingPositionTimestamp", "TumblingWindowInSeconds"},
	Unimplemented: []string{"AmazonManagedKafkaEventSourceConfig", "DestinationConfig", "DocumentDBEventSourceConfig",
		"FilterCriteria", "FunctionResponseTypes", "KmsKeyArn", "LoggingConfig", "MetricsConfig", "ProvisionedPollerConfig",
		"Queues", "ScalingConfig", "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig",
		"SourceAccessConfigurations", "Tags", "Topics"},
	Replace:    []string{"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"},
	Attributes: []string{"EventSourceMappingArn", "Id"},
}, operations[MappingSpec]{
	decode: decodeMapping,
	create: func(ctx context.Context, p *Providers, t Target, s MappingSpec) (Made, error) {
		made, err := p.Mappings.CreateMapping(ctx, s)
		return madeMapping(made.UUID, made.ARN), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s MappingSpec) (Made, error) {
		return madeMapping(t.PhysicalID, t.Identity.ARN("lambda", "event-source-mapping:"+t.PhysicalID)),
			p.Mappings.UpdateMapping(ctx, t.PhysicalID, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ MappingSpec) error {
		return p.Mappings.DeleteMapping(ctx, t.PhysicalID)
	},
	find: func(ctx context.Context, p *Providers, s MappingSpec) (string, bool, error) {
		return p.Mappings.FindMapping(ctx, s.SourceARN, s.Function)
	},
})

func madeMapping(uuid, arn string) Made {
	return Made{PhysicalID: uuid, Attributes: map[string]string{"Id": uuid, "EventSourceMappingArn": arn}}
}

func decodeMapping(o *object) MappingSpec {
	o.require("FunctionName", "EventSourceArn")
	s := MappingSpec{
		SourceARN: o.text("EventSourceArn"), Function: o.text("FunctionName"), Enabled: o.boolean("Enabled"),
		BatchSize: o.integer("BatchSize"), BatchingWindowSeconds: o.integer("MaximumBatchingWindowInSeconds"),
		StartingPosition: o.oneOf("StartingPosition", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"),
	}
	if seconds := o.number("StartingPositionTimestamp"); seconds != nil {
		at := time.UnixMilli(int64(*seconds * 1000)).UTC()
		s.StartingTimestamp = &at
	}
	for _, name := range slices.Sorted(maps.Keys(mappingDefaults)) {
		o.only(name, mappingDefaults[name])
	}
	return s
}
