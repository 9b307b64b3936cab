package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		request := func(took time.Duration, units int) step {
			return func(context.Context) (int, error) {
				time.Sleep(took)
				return units, nil
			}
		}
		got, err := runFor(t.Context(), goroutines, []step{request(10*time.Millisecond, 5), request(40*time.Millisecond, 1)}, time.Second)
		if err != nil || got.units != 100*5+25 || got.elapsed != time.Second || len(got.latencies) != 125 {
			t.Errorf("%d units in %s, %d latencies, %v", got.units, got.elapsed, len(got.latencies), err)
		}
		if p50, p99 := percentile(got.latencies, 0.5), percentile(got.latencies, 0.99); p50 != 10*time.Millisecond || p99 != 40*time.Millisecond {
			t.Errorf("p50 %s, p99 %s", p50, p99)
		}
		got, err = runFor(t.Context(), goroutines, []step{request(300*time.Millisecond, 1)}, time.Second)
		if err != nil || got.units != 4 || got.elapsed != 1200*time.Millisecond {
			t.Errorf("a request under way at the end: %d units in %s, %v", got.units, got.elapsed, err)
		}
		got, err = runFor(t.Context(), goroutines, []step{atMost(3, request(time.Second, 2))}, time.Hour)
		if err != nil || got.units != 6 || got.elapsed != 3*time.Second {
			t.Errorf("three requests: %d units in %s, %v", got.units, got.elapsed, err)
		}
	})
}

func TestRunForEndsWithFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		start := time.Now()
		_, err := runFor(t.Context(), goroutines, []step{
			func(context.Context) (int, error) { time.Sleep(time.Second); return 0, broken },
			func(context.Context) (int, error) { time.Sleep(time.Millisecond); return 1, nil },
		}, time.Hour)
		if !errors.Is(err, broken) || time.Since(start) > 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestLoadFigures(t *testing.T) {
	t.Parallel()
	got := loadFigures("Puts", "records", []sample{
		{units: 1000, elapsed: 2 * time.Second, cpu: time.Second, latencies: []time.Duration{time.Millisecond, 3 * time.Millisecond}},
	})
	want := []float64{500, 1, 3, 50}
	for i, f := range got {
		if f.Runs[0] != want[i] {
			t.Errorf("%s %s: %v %s, want %v", f.Measure, f.Aspect, f.Runs[0], f.Unit, want[i])
		}
	}
}
