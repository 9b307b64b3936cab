package kinesisapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
)

const (
	defaultDescribed = 100
	defaultShards    = 1000
	tokenLifetime    = 300 * time.Second
)

const warmThroughputRefused = "Weir does not implement WarmThroughputMiBps; streams here have no throughput to warm up."

func (h handlers) createStream(ctx context.Context, in *kinesis.CreateStreamInput) (*kinesis.CreateStreamOutput, error) {
	var c api.Constraints
	c.Required("streamName", in.StreamName != nil)
	checkName(&c, "streamName", in.StreamName)
	checkShardCount(&c, in.ShardCount)
	checkTags(&c, in.Tags)
	spec := stream.CreateSpec{Name: aws.ToString(in.StreamName), Shards: int(aws.ToInt32(in.ShardCount)), MaxRecordKiB: int(aws.ToInt32(in.MaxRecordSizeInKiB)), Tags: in.Tags}
	if in.StreamModeDetails != nil {
		c.Required("streamModeDetails.streamMode", in.StreamModeDetails.StreamMode != "")
		api.Enum(&c, "streamModeDetails.streamMode", in.StreamModeDetails.StreamMode, types.StreamModeProvisioned, types.StreamModeOnDemand)
		spec.Mode = string(in.StreamModeDetails.StreamMode)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if spec.Mode == stream.OnDemand && in.ShardCount != nil {
		return nil, api.Validation("ShardCount cannot be given for a stream in ON_DEMAND mode.")
	}
	if spec.Mode == stream.Provisioned && in.ShardCount == nil {
		return nil, invalidArgument("ShardCount is required for a stream in PROVISIONED mode.")
	}
	if in.WarmThroughputMiBps != nil {
		return nil, invalidArgument(warmThroughputRefused)
	}
	if err := h.checkTagTexts(spec.Name, "add tags to", tagTexts(in.Tags)); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, h.tooManyTags(spec.Name)
	}
	_, err := h.streams.Create(ctx, spec)
	return &kinesis.CreateStreamOutput{}, exception(err)
}

func (h handlers) deleteStream(ctx context.Context, in *kinesis.DeleteStreamInput) (*kinesis.DeleteStreamOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	remove := h.streams.DeleteUnused
	if aws.ToBool(in.EnforceConsumerDeletion) {
		remove = h.streams.Delete
	}
	return &kinesis.DeleteStreamOutput{}, exception(remove(ctx, st.Name()))
}

func (h handlers) describeStream(_ context.Context, in *kinesis.DescribeStreamInput) (*kinesis.DescribeStreamOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	checkLimit(&c, "limit", in.Limit)
	checkName(&c, "exclusiveStartShardId", in.ExclusiveStartShardId)
	if err := c.Err(); err != nil {
		return nil, err
	}
	after, err := h.startAfter(in.ExclusiveStartShardId, in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	def := st.Definition()
	limit := min(int(aws.ToInt32(or(in.Limit, defaultDescribed))), defaultDescribed)
	shards := def.Shards[min(after, len(def.Shards)):]
	more := len(shards) > limit
	encryption, key := describeEncryption(def)
	return &kinesis.DescribeStreamOutput{StreamDescription: &types.StreamDescription{
		StreamName:              &def.Name,
		StreamARN:               aws.String(st.ARN()),
		StreamStatus:            types.StreamStatusActive,
		StreamModeDetails:       &types.StreamModeDetails{StreamMode: types.StreamMode(def.Mode)},
		Shards:                  describeShards(shards[:min(limit, len(shards))]),
		HasMoreShards:           &more,
		RetentionPeriodHours:    aws.Int32(int32(def.RetentionHours)),
		StreamCreationTimestamp: aws.Time(time.UnixMilli(def.Created)),
		EnhancedMonitoring:      monitoring(def),
		EncryptionType:          encryption,
		KeyId:                   key,
	}}, nil
}

// startAfter returns the index of the first shard after an id, 0 without one.
func (h handlers) startAfter(id, name, arn *string) (int, error) {
	if id == nil {
		return 0, nil
	}
	n, err := streamName(name, arn)
	if err != nil {
		return 0, err
	}
	index, err := h.shardIndex(*id, n)
	return int(index) + 1, err
}

func or(v *int32, fallback int32) *int32 {
	if v == nil {
		return &fallback
	}
	return v
}

func monitoring(def stream.Definition) []types.EnhancedMetrics {
	return []types.EnhancedMetrics{{ShardLevelMetrics: metricsNames(def.ShardMetrics)}}
}

func describeShards(shards []stream.Shard) []types.Shard {
	out := make([]types.Shard, 0, len(shards))
	for _, sh := range shards {
		d := types.Shard{
			ShardId:             aws.String(sh.ID()),
			HashKeyRange:        hashRange(sh),
			SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String(sh.First().String())},
		}
		if !sh.Open() {
			d.SequenceNumberRange.EndingSequenceNumber = aws.String(sh.Last().String())
		}
		if sh.Parent != nil {
			d.ParentShardId = aws.String(stream.ShardID(*sh.Parent))
		}
		if sh.Adjacent != nil {
			d.AdjacentParentShardId = aws.String(stream.ShardID(*sh.Adjacent))
		}
		out = append(out, d)
	}
	return out
}

