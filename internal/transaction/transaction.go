// Package transaction holds back what an exactly-once invocation of a function
// does, until it is known whether the invocation counts.
//
// A [Tx] belongs to one invocation. While the function runs, the domains record
// its operations there, each as a [Part]: an operation is judged against the data
// as it is and against what the invocation wrote before, the function is told the
// outcome, and nobody else sees anything of it. When the invocation has succeeded,
// [Tx.Commit] judges all operations again, in their order, against the data as it
// is then, under the locks of everything that they read or write. If each has the
// outcome that the function was told, the function cannot tell the difference to
// having run at that very moment; then all its writes are applied as one
// transaction of the store, with whatever the caller adds. Otherwise nothing is
// applied, and the invocation has to be repeated.
//
// So transactions are serializable, in the order of their commits, and an
// operation that tells the function nothing about the data, like adding to a
// counter without asking for its value, never stands in another's way.
//
// # Invariants
//
//   - Operations of one Tx take turns; none begins after Commit or Discard has.
//   - Parts are prepared in ascending order of their [Rank], which is the order of
//     their locks, and released in the opposite order.
//   - No lock is held while the function runs.
//   - What an operation reads need not be on disk yet. Whatever comes of it is
//     later in the log of the store, so a crash that takes back the cause takes
//     back the effect.
package transaction

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

var (
	// ErrConflict says that the function was told what is no longer so.
	ErrConflict = errors.New("what the invocation read has changed since")
	// ErrEnded says that an operation came after the end of its invocation.
	ErrEnded = errors.New("the invocation has ended")
	// ErrTooLarge says that an invocation does more than a transaction can hold.
	ErrTooLarge = fmt.Errorf("the invocation does more than its transaction can hold: %d operations, %d MB", maxOperations, maxBytes>>20)
)

// What a Tx holds at most.
const (
	maxOperations = 100_000
	maxBytes      = 100 << 20
)

// Rank orders the parts of a Tx.
type Rank int

// The ranks of the domains. Locks are taken in this order.
const (
	Tables Rank = iota
	Queues
	Metrics
	Streams
)

// Part is what one domain holds back for a Tx.
type Part interface {
	// Prepare takes the locks of what the part read and writes, judges its
	// operations again and writes their effects to tx. It fails with ErrConflict
	// when an operation now has another outcome.
	Prepare(tx *store.Tx) error
	// Announce is called when every part is prepared, just before tx is applied.
	Announce()
	// Release lets go of the locks. It follows Prepare, also one that failed;
	// applied tells whether tx was applied.
	Release(applied bool)
}

// Config is what Open needs. Meter may be nil.
type Config struct {
	DB    *store.DB
	Meter *meter.Meter
}

// Transactions is the source of all Tx of a server.
type Transactions struct {
	db      *store.DB
	meter   *meter.Meter
	syncing sync.WaitGroup

	seed  maphash.Seed
	mu    sync.Mutex
	turns map[string]*turns // by function; those that nobody needs are left out
}

// Open makes Transactions.
func Open(cfg Config) *Transactions {
	return &Transactions{db: cfg.DB, meter: cfg.Meter, seed: maphash.MakeSeed(), turns: map[string]*turns{}}
}

// Close returns when everything that was committed is on disk. No Commit may be
// under way or follow.
func (s *Transactions) Close() error {
	s.syncing.Wait()
	return nil
}

// namespace is where CloudWatch has the metrics of transactions.
const namespace = "Weir/ExactlyOnce"

// Begin starts the transaction of an invocation of a function. It ends the turn,
// which may be nil, when it ends.
func (s *Transactions) Begin(function string, turn *Turn) *Tx {
	return &Tx{owner: s, function: function, turn: turn}
}

func (s *Transactions) count(function, name string) {
	s.meter.Series(namespace, name, "Count", meter.Dimension{Name: "FunctionName", Value: function}).Observe(1)
}

// Tx is the transaction of one invocation.
type Tx struct {
	owner    *Transactions
	function string
	turn     *Turn
	attempts attempts

	mu         sync.Mutex
	ended      bool
	parts      []ranked
	operations int
	bytes      int
	durable    chan struct{} // closed when what was committed is on disk
	syncErr    error         // valid then
}

