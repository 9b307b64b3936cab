package stack

import (
	"context"
	"fmt"
	"strings"

	"github.com/weirstream/weir/internal/stack/resource"
)

// buckets are those of the world.
type buckets struct{ *world }

func bucketDetail(spec resource.BucketSpec) string {
	var rules []string
	for _, n := range spec.Notifications {
		rule := n.Event + " to " + n.Target
		if n.Prefix != nil {
			rule += " of " + *n.Prefix
		}
		rules = append(rules, rule)
	}
	return strings.Join(rules, ", ")
}

func (b buckets) CreateBucket(ctx context.Context, spec resource.BucketSpec) error {
	return b.create(ctx, "CreateBucket", "bucket", spec.Name, bucketDetail(spec))
}

func (b buckets) UpdateBucket(ctx context.Context, spec resource.BucketSpec) error {
	return b.update(ctx, "UpdateBucket", "bucket", spec.Name, bucketDetail(spec))
}

func (b buckets) DeleteBucket(ctx context.Context, name string) error {
	return b.remove(ctx, "DeleteBucket", "bucket", name)
}

func (b buckets) SetBucketPolicy(ctx context.Context, bucket, policy string) error {
	return b.call(ctx, "SetBucketPolicy", bucket, policy, func() error { return nil })
}

func (b buckets) ReadObject(ctx context.Context, bucket, key string) ([]byte, error) {
	err := b.call(ctx, "ReadObject", bucket, key, func() error { return nil })
	return fmt.Appendf(nil, "code of %s/%s", bucket, key), err
}
