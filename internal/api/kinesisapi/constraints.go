package kinesisapi

import (
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
)

var (
	namePattern     = api.MustPattern(`[a-zA-Z0-9_.-]+`)
	arnPattern      = api.MustPattern(`arn:aws.*:kinesis:.*:\d{12}:stream/\S+`)
	hashKeyPattern  = api.MustPattern(`0|([1-9]\d{0,38})`)
	sequencePattern = api.MustPattern(`0|([1-9]\d{0,128})`)
)

const (
	maxData         = 10 << 20
	maxIterator     = 512
	maxToken        = 1 << 20
	maxListed       = 10000
	maxPutRecords   = 500
	maxNameLength   = 128
	maxARNLength    = 2048
	maxPartitionKey = 256
	maxKeyLength    = 2048
)

func checkName(c *api.Constraints, path string, value *string) {
	c.Length(path, value, 1, maxNameLength)
	c.Pattern(path, value, namePattern)
}

func checkStream(c *api.Constraints, name, arn *string) {
	checkName(c, "streamName", name)
	c.Length("streamARN", arn, 1, maxARNLength)
	c.Pattern("streamARN", arn, arnPattern)
}

func checkTags(c *api.Constraints, tags map[string]string) {
	c.MapSize("tags", tags, 1, 200)
	c.KeyLengths("tags", tags, 1, 128)
	c.ValueLengths("tags", tags, 0, 256)
}

func checkTagKeys(c *api.Constraints, keys []string) {
	c.Required("tagKeys", keys != nil)
	if keys != nil {
		c.ListSize("tagKeys", len(keys), 1, 50, func(i int) string { return keys[i] })
		c.ElementLengths("tagKeys", keys, 1, 128)
	}
}

func checkLimit(c *api.Constraints, path string, value *int32) {
	c.Range(path, value, 1, maxListed)
}

// checkEntry checks what PutRecord and the entries of PutRecords share. member
// gives the path of a member.
func checkEntry(c *api.Constraints, member func(string) string, data []byte, key, hash *string) {
	c.Required(member("data"), data != nil)
	c.BlobLength(member("data"), data, 0, maxData)
	c.Required(member("partitionKey"), key != nil)
	c.Length(member("partitionKey"), key, 1, maxPartitionKey)
	c.Pattern(member("explicitHashKey"), hash, hashKeyPattern)
}

func checkEntries(c *api.Constraints, records []types.PutRecordsRequestEntry) {
	c.Required("records", records != nil)
	if records == nil {
		return
	}
	c.ListSize("records", len(records), 1, maxPutRecords, func(i int) string {
		return fmt.Sprintf("com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@%x", i)
	})
	for i, r := range records {
		checkEntry(c, func(m string) string { return api.MemberPath("records", i, m) }, r.Data, r.PartitionKey, r.ExplicitHashKey)
	}
}

func checkIteratorType(c *api.Constraints, path string, t types.ShardIteratorType, given func() bool) {
	api.RequiredEnum(c, path, t, given, types.ShardIteratorTypeAfterSequenceNumber, types.ShardIteratorTypeLatest,
		types.ShardIteratorTypeAtTimestamp, types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeTrimHorizon)
}

func checkShardCount(c *api.Constraints, n *int32) { c.Range("shardCount", n, 1, math.MaxInt64) }
