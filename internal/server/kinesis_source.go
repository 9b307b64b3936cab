package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/stream"
)

// kinesisSource lets mappings read a Kinesis stream.
type kinesisSource struct {
	st     *stream.Stream
	region string
}

// shardKey names a shard of one generation of a stream: a stream that is deleted
// and made again has shards with the same ids and other records.
func (s kinesisSource) shardKey(sh stream.Shard) string {
	return sh.ID() + "@" + strconv.FormatInt(s.st.Definition().Created, 10)
}

func (s kinesisSource) shard(key string) (stream.Shard, error) {
	id, _, _ := strings.Cut(key, "@")
	index, ok := stream.ParseShardID(id)
	if !ok {
		return stream.Shard{}, fmt.Errorf("shard key %q is malformed", key)
	}
	sh, ok := s.st.Shard(index)
	if !ok || s.shardKey(sh) != key {
		return stream.Shard{}, mapping.ErrSourceGone
	}
	return sh, nil
}

// Shards implements mapping.Source. Closed shards whose records have all expired
// stay in the list; they are done as soon as they are looked at.
func (s kinesisSource) Shards() ([]mapping.Shard, error) {
	shards := s.st.Definition().Shards
	out := make([]mapping.Shard, len(shards))
	for i, sh := range shards {
		out[i] = mapping.Shard{Key: s.shardKey(sh), ID: sh.ID()}
		for _, parent := range []*uint32{sh.Parent, sh.Adjacent} {
			if parent != nil {
				out[i].Parents = append(out[i].Parents, s.shardKey(shards[*parent]))
			}
		}
	}
	return out, nil
}

// Start implements mapping.Source.
func (s kinesisSource) Start(key string, at mapping.StartingPosition) (uint64, error) {
	sh, err := s.shard(key)
	if err != nil {
		return 0, err
	}
	log := s.st.Log()
	switch at.Type {
	case mapping.Latest:
		return uint64(log.Tip(sh.Index)), nil
	case mapping.AtTimestamp:
		p, err := log.PositionAt(sh.Index, at.Timestamp)
		return uint64(p), sourceGone(err)
	}
	p, err := log.Horizon(sh.Index)
	return uint64(p), sourceGone(err)
}

// Read implements mapping.Source.
func (s kinesisSource) Read(key string, from uint64, maxRecords, maxBytes int) ([]mapping.Record, uint64, error) {
	sh, err := s.shard(key)
	if err != nil {
		return nil, 0, err
	}
	recs, next, err := s.st.Log().Read(sh.Index, stream.Position(from), maxRecords, maxBytes)
	return mappingRecords(recs), uint64(next), sourceGone(err)
}

// Wait implements mapping.Source.
func (s kinesisSource) Wait(ctx context.Context, key string, from uint64) error {
	sh, err := s.shard(key)
	if err != nil {
		return err
	}
	return sourceGone(s.st.Log().Wait(ctx, sh.Index, stream.Position(from)))
}

// Done implements mapping.Source.
func (s kinesisSource) Done(key string, from uint64) (bool, error) {
	sh, err := s.shard(key)
	if err != nil {
		return false, err
	}
	return !sh.Open() && stream.Position(from) >= sh.End, nil
}

// Expired implements mapping.Source.
func (s kinesisSource) Expired(r mapping.Record) bool {
	return time.Since(time.UnixMilli(r.Arrival)) > s.st.Log().Retention()
}

// AppendEvent implements mapping.Source.
func (s kinesisSource) AppendEvent(dst []byte, key, role string, r mapping.Record) ([]byte, error) {
	sh, err := s.shard(key)
	if err != nil {
		return dst, err
	}
	e := stream.Event{SourceARN: s.st.ARN(), Region: s.region, Shard: sh, Role: role}
	return e.Append(dst, stream.Record{Position: stream.Position(r.Position), Arrival: r.Arrival, PartitionKey: r.Key, Data: r.Data}), nil
}

func mappingRecords(recs []stream.Record) []mapping.Record {
	out := make([]mapping.Record, len(recs))
	for i, r := range recs {
		out[i] = mapping.Record{Position: uint64(r.Position), Arrival: r.Arrival, Key: r.PartitionKey, Data: r.Data}
	}
	return out
}

func sourceGone(err error) error {
	if errors.Is(err, stream.ErrNoLog) {
		return mapping.ErrSourceGone
	}
	return err
}
