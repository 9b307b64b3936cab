package resource

// cdkMetadata says what a template of the AWS CDK was made with. Nothing is made of
// it, as on AWS.
var cdkMetadata = recorded(Type{
	Name: "AWS::CDK::Metadata", NameLimit: 128,
	Properties: []string{"Analytics"},
}, func(o *object) { o.text("Analytics") }, func(t Target, _ recordedSpec) Made { return Made{PhysicalID: t.Name} })
