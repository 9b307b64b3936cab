// Package queue owns queues and their messages: standard queues, FIFO queues, and
// the dead-letter queues between them.
//
// [Queues] holds the queues by name; a [Queue] takes messages, hands them out for a
// time (the visibility timeout) and forgets those that are deleted. What the
// program knows of each message, other than what it says, is in memory: about 150
// bytes each; bodies are read from the store when they are received.
//
// # Durability
//
// Sending and deleting return when they are on disk; concurrent calls share one
// sync. Who has received a message, and how often, is on disk a twentieth of a
// second later and nobody waits for it: what was received just before a crash may
// be handed out again earlier than its visibility timeout says, with a lower count.
// What an event source receives is written down when it begins with it; see
// [Queue.Poll].
// A message becomes receivable when it is on disk, messages of one queue in the
// order in which they were sent.
//
// # Order and locks
//
// A message has a number, consecutive within its queue. Whoever sends holds the
// send lock of the queue from the moment numbers are assigned until the
// transaction is applied, so that the order of numbers is the order in the
// write-ahead log; see [Sender]. Send locks are taken by ascending queue id. The
// lock of a queue's state is a leaf.
//
// In a FIFO queue a message can be received when no earlier message of its group
// is hidden. Groups take turns: one whose first message has become receivable, for
// the first time or again, stands behind those that wait already.
//
// # Bytes
//
// Queues are definitions of the kind "queue" in the catalog, by name. Under
// store.DomainQueue, all integers big endian:
//
//	'm', queue id u64, number u64 -> message (see encode.go)
//	'r', queue id u64, number u64 -> receipt: receives, first and last receive,
//	                                 visible from (milliseconds), token; uvarints
//	'd', queue id u64, key string -> deduplication: number u64, message id, until
//	'c', queue id u64             -> u64 above all numbers that were used
//	'i'                           -> u64 id of the next queue
package queue
