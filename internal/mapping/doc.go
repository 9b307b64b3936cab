// Package mapping owns event source mappings: it reads the shards of a source in
// order, hands batches of records to a function, and keeps durable checkpoints.
//
// A [Mapping] has one coordinator, which follows the lineage of shards (a child
// is read when all its parents are done), and one reader for each shard that is
// being read. A reader repeats: gather a batch, deliver it until it succeeds or
// its records expire, write the checkpoint. So the records of a shard are
// processed in order, at least once, and a checkpoint never passes a record that
// was not processed.
//
// The package sees a [Source] of records and an [Invoker] of functions, not
// streams, tables and processes themselves.
//
// # Layout
//
//	checkpoint  06 | mapping uuid string | shard id string -> next position u64 | done u8
//	result      06 | mapping uuid string | "" -> last processing result
package mapping
