package table

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
)

// StreamSummary names a stream.
type StreamSummary struct{ ARN, Table, Label string }

// ListStreams returns up to limit streams after the one with the given ARN, of one
// table or, for "", of all, and whether there are more.
func (t *Tables) ListStreams(tableName, after string, limit int) (found []StreamSummary, more bool) {
	tableName = t.tableName(tableName)
	now := time.Now()
	for _, def := range t.streams.All() {
		if def.ARN <= after || tableName != "" && def.Table != tableName || def.expired(now) {
			continue
		}
		if len(found) == limit {
			return found, true
		}
		found = append(found, StreamSummary{def.ARN, def.Table, def.Label})
	}
	return found, false
}

// StreamDescription is what can be known of a stream.
type StreamDescription struct {
	StreamSummary
	Enabled   bool
	View      StreamView
	Created   time.Time
	Key       []KeyAttribute
	Shards    []ChangeShard
	LastShard string // id of the last of Shards if there are more
}

// DescribeStream describes a stream with up to limit of its shards, after the one
// with the given id. The error is a NotFoundError when there is no such stream.
func (t *Tables) DescribeStream(arn, afterShard string, limit int) (StreamDescription, error) {
	s, err := t.ChangeStream(arn)
	if err != nil {
		return StreamDescription{}, err
	}
	d := StreamDescription{
		StreamSummary: StreamSummary{s.def.ARN, s.def.Table, s.def.Label},
		Enabled:       s.def.Disabled.IsZero(),
		View:          s.def.View,
		Created:       s.def.Created,
		Key:           s.def.Key,
		Shards:        s.Shards(),
	}
	// Ids grow with the index.
	d.Shards = slices.DeleteFunc(d.Shards, func(sh ChangeShard) bool { return sh.ID <= afterShard })
	if len(d.Shards) > limit {
		d.Shards = d.Shards[:limit]
		d.LastShard = d.Shards[limit-1].ID
	}
	return d, nil
}

// IteratorType says where in a shard an iterator begins.
type IteratorType string

// The types.
const (
	TrimHorizon         IteratorType = "TRIM_HORIZON"
	Latest              IteratorType = "LATEST"
	AtSequenceNumber    IteratorType = "AT_SEQUENCE_NUMBER"
	AfterSequenceNumber IteratorType = "AFTER_SEQUENCE_NUMBER"
)

// iteratorLifetime is how long an iterator can be used.
const iteratorLifetime = 15 * time.Minute

// iterator is a place in a shard. Its text holds all that is needed to go on.
type iterator struct {
	arn    string
	shard  uint32
	next   stream.Position
	issued time.Time
}

// iteratorVersion is the first byte of the opaque part.
const iteratorVersion = 1

func (it iterator) String() string {
	b := []byte{iteratorVersion}
	b = binary.BigEndian.AppendUint32(b, it.shard)
	b = binary.BigEndian.AppendUint64(b, uint64(it.next))
	b = binary.BigEndian.AppendUint64(b, uint64(it.issued.UnixMilli()))
	return it.arn + "|" + strconv.Itoa(iteratorVersion) + "|" + base64.StdEncoding.EncodeToString(b)
}

var errBadIterator = attr.Invalidf("Invalid ShardIterator")

func parseIterator(s string) (iterator, error) {
	parts := strings.Split(s, "|")
	if len(parts) != 3 || parts[1] != strconv.Itoa(iteratorVersion) {
		return iterator{}, errBadIterator
	}
	b, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(b) != 1+4+8+8 || b[0] != iteratorVersion {
		return iterator{}, errBadIterator
	}
	return iterator{
		arn:    parts[0],
		shard:  binary.BigEndian.Uint32(b[1:]),
		next:   stream.Position(binary.BigEndian.Uint64(b[5:])),
		issued: time.UnixMilli(int64(binary.BigEndian.Uint64(b[13:]))),
	}, nil
}

// GetShardIterator returns an iterator. Errors that are the client's: InvalidError,
// NotFoundError, ErrTrimmed.
func (t *Tables) GetShardIterator(arn, shardID string, kind IteratorType, sequence string) (string, error) {
	s, err := t.ChangeStream(arn)
	if err != nil {
		return "", err
	}
	shard, ok := s.shardIndex(shardID)
	if !ok {
		return "", &NotFoundError{fmt.Sprintf("Requested resource not found: Shard: %s in Stream: %s not found", shardID, arn)}
	}
	next, err := s.startAt(shard, kind, sequence)
	if err != nil {
		return "", err
	}
	return iterator{arn, shard, next, time.Now()}.String(), nil
}

func (s *ChangeStream) startAt(shard uint32, kind IteratorType, sequence string) (stream.Position, error) {
	if kind == TrimHorizon || kind == Latest {
		if sequence != "" {
			return 0, attr.Invalidf("SequenceNumber must not be specified for ShardIteratorType %s", kind)
		}
		if kind == Latest {
			return s.log.Tip(shard), nil
		}
		return s.log.Horizon(shard)
	}
	p, ok := ParseSequenceNumber(sequence)
	if !ok {
		return 0, attr.Invalidf("Invalid SequenceNumber: %s", sequence)
	}
	// After the first number of a shard without records is where they will begin.
	if kind == AfterSequenceNumber && p != s.log.Tip(shard) {
		p++
	}
	horizon, err := s.log.Horizon(shard)
	if err != nil {
		return 0, err
	}
	if p < horizon {
		return 0, ErrTrimmed
	}
	if p > s.log.Tip(shard) {
		return 0, attr.Invalidf("Invalid SequenceNumber: %s", sequence)
	}
	return p, nil
}

// maxRecordsBytes is how many bytes of records GetRecords returns.
const maxRecordsBytes = 1 << 20

// GetRecords returns records from an iterator on and the iterator to go on with,
// which is "" at the end of a closed shard. Errors that are the client's:
// InvalidError, NotFoundError, ErrExpiredIterator, ErrTrimmed.
func (t *Tables) GetRecords(shardIterator string, limit int) (stream *ChangeStream, changes []Change, next string, err error) {
	it, err := parseIterator(shardIterator)
	if err != nil {
		return nil, nil, "", err
	}
	s, err := t.ChangeStream(it.arn)
	if err != nil {
		return nil, nil, "", err
	}
	if time.Since(it.issued) > iteratorLifetime {
		return nil, nil, "", ErrExpiredIterator
	}
	horizon, err := s.log.Horizon(it.shard)
	if err != nil {
		return nil, nil, "", errBadIterator
	}
	if it.next < horizon {
		return nil, nil, "", ErrTrimmed
	}
	// Asked before reading: a shard that is closed now has no more records later.
	closed := s.log.Closed(it.shard)
	recs, position, err := s.log.Read(it.shard, it.next, limit, maxRecordsBytes)
	if err != nil {
		return nil, nil, "", fmt.Errorf("read %s: %w", it.arn, err)
	}
	for _, r := range recs {
		c, err := s.Decode(it.shard, r)
		if err != nil {
			return nil, nil, "", err
		}
		changes = append(changes, c)
	}
	t.observeRecords(s, changes)
	if closed && position >= s.log.Tip(it.shard) {
		return s, changes, "", nil
	}
	it.next, it.issued = position, time.Now()
	return s, changes, it.String(), nil
}
