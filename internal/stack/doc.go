// Package stack turns templates into resources and keeps them so: it creates,
// updates in place, replaces and deletes what a template declares, and goes back
// to what was when something fails.
//
// A stack is worked on by one operation at a time, in a goroutine of its own that
// belongs to [Stacks], not to the caller who asked: a caller who goes away leaves
// the operation running. An operation is a sequence of steps; before and after each
// step what is known is committed to the store together with an event, so that a
// server that is killed in between finds on its next start what may exist and ends
// the operation: creations and updates are rolled back, rollbacks, cleanups and
// deletions are finished.
//
// Invariants:
//
//   - Nothing is created before the whole template was found good: syntax,
//     references, resource types, properties, their values as far as known.
//   - A resource is made after those it depends on, and deleted before them.
//   - What an update replaces or no longer declares is deleted only after everything
//     else has succeeded; until then the way back is open.
//   - A value that a stack exports and another one imports stays as it is, from before
//     the other uses it until it is known not to use it any more.
//   - A resource with a chosen name that exists already is never taken over, nor
//     deleted when the creation fails.
//
// Definitions of stacks are in the catalog, kind "stack", by ARN. The keys of the
// domain, after its byte, start with a string that says what they hold:
//
//	"event", stack ARN string, number u64 -> JSON of an Event
//	"resource", stack ARN string, logical id string -> JSON of a state
//	"template", stack ARN string, SHA-256 string -> template text
//	"package", SHA-256 string, chunk u32 -> bytes of a code package
package stack
