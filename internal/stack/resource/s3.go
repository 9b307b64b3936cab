package resource

import (
	"context"
	"fmt"
	"strings"
)

// BucketMaker makes S3 buckets.
type BucketMaker interface {
	CreateBucket(context.Context, BucketSpec) error
	// UpdateBucket changes tags and notifications.
	UpdateBucket(context.Context, BucketSpec) error
	DeleteBucket(ctx context.Context, name string) error
	// SetBucketPolicy keeps a policy for a bucket; "" removes it.
	SetBucketPolicy(ctx context.Context, bucket, policy string) error
	// ReadObject returns the bytes of an object.
	ReadObject(ctx context.Context, bucket, key string) ([]byte, error)
}

// BucketSpec describes a bucket.
type BucketSpec struct {
	Name          string
	Tags          map[string]string
	Notifications []BucketNotification
}

// BucketNotification sends an event of some keys to a destination.
type BucketNotification struct {
	Target         string // ARN
	Event          string // "s3:ObjectCreated:*"
	Prefix, Suffix *string
}

var s3Bucket = define(Type{
	Name: "AWS::S3::Bucket", NameProperty: "BucketName", NameLimit: 63, LowerCase: true,
	Properties: []string{"AccessControl", "BucketEncryption", "BucketName", "NotificationConfiguration", "OwnershipControls",
		"PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration"},
	Unimplemented: []string{"AbacStatus", "AccelerateConfiguration", "AnalyticsConfigurations", "BucketNamePrefix", "BucketNamespace",
		"CorsConfiguration", "IntelligentTieringConfigurations", "InventoryConfigurations", "LifecycleConfiguration", "LoggingConfiguration",
		"MetadataConfiguration", "MetadataTableConfiguration", "MetricsConfigurations", "ObjectLockConfiguration", "ObjectLockEnabled",
		"ReplicationConfiguration", "WebsiteConfiguration"},
	Replace:    []string{"BucketName"},
	Attributes: []string{"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"},
}, operations[BucketSpec]{
	decode: decodeBucket,
	create: func(ctx context.Context, p *Providers, t Target, s BucketSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		return madeBucket(t), p.Buckets.CreateBucket(ctx, s)
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s BucketSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		return madeBucket(t), p.Buckets.UpdateBucket(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ BucketSpec) error {
		return p.Buckets.DeleteBucket(ctx, t.Name)
	},
})

func madeBucket(t Target) Made {
	return Made{PhysicalID: t.Name, Attributes: map[string]string{
		"Arn":                 "arn:" + t.Identity.Partition + ":s3:::" + t.Name,
		"DomainName":          t.Name + ".s3.amazonaws.com",
		"DualStackDomainName": t.Name + ".s3.dualstack." + t.Identity.Region + ".amazonaws.com",
		"RegionalDomainName":  t.Name + ".s3." + t.Identity.Region + ".amazonaws.com",
		"WebsiteURL":          "http://" + t.Name + ".s3-website-" + t.Identity.Region + ".amazonaws.com",
	}}
}

func decodeBucket(o *object) BucketSpec {
	s := BucketSpec{Name: o.text("BucketName"), Tags: o.tags()}
	if strings.ToLower(s.Name) != s.Name {
		o.fail(o.get("BucketName").Line, "Bucket name should not contain uppercase characters")
	}
	o.only("AccessControl", "Private", "BucketOwnerFullControl")
	if versioning := o.object("VersioningConfiguration"); versioning != nil {
		versioning.only("Status", "Suspended")
		versioning.done()
	}
	if encryption := o.object("BucketEncryption"); encryption != nil {
		for _, rule := range encryption.objects("ServerSideEncryptionConfiguration") {
			if by := rule.object("ServerSideEncryptionByDefault"); by != nil {
				by.only("SSEAlgorithm", "AES256")
				by.done()
			}
			rule.boolean("BucketKeyEnabled")
			rule.done()
		}
		encryption.done()
	}
	decodeAccess(o)
	n := o.object("NotificationConfiguration")
	if n == nil {
		return s
	}
	for _, kind := range []struct{ list, target string }{
		{"LambdaConfigurations", "Function"}, {"QueueConfigurations", "Queue"}, {"TopicConfigurations", "Topic"},
	} {
		for _, rule := range n.objects(kind.list) {
			s.Notifications = append(s.Notifications, decodeNotification(rule, kind.target))
		}
	}
	if bridge := n.object("EventBridgeConfiguration"); bridge != nil {
		bridge.only("EventBridgeEnabled", "false")
		bridge.done()
	}
	n.done()
	return s
}

// decodeAccess reads settings that forbid what nobody can do here anyway.
func decodeAccess(o *object) {
	if block := o.object("PublicAccessBlockConfiguration"); block != nil {
		for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			block.boolean(name)
		}
		block.done()
	}
	if controls := o.object("OwnershipControls"); controls != nil {
		for _, rule := range controls.objects("Rules") {
			rule.only("ObjectOwnership", "BucketOwnerEnforced") // the others are for access control lists
			rule.done()
		}
		controls.done()
	}
}

