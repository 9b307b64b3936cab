package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPollerServesManyConnections(t *testing.T) {
	t.Parallel()
	large := []byte(strings.Repeat("x", 4<<20+1)) // more than the buffers of a socket
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Last") {
			w.Header().Set("Connection", "close")
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	cs, err := connectLightly(server.Listener.Addr().String(), 5)
	if err != nil {
		t.Fatal(err)
	}
	defer cs.close()
	steps := make([]step, len(cs.conns))
	for i, c := range cs.conns {
		body := large[:1+i*(1<<20)]
		batch := [][]byte{kinesisJSON.post("First", body), kinesisJSON.post("Last", body)}
		steps[i] = atMost(6, cycle(c, batch, i, 1, func(r response) error {
			requests++ // no lock: all tasks are of one goroutine's making
			if len(r.body) != len(body) {
				t.Errorf("%d bytes came back of %d", len(r.body), len(body))
			}
			return checkStatus(r)
		}))
	}
	got, err := runFor(t.Context(), cs.run, steps, time.Minute)
	if err != nil || got.units != 30 || requests != 30 || len(got.latencies) != 30 {
		t.Errorf("%d units of %d requests, %d latencies, %v", got.units, requests, len(got.latencies), err)
	}
}

func TestPollerEndsWithContext(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cs, err := connectLightly(silent.Addr().String(), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer cs.close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	steps := make([]step, len(cs.conns))
	for i, c := range cs.conns {
		steps[i] = cycle(c, [][]byte{kinesisJSON.post("ListStreams", nil)}, 0, 1, checkStatus)
	}
	if _, err := runFor(ctx, cs.run, steps, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestPollerTellsRefusal(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := gone.Addr().String()
	gone.Close()
	cs, err := connectLightly(addr, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer cs.close()
	steps := []step{cycle(cs.conns[0], [][]byte{kinesisJSON.post("ListStreams", nil)}, 0, 1, checkStatus)}
	if _, err := runFor(t.Context(), cs.run, steps, time.Hour); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("%v", err)
	}
}

func TestPollerSleeps(t *testing.T) {
	t.Parallel()
	cs, err := connectLightly("127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer cs.close()
	start := time.Now()
	var woken []int
	tasks := make([]func(context.Context), 3)
	for i := range tasks {
		tasks[i] = func(ctx context.Context) {
			for round := range 2 {
				until := start.Add(time.Duration(10*round+len(tasks)-i) * time.Millisecond)
				cs.sleep(ctx, until)
				if time.Now().Before(until) {
					t.Errorf("task %d was woken %v too early", i, time.Until(until))
				}
				woken = append(woken, i)
			}
		}
	}
	cs.run(t.Context(), tasks)
	if !slices.Equal(woken[:3], []int{2, 1, 0}) || len(woken) != 6 {
		t.Errorf("woken in the order %v", woken)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	cs.run(ctx, []func(context.Context){func(ctx context.Context) { cs.sleep(ctx, start.Add(time.Hour)) }})
}
