package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func (f *fixture) register(stream, name string) string {
	f.t.Helper()
	c, err := f.RegisterConsumer(context.Background(), stream, name, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	st, err := f.Get(stream)
	if err != nil {
		f.t.Fatal(err)
	}
	return st.ConsumerARN(c)
}

func TestConsumersAreRegisteredAndForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx := context.Background()
		f.create("s", 1)
		first := f.register("s", "c")
		if want := fmt.Sprintf("arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:%d", time.Now().Unix()); first != want {
			t.Errorf("ARN %s, want %s", first, want)
		}
		_, err := f.RegisterConsumer(ctx, "s", "c", nil)
		wantError(t, err, InUse, "Consumer c under stream s already exists for account 000000000000.")
		wantError(t, f.DeleteUnused(ctx, "s"), InUse, "DeleteStream can't delete 000000000000:s because there are consumers")
		f.reopen()
		if _, c, err := f.ConsumerByARN(first); err != nil || c.Name != "c" {
			t.Errorf("after a restart: %+v %v", c, err)
		}
		if err := f.DeregisterConsumer(ctx, first); err != nil {
			t.Fatal(err)
		}
		wantError(t, f.DeregisterConsumer(ctx, first), NotFound, "Consumer c, account 000000000000 not found.")
		if second := f.register("s", "c"); second == first {
			t.Error("a consumer that was registered again has the ARN of the one before")
		}
		for i := 1; i < maxConsumers; i++ {
			f.register("s", fmt.Sprint("more-", i))
		}
		_, err = f.RegisterConsumer(ctx, "s", "last", nil)
		wantError(t, err, LimitExceeded, "20 consumers")
		if err := f.Delete(ctx, "s"); err != nil {
			t.Fatal(err)
		}
		f.create("s", 1)
		_, _, err = f.ConsumerByARN(first)
		wantError(t, err, NotFound, "Consumer c, account 000000000000 not found.")
	})
}

// reader runs a subscription and keeps what it pushes.
type reader struct {
	events chan Pushed
	result chan error
	cancel context.CancelFunc
}

func (f *fixture) subscribe(arn string, start Start) *reader {
	f.t.Helper()
	sub, err := f.Subscribe(context.Background(), arn, 0, start)
	if err != nil {
		f.t.Fatal(err)
	}
	r := &reader{events: make(chan Pushed, 1000), result: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() {
		r.result <- sub.Run(ctx, func(_ context.Context, e Pushed) error {
			r.events <- e
			return nil
		})
	}()
	return r
}

// take returns the data of the events so far and the last of them.
func (r *reader) take() (string, Pushed) {
	synctest.Wait()
	var all []Record
	var last Pushed
	for len(r.events) > 0 {
		last = <-r.events
		all = append(all, last.Records...)
	}
	return datas(all), last
}

func TestSubscriptionPushes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		st := f.create("s", 1)
		arn := f.register("s", "c")
		put(t, st, "k", "a", "k", "b")
		r := f.subscribe(arn, Start{Type: TrimHorizon})
		if got, e := r.take(); got != "a b" || e.Continuation == nil || e.Continuation.String() <= e.Shard.SequenceOf(e.Records[1]).String() {
			t.Errorf("first event %q, %+v", got, e)
		}
		put(t, st, "k", "c")
		if got, _ := r.take(); got != "c" {
			t.Errorf("pushed %q", got)
		}
		time.Sleep(heartbeat)
		if got, e := r.take(); got != "" || e.Continuation == nil || e.Behind != 0 {
			t.Errorf("heartbeat %q %+v", got, e)
		}
		// The number of an event, with records or without, neither misses nor
		// repeats a record.
		_, beat := r.take()
		for beat.Continuation == nil {
			time.Sleep(heartbeat)
			_, beat = r.take()
		}
		put(t, st, "k", "d")
		got, full := r.take()
		if got != "d" {
			t.Errorf("pushed %q", got)
		}
		put(t, st, "k", "e")
		for _, how := range []string{AtSequence, AfterSequence} {
			for from, want := range map[*Sequence]string{beat.Continuation: "d e", full.Continuation: "e"} {
				time.Sleep(subscriptionHold)
				again := f.subscribe(arn, Start{Type: how, Sequence: from.String()})
				if got, _ := again.take(); got != want {
					t.Errorf("%s %s: %q, want %q", how, from, got, want)
				}
				again.cancel()
				if err := <-again.result; !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled: %v", err)
				}
			}
		}
		wantError(t, <-r.result, InUse, "Another active subscription exists for this consumer: 000000000000:s:shardId-000000000000:c")
	})
}

func TestSubscriptionHasOneHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.create("s", 1)
		arn, other := f.register("s", "c"), f.register("s", "other")
		first := f.subscribe(arn, Start{Type: Latest})
		f.subscribe(other, Start{Type: Latest}).cancel()
		time.Sleep(subscriptionHold - time.Millisecond)
		_, err := f.Subscribe(context.Background(), arn, 0, Start{Type: Latest})
		wantError(t, err, InUse, "Another active subscription exists")
		time.Sleep(time.Millisecond)
		second := f.subscribe(arn, Start{Type: Latest})
		wantError(t, <-first.result, InUse, "Another active subscription exists")
		time.Sleep(SubscriptionLifetime)
		if err := <-second.result; err != nil {
			t.Errorf("after its lifetime: %v", err)
		}
		third := f.subscribe(arn, Start{Type: Latest})
		if err := f.DeregisterConsumer(context.Background(), arn); err != nil {
			t.Fatal(err)
		}
		wantError(t, <-third.result, NotFound, "Consumer c, account 000000000000 not found.")
		_, err = f.Subscribe(context.Background(), arn, 0, Start{Type: Latest})
		wantError(t, err, NotFound, "Consumer c, account 000000000000 not found.")
	})
}

func TestSubscriptionEndsWithTheShard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx := context.Background()
		st := f.create("s", 1)
		arn := f.register("s", "c")
		r := f.subscribe(arn, Start{Type: TrimHorizon})
		put(t, st, "k", "a")
		if err := f.SplitShard(ctx, "s", 0, "170141183460469231731687303715884105728"); err != nil {
			t.Fatal(err)
		}
		got, e := r.take()
		if got != "a" || e.Continuation != nil || len(e.ChildShards) != 2 {
			t.Errorf("%q, last event %+v", got, e)
		}
		if err := <-r.result; err != nil {
			t.Error(err)
		}
		time.Sleep(subscriptionHold)
		// A closed shard can be subscribed to as long as its records can be read.
		r = f.subscribe(arn, Start{Type: AfterSequence, Sequence: st.Definition().Shards[0].Last().String()})
		if got, e := r.take(); got != "" || len(e.ChildShards) != 2 || <-r.result != nil {
			t.Errorf("%q, last event %+v", got, e)
		}
		time.Sleep(25 * time.Hour)
		_, err := f.Subscribe(ctx, arn, 0, Start{Type: TrimHorizon})
		wantError(t, err, NotFound, "Shard shardId-000000000000 in stream s under account 000000000000 does not exist")
		_, err = st.Iterator(ctx, 0, Start{Type: TrimHorizon})
		wantError(t, err, NotFound, "Shard shardId-000000000000 in stream s under account 000000000000 does not exist")
	})
}

func TestSubscriptionEndsWithTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.create("s", 1)
		r := f.subscribe(f.register("s", "c"), Start{Type: Latest})
		synctest.Wait()
		if err := f.Delete(context.Background(), "s"); err != nil {
			t.Fatal(err)
		}
		wantError(t, <-r.result, NotFound, "not found")
	})
}

// A consumer that does not take what is pushed holds nothing but the event in
// flight, and gets the rest when it goes on.
func TestSubscriptionWaitsForItsConsumer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		st := f.create("s", 1)
		sub, err := f.Subscribe(context.Background(), f.register("s", "c"), 0, Start{Type: TrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		gate, sizes := make(chan bool), make(chan int, 10)
		done := make(chan error, 1)
		go func() {
			done <- sub.Run(ctx, func(_ context.Context, e Pushed) error {
				<-gate
				sizes <- len(e.Records)
				return nil
			})
		}()
		synctest.Wait()
		for range 5 {
			put(t, st, "k", strings.Repeat("x", 300<<10))
		}
		for _, want := range []int{0, 3, 2} { // of 1 MiB each, at most
			gate <- true
			if got := <-sizes; got != want {
				t.Errorf("event of %d records, want %d", got, want)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