func decodeNotification(rule *object, target string) BucketNotification {
	rule.require("Event", target)
	n := BucketNotification{Target: rule.text(target), Event: rule.text("Event")}
	if filter := rule.object("Filter"); filter != nil {
		filter.require("S3Key")
		if key := filter.object("S3Key"); key != nil {
			for _, r := range key.objects("Rules") {
				r.require("Name", "Value")
				value := r.text("Value")
				if strings.EqualFold(r.oneOf("Name", "prefix", "suffix", "Prefix", "Suffix"), "prefix") {
					n.Prefix = &value
				} else {
					n.Suffix = &value
				}
				r.done()
			}
			key.done()
		}
		filter.done()
	}
	rule.done()
	return n
}

// bucketPolicy is a policy that a bucket keeps and nobody enforces.
type bucketPolicy struct{ bucket, document string }

var s3BucketPolicy = define(Type{
	Name:       "AWS::S3::BucketPolicy",
	Properties: []string{"Bucket", "PolicyDocument"},
	Replace:    []string{"Bucket"},
}, operations[bucketPolicy]{
	decode: func(o *object) bucketPolicy {
		o.require("Bucket", "PolicyDocument")
		policyDocument(o, "PolicyDocument")
		p := bucketPolicy{bucket: o.text("Bucket")}
		if n := o.get("PolicyDocument"); n != nil && !n.HasUnknown() {
			if doc, err := n.MarshalJSON(); err == nil {
				p.document = string(doc)
			}
		}
		return p
	},
	create: func(ctx context.Context, p *Providers, _ Target, s bucketPolicy) (Made, error) {
		return Made{PhysicalID: s.bucket}, p.Buckets.SetBucketPolicy(ctx, s.bucket, s.document)
	},
	update: func(ctx context.Context, p *Providers, _ Target, _, s bucketPolicy) (Made, error) {
		return Made{PhysicalID: s.bucket}, p.Buckets.SetBucketPolicy(ctx, s.bucket, s.document)
	},
	remove: func(ctx context.Context, p *Providers, _ Target, s bucketPolicy) error {
		return p.Buckets.SetBucketPolicy(ctx, s.bucket, "")
	},
	find: func(_ context.Context, _ *Providers, s bucketPolicy) (string, bool, error) {
		return s.bucket, s.bucket != "", nil
	},
})

// objectCode is code of a function in a bucket.
type objectCode struct{ bucket, key string }

func decodeObjectCode(code *object) objectCode {
	code.require("S3Bucket", "S3Key")
	code.only("S3ObjectVersion", "null")
	return objectCode{code.text("S3Bucket"), code.text("S3Key")}
}

func (c objectCode) read(ctx context.Context, p *Providers) ([]byte, error) {
	zip, err := p.Buckets.ReadObject(ctx, c.bucket, c.key)
	if err != nil {
		return nil, fmt.Errorf("error occurred while GetObject s3://%s/%s: %w", c.bucket, c.key, err)
	}
	return zip, nil
}
