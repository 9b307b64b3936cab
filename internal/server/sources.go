package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table"
)

// sources finds what event source mappings read.
type sources struct {
	streams *stream.Streams
	tables  *table.Tables
	region  string
}

// Open implements mapping.Sources.
func (s sources) Open(arn string) (mapping.Source, error) {
	parsed, err := catalog.ParseARN(arn)
	if err != nil {
		return nil, mapping.ErrSourceGone
	}
	if parsed.Service == "dynamodb" {
		changes, err := s.tables.ChangeStream(arn)
		var missing *table.NotFoundError
		if errors.As(err, &missing) {
			return nil, mapping.ErrSourceGone
		}
		return tableSource{changes}, err
	}
	if strings.Contains(parsed.Resource, "/consumer/") {
		return s.openConsumer(arn)
	}
	name, ok := strings.CutPrefix(parsed.Resource, "stream/")
	if !ok {
		return nil, mapping.ErrSourceGone
	}
	st, err := s.streams.Get(name)
	if err != nil || st.ARN() != arn {
		return nil, mapping.ErrSourceGone
	}
	return kinesisSource{st, arn, s.region}, nil
}

// kinesisSource lets mappings read a Kinesis stream.
type kinesisSource struct {
	st     *stream.Stream
	arn    string // that events tell, of the stream or of a consumer
	region string
}

// shardKey names a shard of one generation of a stream: a stream that is deleted
// and made again has shards with the same ids and other records.
func (s kinesisSource) shardKey(index uint32) string {
	return stream.ShardID(index) + "@" + strconv.FormatInt(s.st.Definition().Created, 10)
}

// Shards implements mapping.Source. Closed shards whose records have all expired
// stay in the list; they are done as soon as they are looked at.
func (s kinesisSource) Shards() ([]mapping.Shard, error) {
	shards := s.st.Definition().Shards
	out := make([]mapping.Shard, len(shards))
	for i, sh := range shards {
		out[i] = mapping.Shard{Key: s.shardKey(sh.Index), ID: sh.ID()}
		for _, parent := range []*uint32{sh.Parent, sh.Adjacent} {
			if parent != nil {
				out[i].Parents = append(out[i].Parents, s.shardKey(*parent))
			}
		}
	}
	return out, nil
}

// Open implements mapping.Source.
func (s kinesisSource) Open(key string) (mapping.ShardSource, error) {
	shard, err := s.openShard(key)
	if err != nil {
		return nil, err
	}
	return shard, nil
}

func (s kinesisSource) openShard(key string) (*logShard, error) {
	id, _, _ := strings.Cut(key, "@")
	index, ok := stream.ParseShardID(id)
	if !ok {
		return nil, fmt.Errorf("shard key %q is malformed", key)
	}
	sh, ok := s.st.Shard(index)
	if !ok || s.shardKey(index) != key {
		return nil, mapping.ErrSourceGone
	}
	event := stream.Event{SourceARN: s.arn, Region: s.region, Shard: sh}
	return &logShard{log: s.st.Log(), index: index, event: func(dst []byte, role string, r stream.Record) ([]byte, error) {
		e := event
		e.Role = role
		return e.Append(dst, r), nil
	}, sequence: func(r stream.Record) string { return sh.SequenceOf(r).String() }}, nil
}

// tableSource lets mappings read the changes of a table.
type tableSource struct{ changes *table.ChangeStream }

// Shards implements mapping.Source.
func (s tableSource) Shards() ([]mapping.Shard, error) {
	var out []mapping.Shard
	for _, sh := range s.changes.Shards() {
		shard := mapping.Shard{Key: sh.ID, ID: sh.ID}
		if sh.Parent != "" {
			shard.Parents = []string{sh.Parent}
		}
		out = append(out, shard)
	}
	return out, nil
}

// Open implements mapping.Source.
func (s tableSource) Open(key string) (mapping.ShardSource, error) {
	for _, sh := range s.changes.Shards() {
		if sh.ID == key {
			return &logShard{log: s.changes.Log(), index: sh.Index, event: func(dst []byte, _ string, r stream.Record) ([]byte, error) {
				return s.changes.AppendEventRecord(dst, sh.Index, r)
			}, sequence: func(r stream.Record) string { return table.SequenceNumber(r.Position) },
				key: func(r stream.Record) string { return string(table.ChangedItem(r)) }}, nil
		}
	}
	return nil, mapping.ErrSourceGone
}

// logShard reads one shard of a log. It is used by one reader at a time.
type logShard struct {
	log      *stream.Log
	index    uint32
	event    func(dst []byte, role string, r stream.Record) ([]byte, error)
	sequence func(r stream.Record) string
	key      func(r stream.Record) string // nil for the partition key
}

// Start implements mapping.ShardSource.
func (s *logShard) Start(at mapping.StartingPosition) (uint64, error) {
	var p stream.Position
	var err error
	switch at.Type {
	case mapping.Latest:
		p = s.log.Tip(s.index)
	case mapping.AtTimestamp:
		p, err = s.log.PositionAt(s.index, at.Timestamp)
	default:
		p, err = s.log.Horizon(s.index)
	}
	return uint64(p), sourceGone(err)
}

// Read implements mapping.ShardSource.
func (s *logShard) Read(from uint64, maxRecords, maxBytes int) ([]mapping.Record, uint64, error) {
	recs, next, err := s.log.Read(s.index, stream.Position(from), maxRecords, maxBytes)
	out := make([]mapping.Record, len(recs))
	for i, r := range recs {
		out[i] = mapping.Record{Position: uint64(r.Position), Arrival: r.Arrival, Key: r.PartitionKey, Data: r.Data}
		if s.key != nil {
			out[i].Key = s.key(r)
		}
	}
	return out, uint64(next), sourceGone(err)
}

// Wait implements mapping.ShardSource.
func (s *logShard) Wait(ctx context.Context, from uint64) error {
	return sourceGone(s.log.Wait(ctx, s.index, stream.Position(from)))
}

// Done implements mapping.ShardSource.
func (s *logShard) Done(from uint64) bool {
	return s.log.Closed(s.index) && stream.Position(from) >= s.log.Tip(s.index)
}

// Expired implements mapping.ShardSource.
func (s *logShard) Expired(r mapping.Record) bool {
	return time.Since(time.UnixMilli(r.Arrival)) > s.log.Retention()
}

// AppendEvent implements mapping.ShardSource.
func (s *logShard) AppendEvent(dst []byte, role string, r mapping.Record) ([]byte, error) {
	return s.event(dst, role, streamRecord(r))
}

// SequenceNumber implements mapping.ShardSource.
func (s *logShard) SequenceNumber(r mapping.Record) string { return s.sequence(streamRecord(r)) }

func streamRecord(r mapping.Record) stream.Record {
	return stream.Record{Position: stream.Position(r.Position), Arrival: r.Arrival, PartitionKey: r.Key, Data: r.Data}
}

func sourceGone(err error) error {
	if errors.Is(err, stream.ErrNoLog) {
		return mapping.ErrSourceGone
	}
	return err
}
