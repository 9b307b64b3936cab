// Package stream owns durable, sharded, ordered logs of records and the Kinesis
// streams built on them.
//
// [Logs] is the one log implementation of the program: Kinesis streams and the
// change streams of tables are both made of it. A [Log] has shards; a shard is a
// sequence of records with consecutive positions, starting at 1. [Streams] adds
// what a Kinesis stream has: names, hash key ranges, sequence numbers, iterators
// and retention.
//
// # Order and visibility
//
// Whoever appends holds the append lock of the shard from the moment positions
// are assigned until the transaction is applied, so the order of positions is
// the order in the write-ahead log. A reader sees a record when the transaction
// that holds it is on disk. Because the log is sequential, the durability of a
// record implies that of all before it.
//
// Records that an exactly-once invocation puts are routed and get their positions
// when its transaction commits; before that nobody sees them.
//
// Lock order: append locks by ascending log id, then ascending shard index; a
// shard's state lock is a leaf.
//
// # Layout
//
//	record  02 | log id u64 | shard u32 | position u64
//	        -> arrival milliseconds uvarint | key length uvarint | partition key | data
//	state   03 | log id u64 | shard u32
//	        -> horizon u64 | last position u64 | last arrival milliseconds u64 | flags u8
//	next id 03 | 0 u64 -> u64
//
// The state of a shard is written when it is created, closed or trimmed; the
// last position of a live shard is found from its last record.
package stream
