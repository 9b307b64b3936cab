package mapping

import (
	"context"
	"errors"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// Record is one record of a source. Its Data is what the source stores; only the
// source can turn it into an event.
type Record struct {
	Position uint64 // increases within a shard
	// Sub numbers the records that share a position because a producer packed them
	// into one; they come together and in order, the first with 0.
	Sub     uint32
	Arrival int64  // milliseconds since the Unix epoch
	Key     string // records of one key stay in order
	Data    []byte
}

func (r Record) position() position { return position{r.Position, r.Sub} }

// Shard is an ordered part of a source.
type Shard struct {
	// Key identifies the shard for all time, also when a source of the same name
	// is made anew and its shards get the same ids. Checkpoints go by it.
	Key     string
	ID      string   // what users see
	Parents []string // keys of the shards to be finished first, as far as they still exist
}

// Source is an ordered, sharded, durable log of records.
type Source interface {
	// Shards returns the shards that can still be read, closed ones included.
	Shards() ([]Shard, error)
	// Open gives access to the records of a shard, named by its key.
	Open(shard string) (ShardSource, error)
}

// ShardSource is the records of one shard. Positions start at 1.
type ShardSource interface {
	// Start returns the position at which a mapping that starts now begins.
	Start(at StartingPosition) (uint64, error)
	// Read returns up to maxRecords records from a position on, at least one if
	// there is one, then no more than maxBytes; next is where to read on, which
	// skips records that have expired.
	Read(from uint64, maxRecords, maxBytes int) (recs []Record, next uint64, err error)
	// Wait returns when there is a record at or after a position or when the
	// shard is closed.
	Wait(ctx context.Context, from uint64) error
	// Done reports whether the shard is closed and has no record at or after a
	// position.
	Done(from uint64) bool
	// Expired reports whether a record can no longer be read because of its age.
	Expired(r Record) bool
	// AppendEvent appends the JSON object that the function gets for a record.
	// role is the ARN of the function's execution role.
	AppendEvent(dst []byte, role string, r Record) ([]byte, error)
	// SequenceNumber returns the sequence number of a record as the event has it.
	SequenceNumber(r Record) string
}

// ErrSourceGone says that a source, or a shard of it, does not exist any more.
var ErrSourceGone = errors.New("event source does not exist")

// Sources finds sources by ARN.
type Sources interface {
	// Open returns ErrSourceGone when there is none.
	Open(arn string) (Source, error)
}

// Function is what a mapping needs to know of the function it calls.
type Function struct {
	Name string
	ARN  string // with the qualifier that was asked for
	Role string
	// Timeout is how long an invocation may take.
	Timeout time.Duration
}

// Outcome is how an invocation ended.
type Outcome struct {
	RequestID       string
	FunctionError   string // empty when the function succeeded
	ExecutedVersion string
	Payload         []byte
	// Effects is nil unless the function's effects are to be counted once.
	Effects Effects
}

// Effects are what an exactly-once invocation did, held back until it is known
// whether it counts. One of the two is called, once.
type Effects interface {
	// Commit judges every operation against the present state. If the function
	// could not tell the difference to what it was told, they take effect in one
	// transaction together with what add writes; otherwise it returns ErrConflict
	// and the invocation is to be repeated. The effects are visible when Commit
	// returns and on disk with the next sync.
	Commit(add func(tx *store.Tx)) error
	// Discard drops them.
	Discard()
}

// Preparer is an Invoker that can start environments of a function before they are
// needed. n is how many invocations may soon run at a time.
type Preparer interface {
	Prepare(arn string, n int)
}

// Destinations receive the reports of discarded batches.
type Destinations interface {
	// Send delivers a report to a queue, topic or bucket. key is the name that it
	// gets in a bucket. An error that is ErrUndeliverable is not cured by sending
	// again.
	Send(ctx context.Context, arn string, body []byte, attributes map[string]string, key string) error
}

// ErrUndeliverable says that a destination does not exist or refuses the report.
var ErrUndeliverable = errors.New("the destination cannot take the report")

// ErrConflict says that an exactly-once invocation read what has changed since.
var ErrConflict = errors.New("the invocation read what has changed since")

// Invoker calls functions.
type Invoker interface {
	// Lookup finds a function by name, ARN or partial ARN with optional qualifier.
	Lookup(ref string) (Function, error)
	// Invoke calls a function and waits for its result. An error means that the
	// function did not run. begins, unless it is nil, is called when the function,
	// which may have waited for a process, gets the event or is found unable to start,
	// and once more with each repetition.
	Invoke(ctx context.Context, arn string, payload []byte, begins func()) (Outcome, error)
}

// ErrThrottled is what Invoke returns, wrapped, when the function may not run now
// because of a concurrency limit.
var ErrThrottled = errors.New("function is throttled")

// ErrFunctionNotFound is what Lookup returns for an unknown function.
var ErrFunctionNotFound = errors.New("function does not exist")
