package stream

import (
	"context"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/meter"
)

// The metrics that a stream can have for each of its shards.
const (
	shardIncomingBytes   = "IncomingBytes"
	shardIncomingRecords = "IncomingRecords"
	shardIteratorAge     = "IteratorAgeMilliseconds"
	shardOutgoingBytes   = "OutgoingBytes"
	shardOutgoingRecords = "OutgoingRecords"
	shardReadThrottled   = "ReadProvisionedThroughputExceeded"
	shardWriteThrottled  = "WriteProvisionedThroughputExceeded"
)

// shardMetricUnits are the names of all metrics of a shard with their units, by name.
var shardMetricUnits = []struct{ name, unit string }{
	{shardIncomingBytes, "Bytes"}, {shardIncomingRecords, "Count"}, {shardIteratorAge, "Milliseconds"},
	{shardOutgoingBytes, "Bytes"}, {shardOutgoingRecords, "Count"}, {shardReadThrottled, "Count"}, {shardWriteThrottled, "Count"},
}

// AllShardMetrics returns the names of all metrics of a shard.
func AllShardMetrics() []string {
	names := make([]string, len(shardMetricUnits))
	for i, m := range shardMetricUnits {
		names[i] = m.name
	}
	return names
}

// EnableShardMetrics has a stream measure what is named, of AllShardMetrics, for each
// shard, besides what it measures already. It returns what that was and what it is now.
func (s *Streams) EnableShardMetrics(_ context.Context, name string, metrics []string) (before, after []string, err error) {
	return s.changeShardMetrics(name, func(now []string) []string {
		return sorted(append(slices.Clone(now), metrics...))
	})
}

// SetShardMetrics has a stream measure just what is named.
func (s *Streams) SetShardMetrics(_ context.Context, name string, metrics []string) error {
	_, _, err := s.changeShardMetrics(name, func([]string) []string { return sorted(metrics) })
	return err
}

// sorted returns names in order, each once.
func sorted(names []string) []string {
	all := slices.Clone(names)
	slices.Sort(all)
	return slices.Compact(all)
}

// DisableShardMetrics is the opposite of EnableShardMetrics.
func (s *Streams) DisableShardMetrics(_ context.Context, name string, metrics []string) (before, after []string, err error) {
	return s.changeShardMetrics(name, func(now []string) []string {
		return slices.DeleteFunc(slices.Clone(now), func(m string) bool { return slices.Contains(metrics, m) })
	})
}

func (s *Streams) changeShardMetrics(name string, edit func([]string) []string) (before, after []string, err error) {
	err = s.change(name, func(_ *Stream, def *Definition) error {
		before = def.ShardMetrics
		after = edit(before)
		def.ShardMetrics = after
		return nil
	})
	return before, after, err
}

// shardSeries are the metrics of one shard, dimensions StreamName and ShardId. Those
// that are not enabled are nil and measure nothing.
type shardSeries struct {
	incomingBytes, incomingRecords *meter.Series
	outgoingBytes, outgoingRecords *meter.Series
	iteratorAge                    *meter.Series
	readThrottled, writeThrottled  *meter.Series
}

// shardSeriesOf returns the series of a stream's shards by index, nil if none of
// their metrics is enabled.
func shardSeriesOf(m *meter.Meter, def Definition) []shardSeries {
	if len(def.ShardMetrics) == 0 {
		return nil
	}
	all := make([]shardSeries, len(def.Shards))
	for i, sh := range def.Shards {
		s := &all[i]
		fields := [...]**meter.Series{ // in the order of shardMetricUnits
			&s.incomingBytes, &s.incomingRecords, &s.iteratorAge, &s.outgoingBytes, &s.outgoingRecords, &s.readThrottled, &s.writeThrottled,
		}
		for j, metric := range shardMetricUnits {
			if slices.Contains(def.ShardMetrics, metric.name) {
				*fields[j] = m.Series(namespace, metric.name, metric.unit,
					meter.Dimension{Name: "StreamName", Value: def.Name}, meter.Dimension{Name: "ShardId", Value: sh.ID()})
			}
		}
	}
	return all
}

// measurePut measures records that were put, for the stream and each shard.
func (st *Stream) measurePut(entries []Entry, placed []Placed) {
	st.series.incoming(entries)
	series := st.state.Load().series
	if series == nil {
		return
	}
	for i, e := range entries {
		if int(placed[i].Shard) >= len(series) {
			continue // of a shard that is younger than the series
		}
		s := &series[placed[i].Shard]
		s.incomingBytes.Observe(float64(len(e.Data) + len(e.PartitionKey)))
		s.incomingRecords.Observe(1)
		s.writeThrottled.Observe(0)
	}
}

// measureGet measures records that were read from a shard, behind its tip.
func (st *Stream) measureGet(shard uint32, recs []Record, behind time.Duration) {
	series := st.state.Load().series
	if int(shard) >= len(series) {
		return
	}
	size := 0
	for _, r := range recs {
		size += len(r.Data) + len(r.PartitionKey)
	}
	s := &series[shard]
	s.outgoingBytes.Observe(float64(size))
	s.outgoingRecords.Observe(float64(len(recs)))
	s.iteratorAge.Observe(milliseconds(iteratorAge(recs, behind)))
	s.readThrottled.Observe(0)
}

// iteratorAge is the age of the last of some records that were read, 0 at the tip.
func iteratorAge(recs []Record, behind time.Duration) time.Duration {
	if len(recs) == 0 || behind <= 0 {
		return 0
	}
	return time.Since(recs[len(recs)-1].ArrivalTime())
}
