package provision

import (
	"context"
	"errors"

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
	_, err := s.Create(ctx, stream.CreateSpec{
		Name: spec.Name, Shards: spec.Shards, Mode: spec.Mode, RetentionHours: spec.RetentionHours, Tags: spec.Tags,
	})
	return s.ARN(spec.Name), streamError(err)
}

func (s streams) UpdateStream(ctx context.Context, spec resource.StreamSpec) error {
	hours := spec.RetentionHours
	if hours == 0 {
		hours = int(stream.DefaultRetention.Hours())
	}
	if err := s.SetRetention(ctx, spec.Name, hours); err != nil {
		return streamError(err)
	}
	return streamError(s.SetTags(ctx, spec.Name, spec.Tags))
}

func (s streams) DeleteStream(ctx context.Context, name string) error {
	return gone(streamError(s.Delete(ctx, name)))
}
