package stream

import (
	"strconv"
	"strings"
	"time"
)

// Modes of a stream. They differ in how shards come about, not in how records
// flow.
const (
	Provisioned = "PROVISIONED"
	OnDemand    = "ON_DEMAND"
)

// DefaultRetention is how long records can be read unless a stream says
// otherwise.
const DefaultRetention = 24 * time.Hour

// DefaultMaxRecordKiB is the size of the largest record, data and partition key,
// unless a stream says otherwise.
const DefaultMaxRecordKiB = 1024

// Definition is what a stream is, as kept in the catalog.
type Definition struct {
	Name           string
	Log            LogID
	Created        int64 // epoch milliseconds
	Mode           string
	RetentionHours int
	MaxRecordKiB   int               // largest record, data and partition key
	Shards         []Shard           // by index; never shrinks
	Tags           map[string]string `json:",omitempty"`
	Consumers      []Consumer        `json:",omitempty"` // by name
	Encryption     Encryption        `json:",omitempty"`
	// ConsumersFrom is the earliest creation time, epoch seconds, that the next
	// consumer may have.
	ConsumersFrom int64 `json:",omitempty"`
	// Rescaled are the times of the latest updates of the shard count, epoch seconds.
	Rescaled []int64 `json:",omitempty"`
	// ModeChanged are the times of the latest changes of the mode, epoch seconds.
	ModeChanged []int64 `json:",omitempty"`
	// ShardMetrics are the names of the metrics that each shard has, sorted.
	ShardMetrics []string `json:",omitempty"`
}

// Shard is a part of a stream's hash key space over a span of time.
type Shard struct {
	Index    uint32
	Created  int64 // epoch seconds
	Range    HashRange
	Parent   *uint32  `json:",omitempty"`
	Adjacent *uint32  `json:",omitempty"` // second parent of a merge
	Closed   int64    `json:",omitempty"` // epoch seconds, 0 while open
	End      Position `json:",omitempty"` // of a closed shard: one after the last record
}

// Open reports whether the shard takes records.
func (s Shard) Open() bool { return s.Closed == 0 }

// ID returns the shard's id, shardId-000000000000.
func (s Shard) ID() string { return ShardID(s.Index) }

// First returns the sequence number before all records of the shard.
func (s Shard) First() Sequence {
	return Sequence{ShardCreated: s.Created, Shard: s.Index, Time: s.Created}
}

// Last returns the sequence number after all records of a closed shard.
func (s Shard) Last() Sequence {
	return Sequence{ShardCreated: s.Created, Shard: s.Index, Counter: endCounter, Time: s.Closed}
}

// SequenceOf returns the sequence number of one of the shard's records.
func (s Shard) SequenceOf(r Record) Sequence {
	return Sequence{ShardCreated: s.Created, Shard: s.Index, Counter: uint64(r.Position), Time: r.Arrival / 1000}
}

// ShardID formats a shard index.
func ShardID(index uint32) string { return string(AppendShardID(nil, index)) }

// ParseShardID reads a shard id as leniently as the service does: decimal digits,
// after the first dash if there is one. ok is false for anything else and for
// indexes above 2147483647.
func ParseShardID(id string) (index uint32, ok bool) {
	if _, after, found := strings.Cut(id, "-"); found {
		id = after
	}
	n, err := strconv.ParseUint(id, 10, 31)
	return uint32(n), err == nil && !strings.HasPrefix(id, "+")
}

// AppendShardID appends the shard id of an index to dst.
func AppendShardID(dst []byte, index uint32) []byte {
	dst = append(dst, "shardId-000000000000"...)
	for i := len(dst) - 1; index > 0; i-- {
		dst[i] = byte('0' + index%10)
		index /= 10
	}
	return dst
}
