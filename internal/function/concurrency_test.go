package function

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// during runs invocations of f at once, and what is to be seen meanwhile.
func during(w *world, n int, look func()) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { w.invoke("f", "echo") })
	}
	synctest.Wait()
	look()
	wg.Wait()
}

func (w *world) expectThrottle(reason error) {
	w.Helper()
	_, err := w.Invoke(context.Background(), Invocation{Function: "f"})
	if !errors.Is(err, ErrThrottled) || !errors.Is(err, reason) || err.Error() != "Rate Exceeded." {
		w.Errorf("got %v", err)
	}
}

func (w *world) reserve(name string, n int) {
	w.Helper()
	if err := w.ReserveConcurrency(name, n); err != nil {
		w.Fatal(err)
	}
}

// reopen closes the functions and opens what is in the store.
func (w *world) reopen() {
	w.Helper()
	if err := w.Functions.Close(); err != nil {
		w.Fatal(err)
	}
	again, err := Open(Config{
		DB: w.db, Identity: w.identity, Meter: w.meter, Logs: w.logs, Runtimes: w.runtimes, CodeDir: w.codeDir, Endpoint: w.endpoint,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Functions = again
	w.Cleanup(func() {
		if err := again.Close(); err != nil {
			w.Error(err)
		}
	})
}

// use lets fakes stand for processes.
func (w *world) use(f *fakes) {
	w.start = func(p *pool, def Definition) { w.background.Go(func() { f.start(w.Functions, p, def) }) }
}

func TestReservedConcurrency(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		w.reserve("f", 2)
		during(w, 2, func() {
			w.expectThrottle(ErrReservedConcurrency)
			if a := w.Activity("f"); a.InFlight != 2 || a.Throttles != 1 {
				w.Errorf("activity %+v", a)
			}
		})
		w.invoke("f", "echo")
		if n, sum, _ := w.total.throttles.Totals(); n != 1 || sum != 1 {
			w.Errorf("%v throttles, sum %v", n, sum)
		}
		if n, sum, _ := w.total.errors.Totals(); n != 3 || sum != 0 {
			w.Errorf("%v of %v invocations failed; the throttled one is neither", sum, n)
		}
		if n, _, last := w.total.concurrent.Totals(); n != 3 || last != 1 {
			w.Errorf("%v measurements of concurrency, the last %v", n, last)
		}
		w.reserve("f", 0)
		w.expectThrottle(ErrReservedConcurrency)
		if err := w.ReleaseConcurrency("f"); err != nil {
			w.Fatal(err)
		}
		during(w, 5, func() {})
	})
}

func TestReservationIsKept(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		w.reserve("f", 1)
		w.reopen()
		w.use(f)
		during(w, 1, func() { w.expectThrottle(ErrReservedConcurrency) })
	})
}

func TestAccountConcurrency(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		w.account.limit = 105
		def := Definition{Name: "g", Runtime: "provided.al2023", TimeoutSeconds: 60}
		if _, err := w.Create(w.Context(), def, zipOf(w, file{"bootstrap", 0o755, "x"})); err != nil {
			w.Fatal(err)
		}
		w.reserve("g", 4)
		err := w.ReserveConcurrency("f", 2)
		if want := "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."; !errors.Is(err, ErrInvalid) || err.Error() != want {
			w.Errorf("got %v", err)
		}
		w.reserve("g", 5) // the old reservation does not count
		if limit, unreserved := w.AccountConcurrency(); limit != 105 || unreserved != 100 {
			w.Errorf("limit %d, unreserved %d", limit, unreserved)
		}
		during(w, 100, func() {
			w.expectThrottle(ErrAccountConcurrency)
			w.invoke("g", "echo") // has a place of its own
		})
		if err := w.Delete(w.Context(), "g"); err != nil {
			w.Fatal(err)
		}
		during(w, 105, func() { w.expectThrottle(ErrAccountConcurrency) })
	})
}

// An invocation that nobody waits for any more still takes its place until it
// ends.
func TestAbandonedInvocationCounts(t *testing.T) {
	f := &fakes{workTime: 10 * time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		w.reserve("f", 1)
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if _, err := w.Invoke(ctx, Invocation{Function: "f"}); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("got %v", err)
		}
		w.expectThrottle(ErrReservedConcurrency)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		w.invoke("f", "echo")
		if started, _ := f.counts(); started != 1 {
			w.Errorf("%d environments", started)
		}
	})
}

func TestEnvironmentsAreStartedAheadOfNeed(t *testing.T) {
	f := &fakes{startTime: 5 * time.Second, workTime: time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		w.Prepare("no-such-function", 3)
		w.Prepare("f", 3)
		w.Prepare("f", 2) // there are three
		time.Sleep(5 * time.Second)
		synctest.Wait()
		begin := time.Now()
		during(w, 3, func() {})
		if took := time.Since(begin); took != f.workTime {
			w.Errorf("three invocations took %v", took)
		}
		if started, running := f.counts(); started != 3 || running != 3 {
			w.Errorf("%d environments started, %d run", started, running)
		}
		w.reserve("f", 4)
		w.Prepare("f", 10)
		synctest.Wait()
		if started, _ := f.counts(); started != 4 {
			w.Errorf("%d environments for a function with 4 reserved", started)
		}
	})
}

func TestChangeReplacesWhatIsInUse(t *testing.T) {
	f := &fakes{startTime: 5 * time.Second, workTime: 20 * time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		during(w, 1, func() { // starting
			during(w, 1, func() {})
		})
		time.Sleep(time.Minute) // one of them is idle for long when the other works
		w.invoke("f", "echo")
		memory := 256
		if _, err := w.UpdateConfiguration(w.Context(), "f", ConfigurationUpdate{MemoryMB: &memory}); err != nil {
			w.Fatal(err)
		}
		time.Sleep(f.startTime)
		synctest.Wait()
		if started, running := f.counts(); started != 3 || running != 1 {
			w.Errorf("%d environments started, %d run", started, running)
		}
		begin := time.Now()
		w.invoke("f", "echo")
		if took := time.Since(begin); took != f.workTime {
			w.Errorf("the invocation after the change took %v", took)
		}
	})
}

// A deployment changes configuration and code one right after the other.
func TestTwoChangesReplaceOnce(t *testing.T) {
	f := &fakes{startTime: 5 * time.Second, workTime: 20 * time.Second}
	inBubble(t, f, func(_ *testing.T, w *world) {
		during(w, 2, func() {
			time.Sleep(10 * time.Second) // both are busy
			for memory := range 2 {
				memory += 256
				if _, err := w.UpdateConfiguration(w.Context(), "f", ConfigurationUpdate{MemoryMB: &memory}); err != nil {
					w.Fatal(err)
				}
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		// Two, two for the first change, and two in the place of these.
		if started, running := f.counts(); started != 6 || running != 2 {
			w.Errorf("%d environments started, %d run", started, running)
		}
	})
}
