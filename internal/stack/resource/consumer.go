package resource

import "context"

// ConsumerSpec describes a consumer of a stream.
type ConsumerSpec struct {
	Name      string
	StreamARN string
	Tags      map[string]string
}

// ConsumerMade is what is known of a consumer that exists.
type ConsumerMade struct {
	ARN     string
	Created string // epoch seconds
}

var kinesisStreamConsumer = define(Type{
	Name:       "AWS::Kinesis::StreamConsumer",
	Properties: []string{"ConsumerName", "StreamARN", "Tags"},
	Replace:    []string{"ConsumerName", "StreamARN"},
	Attributes: []string{"ConsumerARN", "ConsumerCreationTimestamp", "ConsumerName", "ConsumerStatus", "StreamARN"},
}, operations[ConsumerSpec]{
	decode: func(o *object) ConsumerSpec {
		o.require("ConsumerName", "StreamARN")
		return ConsumerSpec{Name: o.chosenName("ConsumerName", 1, 128), StreamARN: o.text("StreamARN"), Tags: o.tags()}
	},
	create: func(ctx context.Context, p *Providers, t Target, s ConsumerSpec) (Made, error) {
		s.Tags = t.withStackTags(s.Tags)
		made, err := p.Streams.RegisterConsumer(ctx, s)
		return madeConsumer(s, made), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s ConsumerSpec) (Made, error) {
		s.Tags = t.withStackTags(s.Tags)
		made, err := p.Streams.TagConsumer(ctx, t.PhysicalID, s.Tags)
		return madeConsumer(s, made), err
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ ConsumerSpec) error {
		return p.Streams.DeregisterConsumer(ctx, t.PhysicalID)
	},
	find: func(ctx context.Context, p *Providers, s ConsumerSpec) (string, bool, error) {
		return p.Streams.FindConsumer(ctx, s)
	},
})

func madeConsumer(s ConsumerSpec, made ConsumerMade) Made {
	return Made{PhysicalID: made.ARN, Attributes: map[string]string{
		"ConsumerARN": made.ARN, "ConsumerCreationTimestamp": made.Created, "ConsumerName": s.Name, "ConsumerStatus": "ACTIVE", "StreamARN": s.StreamARN,
	}}
}
