package provision

import (
	"context"
	"errors"

	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/stack/resource"
)

type buckets struct{ *object.Buckets }

func bucketError(err error) error {
	var e *object.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case object.NoSuchBucket, object.NoSuchKey:
		return mark(resource.ErrNotFound, err)
	case object.BucketExists:
		return mark(resource.ErrAlreadyExists, err)
	}
	return mark(resource.ErrInvalid, err)
}

func (b buckets) CreateBucket(ctx context.Context, spec resource.BucketSpec) error {
	if err := b.Buckets.CreateBucket(ctx, spec.Name, "", nil); err != nil {
		return bucketError(err)
	}
	return b.UpdateBucket(ctx, spec)
}

func (b buckets) UpdateBucket(ctx context.Context, spec resource.BucketSpec) error {
	if err := b.SetTags(ctx, spec.Name, spec.Tags); err != nil {
		return bucketError(err)
	}
	var n object.Notifications
	for _, rule := range spec.Notifications {
		n.Rules = append(n.Rules, object.Rule{Target: rule.Target, Events: []string{rule.Event}, Prefix: rule.Prefix, Suffix: rule.Suffix})
	}
	return bucketError(b.SetNotifications(ctx, spec.Name, n, false, object.Origin{}))
}

func (b buckets) DeleteBucket(ctx context.Context, name string) error {
	return bucketError(b.Buckets.DeleteBucket(ctx, name))
}

func (b buckets) SetBucketPolicy(ctx context.Context, bucket, policy string) error {
	err := bucketError(b.SetPolicy(ctx, bucket, policy))
	if policy == "" {
		return gone(err)
	}
	return err
}

func (b buckets) ReadObject(ctx context.Context, bucket, key string) ([]byte, error) {
	body, err := b.Read(ctx, bucket, key, function.MaxUnzippedBytes)
	return body, bucketError(err)
}