type ranked struct {
	rank Rank
	Part
}

// Do runs an operation of the invocation, unless that has ended: then it returns
// ErrEnded.
func (t *Tx) Do(operation func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	return operation()
}

// PartOf returns the part that a domain has in a transaction, made by the given
// function at first. It is to be called within Do.
func PartOf[P Part](t *Tx, rank Rank, make func() P) P {
	for _, p := range t.parts {
		if p.rank == rank {
			if own, ok := p.Part.(P); ok {
				return own
			}
		}
	}
	p := make()
	t.parts = append(t.parts, ranked{rank, p})
	slices.SortStableFunc(t.parts, func(a, b ranked) int { return int(a.rank - b.rank) })
	return p
}

// Grow accounts for operations that hold so many bytes together, or returns
// ErrTooLarge. It is to be called within Do.
func (t *Tx) Grow(operations, bytes int) error {
	if t.operations+operations > maxOperations || t.bytes+bytes > maxBytes {
		return ErrTooLarge
	}
	t.operations += operations
	t.bytes += bytes
	return nil
}

// Commit ends the transaction. It makes the effects of the invocation visible,
// together with what add, which may be nil, writes; or fails, with ErrConflict
// when the invocation is to be repeated, and leaves no trace. That the effects are
// on disk is for Wait to tell; whatever is written later is never there without
// them.
func (t *Tx) Commit(add func(tx *store.Tx)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	t.ended = true
	tx := t.owner.db.Begin()
	err := t.prepare(tx, func() error {
		if add != nil {
			add(tx)
		}
		for _, p := range t.parts {
			p.Announce()
		}
		return tx.Apply()
	})
	t.end(err)
	if err != nil {
		tx.Discard()
		return fmt.Errorf("commit an invocation of %s: %w", t.function, err)
	}
	t.owner.count(t.function, "Committed")
	t.durable = make(chan struct{})
	t.owner.syncing.Go(func() {
		t.syncErr = t.owner.sync(tx)
		close(t.durable)
	})
	return nil
}

// sync returns when what tx wrote is on disk, and what the invocation was told: one
// that only read may have seen what was on its way there.
func (s *Transactions) sync(tx *store.Tx) error {
	if !tx.Empty() {
		return tx.Wait() // it is later in the log
	}
	return errors.Join(tx.Wait(), s.db.Sync())
}

// prepare prepares all parts, runs then unless there is a conflict, and releases
// them; an error of then tells that nothing was applied.
func (t *Tx) prepare(tx *store.Tx, then func() error) error {
	applied := false
	for _, p := range t.parts {
		defer func() { p.Release(applied) }()
		if err := p.Prepare(tx); err != nil {
			return err
		}
	}
	err := then()
	applied = err == nil
	return err
}

// end forgets what the transaction held and ends its turn.
func (t *Tx) end(err error) {
	t.parts = nil
	t.attempts.forget()
	if errors.Is(err, ErrConflict) {
		t.turn.conflict()
		t.owner.count(t.function, "Conflicted")
	}
	t.turn.Leave()
}

// Contradicted is Discard for an invocation that has failed. It reports whether the
// invocation was told what is no longer so: items that it read one after the other
// may contradict each other, and it may have failed because of that alone. Then it
// is to be repeated, like one that conflicts.
func (t *Tx) Contradicted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	t.ended = true
	tx := t.owner.db.Begin()
	defer tx.Discard()
	err := t.prepare(tx, func() error { return errNotApplied })
	t.end(err)
	if errors.Is(err, ErrConflict) {
		return true
	}
	t.owner.count(t.function, "Discarded")
	return false
}

var errNotApplied = errors.New("not applied")

// Wait returns when what was committed is on disk.
func (t *Tx) Wait() error {
	t.mu.Lock()
	durable := t.durable
	t.mu.Unlock()
	if durable == nil {
		return ErrEnded
	}
	<-durable
	return t.syncErr
}

// Discard ends the transaction and drops what it holds, unless it has ended.
func (t *Tx) Discard() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	t.end(nil)
	t.owner.count(t.function, "Discarded")
}
