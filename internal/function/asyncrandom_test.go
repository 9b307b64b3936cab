package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// asyncChaos is a function, and destinations of its records, that do what a seed
// says: succeed, fail, are throttled, take their time, are down.
type asyncChaos struct {
	mu       sync.Mutex
	random   *rand.Rand
	runs     map[string]int    // by event
	failures map[string]int    // runs that ended with a function error
	ends     map[string]string // condition by event, as reported
	repeats  int               // records that came again
}

func (c *asyncChaos) draw(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *asyncChaos) run(f *Functions, inv *invocation) {
	if c.draw(4) == 0 && !sleep(f.lifetime, time.Duration(c.draw(90))*time.Second) {
		inv.end(outcome{err: ErrClosed})
		return
	}
	kind := c.draw(3)
	c.mu.Lock()
	if kind < 2 {
		c.runs[string(inv.payload)]++
	}
	if kind == 1 {
		c.failures[string(inv.payload)]++
	}
	c.mu.Unlock()
	switch kind {
	case 0:
		inv.end(outcome{err: errorf(ErrThrottled, "Rate Exceeded.")})
	case 1:
		inv.end(outcome{failed: true, payload: []byte(`{"errorMessage":"x"}`)})
	default:
		inv.end(outcome{payload: []byte("1")})
	}
}

// Send implements Destinations.
func (c *asyncChaos) Send(_ context.Context, arn string, body []byte, _ map[string]string, _ string) error {
	if c.draw(3) == 0 {
		return errors.New("down")
	}
	var r eventRecord
	if err := json.Unmarshal(body, &r); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	event, end := string(r.RequestPayload), string(r.RequestContext.Condition)
	if wanted := map[bool]string{true: "done", false: "lost"}[end == "Success"]; arn != "arn:aws:sqs:us-east-1:000000000000:"+wanted {
		return fmt.Errorf("%s went to %s: %w", end, arn, ErrUndeliverable)
	}
	if _, ok := c.ends[event]; ok {
		c.repeats++
	}
	c.ends[event] = end
	return nil
}

// Every event that was accepted is reported, whatever functions, destinations and
// restarts do; and no event runs more often than its settings and the restarts
// allow.
func TestNoAsynchronousEventIsLost(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, &fakes{}, func(t *testing.T, w *world) { asyncSeed(t, w, seed) })
		})
	}
}

func asyncSeed(t *testing.T, w *world, seed uint64) {
	c := &asyncChaos{random: rand.New(rand.NewPCG(seed, 1)), runs: map[string]int{}, failures: map[string]int{}, ends: map[string]string{}}
	f, first := w.Functions, w.Functions
	attach := func() {
		f.start = func(p *pool, _ Definition) {
			f.background.Go(func() { p.notStarted(func(inv *invocation) { c.run(f, inv) }) })
		}
		f.async.destinations = c
	}
	attach()
	retries := c.draw(MaxRetryAttempts + 1)
	age := MinEventAgeSeconds + c.draw(MaxEventAgeSeconds-MinEventAgeSeconds)
	if _, err := f.PutEventInvokeConfig(t.Context(), "f", EventInvokeUpdate{RetryAttempts: &retries, EventAgeSeconds: &age, Destinations: &EventDestinations{
		OnSuccess: "arn:aws:sqs:us-east-1:000000000000:done", OnFailure: "arn:aws:sqs:us-east-1:000000000000:lost",
	}}); err != nil {
		t.Fatal(err)
	}
	const events = 100
	restarts := 0
	for n := range events {
		if err := f.InvokeAsync(t.Context(), Invocation{Function: "f", Payload: fmt.Appendf(nil, "%d", n)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(c.draw(20)) * time.Second)
		if c.draw(15) != 0 {
			continue
		}
		restarts++
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if f, err = Open(Config{DB: w.db, Identity: f.identity, Logs: w.logs, Runtimes: f.runtimes, CodeDir: f.codeDir}); err != nil {
			t.Fatal(err)
		}
		attach()
		f.Start(c)
	}
	time.Sleep(2 * MaxEventAgeSeconds * time.Second) // events, then their records, are at most so old
	synctest.Wait()
	if f != first {
		defer f.Close()
	}
	if len(c.ends) != events || f.async.events != 0 || f.async.bytes != 0 {
		t.Errorf("%d of %d events were reported, %d wait", len(c.ends), events, f.async.events)
	}
	for event, n := range c.failures {
		if n > retries+1+restarts {
			t.Errorf("event %s failed %d times with %d retries and %d restarts", event, n, retries, restarts)
		}
	}
	if c.repeats > 0 {
		t.Errorf("%d records came twice, with no crash", c.repeats)
	}
}
