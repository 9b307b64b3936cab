package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseNotice(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]notice{
		"event-07 312":   {key: "event-07", count: 312, ids: []int{}},
		"event-07 2 5 9": {key: "event-07", count: 2, ids: []int{5, 9}},
	} {
		if n, ok := parseNotice(line); !ok || !reflect.DeepEqual(n, want) {
			t.Errorf("%q: %+v %t", line, n, ok)
		}
	}
	for _, bad := range []string{"", "key", "key ", " 3", "key x", "key 1 x", "key 1  2"} {
		if _, ok := parseNotice(bad); ok {
			t.Errorf("%q is taken for a notice", bad)
		}
	}
}

func TestHear(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 4)
	n, err := hear(func(n notice, at time.Time) { heard <- fmt.Sprintf("%s=%d %t", n.key, n.count, at.IsZero()) })
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", n.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("a 1\nnonsense\nb 2\n")); err != nil {
		t.Fatal(err)
	}
	if first, second := <-heard, <-heard; first != "a=1 false" || second != "b=2 false" {
		t.Errorf("%s, %s", first, second)
	}
	n.close() // must end although the other side is still connected
}

// rowServer answers GetItem with a row that counts so many records, and counts reads.
func rowServer(t *testing.T, records int) (addr string, reads *atomic.Int64) {
	t.Helper()
	reads = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		_, _ = fmt.Fprintf(w, `{"Item":{"EventCount":{"N":"%d"}}}`, records)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), reads
}

func effectOf(t *testing.T, addr string, load effectLoad, n int) *effect {
	t.Helper()
	e, err := newEffect(addr, "s", "t", load, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.senders.close)
	return e
}

func TestEffectCountsEachRecordOnce(t *testing.T) {
	t.Parallel()
	addr, reads := rowServer(t, 3)
	e := effectOf(t, addr, effectLoad{rate: effectRate}, 3)
	at := e.start.Add(time.Second)
	e.heard(t.Context(), notice{"k", 2, []int{2, 3}}, at)
	e.heard(t.Context(), notice{"k", 1, []int{2}}, at.Add(time.Second)) // delivered again
	e.heard(t.Context(), notice{"k", 2, []int{0, 4}}, at)               // of somebody else
	e.reading.Wait()
	if reads.Load() != 1 || e.acked[1].Load() != int64(time.Second) || e.seen[1].Load() == 0 || e.seen[2].Load() == 0 {
		t.Errorf("%d reads, acknowledged %d, seen %d and %d", reads.Load(), e.acked[1].Load(), e.seen[1].Load(), e.seen[2].Load())
	}
	e.heard(t.Context(), notice{"k", 2, []int{1, 2}}, at)
	<-e.done
	e.reading.Wait()
	if len(e.failed) > 0 {
		t.Error(<-e.failed)
	}
}

func TestEffectReadsASample(t *testing.T) {
	t.Parallel()
	addr, reads := rowServer(t, 1)
	e := effectOf(t, addr, effectLoad{rate: effectRate, reads: 2}, 4)
	for i := range 4 {
		e.heard(t.Context(), notice{fmt.Sprint("k", i), 1, []int{i + 1}}, e.start.Add(time.Second))
	}
	e.reading.Wait()
	seen := repetitions(e.due, e.seen, 0, 4)
	if reads.Load() != 2 || len(seen) != 1 || len(seen[0]) != 2 || e.seen[0].Load() != 0 || e.seen[1].Load() == 0 {
		t.Errorf("%d reads, seen %v", reads.Load(), seen)
	}
}

func TestEffectFailsWhenTheRowIsBehind(t *testing.T) {
	t.Parallel()
	addr, _ := rowServer(t, 1)
	e := effectOf(t, addr, effectLoad{rate: effectRate}, 3)
	e.heard(t.Context(), notice{"k", 2, []int{1, 2}}, e.start)
	e.reading.Wait()
	if len(e.failed) == 0 {
		t.Error("a row that lacks a record was accepted")
	}
}

func TestRepetitions(t *testing.T) {
	t.Parallel()
	from, to := make([]atomic.Int64, 7), make([]atomic.Int64, 7)
	for i := range from {
		from[i].Store(int64(i))
		to[i].Store(int64(10 * (i + 1)))
	}
	got := repetitions(from, to, 1, 3)
	if fmt.Sprint(got) != "[[19ns 28ns 37ns] [46ns 55ns 64ns]]" {
		t.Errorf("%v", got)
	}
}
