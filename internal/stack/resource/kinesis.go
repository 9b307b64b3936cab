package resource

import "context"

var kinesisStream = define(Type{
	Name: "AWS::Kinesis::Stream", NameProperty: "Name", NameLimit: 128,
	Properties:    []string{"Name", "RetentionPeriodHours", "ShardCount", "StreamModeDetails", "Tags"},
	Unimplemented: []string{"DesiredShardLevelMetrics", "MaxRecordSizeInKiB", "StreamEncryption", "WarmThroughputMiBps"},
	Replace:       []string{"Name"},
	Fixed:         []string{"StreamModeDetails"},
	Attributes:    []string{"Arn"},
}, operations[StreamSpec]{
	decode: func(o *object) StreamSpec {
		s := StreamSpec{Name: o.text("Name"), Shards: o.count("ShardCount"), RetentionHours: o.count("RetentionPeriodHours"), Tags: o.tags()}
		if mode := o.object("StreamModeDetails"); mode != nil {
			mode.require("StreamMode")
			s.Mode = mode.oneOf("StreamMode", "PROVISIONED", "ON_DEMAND")
			mode.done()
		}
		return s
	},
	create: func(ctx context.Context, p *Providers, t Target, s StreamSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		arn, err := p.Streams.CreateStream(ctx, s)
		return named(s.Name, arn), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s StreamSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		return named(s.Name, t.Identity.ARN("kinesis", "stream/"+s.Name)), p.Streams.UpdateStream(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ StreamSpec) error {
		return p.Streams.DeleteStream(ctx, t.Name)
	},
})

// named is a resource whose Ref is its name and whose one attribute is its ARN.
func named(name, arn string) Made {
	return Made{PhysicalID: name, Attributes: map[string]string{"Arn": arn}}
}
