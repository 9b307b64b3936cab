package resource

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
)

// The types of this file are recorded, not enforced: a stack keeps their
// properties, and there is nothing to make.

// recordedSpec is what a recorded resource needs of its properties.
type recordedSpec struct{ path string }

func recorded(t Type, decode func(*object), made func(Target, recordedSpec) Made) *Type {
	return define(t, operations[recordedSpec]{
		decode: func(o *object) recordedSpec {
			decode(o)
			path := o.text("Path")
			if path == "" {
				path = "/"
			}
			return recordedSpec{path}
		},
		create: func(_ context.Context, _ *Providers, t Target, s recordedSpec) (Made, error) { return made(t, s), nil },
		update: func(_ context.Context, _ *Providers, t Target, _, s recordedSpec) (Made, error) {
			return made(t, s), nil
		},
		remove: func(context.Context, *Providers, Target, recordedSpec) error { return nil },
	})
}

// policyDocument checks that a member is a policy document.
func policyDocument(o *object, member string) {
	if document := o.object(member); document != nil && !document.has("Statement") {
		document.require("Statement")
	}
}

var iamRole = recorded(Type{
	Name: "AWS::IAM::Role", NameProperty: "RoleName", NameLimit: 64,
	Properties: []string{"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path",
		"PermissionsBoundary", "Policies", "RoleName", "Tags"},
	Replace:    []string{"Path", "RoleName"},
	Attributes: []string{"Arn", "RoleId"},
}, func(o *object) {
	o.require("AssumeRolePolicyDocument")
	o.text("RoleName")
	policyDocument(o, "AssumeRolePolicyDocument")
	o.text("Description")
	o.texts("ManagedPolicyArns")
	o.integer("MaxSessionDuration")
	o.text("PermissionsBoundary")
	o.tags()
	for _, policy := range o.objects("Policies") {
		policy.require("PolicyName", "PolicyDocument")
		policy.text("PolicyName")
		policyDocument(policy, "PolicyDocument")
		policy.done()
	}
}, func(t Target, s recordedSpec) Made {
	arn := globalARN(t, "role"+s.path+t.Name)
	return Made{PhysicalID: t.Name, Attributes: map[string]string{"Arn": arn, "RoleId": "AROA" + uniqueID(arn)}}
})

var iamPolicy = recorded(Type{
	Name: "AWS::IAM::Policy", NameLimit: 128,
	Properties: []string{"Groups", "PolicyDocument", "PolicyName", "Roles", "Users"},
	Attributes: []string{"Id"},
}, func(o *object) {
	o.require("PolicyName", "PolicyDocument")
	o.text("PolicyName")
	policyDocument(o, "PolicyDocument")
	o.texts("Groups")
	o.texts("Roles")
	o.texts("Users")
}, func(t Target, _ recordedSpec) Made {
	return Made{PhysicalID: t.Name, Attributes: map[string]string{"Id": t.Name}}
})

var iamManagedPolicy = recorded(Type{
	Name: "AWS::IAM::ManagedPolicy", NameProperty: "ManagedPolicyName", NameLimit: 128,
	Properties: []string{"Description", "Groups", "ManagedPolicyName", "Path", "PolicyDocument", "Roles", "Users"},
	Replace:    []string{"Description", "ManagedPolicyName", "Path"},
	Attributes: []string{"DefaultVersionId", "PolicyArn", "PolicyId"},
}, func(o *object) {
	o.require("PolicyDocument")
	o.text("ManagedPolicyName")
	policyDocument(o, "PolicyDocument")
	o.text("Description")
	o.texts("Groups")
	o.texts("Roles")
	o.texts("Users")
}, func(t Target, s recordedSpec) Made {
	arn := globalARN(t, "policy"+s.path+t.Name)
	return Made{PhysicalID: arn, Attributes: map[string]string{
		"PolicyArn": arn, "PolicyId": "ANPA" + uniqueID(arn), "DefaultVersionId": "v1"}}
})

// globalARN is an ARN of IAM, which has no regions.
func globalARN(t Target, resource string) string {
	return "arn:" + t.Identity.Partition + ":iam::" + t.Identity.Account + ":" + resource
}

// uniqueID is the part of an IAM id after its prefix: 17 characters, the same for
// the same ARN.
func uniqueID(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return base32.StdEncoding.EncodeToString(sum[:])[:17]
}
