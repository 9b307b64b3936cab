// Package metric owns datapoints, the statistics computed from them, alarms on
// those statistics, and dashboards.
//
// [Metrics] takes datapoints and answers questions about them, [Alarms] watches
// statistics and acts when they cross a threshold, [Dashboards] keeps dashboard
// bodies.
//
// # Datapoints
//
// A series is a namespace, a metric name, a set of dimensions and a unit. Its
// datapoints are kept as buckets: mergeable summaries of all observations of one
// second (high resolution) or one minute. Age makes buckets coarser, see
// [Metrics.Maintain]. A bucket belongs to the time of its datapoints, not to the
// time they were received, so late data merge into the past.
//
// Invariants: Put returns after its datapoints are on disk, all of them or none.
// At any time a bucket's observations are counted in exactly one resolution.
// Series are only ever identified by their id in keys; the id is given out once
// per data directory lifetime of the series.
//
// # Bytes
//
// Under store.DomainMetric:
//
//	series id u64, resolution u32 (seconds), bucket start u64 (Unix seconds)
//	    -> form byte, count, sum, min, max (float64 bits, big endian), then
//	       form 0: nothing (single values are not known)
//	       form 1: n uvarint, n times value and weight (float64 bits)
//	       form 2: a DDSketch with 1% relative accuracy, without its mapping
//
// The series themselves are definitions of kind "metric-series" in the catalog,
// alarms of kind "alarm", dashboards of kind "dashboard".
//
// Under store.DomainAlarm, integers big endian:
//
//	name string, 's'                                -> state (JSON)
//	name string, 'h', time u64 (ns), n u32, type u8 -> history item (JSON)
//	name string, 'p', time u64 (ns), n u32          -> actions still to run (JSON)
package metric
