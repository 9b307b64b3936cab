// Package exactlyonce proves on the real server that what functions tagged
// weir:delivery = exactly-once do counts once: the example web-analytics runs with
// functions that fail at random after some of their writes (see flaky), and the
// server is killed with SIGKILL again and again. In the end
//
//   - every counter is exactly the number of its events in the stream, and the
//     metrics that another function makes of the counters' changes add up to them;
//   - a function that gets, changes and puts shared items, called by two shards at
//     once, has lost no update, and what it put to a stream and sent to a queue is
//     there once.
//
// The truth is what the stream holds, as a producer cannot know whether a put that
// was cut off by a kill was accepted. Without the tag the same run ends with
// counters above it.
package exactlyonce

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

const (
	// binEnv is the path of the program, killsEnv how often it is killed.
	binEnv       = "WEIR_BIN"
	killsEnv     = "WEIR_ONCE_KILLS"
	defaultKills = 10
	// untaggedKills is how often the run without the tag is killed.
	untaggedKills = 5
)

func kills(t *testing.T) int {
	t.Helper()
	if os.Getenv(binEnv) == "" {
		t.Skip(binEnv + " is not set; 'test/run exactlyonce' runs this test")
	}
	s := os.Getenv(killsEnv)
	if s == "" {
		return defaultKills
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s=%s: %v", killsEnv, s, err)
	}
	return n
}

// TestEveryCounterIsExact runs by itself: it needs the machine.
func TestEveryCounterIsExact(t *testing.T) { //nolint:paralleltest // see above
	n := kills(t)
	s := newSite(t, true)
	s.run(n)
	s.settle()
	truth, counters := s.events(), s.counters()
	if !maps.Equal(truth, counters) {
		t.Errorf("the stream has %v\nthe counters are %v", truth, counters)
	}
	s.eventually("metrics that add up to the counters", func() string {
		metrics := s.metrics()
		for name, want := range byName(counters) {
			if metrics[name] != want {
				return fmt.Sprintf("%s is %d of %d in %v", name, metrics[name], want, metrics)
			}
		}
		return ""
	})
	changes := s.changes()
	if got := s.changed(); !maps.Equal(got, changes) {
		t.Errorf("the stream has %v changes\nthe items have %v", changes, got)
	}
	if got := s.retold(); !maps.Equal(got, changes) {
		t.Errorf("the stream has %v changes\nthe stream of the function has %v", changes, got)
	}
	if got := s.messages(); got != total(changes) {
		t.Errorf("the stream has %d changes, the messages tell of %d", total(changes), got)
	}
	t.Logf("%d kills, %d events in %d counters, %d changes; %s", n, total(truth), len(truth), total(changes), s.transactions())
}

// TestWithoutTheTagCountersAreTooHigh shows that the functions do fail in the middle.
func TestWithoutTheTagCountersAreTooHigh(t *testing.T) { //nolint:paralleltest // needs the machine
	kills(t)
	s := newSite(t, false)
	s.run(untaggedKills)
	s.settle()
	truth, counters := s.events(), s.counters()
	for name, n := range truth {
		if counters[name] < n {
			t.Errorf("%s is %d, less than %d", name, counters[name], n)
		}
	}
	if total(counters) <= total(truth) {
		t.Errorf("%d events counted as %d: nothing failed in the middle", total(truth), total(counters))
	}
	t.Logf("%d events counted as %d; changes %v became %v", total(truth), total(counters), s.changes(), s.changed())
}

// run produces events and changes and kills the server meanwhile.
func (s *site) run(kills int) {
	s.t.Helper()
	for range kills {
		ctx, stop := context.WithCancel(context.Background())
		producing := make(chan struct{})
		go func() {
			defer close(producing)
			s.produce(ctx)
		}()
		time.Sleep(time.Duration(300+rand.IntN(900)) * time.Millisecond)
		s.kill()
		stop()
		<-producing
		s.start()
	}
}

// settle waits until everything that was produced has had its effects: it puts one
// more record to each shard, which is processed after all before it and has been
// when it counts.
func (s *site) settle() {
	s.t.Helper()
	names := s.putLast()
	s.eventually("the last records to count", func() string {
		counters, changed := byName(s.counters()), s.changed()
		for _, name := range names {
			if counters[name] == 0 || changed[name] == 0 {
				return fmt.Sprintf("%s counts %d and %d", name, counters[name], changed[name])
			}
		}
		return ""
	})
}

// eventually waits until check finds nothing missing.
func (s *site) eventually(what string, check func() string) {
	s.t.Helper()
	for deadline := time.Now().Add(120 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		missing := check()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %s: %s\n%s", what, missing, s.transactions())
		}
	}
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}
