package kinesisapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
)

func (h handlers) describeLimits(context.Context, *kinesis.DescribeLimitsInput) (*kinesis.DescribeLimitsOutput, error) {
	l := h.streams.Limits()
	return &kinesis.DescribeLimitsOutput{
		ShardLimit: aws.Int32(int32(l.Shards)), OpenShardCount: aws.Int32(int32(l.OpenShards)),
		OnDemandStreamCount: aws.Int32(int32(l.OnDemand)), OnDemandStreamCountLimit: aws.Int32(int32(l.OnDemandLimit)),
	}, nil
}

func (h handlers) updateStreamMode(ctx context.Context, in *kinesis.UpdateStreamModeInput) (*kinesis.UpdateStreamModeOutput, error) {
	var c api.Constraints
	c.Required("streamARN", in.StreamARN != nil)
	checkStream(&c, nil, in.StreamARN)
	c.Required("streamModeDetails", in.StreamModeDetails != nil)
	if in.StreamModeDetails == nil {
		return nil, c.Err()
	}
	mode := in.StreamModeDetails.StreamMode
	api.RequiredEnum(&c, "streamModeDetails.streamMode", mode, func() bool { return api.Given(ctx, "StreamModeDetails", "StreamMode") }, types.StreamModeProvisioned, types.StreamModeOnDemand)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if in.WarmThroughputMiBps != nil {
		return nil, invalidArgument(warmThroughputRefused)
	}
	st, err := h.find(nil, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return &kinesis.UpdateStreamModeOutput{}, exception(h.streams.UpdateMode(ctx, st.Name(), string(mode)))
}

func (h handlers) updateMaxRecordSize(ctx context.Context, in *kinesis.UpdateMaxRecordSizeInput) (*kinesis.UpdateMaxRecordSizeOutput, error) {
	var c api.Constraints
	checkStream(&c, nil, in.StreamARN)
	c.Required("maxRecordSizeInKiB", in.MaxRecordSizeInKiB != nil)
	c.Range("maxRecordSizeInKiB", in.MaxRecordSizeInKiB, 1024, 10240)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(nil, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return &kinesis.UpdateMaxRecordSizeOutput{}, exception(h.streams.UpdateMaxRecordSize(ctx, st.Name(), int(*in.MaxRecordSizeInKiB)))
}

func (h handlers) enableMonitoring(ctx context.Context, in *kinesis.EnableEnhancedMonitoringInput) (*kinesis.EnableEnhancedMonitoringOutput, error) {
	st, names, err := h.monitored(in.StreamName, in.StreamARN, in.ShardLevelMetrics)
	if err != nil {
		return nil, err
	}
	before, after, err := h.streams.EnableShardMetrics(ctx, st.Name(), names)
	if err != nil {
		return nil, exception(err)
	}
	return &kinesis.EnableEnhancedMonitoringOutput{
		StreamName: aws.String(st.Name()), StreamARN: aws.String(st.ARN()),
		CurrentShardLevelMetrics: metricsNames(before), DesiredShardLevelMetrics: metricsNames(after),
	}, nil
}

func (h handlers) disableMonitoring(ctx context.Context, in *kinesis.DisableEnhancedMonitoringInput) (*kinesis.DisableEnhancedMonitoringOutput, error) {
	st, names, err := h.monitored(in.StreamName, in.StreamARN, in.ShardLevelMetrics)
	if err != nil {
		return nil, err
	}
	before, after, err := h.streams.DisableShardMetrics(ctx, st.Name(), names)
	if err != nil {
		return nil, exception(err)
	}
	return &kinesis.DisableEnhancedMonitoringOutput{
		StreamName: aws.String(st.Name()), StreamARN: aws.String(st.ARN()),
		CurrentShardLevelMetrics: metricsNames(before), DesiredShardLevelMetrics: metricsNames(after),
	}, nil
}

// monitored returns the stream of a request about metrics and the names of these.
func (h handlers) monitored(name, arn *string, metrics []types.MetricsName) (*stream.Stream, []string, error) {
	var c api.Constraints
	checkStream(&c, name, arn)
	c.Required("shardLevelMetrics", metrics != nil)
	if metrics != nil {
		c.ListSize("shardLevelMetrics", len(metrics), 1, 7, func(i int) string { return string(metrics[i]) })
	}
	names := make([]string, len(metrics))
	for i, m := range metrics {
		api.Enum(&c, api.MemberPath("shardLevelMetrics", i, ""), m, m.Values()...)
		names[i] = string(m)
	}
	if err := c.Err(); err != nil {
		return nil, nil, err
	}
	if slices.Contains(metrics, types.MetricsNameAll) {
		names = stream.AllShardMetrics()
	}
	st, err := h.find(name, arn)
	return st, names, err
}

func metricsNames(names []string) []types.MetricsName {
	out := make([]types.MetricsName, len(names))
	for i, n := range names {
		out[i] = types.MetricsName(n)
	}
	return out
}
