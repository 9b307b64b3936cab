package server

import (
	"context"
	"errors"

	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/stream"
)

// openConsumer returns the stream of a consumer as a mapping on the consumer sees
// it: its events name the consumer, and the records that producers have packed
// into one come one by one.
func (s sources) openConsumer(arn string) (mapping.Source, error) {
	st, _, err := s.streams.ConsumerByARN(arn)
	if err != nil {
		return nil, mapping.ErrSourceGone
	}
	return consumerSource{kinesisSource{st, arn, s.region}, s.streams}, nil
}

// consumerSource lets mappings read a stream through a consumer.
type consumerSource struct {
	kinesisSource
	streams *stream.Streams
}

// Open implements mapping.Source.
func (s consumerSource) Open(key string) (mapping.ShardSource, error) {
	shard, err := s.openShard(key)
	if err != nil {
		return nil, err
	}
	return &consumerShard{shard, s.streams, s.arn}, nil
}

// consumerShard reads one shard of a stream through a consumer.
type consumerShard struct {
	*logShard
	streams  *stream.Streams
	consumer string // ARN
}

// Read implements mapping.ShardSource. It returns all records of a position or
// none, so there may be more than maxRecords by what is in one of them.
func (s *consumerShard) Read(from uint64, maxRecords, maxBytes int) ([]mapping.Record, uint64, error) {
	if _, _, err := s.streams.ConsumerByARN(s.consumer); err != nil {
		return nil, from, mapping.ErrSourceGone
	}
	recs, next, err := s.logShard.Read(from, maxRecords, maxBytes)
	if err != nil {
		return nil, from, err
	}
	out := make([]mapping.Record, 0, len(recs))
	for _, r := range recs {
		if len(out) >= maxRecords {
			return out, r.Position, nil
		}
		out = appendUnpacked(out, r)
	}
	return out, next, nil
}

func appendUnpacked(dst []mapping.Record, r mapping.Record) []mapping.Record {
	users, ok := stream.Deaggregate(r.Data)
	if !ok {
		return append(dst, r)
	}
	for i, u := range users {
		r.Sub, r.Key, r.Data = uint32(i), u.PartitionKey, u.Data
		dst = append(dst, r)
	}
	return dst
}

// Wait implements mapping.ShardSource.
func (s *consumerShard) Wait(ctx context.Context, from uint64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop, err := s.streams.WatchConsumer(s.consumer, func() { cancel(mapping.ErrSourceGone) })
	if err != nil {
		return mapping.ErrSourceGone
	}
	defer stop()
	err = s.logShard.Wait(ctx, from)
	if errors.Is(context.Cause(ctx), mapping.ErrSourceGone) {
		return mapping.ErrSourceGone
	}
	return err
}
