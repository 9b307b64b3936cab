// Package store is the one durable key-value store of a data directory: a thin
// layer over Pebble (an embedded LSM tree with a write-ahead log).
//
// Everything that must outlive a restart is written here, so that one [Tx] can
// span stream records, items, checkpoints and metrics and be atomic by
// construction. A transaction that has committed is on disk: the write-ahead
// log was synced before Commit returned, and concurrent committers share one
// sync.
//
// # Layout
//
// A key starts with one [Domain] byte; what follows belongs to the package
// named beside the domain. Integers in keys are big endian, strings in keys are
// written with [AppendString] so that byte order is field order. The layout as a
// whole carries a version, [LayoutVersion], which Open checks.
//
//	00 meta       store     00 "layout" -> version (uint32)
//	01 catalog    catalog   kind string, name string -> JSON definition
//	02 record     stream    log id u64, shard u32, position u64 -> record
//	03 shard      stream    log id u64, shard u32 -> horizon and last time
//	04 item       table     table id u64, hash u32, hash key, range key -> item
//	05 table      table     table id u64, what string -> per-table state
//	06 mapping    mapping   mapping id string, shard string -> checkpoint
//	07 code       function  package hash, chunk u32 -> bytes
//	08 log        function  log group, what, ... -> state, log streams, events
//	09 metric     metric    series id u64, resolution, time -> statistics
//	0a alarm      metric    alarm name, what -> state, history, actions to run
//	0b notify     notify    what ... -> deliveries, outbox, signing key
//	0c stack      stack     what string ... -> stack events
//	0d queue      queue     what, queue id u64, ... -> messages, receipts
//	0e async      function  what, number u64 -> events that nobody waits for, records to deliver
//	0f object    object    what, bucket string ... -> objects, uploads, parts, files, events
package store

// Domain is the first byte of every key.
type Domain byte

// The domains, each owned by the package in the table of the package comment.
// A value is never reused for something else; a change of what a domain's keys
// or values mean needs a new LayoutVersion and a migration.
const (
	DomainMeta    Domain = 0x00
	DomainCatalog Domain = 0x01
	DomainRecord  Domain = 0x02
	DomainShard   Domain = 0x03
	DomainItem    Domain = 0x04
	DomainTable   Domain = 0x05
	DomainMapping Domain = 0x06
	DomainCode    Domain = 0x07
	DomainLog     Domain = 0x08
	DomainMetric  Domain = 0x09
	DomainAlarm   Domain = 0x0a
	DomainNotify  Domain = 0x0b
	DomainStack   Domain = 0x0c
	DomainQueue   Domain = 0x0d
	DomainAsync   Domain = 0x0e
	DomainObject  Domain = 0x0f
)

// LayoutVersion is the version of the key layout and value formats that this
// build reads and writes.
const LayoutVersion = 1
