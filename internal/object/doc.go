// Package object owns buckets, the objects in them, and what is told to others
// when objects come and go.
//
// [Buckets] is all of it. Put and Get are the doors for other parts of the
// program; Write, Copy, and the uploads in parts serve the S3 API.
//
// The bytes of an object are a file, or one file for each part of the upload that
// it came from; what is known of it is in the store. A file has a number for a
// name, so that a key never becomes a path, and is never changed once it is
// written:
//
//   - A file is written and synced, with its folder, under a number that nothing
//     refers to. It is entered in the store in the transaction of the object that it
//     belongs to. So there is nothing to rename.
//   - What replaces or deletes an object notes in its transaction that the old bytes
//     are to be removed. They go when nobody reads them any more.
//   - Numbers are reserved in the store, many at a time, before they are used.
//     Opening looks at the files of the last reservations, removes those that were
//     not entered, and goes on removing what was noted. So a crash leaves neither
//     half an object nor bytes that belong to none, and loses none that was
//     acknowledged.
//
// What a bucket's notification configuration asks for is written in the transaction
// of the change that it tells of, and delivered, one after the other for each
// destination, until the destination takes it or a day has passed.
//
// # Bytes
//
// Buckets are definitions of the kind "bucket" in the catalog, by name. An ID is
// the number of a file or of an upload. Under store.DomainObject:
//
//	'o', bucket string, key (to the end)       -> object (JSON)
//	'u', bucket string, key string, ID u64     -> upload (JSON)
//	'p', ID u64 of the upload, number u32      -> part (JSON)
//	'f', ID u64                                -> nothing; the file belongs to something
//	'g', ID u64                                -> nothing; the bytes are to be removed
//	'r'                                        -> lowest ID that may be unsettled, end of the reserved ones
//	'd', number u64                            -> event to deliver (JSON)
package object
