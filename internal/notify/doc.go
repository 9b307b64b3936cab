// Package notify owns topics, their subscriptions, and the deliveries of what is
// published: to HTTP endpoints, to functions, to queues and by mail.
//
// [Topics] takes messages; [Outbox] shows the mail.
//
// A published message is on disk, one delivery for each confirmed subscription,
// before Publish returns. A delivery is tried until it succeeds or its policy is
// exhausted, also across restarts; it may be made twice when the process ends
// between a success and writing it down. Deliveries to one subscription are made
// one at a time, in order, except that one that waits for its next try lets the
// following ones pass.
//
// Mail is handed to the SMTP server when one is configured. All mail is kept in
// the outbox, the last thousand of them; without a server that is where it stays.
//
// # Bytes
//
// Topics and subscriptions are definitions of the kinds "topic" and
// "subscription" in the catalog, by ARN. Under store.DomainNotify:
//
//	'd', subscription ARN string, number u64 -> delivery (JSON)
//	'k'                                      -> key and certificate that sign messages (JSON)
//	'o', number u64                          -> mail (JSON)
package notify
