package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stream"
)

type streams struct{ *stream.Streams }

func streamError(err error) error {
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case stream.NotFound:
		return mark(resource.ErrNotFound, err)
	case stream.InUse:
		return mark(resource.ErrAlreadyExists, err)
	}
	return mark(resource.ErrInvalid, err)
}

func (s streams) CreateStream(ctx context.Context, spec resource.StreamSpec) (string, error) {
	if err := checkKey(spec.EncryptionKey); err != nil {
		return "", err
	}
	_, err := s.Create(ctx, stream.CreateSpec{
		Name: spec.Name, Shards: spec.Shards, Mode: spec.Mode, RetentionHours: spec.RetentionHours,
		MaxRecordKiB: spec.MaxRecordKiB, ShardMetrics: shardMetrics(spec), EncryptionKey: spec.EncryptionKey, Tags: spec.Tags,
	})
	return s.ARN(spec.Name), streamError(err)
}

func checkKey(key string) error {
	if key == "" || stream.ManagedKey(key) {
		return nil
	}
	return mark(resource.ErrInvalid, fmt.Errorf("there is no key %s: Weir has none but alias/aws/kinesis", key))
}

func (s streams) UpdateStream(ctx context.Context, spec resource.StreamSpec) error {
	if err := checkKey(spec.EncryptionKey); err != nil {
		return err
	}
	if err := s.setMode(ctx, spec); err != nil {
		return err
	}
	if err := s.scale(ctx, spec); err != nil {
		return err
	}
	size := spec.MaxRecordKiB
	if size == 0 {
		size = stream.DefaultMaxRecordKiB
	}
	if err := s.UpdateMaxRecordSize(ctx, spec.Name, size); err != nil {
		return streamError(err)
	}
	if err := s.SetShardMetrics(ctx, spec.Name, shardMetrics(spec)); err != nil {
		return streamError(err)
	}
	if err := s.SetEncryption(ctx, spec.Name, spec.EncryptionKey); err != nil {
		return streamError(err)
	}
	hours := spec.RetentionHours
	if hours == 0 {
		hours = int(stream.DefaultRetention.Hours())
	}
	if err := s.SetRetention(ctx, spec.Name, hours); err != nil {
		return streamError(err)
	}
	return streamError(s.SetTags(ctx, spec.Name, spec.Tags))
}

// setMode gives a stream the mode that a template asks for, by number of shards if not
// by name.
func (s streams) setMode(ctx context.Context, spec resource.StreamSpec) error {
	mode := spec.Mode
	if mode == "" && spec.Shards > 0 {
		mode = stream.Provisioned
	}
	if mode == "" {
		return nil
	}
	return streamError(s.UpdateMode(ctx, spec.Name, mode))
}

func shardMetrics(spec resource.StreamSpec) []string {
	if slices.Contains(spec.ShardMetrics, "ALL") {
		return stream.AllShardMetrics()
	}
	return spec.ShardMetrics
}

// scale brings a stream to the number of shards that a template asks for.
func (s streams) scale(ctx context.Context, spec resource.StreamSpec) error {
	st, err := s.Get(spec.Name)
	if err != nil || spec.Shards == 0 || spec.Shards == st.OpenShards() {
		return streamError(err)
	}
	_, err = s.UpdateShardCount(ctx, spec.Name, spec.Shards)
	return streamError(err)
}

func (s streams) DeleteStream(ctx context.Context, name string) error {
	return gone(streamError(s.Delete(ctx, name)))
}

func (s streams) RegisterConsumer(ctx context.Context, spec resource.ConsumerSpec) (resource.ConsumerMade, error) {
	st, err := s.byARN(spec.StreamARN)
	if err != nil {
		return resource.ConsumerMade{}, err
	}
	c, err := s.Streams.RegisterConsumer(ctx, st.Name(), spec.Name, spec.Tags)
	return madeConsumer(st, c), streamError(err)
}

func (s streams) TagConsumer(ctx context.Context, arn string, tags map[string]string) (resource.ConsumerMade, error) {
	st, c, err := s.ConsumerByARN(arn)
	if err != nil {
		return resource.ConsumerMade{}, streamError(err)
	}
	return madeConsumer(st, c), streamError(s.SetConsumerTags(ctx, arn, tags))
}

func (s streams) DeregisterConsumer(ctx context.Context, arn string) error {
	return gone(streamError(s.Streams.DeregisterConsumer(ctx, arn)))
}

func (s streams) FindConsumer(_ context.Context, spec resource.ConsumerSpec) (string, bool, error) {
	st, err := s.byARN(spec.StreamARN)
	if err != nil {
		return "", false, gone(err)
	}
	c, err := st.Consumer(spec.Name)
	if err != nil {
		return "", false, gone(streamError(err))
	}
	return st.ConsumerARN(c), true, nil
}

func (s streams) byARN(arn string) (*stream.Stream, error) {
	parsed, err := catalog.ParseARN(arn)
	name, ok := strings.CutPrefix(parsed.Resource, "stream/")
	if err != nil || !ok {
		return nil, mark(resource.ErrInvalid, fmt.Errorf("%s is not the ARN of a stream", arn))
	}
	st, err := s.Get(name)
	return st, streamError(err)
}

func madeConsumer(st *stream.Stream, c stream.Consumer) resource.ConsumerMade {
	return resource.ConsumerMade{ARN: st.ConsumerARN(c), Created: strconv.FormatInt(c.Created, 10)}
}
