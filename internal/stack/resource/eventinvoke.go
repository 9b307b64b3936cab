package resource

import "context"

var lambdaEventInvokeConfig = define(Type{
	Name:       "AWS::Lambda::EventInvokeConfig",
	Properties: []string{"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"},
	Replace:    []string{"FunctionName", "Qualifier"},
}, operations[EventInvokeSpec]{
	decode: decodeEventInvoke,
	create: func(ctx context.Context, p *Providers, _ Target, s EventInvokeSpec) (Made, error) {
		return Made{PhysicalID: s.Function + "|" + s.Qualifier}, p.Functions.PutEventInvokeConfig(ctx, s)
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s EventInvokeSpec) (Made, error) {
		return Made{PhysicalID: t.PhysicalID}, p.Functions.PutEventInvokeConfig(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, _ Target, s EventInvokeSpec) error {
		return p.Functions.DeleteEventInvokeConfig(ctx, s.Function, s.Qualifier)
	},
})

func decodeEventInvoke(o *object) EventInvokeSpec {
	o.require("FunctionName", "Qualifier")
	s := EventInvokeSpec{
		Function: o.text("FunctionName"), Qualifier: o.text("Qualifier"),
		RetryAttempts: o.integer("MaximumRetryAttempts"), EventAgeSeconds: o.integer("MaximumEventAgeInSeconds"),
	}
	c := o.object("DestinationConfig")
	if c == nil {
		return s
	}
	for _, on := range []struct {
		member string
		target *string
	}{{"OnSuccess", &s.OnSuccess}, {"OnFailure", &s.OnFailure}} {
		if d := c.object(on.member); d != nil {
			d.require("Destination")
			*on.target = d.text("Destination")
			d.done()
		}
	}
	c.done()
	return s
}
