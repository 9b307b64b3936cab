package resource

import (
	"context"
	"slices"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/template"
)

// Type is a resource type.
type Type struct {
	// Name is the type as templates write it, "AWS::Kinesis::Stream".
	Name string
	// NameProperty is the property with which a template chooses the name, "" when
	// it cannot.
	NameProperty string
	// NameLimit is the longest name in characters; 0 when resources of the type
	// get their identifier from who makes them.
	NameLimit int
	// LowerCase says that names have no capitals.
	LowerCase bool
	// NameSuffix is what generated names must end with; nil for nothing.
	NameSuffix func(properties *template.Node) string
	// Properties are implemented, Unimplemented ones exist on AWS.
	Properties, Unimplemented []string
	// Replace lists the properties whose change needs a new resource, "*" for all.
	Replace []string
	// Fixed lists the properties that AWS can change in place and Weir cannot yet.
	Fixed []string
	// Attributes are the names that Fn::GetAtt knows.
	Attributes []string
	// Needs names for an attribute the property without which there is none, and
	// whose change in place changes it.
	Needs map[string]string

	check  func(*object)
	create func(context.Context, *Providers, Target) (Made, error)
	update func(context.Context, *Providers, Target, *template.Node) (Made, error)
	remove func(context.Context, *Providers, Target) error
	find   func(context.Context, *Providers, Target) (string, bool, error)
}

// Target is a resource of a stack.
type Target struct {
	Identity  catalog.Identity
	LogicalID string
	// Name is the chosen or generated name, "" for types without names.
	Name string
	// PhysicalID is what Ref gives, "" before the resource exists.
	PhysicalID string
	// Properties are the computed ones.
	Properties *template.Node
	// StackTags are put on the resource beside its own tags.
	StackTags map[string]string
}

// Made is what is known of a resource that exists.
type Made struct {
	PhysicalID string
	Attributes map[string]string
}

// operations are what a type does with its settings, S.
type operations[S any] struct {
	decode func(*object) S
	create func(context.Context, *Providers, Target, S) (Made, error)
	// update is nil for types that are replaced whatever changes.
	update func(ctx context.Context, p *Providers, t Target, old, changed S) (Made, error)
	remove func(context.Context, *Providers, Target, S) error
	// find looks for a resource whose creation was interrupted before it was known
	// what identifies it; nil for types with names.
	find func(context.Context, *Providers, S) (physicalID string, ok bool, err error)
}

// define completes a type with its operations.
func define[S any](t Type, ops operations[S]) *Type {
	spec := func(target Target, properties *template.Node) (S, error) {
		var problems template.Problems
		o := newObject(target.LogicalID, properties, 0, &problems)
		return ops.decode(o), problems.Err()
	}
	t.check = func(o *object) { ops.decode(o) }
	t.create = func(ctx context.Context, p *Providers, target Target) (Made, error) {
		s, err := spec(target, target.Properties)
		if err != nil {
			return Made{}, err
		}
		return ops.create(ctx, p, target, s)
	}
	if ops.update != nil {
		t.update = func(ctx context.Context, p *Providers, target Target, before *template.Node) (Made, error) {
			s, err := spec(target, target.Properties)
			if err != nil {
				return Made{}, err
			}
			old, err := spec(target, before)
			if err != nil {
				return Made{}, err
			}
			return ops.update(ctx, p, target, old, s)
		}
	}
	t.remove = func(ctx context.Context, p *Providers, target Target) error {
		// Properties that are wrong must not keep a resource from being removed.
		s, _ := spec(target, target.Properties)
		return ops.remove(ctx, p, target, s)
	}
	if ops.find != nil {
		t.find = func(ctx context.Context, p *Providers, target Target) (string, bool, error) {
			s, err := spec(target, target.Properties)
			if err != nil {
				return "", false, err
			}
			return ops.find(ctx, p, s)
		}
	}
	return &t
}