func hashRange(sh stream.Shard) *types.HashKeyRange {
	return &types.HashKeyRange{StartingHashKey: aws.String(sh.Range.Start.String()), EndingHashKey: aws.String(sh.Range.End.String())}
}

func (h handlers) describeStreamSummary(_ context.Context, in *kinesis.DescribeStreamSummaryInput) (*kinesis.DescribeStreamSummaryOutput, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	def := st.Definition()
	encryption, key := describeEncryption(def)
	// No StreamId: clients that get one call a host of the service instead of
	// the endpoint they were given.
	return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &types.StreamDescriptionSummary{
		StreamName:              &def.Name,
		StreamARN:               aws.String(st.ARN()),
		StreamStatus:            types.StreamStatusActive,
		StreamModeDetails:       &types.StreamModeDetails{StreamMode: types.StreamMode(def.Mode)},
		OpenShardCount:          aws.Int32(int32(st.OpenShards())),
		ConsumerCount:           aws.Int32(int32(len(def.Consumers))),
		RetentionPeriodHours:    aws.Int32(int32(def.RetentionHours)),
		StreamCreationTimestamp: aws.Time(time.UnixMilli(def.Created)),
		EnhancedMonitoring:      monitoring(def),
		EncryptionType:          encryption,
		KeyId:                   key,
		MaxRecordSizeInKiB:      aws.Int32(int32(def.MaxRecordKiB)),
	}}, nil
}

func (h handlers) listStreams(_ context.Context, in *kinesis.ListStreamsInput) (*kinesis.ListStreamsOutput, error) {
	var c api.Constraints
	checkLimit(&c, "limit", in.Limit)
	checkName(&c, "exclusiveStartStreamName", in.ExclusiveStartStreamName)
	c.Length("nextToken", in.NextToken, 1, maxToken)
	if err := c.Err(); err != nil {
		return nil, err
	}
	after := aws.ToString(in.ExclusiveStartStreamName)
	if in.NextToken != nil {
		var token listToken
		if err := token.parse(*in.NextToken); err != nil {
			return nil, err
		}
		after = token.After
	}
	limit := min(int(aws.ToInt32(or(in.Limit, defaultDescribed))), defaultDescribed)
	out := &kinesis.ListStreamsOutput{StreamNames: []string{}, StreamSummaries: []types.StreamSummary{}, HasMoreStreams: aws.Bool(false)}
	for _, st := range h.streams.All() {
		if st.Name() <= after {
			continue
		}
		if len(out.StreamNames) == limit {
			out.HasMoreStreams = aws.Bool(true)
			out.NextToken = aws.String(newToken(listToken{After: out.StreamNames[limit-1]}))
			break
		}
		def := st.Definition()
		out.StreamNames = append(out.StreamNames, def.Name)
		out.StreamSummaries = append(out.StreamSummaries, types.StreamSummary{
			StreamName: aws.String(def.Name), StreamARN: aws.String(st.ARN()), StreamStatus: types.StreamStatusActive,
			StreamModeDetails:       &types.StreamModeDetails{StreamMode: types.StreamMode(def.Mode)},
			StreamCreationTimestamp: aws.Time(time.UnixMilli(def.Created)),
		})
	}
	return out, nil
}

// listToken is where a listing goes on.
type listToken struct {
	Stream string       `json:",omitempty"`
	After  string       // name of the last stream, or id of the last shard
	Filter *shardFilter `json:",omitempty"`
	Issued int64        // epoch milliseconds
}

func newToken(t listToken) string {
	t.Issued = time.Now().UnixMilli()
	doc, _ := json.Marshal(t) // strings and numbers always marshal
	return base64.StdEncoding.EncodeToString(doc)
}

func (t *listToken) parse(s string) error {
	doc, err := base64.StdEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(doc, t)
	}
	if err != nil || t.Issued == 0 {
		return invalidArgument("NextToken is invalid.")
	}
	if time.Since(time.UnixMilli(t.Issued)) > tokenLifetime {
		return &types.ExpiredNextTokenException{Message: aws.String("NextToken has expired. It was valid for 300 seconds.")}
	}
	return nil
}

// shardFilter selects shards by the time in which they were open.
type shardFilter struct {
	Type      types.ShardFilterType
	After     int   `json:",omitempty"` // first index, for AFTER_SHARD_ID
	Timestamp int64 `json:",omitempty"` // epoch milliseconds
}

