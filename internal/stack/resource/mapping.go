package resource

import (
	"context"
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

var lambdaEventSourceMapping = define(Type{
	Name: "AWS::Lambda::EventSourceMapping",
	Properties: []string{"BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "Enabled", "EventSourceArn",
		"FilterCriteria", "FunctionName", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds",
		"MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "MetricsConfig", "ParallelizationFactor",
		"ScalingConfig", "StartingPosition", "StartingPositionTimestamp", "Tags", "TumblingWindowInSeconds"},
	Unimplemented: []string{"AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig",
		"KmsKeyArn", "LoggingConfig", "ProvisionedPollerConfig",
		"Queues", "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig",
		"SourceAccessConfigurations", "Topics"},
	Replace:    []string{"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"},
	Attributes: []string{"EventSourceMappingArn", "Id"},
}, operations[MappingSpec]{
	decode: decodeMapping,
	create: func(ctx context.Context, p *Providers, t Target, s MappingSpec) (Made, error) {
		s.Tags = t.withStackTags(s.Tags)
		made, err := p.Mappings.CreateMapping(ctx, s)
		return madeMapping(made.UUID, made.ARN), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s MappingSpec) (Made, error) {
		s.Tags = t.withStackTags(s.Tags)
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
	s.Factor, s.TumblingWindowSeconds = o.integer("ParallelizationFactor"), o.integer("TumblingWindowInSeconds")
	s.MaximumRecordAgeSeconds, s.MaximumRetryAttempts = o.integer("MaximumRecordAgeInSeconds"), o.integer("MaximumRetryAttempts")
	s.Bisect, s.ResponseTypes, s.Tags = o.boolean("BisectBatchOnFunctionError"), o.texts("FunctionResponseTypes"), o.tags()
	if c := o.object("DestinationConfig"); c != nil {
		if f := c.object("OnFailure"); f != nil {
			if !f.has("Destination") {
				o.fail(f.line, "The Destination field is required for an OnFailure configuration.")
			}
			s.OnFailure = f.text("Destination")
			f.done()
		}
		if c.has("OnSuccess") {
			c.get("OnSuccess")
			o.fail(c.node.Line, "Unsupported DestinationConfig parameter for given event source mapping type.")
		}
		c.done()
	}
	if c := o.object("FilterCriteria"); c != nil {
		for _, f := range c.objects("Filters") {
			f.require("Pattern")
			s.Filters = append(s.Filters, f.text("Pattern"))
			f.done()
		}
		c.done()
	}
	if c := o.object("MetricsConfig"); c != nil {
		s.Metrics = c.texts("Metrics")
		c.done()
	}
	if c := o.object("ScalingConfig"); c != nil {
		s.MaximumConcurrency = c.integer("MaximumConcurrency")
		c.done()
	}
	return s
}
