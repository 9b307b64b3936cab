package resource

import (
	"context"
	"slices"
)

var kinesisStream = define(Type{
	Name: "AWS::Kinesis::Stream", NameProperty: "Name", NameLimit: 128,
	Properties:    []string{"DesiredShardLevelMetrics", "MaxRecordSizeInKiB", "Name", "RetentionPeriodHours", "ShardCount", "StreamEncryption", "StreamModeDetails", "Tags"},
	Unimplemented: []string{"WarmThroughputMiBps"},
	Replace:       []string{"Name"},
	Attributes:    []string{"Arn"},
}, operations[StreamSpec]{
	decode: func(o *object) StreamSpec {
		s := StreamSpec{
			Name: o.chosenName("Name", 1, 128), Shards: o.positive("ShardCount"), RetentionHours: o.count("RetentionPeriodHours"),
			MaxRecordKiB: o.count("MaxRecordSizeInKiB"), ShardMetrics: shardMetrics(o), Tags: o.tags(),
		}
		if mode := o.object("StreamModeDetails"); mode != nil {
			mode.require("StreamMode")
			s.Mode = mode.oneOf("StreamMode", "PROVISIONED", "ON_DEMAND")
			mode.done()
		}
		if encryption := o.object("StreamEncryption"); encryption != nil {
			encryption.require("EncryptionType", "KeyId")
			encryption.oneOf("EncryptionType", "KMS")
			s.EncryptionKey = encryption.text("KeyId")
			encryption.done()
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

var shardMetricNames = []string{
	"ALL", "IncomingBytes", "IncomingRecords", "IteratorAgeMilliseconds", "OutgoingBytes", "OutgoingRecords",
	"ReadProvisionedThroughputExceeded", "WriteProvisionedThroughputExceeded",
}

func shardMetrics(o *object) []string {
	names := o.texts("DesiredShardLevelMetrics")
	for i, item := range o.items("DesiredShardLevelMetrics") {
		if item.IsScalar() && !slices.Contains(shardMetricNames, item.Text) {
			o.fail(item.Line, "Properties validation failed for resource %s with message: #/DesiredShardLevelMetrics/%d: %s is not a valid enum value", o.id, i, item.Text)
		}
	}
	return names
}

// named is a resource whose Ref is its name and whose one attribute is its ARN.
func named(name, arn string) Made {
	return Made{PhysicalID: name, Attributes: map[string]string{"Arn": arn}}
}