// Named returns the type with a name, nil when there is none.
func Named(name string) *Type {
	i := slices.IndexFunc(types, func(t *Type) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return types[i]
}

// All returns the types in the order of their names.
func All() []*Type { return slices.Clone(types) }

var types = []*Type{
	cdkMetadata,
	cloudWatchAlarm, cloudWatchDashboard, dynamoDBGlobalTable, dynamoDBTable,
	iamManagedPolicy, iamPolicy, iamRole,
	kinesisStream, kinesisStreamConsumer,
	lambdaAlias, lambdaEventInvokeConfig, lambdaEventSourceMapping, lambdaFunction, lambdaPermission, lambdaVersion,
	logsLogGroup,
	s3Bucket, s3BucketPolicy,
	snsSubscription, snsTopic, snsTopicPolicy,
	sqsQueue, sqsQueuePolicy,
}

// Tagged reports whether resources of the type have tags.
func (t *Type) Tagged() bool { return slices.Contains(t.Properties, "Tags") }

// Gives reports whether a resource with the given properties has an attribute.
func (t *Type) Gives(attribute string, properties *template.Node) bool {
	needed, ok := t.Needs[attribute]
	return slices.Contains(t.Attributes, attribute) && (!ok || properties.Get(needed) != nil)
}

// Check reports what is wrong with the properties of a resource, which may hold
// unknown values. line is that of the resource.
func (t *Type) Check(logicalID string, properties *template.Node, line int) template.Problems {
	var problems template.Problems
	o := newObject(logicalID, properties, line, &problems)
	for _, e := range o.node.Entries {
		switch {
		case slices.Contains(t.Properties, e.Key):
		case slices.Contains(t.Unimplemented, e.Key):
			problems.Add(e.Line, logicalID, "property %s of %s is not implemented", e.Key, t.Name)
		default:
			problems.Add(e.Line, logicalID, "Properties validation failed for resource %s with message: #: extraneous key [%s] is not permitted", logicalID, e.Key)
		}
	}
	t.check(o)
	return problems
}

// Change is how properties differ.
type Change struct {
	// Names are the properties that differ, sorted.
	Names []string
	// Replace are those of them that need a new resource.
	Replace []string
	// Fixed are those of them that cannot change.
	Fixed []string
}

// Compare finds out what changes between two computed sets of properties.
func (t *Type) Compare(before, after *template.Node) Change {
	var c Change
	names := map[string]bool{}
	for _, n := range []*template.Node{before, after} {
		if n == nil {
			continue
		}
		for _, e := range n.Entries {
			if !names[e.Key] && before.Get(e.Key).Canonical() != after.Get(e.Key).Canonical() {
				c.Names = append(c.Names, e.Key)
			}
			names[e.Key] = true
		}
	}
	slices.Sort(c.Names)
	for _, name := range c.Names {
		if slices.Contains(t.Replace, name) || slices.Contains(t.Replace, "*") {
			c.Replace = append(c.Replace, name)
		} else if slices.Contains(t.Fixed, name) {
			c.Fixed = append(c.Fixed, name)
		}
	}
	return c
}

// Create makes the resource and returns when it can be used. It fails with
// ErrAlreadyExists when the name is taken.
func (t *Type) Create(ctx context.Context, p *Providers, target Target) (Made, error) {
	return t.create(ctx, p, target)
}

// Update changes the resource in place from the properties it had.
func (t *Type) Update(ctx context.Context, p *Providers, target Target, before *template.Node) (Made, error) {
	if t.update == nil {
		return Made{PhysicalID: target.PhysicalID}, nil
	}
	return t.update(ctx, p, target, before)
}

// Delete removes the resource. It fails with ErrNotFound when there is none.
func (t *Type) Delete(ctx context.Context, p *Providers, target Target) error {
	return t.remove(ctx, p, target)
}

// Find looks for a resource whose creation was interrupted. For types with names
// the name is all that is needed, so nothing is looked for.
func (t *Type) Find(ctx context.Context, p *Providers, target Target) (physicalID string, ok bool, err error) {
	if t.find == nil {
		return "", false, nil
	}
	return t.find(ctx, p, target)
}
