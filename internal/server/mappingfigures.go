package server

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirstream/weir/internal/mapping"
)

// mappingFigures tells Prometheus how event source mappings stand. It is read from
// them when it is asked for, so mappings cost nothing in between.
type mappingFigures struct{ mappings mappingStates }

// mappingStates are the mappings and how they stand.
type mappingStates interface {
	List(source, function string) []mapping.View
	Status(uuid string) ([]mapping.ShardStatus, error)
}

// maxShardSeries is how many readers a mapping may have, shards times lanes, for
// each to have series of its own. Of a mapping with more there are the sums alone,
// so that a stream of a thousand shards does not fill a time series database.
const maxShardSeries = 100

// figure is one series of a mapping or of one of its readers.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(mapping.ShardStatus) float64
}

func figureOf(name, help string, kind prometheus.ValueType, labels []string, of func(mapping.ShardStatus) float64) figure {
	return figure{prometheus.NewDesc(name, help, labels, nil), kind, of}
}

var (
	mappingLabels = []string{"mapping", "function", "source"}
	shardLabels   = []string{"mapping", "shard", "lane"}

	mappingBehind = prometheus.NewDesc("weir_mapping_behind_seconds",
		"Age of the oldest record that was read and is not processed yet, of the shard that is furthest behind.", mappingLabels, nil)
	mappingLanes = prometheus.NewDesc("weir_mapping_lanes",
		"Readers of the mapping's shards, by what they do.", append(mappingLabels[:3:3], "activity"), nil)

	// mappingTotals are sums over the readers of a mapping.
	mappingTotals = []figure{
		figureOf("weir_mapping_invocations_total", "Invocations of the function.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Invocations) }),
		figureOf("weir_mapping_invocation_seconds_total", "Time that invocations took.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return s.Busy.Seconds() }),
		figureOf("weir_mapping_records_total", "Records handed to the function, again on every retry.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Records) }),
		figureOf("weir_mapping_retries_total", "Pauses after failures and throttles.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Retries) }),
		figureOf("weir_mapping_conflicts_total", "Invocations repeated as what they read had changed.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Conflicts) }),
		figureOf("weir_mapping_discarded_records_total", "Records given up.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Discarded) }),
		figureOf("weir_mapping_lost_records_total", "Records that left the source before they were processed.", prometheus.CounterValue, mappingLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Lost) }),
	}
	// shardFigures are of one reader.
	shardFigures = []figure{
		figureOf("weir_mapping_shard_behind_seconds", "Age of the oldest record that was read and is not processed yet.", prometheus.GaugeValue, shardLabels,
			func(s mapping.ShardStatus) float64 { return s.Behind.Seconds() }),
		figureOf("weir_mapping_shard_batch_records", "Records of the last invocation.", prometheus.GaugeValue, shardLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.LastBatch) }),
		figureOf("weir_mapping_shard_invocation_seconds", "Duration of the last invocation.", prometheus.GaugeValue, shardLabels,
			func(s mapping.ShardStatus) float64 { return s.LastDuration.Seconds() }),
		figureOf("weir_mapping_shard_retries_total", "Pauses after failures and throttles.", prometheus.CounterValue, shardLabels,
			func(s mapping.ShardStatus) float64 { return float64(s.Retries) }),
		figureOf("weir_mapping_shard_window_state_bytes", "State of the open tumbling window.", prometheus.GaugeValue, shardLabels,
			func(s mapping.ShardStatus) float64 {
				if s.Window == nil {
					return 0
				}
				return float64(s.Window.StateBytes)
			}),
	}
)

// Describe sends nothing: mappings come and go.
func (mappingFigures) Describe(chan<- *prometheus.Desc) {}

// Collect sends the figures of every mapping.
func (f mappingFigures) Collect(out chan<- prometheus.Metric) {
	for _, v := range f.mappings.List("", "") {
		shards, err := f.mappings.Status(v.UUID)
		if err != nil {
			continue // deleted meanwhile
		}
		collectMapping(out, v, shards)
		if len(shards) > maxShardSeries {
			continue
		}
		for _, s := range shards {
			for _, fig := range shardFigures {
				out <- prometheus.MustNewConstMetric(fig.desc, fig.kind, fig.of(s), v.UUID, s.Shard, strconv.Itoa(s.Lane))
			}
		}
	}
}

func collectMapping(out chan<- prometheus.Metric, v mapping.View, shards []mapping.ShardStatus) {
	labels := []string{v.UUID, v.FunctionName, v.SourceARN}
	behind, lanes := time.Duration(0), map[mapping.Activity]int{}
	for _, s := range shards {
		behind = max(behind, s.Behind)
		lanes[s.Activity]++
	}
	out <- prometheus.MustNewConstMetric(mappingBehind, prometheus.GaugeValue, behind.Seconds(), labels...)
	for activity, n := range lanes {
		out <- prometheus.MustNewConstMetric(mappingLanes, prometheus.GaugeValue, float64(n), append(labels[:3:3], string(activity))...)
	}
	for _, fig := range mappingTotals {
		sum := 0.0
		for _, s := range shards {
			sum += fig.of(s)
		}
		out <- prometheus.MustNewConstMetric(fig.desc, fig.kind, sum, labels...)
	}
}
