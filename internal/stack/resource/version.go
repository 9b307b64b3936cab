package resource

import "context"

var lambdaVersion = define(Type{
	Name:          "AWS::Lambda::Version",
	Properties:    []string{"CodeSha256", "Description", "FunctionName"},
	Unimplemented: []string{"FunctionScalingConfig", "ProvisionedConcurrencyConfig", "RuntimePolicy"},
	Replace:       []string{"*"},
	Attributes:    []string{"FunctionArn", "Version"},
}, operations[VersionSpec]{
	decode: func(o *object) VersionSpec {
		o.require("FunctionName")
		s := VersionSpec{Function: o.text("FunctionName"), CodeSHA256: o.text("CodeSha256")}
		if o.has("Description") {
			description := o.text("Description")
			s.Description = &description
		}
		return s
	},
	create: func(ctx context.Context, p *Providers, _ Target, s VersionSpec) (Made, error) {
		made, err := p.Functions.PublishVersion(ctx, s)
		return Made{PhysicalID: made.ARN, Attributes: map[string]string{"FunctionArn": made.ARN, "Version": made.Version}}, err
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ VersionSpec) error {
		return p.Functions.DeleteVersion(ctx, t.PhysicalID)
	},
})

var lambdaAlias = define(Type{
	Name:          "AWS::Lambda::Alias",
	Properties:    []string{"Description", "FunctionName", "FunctionVersion", "Name", "RoutingConfig"},
	Unimplemented: []string{"ProvisionedConcurrencyConfig"},
	Replace:       []string{"FunctionName", "Name"},
	Attributes:    []string{"AliasArn"},
}, operations[AliasSpec]{
	decode: decodeAlias,
	create: func(ctx context.Context, p *Providers, _ Target, s AliasSpec) (Made, error) {
		arn, err := p.Functions.CreateAlias(ctx, s)
		return Made{PhysicalID: arn, Attributes: map[string]string{"AliasArn": arn}}, err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s AliasSpec) (Made, error) {
		return Made{PhysicalID: t.PhysicalID, Attributes: map[string]string{"AliasArn": t.PhysicalID}}, p.Functions.UpdateAlias(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, _ Target, s AliasSpec) error {
		return p.Functions.DeleteAlias(ctx, s.Function, s.Name)
	},
})

func decodeAlias(o *object) AliasSpec {
	o.require("FunctionName", "FunctionVersion", "Name")
	s := AliasSpec{Function: o.text("FunctionName"), Version: o.text("FunctionVersion"), Name: o.text("Name"), Description: o.text("Description")}
	routing := o.object("RoutingConfig")
	if routing == nil {
		return s
	}
	for _, weight := range routing.objects("AdditionalVersionWeights") {
		weight.require("FunctionVersion", "FunctionWeight")
		version, share := weight.text("FunctionVersion"), weight.number("FunctionWeight")
		weight.done()
		if share == nil {
			continue
		}
		if s.Weights == nil {
			s.Weights = map[string]float64{}
		}
		if s.Weights[version] = *share; *share < 0 || *share > 1 {
			o.fail(routing.node.Line, "the FunctionWeight of version %s must be from 0 to 1", version)
		}
	}
	routing.done()
	return s
}
