package function

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// failing makes the environments of a world answer with an error.
func (w *world) failing(attempts *[]time.Duration) {
	begin := time.Now()
	w.start = func(p *pool, _ Definition) {
		w.background.Go(func() {
			p.notStarted(func(inv *invocation) {
				*attempts = append(*attempts, time.Since(begin).Truncate(time.Second))
				inv.done <- outcome{failed: true, payload: []byte(`{}`)}
			})
		})
	}
}

func TestAsynchronousEventThatFailsRunsThreeTimes(t *testing.T) {
	inBubble(t, &fakes{}, func(t *testing.T, w *world) {
		var attempts []time.Duration
		w.failing(&attempts)
		if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := fmt.Sprint(attempts); got != "[0s 1m0s 3m0s]" {
			t.Errorf("attempts at %s", got)
		}
	})
}

func TestAsynchronousEventOfADeletedFunctionIsDropped(t *testing.T) {
	inBubble(t, &fakes{}, func(t *testing.T, w *world) {
		var attempts []time.Duration
		w.failing(&attempts)
		if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := w.Delete(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(attempts) != 1 || w.async.events != 0 {
			t.Errorf("%d attempts, %d events wait", len(attempts), w.async.events)
		}
		if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestThrottledAsynchronousEventWaits(t *testing.T) {
	f := &fakes{workTime: 2500 * time.Millisecond}
	inBubble(t, f, func(t *testing.T, w *world) {
		w.account.limit = 1
		for range 2 {
			if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if n, _, _ := w.total.invocations.Totals(); n != 2 {
			t.Errorf("%v invocations", n)
		}
		if n, _, _ := w.total.throttles.Totals(); n != 2 { // at 0 s and 1 s, then it ran at 3 s
			t.Errorf("%v throttles", n)
		}
	})
}

func TestAsynchronousQueueIsBounded(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		var refused atomic.Int64
		for range maxAsyncEvents + 10 {
			if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); errors.Is(err, ErrThrottled) {
				refused.Add(1)
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if refused.Load() != 10 {
			t.Errorf("%d were refused", refused.Load())
		}
		synctest.Wait()
		if _, running := f.counts(); running != asyncConcurrency {
			t.Errorf("%d environments", running)
		}
		time.Sleep(maxAsyncEvents / asyncConcurrency * time.Second * 2)
		if n, _, _ := w.total.invocations.Totals(); n != maxAsyncEvents {
			t.Errorf("%v invocations", n)
		}
	})
}
