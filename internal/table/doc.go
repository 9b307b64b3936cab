// Package table owns tables: items, conditional writes, queries, and the streams of
// their changes.
//
// [Tables] is the door. What an item is made of is in package attr, the expression
// language in package expr; both are re-exported here as far as callers need them.
//
// # How a write happens
//
// An operation is judged by a pure function of the item as it is and of the request
// (see write.judge). Around it, commit takes the locks of the items, reads them (each
// lock keeps a few that were written last, see recent), judges, writes the items and
// the records of their changes into one transaction, applies it and lets go of the
// locks; only then it waits for the disk. So operations on one item take turns in
// memory, and share syncs. What reads takes a store.Reader and what writes a
// store.Tx, so that the same code can serve an operation that is part of a larger
// transaction and judged again when that commits.
//
// Operations of an exactly-once invocation are performed by [Held]: judged at once,
// to tell the function, and again when the invocation's transaction commits, under
// the locks of all items of the transaction. Items that are as they were need no
// second judging. A query or scan locks all items, as what it did not find could be
// anywhere.
//
// Whoever reads an item between the apply and the sync of a write waits for that
// sync before it answers: nobody is told of what a crash could take back.
//
// Lock order: Tables.lifecycle (shared by data operations, exclusive to whoever
// creates, changes or deletes a table), item locks in ascending order, append locks
// of change logs in ascending order of logs.
//
// # Layout
//
//	item   04 | table id u64 | hash of the hash key u32 | hash key | range key -> item
//	state  05 | 0 u64 | "next id"   -> u64, the id of the next table
//	       05 | table id u64 | "statistics" -> items u64, bytes u64; present only
//	       while the store is closed
//
// Key attributes are written so that byte order is their order: strings and binary
// values as store.AppendString writes them, numbers as package attr does. The hash,
// the upper half of XXH64 of the written hash key, scatters partitions; a segment of
// a parallel scan is a range of it.
//
// Definitions are in the catalog under the kinds "table" and "table-stream". A record
// of a change log is one change, see package attr and encodeChange.
package table