// keeps reckons in seconds, as shards do: a parent is open until a second ends and
// its children are from the next one on. The first shards count as open before the
// stream was made. So at any time some shards cover all keys.
func (f *shardFilter) keeps(sh stream.Shard, horizon int64) bool {
	openAt := func(t int64) bool {
		return (sh.Created <= t || sh.Parent == nil) && (sh.Open() || sh.Closed >= t)
	}
	at := max(f.Timestamp/1000, horizon)
	switch f.Type {
	case types.ShardFilterTypeAtLatest:
		return sh.Open()
	case types.ShardFilterTypeAtTrimHorizon:
		return openAt(horizon)
	case types.ShardFilterTypeAtTimestamp:
		return openAt(at)
	case types.ShardFilterTypeFromTimestamp:
		return sh.Open() || sh.Closed >= at
	case types.ShardFilterTypeAfterShardId:
		return int(sh.Index) >= f.After
	}
	return true
}

func (h handlers) listShards(_ context.Context, in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	token, err := h.listShardsStart(in)
	if err != nil {
		return nil, err
	}
	st, err := h.streams.Get(token.Stream)
	if err != nil {
		return nil, exception(err)
	}
	def := st.Definition()
	horizon := time.Now().Add(-time.Duration(def.RetentionHours) * time.Hour).Unix()
	limit := min(int(aws.ToInt32(or(in.MaxResults, defaultShards))), defaultShards)
	var page []stream.Shard
	out := &kinesis.ListShardsOutput{}
	for _, sh := range def.Shards {
		expired := !sh.Open() && sh.Closed < horizon
		if sh.ID() <= token.After || expired || token.Filter != nil && !token.Filter.keeps(sh, horizon) {
			continue
		}
		if len(page) == limit {
			token.After = page[limit-1].ID()
			out.NextToken = aws.String(newToken(token))
			break
		}
		page = append(page, sh)
	}
	out.Shards = describeShards(page)
	return out, nil
}

// listShardsStart checks a request and returns where and how to list.
func (h handlers) listShardsStart(in *kinesis.ListShardsInput) (listToken, error) {
	var c api.Constraints
	checkStream(&c, in.StreamName, in.StreamARN)
	checkName(&c, "exclusiveStartShardId", in.ExclusiveStartShardId)
	checkLimit(&c, "maxResults", in.MaxResults)
	c.Length("nextToken", in.NextToken, 1, maxToken)
	if f := in.ShardFilter; f != nil {
		c.Required("shardFilter.type", f.Type != "")
		api.Enum(&c, "shardFilter.type", f.Type, f.Type.Values()...)
		checkName(&c, "shardFilter.shardId", f.ShardId)
	}
	if err := c.Err(); err != nil {
		return listToken{}, err
	}
	if in.NextToken != nil {
		return h.continueListShards(in)
	}
	if in.StreamName == nil && in.StreamARN == nil {
		return listToken{}, invalidArgument("Either NextToken or StreamName should be provided.")
	}
	name, err := streamName(in.StreamName, in.StreamARN)
	if err != nil {
		return listToken{}, err
	}
	token := listToken{Stream: name}
	if in.ExclusiveStartShardId != nil {
		index, err := h.shardIndex(*in.ExclusiveStartShardId, name)
		if err != nil {
			return listToken{}, err
		}
		token.After = stream.ShardID(index)
	}
	if f := in.ShardFilter; f != nil {
		token.Filter, err = h.filter(f, name)
	}
	return token, err
}

func (h handlers) continueListShards(in *kinesis.ListShardsInput) (listToken, error) {
	var with []string
	for _, given := range []struct {
		name string
		set  bool
	}{{"StreamName", in.StreamName != nil}, {"StreamARN", in.StreamARN != nil}, {"ExclusiveStartShardId", in.ExclusiveStartShardId != nil}, {"ShardFilter", in.ShardFilter != nil}} {
		if given.set {
			with = append(with, given.name)
		}
	}
	if len(with) > 0 {
		return listToken{}, invalidArgument("NextToken and " + strings.Join(with, " and ") + " cannot be provided together.")
	}
	var token listToken
	err := token.parse(*in.NextToken)
	return token, err
}

func (h handlers) filter(f *types.ShardFilter, name string) (*shardFilter, error) {
	out := &shardFilter{Type: f.Type}
	switch f.Type {
	case types.ShardFilterTypeAfterShardId:
		if f.ShardId == nil {
			return nil, invalidArgument("ShardFilter of type AFTER_SHARD_ID needs a ShardId.")
		}
		index, err := h.shardIndex(*f.ShardId, name)
		if err != nil {
			return nil, err
		}
		out.After = int(index) + 1
	case types.ShardFilterTypeAtTimestamp, types.ShardFilterTypeFromTimestamp:
		if f.Timestamp == nil {
			return nil, invalidArgument("ShardFilter of type " + string(f.Type) + " needs a Timestamp.")
		}
		out.Timestamp = f.Timestamp.UnixMilli()
	}
	return out, nil
}
