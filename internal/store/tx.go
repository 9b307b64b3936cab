package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Reader is what a view of the data offers: DB, Snapshot and Tx have it.
type Reader interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Scan(lower, upper []byte) (*Iterator, error)
}

// Tx collects writes that take effect together or not at all.
//
// A Tx is used by one goroutine at a time and ends with Commit, with Apply
// followed by Wait, or with Discard.
//
// Between Apply and Wait the writes are visible to readers but not yet known to
// be on disk. That order of things is safe as long as nobody outside the process
// is told: the log is sequential, so whatever is written because of them comes
// later in it, and a crash that loses the cause loses the effect too. It is also
// what lets a lock be held for the microseconds of Apply instead of the
// milliseconds of a sync.
type Tx struct {
	db      *DB
	batch   *pebble.Batch
	indexed bool
	deletes bool
	err     error
	state   txState
	applied []func()
	durable []func()
}

type txState int

const (
	txOpen txState = iota
	txApplied
	txEnded
)

var errTxEnded = errors.New("store: transaction has ended")

// Begin starts a transaction whose reads see the database, not its own writes.
func (db *DB) Begin() *Tx { return &Tx{db: db, batch: db.pebble.NewBatch()} }

// BeginView starts a transaction whose reads see its own writes too. It costs
// more per write than Begin.
func (db *DB) BeginView() *Tx {
	return &Tx{db: db, batch: db.pebble.NewIndexedBatch(), indexed: true}
}

// Get returns a copy of the value of key.
func (t *Tx) Get(key []byte) (value []byte, ok bool, err error) {
	if t.indexed {
		return get(t.batch, key)
	}
	return t.db.Get(key)
}

// Scan iterates over the keys in [lower, upper). Close the iterator before the
// transaction ends; writes made after Scan are not seen by it.
func (t *Tx) Scan(lower, upper []byte) (*Iterator, error) {
	if t.indexed {
		return scan(t.batch, lower, upper)
	}
	return t.db.Scan(lower, upper)
}

// Set writes key. Key and value are copied.
func (t *Tx) Set(key, value []byte) { t.keep(t.batch.Set(key, value, nil)) }

// SetBuffers reserves room for a key and a value of the given lengths and
// returns both for the caller to fill before the next call on the transaction.
// It saves the copies that Set makes. Not for transactions of BeginView.
func (t *Tx) SetBuffers(keyLen, valueLen int) (key, value []byte) {
	op := t.batch.SetDeferred(keyLen, valueLen)
	t.keep(op.Finish())
	return op.Key, op.Value
}

// Delete removes key; a key that does not exist is no error.
func (t *Tx) Delete(key []byte) {
	t.deletes = true
	t.keep(t.batch.Delete(key, nil))
}

// DeleteRange removes the keys in [lower, upper).
func (t *Tx) DeleteRange(lower, upper []byte) {
	t.deletes = true
	t.keep(t.batch.DeleteRange(lower, upper, nil))
}

// OnApply registers f to run when the writes have become visible.
func (t *Tx) OnApply(f func()) { t.applied = append(t.applied, f) }

// OnDurable registers f to run when the writes are on disk, before Wait returns.
func (t *Tx) OnDurable(f func()) { t.durable = append(t.durable, f) }

// Len returns the size of the collected writes in bytes.
func (t *Tx) Len() int { return t.batch.Len() }

// Empty reports whether nothing was written.
func (t *Tx) Empty() bool { return t.batch.Empty() }

// Apply makes the writes visible and hands them to the log without waiting for
// the disk. Call Wait afterwards, also to learn whether it worked. It fails with
// ErrDiskFull when there is no room and the transaction deletes nothing.
func (t *Tx) Apply() error {
	if t.state != txOpen {
		return errTxEnded
	}
	if t.err != nil {
		t.Discard()
		return fmt.Errorf("store write: %w", t.err)
	}
	if t.batch.Empty() {
		t.state = txApplied
		run(t.applied)
		return nil
	}
	if err := t.db.space.admit(t.batch.Len(), t.deletes); err != nil {
		t.Discard()
		return err
	}
	if err := t.db.pebble.ApplyNoSyncWait(t.batch, pebble.Sync); err != nil {
		t.Discard()
		return fmt.Errorf("store apply: %w", err)
	}
	t.state = txApplied
	run(t.applied)
	return nil
}

// Wait returns when the writes of Apply are on disk, and ends the transaction.
func (t *Tx) Wait() error {
	if t.state != txApplied {
		return errTxEnded
	}
	t.state = txEnded
	if !t.batch.Empty() {
		if err := t.batch.SyncWait(); err != nil {
			return fmt.Errorf("store sync: %w", err)
		}
	}
	run(t.durable)
	return t.batch.Close()
}

// Commit makes the writes visible and returns when they are on disk.
func (t *Tx) Commit() error {
	if err := t.Apply(); err != nil {
		return err
	}
	return t.Wait()
}

// CommitLazily makes the writes visible and hands them to the log without asking
// for a sync: they are on disk with the next transaction that is, or after DB.Sync.
// A crash before may lose them, but never without all that came later. OnDurable
// functions do not run.
func (t *Tx) CommitLazily() error {
	if t.state != txOpen {
		return errTxEnded
	}
	if t.err != nil {
		t.Discard()
		return fmt.Errorf("store write: %w", t.err)
	}
	if err := t.db.space.admit(t.batch.Len(), t.deletes); err != nil {
		t.Discard()
		return err
	}
	t.state = txEnded
	if err := t.batch.Commit(pebble.NoSync); err != nil {
		return errors.Join(fmt.Errorf("store apply: %w", err), t.batch.Close())
	}
	run(t.applied)
	return t.batch.Close()
}

// Discard drops the writes. It does nothing on a transaction that was applied or
// has ended, so it can be deferred.
func (t *Tx) Discard() {
	if t.state != txOpen {
		return
	}
	t.state = txEnded
	_ = t.batch.Close() // closing an unapplied batch only returns its memory
}

func (t *Tx) keep(err error) {
	if t.err == nil {
		t.err = err
	}
}

func run(fs []func()) {
	for _, f := range fs {
		f()
	}
}
