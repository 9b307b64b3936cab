package kinesisapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
)

func (h handlers) putRecord(ctx context.Context, in *kinesis.PutRecordInput) (*kinesis.PutRecordOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	checkEntry(&c, func(m string) string { return m }, in.Data, in.PartitionKey, in.ExplicitHashKey)
	c.Pattern("sequenceNumberForOrdering", in.SequenceNumberForOrdering, sequencePattern)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if aws.ToBool(in.DryRun) {
		return nil, invalidArgument(dryRunRefused)
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	e, err := entry(in.PartitionKey, in.ExplicitHashKey, in.Data)
	if err != nil {
		return nil, err
	}
	placed, err := putRecord(ctx, st, e, aws.ToString(in.SequenceNumberForOrdering))
	if err != nil {
		return nil, exception(err)
	}
	return &kinesis.PutRecordOutput{
		ShardId: aws.String(stream.ShardID(placed.Shard)), SequenceNumber: aws.String(placed.Sequence.String()),
		EncryptionType: encryptionType(st.Definition().Encryption.Key() != ""),
	}, nil
}

const dryRunRefused = "Weir does not implement DryRun."

func entry(key, hash *string, data []byte) (stream.Entry, error) {
	e := stream.Entry{PartitionKey: aws.ToString(key), Data: data}
	if hash != nil {
		h, err := stream.ParseHashKey(*hash)
		if err != nil {
			return e, invalidArgument("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was " + *hash)
		}
		e.Hash = &h
	}
	return e, nil
}

func (h handlers) putRecords(ctx context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	checkEntries(&c, in.Records)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if aws.ToBool(in.DryRun) {
		return nil, invalidArgument(dryRunRefused)
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	entries := make([]stream.Entry, len(in.Records))
	for i, r := range in.Records {
		if entries[i], err = entry(r.PartitionKey, r.ExplicitHashKey, r.Data); err != nil {
			return nil, err
		}
	}
	placed, err := putRecords(ctx, st, entries)
	if err != nil {
		return nil, exception(err)
	}
	out := &kinesis.PutRecordsOutput{
		FailedRecordCount: aws.Int32(0), Records: make([]types.PutRecordsResultEntry, len(placed)),
		EncryptionType: encryptionType(st.Definition().Encryption.Key() != ""),
	}
	for i, p := range placed {
		out.Records[i] = types.PutRecordsResultEntry{ShardId: aws.String(stream.ShardID(p.Shard)), SequenceNumber: aws.String(p.Sequence.String())}
	}
	return out, nil
}

// putRecord puts a record where the operation takes effect.
func putRecord(ctx context.Context, st *stream.Stream, e stream.Entry, after string) (stream.Placed, error) {
	if tx := api.EffectsOf(ctx); tx != nil {
		return st.PutRecordIn(tx, e, after)
	}
	return st.PutRecord(ctx, e, after)
}

// putRecords puts records where the operation takes effect.
func putRecords(ctx context.Context, st *stream.Stream, entries []stream.Entry) ([]stream.Placed, error) {
	if tx := api.EffectsOf(ctx); tx != nil {
		return st.PutRecordsIn(tx, entries)
	}
	return st.PutRecords(ctx, entries)
}

func (h handlers) getShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput) (*kinesis.GetShardIteratorOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	c.Required("shardId", in.ShardId != nil)
	checkName(&c, "shardId", in.ShardId)
	checkIteratorType(&c, "shardIteratorType", in.ShardIteratorType, func() bool { return api.Given(ctx, "ShardIteratorType") })
	c.Pattern("startingSequenceNumber", in.StartingSequenceNumber, sequencePattern)
	if err := c.Err(); err != nil {
		return nil, err
	}
	name, err := streamName(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	index, err := h.shardIndex(*in.ShardId, name)
	if err != nil {
		return nil, err
	}
	st, err := h.streams.GetShard(name, index)
	if err != nil {
		return nil, exception(err)
	}
	it, err := st.Iterator(ctx, index, stream.Start{
		Type: string(in.ShardIteratorType), Sequence: aws.ToString(in.StartingSequenceNumber), Timestamp: aws.ToTime(in.Timestamp),
	})
	if err != nil {
		return nil, exception(err)
	}
	return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String(it.String())}, nil
}

func (h handlers) getRecords(ctx context.Context, in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
	b, err := h.readBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &kinesis.GetRecordsOutput{
		Records: describeRecords(b.Shard, b.Records, b.Encryption), MillisBehindLatest: aws.Int64(b.Behind.Milliseconds()), ChildShards: describeChildren(b.ChildShards),
	}
	if b.Next != nil {
		out.NextShardIterator = aws.String(b.Next.String())
	}
	return out, nil
}

func describeRecords(sh stream.Shard, recs []stream.Record, encryption stream.Encryption) []types.Record {
	out := make([]types.Record, len(recs))
	for i, r := range recs {
		out[i] = types.Record{
			Data: r.Data, PartitionKey: aws.String(r.PartitionKey), SequenceNumber: aws.String(sh.SequenceOf(r).String()),
			ApproximateArrivalTimestamp: aws.Time(time.UnixMilli(r.Arrival)), EncryptionType: encryptionType(encryption.Covers(r.Arrival)),
		}
	}
	return out
}

func describeChildren(shards []stream.Shard) []types.ChildShard {
	var out []types.ChildShard
	for _, sh := range shards {
		child := types.ChildShard{ShardId: aws.String(sh.ID()), HashKeyRange: hashRange(sh), ParentShards: []string{stream.ShardID(*sh.Parent)}}
		if sh.Adjacent != nil {
			child.ParentShards = append(child.ParentShards, stream.ShardID(*sh.Adjacent))
		}
		out = append(out, child)
	}
	return out
}

func (h handlers) readBatch(ctx context.Context, in *kinesis.GetRecordsInput) (*stream.Batch, error) {
	var c api.Constraints
	c.Required("shardIterator", in.ShardIterator != nil)
	c.Length("shardIterator", in.ShardIterator, 1, maxIterator)
	checkLimit(&c, "limit", in.Limit)
	checkStream(&c, nil, in.StreamARN)
	if err := c.Err(); err != nil {
		return nil, err
	}
	b, err := h.streams.GetRecords(ctx, *in.ShardIterator, int(aws.ToInt32(in.Limit)))
	return b, exception(err)
}
