package transaction

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
)

func open(t *testing.T, fs vfs.FS) (*Transactions, *store.DB) {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	s := Open(Config{DB: db})
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, db
}

// conflicting is a part whose function was always told wrong.
type conflicting struct{ released bool }

func (*conflicting) Prepare(*store.Tx) error { return ErrConflict }
func (*conflicting) Announce()               {}
func (c *conflicting) Release(bool)          { c.released = true }

func enter(t *testing.T, s *Transactions, event string) *Turn {
	t.Helper()
	turn, err := s.Enter(t.Context(), "f", []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return turn
}

func TestRepeatedInvocationsRunAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, vfs.NewMem())
		long, other := enter(t, s, "long"), enter(t, s, "other")
		tx := s.Begin("f", long)
		part := &conflicting{}
		_ = tx.Do(func() error { PartOf(tx, Tables, func() *conflicting { return part }); return nil })
		if err := tx.Commit(nil); !errors.Is(err, ErrConflict) || !part.released {
			t.Fatalf("commit: %v, released %v", err, part.released)
		}
		var mu sync.Mutex
		var order []string
		so := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(order)
		}
		run := func(event string) {
			go func() {
				turn := enter(t, s, event)
				mu.Lock()
				order = append(order, event)
				mu.Unlock()
				time.Sleep(time.Second)
				turn.Leave()
			}()
			synctest.Wait()
		}
		run("long") // waits for other to end
		run("later")
		if order := so(); len(order) != 0 {
			t.Errorf("%v began beside another or before its turn", order)
		}
		other.Leave()
		synctest.Wait()
		if order := so(); len(order) != 1 || order[0] != "long" {
			t.Errorf("%v: the repeated invocation should run alone", order)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if order := so(); len(order) != 2 || len(s.turns) != 0 {
			t.Errorf("%v, and %d functions are remembered", order, len(s.turns))
		}
	})
}

func TestWaitingForATurnEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, vfs.NewMem())
		first := enter(t, s, "first")
		first.conflict()
		other := enter(t, s, "other")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Enter(ctx, "f", []byte("first")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("entered beside another: %v", err)
		}
		third := enter(t, s, "third") // the one that gave up holds nobody up
		other.Leave()
		third.Leave()
		third.Leave()
		again := enter(t, s, "first")
		if !again.alone {
			t.Error("the conflict was forgotten")
		}
		again.Return() // it was throttled
		if again = enter(t, s, "first"); !again.alone {
			t.Error("the conflict was forgotten when the invocation did not run")
		}
		again.Leave()
		enter(t, s, "other").Return()
		if len(s.turns) != 0 {
			t.Errorf("%d functions are remembered", len(s.turns))
		}
	})
}

func TestWhatATurnWaitsForRunsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, vfs.NewMem())
		enter(t, s, "again").conflict()
		outer := enter(t, s, "outer")
		alone := make(chan *Turn)
		go func() { alone <- enter(t, s, "again") }()
		synctest.Wait() // it waits for outer, which waits for this one:
		s.Join("f", []byte("inner")).Leave()
		outer.Leave()
		again := <-alone
		s.Join("f", []byte("inner of again")).Leave()
		again.Leave()
		if len(s.turns) != 0 {
			t.Errorf("%d functions are remembered", len(s.turns))
		}
	})
}

// agreeing is a part whose function was told what is still so.
type agreeing struct{ conflicting }

func (*agreeing) Prepare(tx *store.Tx) error {
	tx.Set([]byte("\x20never"), []byte("1"))
	return nil
}

func TestFailuresAfterAContradiction(t *testing.T) {
	t.Parallel()
	s, db := open(t, vfs.NewMem())
	told, wrong := s.Begin("f", enter(t, s, "told")), s.Begin("f", enter(t, s, "wrong"))
	right, bad := &agreeing{}, &conflicting{}
	_ = told.Do(func() error { PartOf(told, Tables, func() *agreeing { return right }); return nil })
	_ = wrong.Do(func() error { PartOf(wrong, Tables, func() *conflicting { return bad }); return nil })
	if told.Contradicted() || !wrong.Contradicted() || !right.released || !bad.released {
		t.Error("the two are not told apart, or not released")
	}
	if wrong.Contradicted() || !errors.Is(told.Commit(nil), ErrEnded) {
		t.Error("they have not ended")
	}
	if _, ok, _ := db.Get([]byte("\x20never")); ok {
		t.Error("what failed has written")
	}
	again := enter(t, s, "wrong")
	if !again.alone {
		t.Error("the repeated one does not run alone")
	}
	again.Leave()
}

// reading is a part that has only read.
type reading struct{ conflicting }

func (*reading) Prepare(*store.Tx) error { return nil }

func TestWhatWasReadIsOnDisk(t *testing.T) {
	t.Parallel()
	fs := vfs.NewCrashableMem()
	s, db := open(t, fs)
	key := []byte("\x20read")
	other := db.Begin()
	other.Set(key, []byte("1"))
	if err := other.CommitLazily(); err != nil {
		t.Fatal(err)
	}
	tx := s.Begin("f", nil)
	_ = tx.Do(func() error { PartOf(tx, Tables, func() *reading { return &reading{} }); return nil })
	if err := errors.Join(tx.Commit(nil), tx.Wait()); err != nil {
		t.Fatal(err)
	}
	_, after := open(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	if _, ok, err := after.Get(key); !ok || err != nil {
		t.Errorf("what an invocation told of is gone: %v", err)
	}
}

func TestForgottenConflictsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	s, _ := open(t, vfs.NewMem())
	for i := range maxConflicted + 1 {
		enter(t, s, strconv.Itoa(i)).conflict()
	}
	if n := len(s.turns["f"].conflicted); n != maxConflicted {
		t.Errorf("%d are remembered", n)
	}
	last := enter(t, s, strconv.Itoa(maxConflicted))
	if !last.alone {
		t.Error("the last conflict was not remembered")
	}
	last.Leave()
}
