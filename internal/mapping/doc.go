// Package mapping owns event source mappings: it reads the shards of a source in
// order, hands batches of records to a function, and keeps durable checkpoints.
//
// A [Mapping] has one coordinator, which follows the lineage of shards (a child
// is read when all its parents are done), and one reader for each shard that is
// being read. A reader has one lane, or one for each batch that is processed at a
// time: records of one key are always in the same lane. A lane repeats: gather a
// batch, deliver it until it succeeds or is given up and reported, write the
// checkpoint. The state of a tumbling window is part of the checkpoint, and where
// effects are to be counted once they are written with it. So:
//
//   - the records of a key are processed in the order of the shard, at least once;
//   - a checkpoint never passes a record that was neither processed nor given up,
//     and a batch that is given up is reported before, if there is a destination;
//   - a window's state is that of exactly the records before the checkpoint.
//
// The messages of a queue have no order and no checkpoint: batches of them are
// processed beside each other, and deleted when the function succeeded. While a batch
// waits, its messages are kept from others; their visibility timeout begins when the
// function gets them.
//
// The package sees a [Source] of records, or queues, and an [Invoker] of functions,
// not streams, tables and processes themselves.
//
// # Layout
//
//	result      06 | mapping uuid string | "" -> last processing result
//	checkpoint  06 | mapping uuid string | shard key string ->
//	              next position u64 | flags u8 | [next sub u32] | [window start i64 | end i64 | state]
//	lane        06 | mapping uuid string | shard key string | factor u8 | lane u8 -> checkpoint
//
// Flags: 1 the shard is done, 2 there is a sub, 4 a window is open, 8 its state was
// too large and it ends early. Start and end are seconds since the Unix epoch; the
// state is JSON and goes to the end. Every record before next was processed or given
// up; those of a lane also when they are behind its own position, which is kept for
// each factor that the shard was read with.
package mapping
