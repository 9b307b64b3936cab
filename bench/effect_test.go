package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseNotice(t *testing.T) {
	t.Parallel()
	if key, n, ok := parseNotice("event-07 312"); key != "event-07" || n != 312 || !ok {
		t.Errorf("%q %d %t", key, n, ok)
	}
	for _, bad := range []string{"", "key", "key ", " 3", "key x", "key 1 2"} {
		if _, _, ok := parseNotice(bad); ok {
			t.Errorf("%q is taken for a notice", bad)
		}
	}
}

func TestHear(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 4)
	n, err := hear(func(key string, count int, at time.Time) { heard <- fmt.Sprintf("%s=%d %t", key, count, at.IsZero()) })
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

func TestEffectReadsEachRowOnce(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		_, _ = w.Write([]byte(`{"Item":{}}`))
	}))
	defer server.Close()
	e := newEffect(server.Listener.Addr().String(), "s", "t", effectRate, 1, 2)
	at := e.start.Add(time.Second)
	e.heard(t.Context(), itemKey(1), at)
	e.heard(t.Context(), itemKey(1), at.Add(time.Second))
	e.heard(t.Context(), itemKey(2), at)
	e.heard(t.Context(), "other", at)
	if reads.Load() != 1 || e.acked[1].Load() != int64(time.Second) || e.seen[1].Load() == 0 {
		t.Errorf("%d reads, acknowledged %d, seen %d", reads.Load(), e.acked[1].Load(), e.seen[1].Load())
	}
	e.heard(t.Context(), itemKey(0), at)
	<-e.done
	if len(e.failed) > 0 {
		t.Error(<-e.failed)
	}
}

func TestEffectPutsAllRecords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ together, records, puts int }{{1, 7, 7}, {3, 7, 3}, {3, 6, 2}} {
		e := newEffect("", "s", "t", effectRate, tc.together, tc.records)
		if len(e.puts) != tc.puts || len(e.gets) != tc.records {
			t.Errorf("%d records, %d together: %d puts, %d gets", tc.records, tc.together, len(e.puts), len(e.gets))
		}
		keys := 0
		for _, put := range e.puts {
			keys += bytes.Count(put, []byte(`"PartitionKey"`))
		}
		if keys != tc.records {
			t.Errorf("%d records, %d together: puts have %d", tc.records, tc.together, keys)
		}
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
