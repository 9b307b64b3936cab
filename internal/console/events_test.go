package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// viewer is a browser with an open event stream.
type viewer struct {
	cancel context.CancelFunc
	done   chan struct{}
	code   int

	mu     sync.Mutex
	header http.Header
	text   strings.Builder
	fail   error // what writes return
}

func (v *viewer) Header() http.Header { return v.header }

func (v *viewer) WriteHeader(code int) { v.code = code }

func (v *viewer) Flush() {}

func (v *viewer) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return 0, v.fail
	}
	return v.text.Write(p)
}

// open connects a viewer to the console.
func open(c *Console, query string, header ...string) *viewer {
	ctx, cancel := context.WithCancel(context.Background())
	v := &viewer{cancel: cancel, done: make(chan struct{}), header: http.Header{}}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, Prefix+"api/events"+query, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	go func() {
		defer close(v.done)
		c.ServeHTTP(v, r)
	}()
	return v
}

// leave closes the connection and waits for the handler.
func (v *viewer) leave() {
	v.cancel()
	<-v.done
}

type message struct{ event, id, data string }

// take returns the messages since the last call.
func (v *viewer) take() []message {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := v.text.String()
	v.text.Reset()
	var list []message
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var m message
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "event":
				m.event = value
			case "id":
				m.id = value
			case "data":
				m.data = value
			}
		}
		if m.event != "" {
			list = append(list, m)
		}
	}
	return list
}

func parse[T any](t *testing.T, m message) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(m.data), &v); err != nil {
		t.Fatalf("%s: %v", m.data, err)
	}
	return v
}

// testLive runs a test on a console over the fake application, in virtual time.
func testLive(t *testing.T, run func(t *testing.T, f *fake, c *Console)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Now())
		c := New(f.config())
		defer c.Close()
		run(t, f, c)
	})
}

// settle lets time pass and everything that it triggers happen.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestViewerIsToldWhatChanges(t *testing.T) {
	testLive(t, func(t *testing.T, f *fake, c *Console) {
		v := open(c, "")
		defer v.leave()
		settle(100 * time.Millisecond)

		first := v.take()
		if len(first) != 1 || first[0].event != "state" {
			t.Fatalf("first messages: %+v", first)
		}
		u := parse[Update](t, first[0])
		if !u.Full || u.Put["streams"]["web-analytics"] == nil || len(u.Put["functions"]) != 2 || u.Put["server"][""] == nil {
			t.Errorf("first update lacks something: %+v", u)
		}

		settle(9 * time.Second)
		if quiet := v.take(); len(quiet) != 0 {
			t.Errorf("told %+v while nothing happened", quiet)
		}
		settle(2 * time.Second)
		if ping := v.take(); len(ping) != 1 || ping[0].event != "ping" {
			t.Errorf("no sign of life after ten quiet seconds but %+v", ping)
		}

		f.put("page view", time.Now(), 10)
		settle(liveInterval)
		news := v.take()
		if len(news) != 1 {
			t.Fatalf("an event made %d updates: %+v", len(news), news)
		}
		u = parse[Update](t, news[0])
		var s StreamView
		if err := json.Unmarshal(u.Put["streams"]["web-analytics"], &s); err != nil {
			t.Fatal(err)
		}
		if s.Records != 10 || s.RecordsPerSecond == 0 || u.Full || u.Put["functions"] != nil {
			t.Errorf("told %+v of ten records", u)
		}
	})
}

func TestViewerGetsAtMostTwoUpdatesASecond(t *testing.T) {
	testLive(t, func(t *testing.T, f *fake, c *Console) {
		v := open(c, "")
		defer v.leave()
		settle(time.Second)
		v.take()
		for range 1000 {
			f.put("page view", time.Now(), 1)
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		if n := len(v.take()); n < 18 || n > 22 {
			t.Errorf("%d updates in ten busy seconds", n)
		}
	})
}

func TestHistoryBeginsBeforeTheFirstViewer(t *testing.T) {
	testLive(t, func(t *testing.T, f *fake, c *Console) {
		settle(10 * time.Second)
		f.put("page view", time.Now(), 100)
		settle(10 * time.Second)
		v := open(c, "")
		defer v.leave()
		synctest.Wait()
		u := parse[Update](t, v.take()[0])
		if got := fmt.Sprint(u.Points["streams"]["web-analytics"]); !strings.Contains(got, "[50 10600]") {
			t.Errorf("a viewer that came late sees %s", got)
		}
	})
}

func TestLogIsFollowed(t *testing.T) {
	testLive(t, func(t *testing.T, f *fake, c *Console) {
		f.invoke("count-events", time.Now(), 3, "", "first")
		v := open(c, "?log=count-events")
		defer v.leave()
		settle(time.Second)
		tail := logs(t, v.take())
		if len(tail) != 1 || !tail[0].Reset || len(tail[0].Events) != 4 || tail[0].Events[1].Message != "first" {
			t.Fatalf("tail: %+v", tail)
		}

		f.invoke("count-events", time.Now(), 3, "it broke", "second")
		f.invoke("publish-metrics", time.Now(), 3, "", "of another function")
		settle(time.Second)
		news := logs(t, v.take())
		if len(news) != 1 || news[0].Reset || len(news[0].Events) != 5 || news[0].Events[2].Message != "[ERROR] it broke" {
			t.Fatalf("what followed: %+v", news)
		}

		again := open(c, "?log=count-events", "Last-Event-ID", "8")
		defer again.leave()
		settle(time.Second)
		rest := logs(t, again.take())
		if len(rest) != 1 || rest[0].Reset || len(rest[0].Events) != 1 || rest[0].Events[0].ID != "9" {
			t.Errorf("after reconnecting: %+v", rest)
		}
	})
}

func TestLogThatIsTooFastIsCut(t *testing.T) {
	testLive(t, func(t *testing.T, f *fake, c *Console) {
		v := open(c, "?log=count-events")
		defer v.leave()
		settle(time.Second)
		v.take()
		for range 1000 {
			f.invoke("count-events", time.Now(), 1, "", "x")
		}
		settle(2 * time.Second)
		shown, skipped := 0, 0
		updates := logs(t, v.take())
		for _, u := range updates {
			shown += len(u.Events)
			skipped += u.Skipped
			if len(u.Events) > logBurst {
				t.Errorf("%d lines in one message", len(u.Events))
			}
		}
		if shown+skipped != 4000 || skipped == 0 || len(updates) > 8 {
			t.Errorf("%d lines shown and %d skipped in %d messages", shown, skipped, len(updates))
		}
	})
}

func TestLogOfNoFunctionEnds(t *testing.T) {
	testLive(t, func(t *testing.T, _ *fake, c *Console) {
		v := open(c, "?log=nothing")
		defer v.leave()
		settle(time.Second)
		if u := logs(t, v.take()); len(u) != 1 || !strings.Contains(u[0].Error, "not found") {
			t.Errorf("told %+v", u)
		}
	})
}

func logs(t *testing.T, messages []message) (updates []LogUpdate) {
	t.Helper()
	for _, m := range messages {
		if m.event == "log" {
			updates = append(updates, parse[LogUpdate](t, m))
		}
	}
	return updates
}

func TestCloseEndsEverything(t *testing.T) {
	testLive(t, func(t *testing.T, _ *fake, c *Console) {
		viewers := []*viewer{open(c, ""), open(c, "?log=count-events"), open(c, "?log=nothing")}
		settle(time.Second)
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		for _, v := range viewers {
			<-v.done
		}
		late := open(c, "")
		<-late.done
		if late.code != http.StatusServiceUnavailable {
			t.Errorf("a viewer after Close got %d", late.code)
		}
	})
}

// TestStartStop opens and closes consoles with viewers that come and go, to
// find an end that waits for ever.
func TestStartStop(t *testing.T) {
	t.Parallel()
	f := newFake(time.Now())
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 20 {
				c := New(f.config())
				a, b := open(c, "?log=count-events"), open(c, "")
				f.invoke("count-events", time.Now(), 1, "", "x")
				a.leave()
				_ = c.Close() // never fails
				<-b.done
			}
		})
	}
	all.Wait()
}

func TestViewersAreLimited(t *testing.T) {
	testLive(t, func(t *testing.T, _ *fake, c *Console) {
		var all []*viewer
		for range maxViewers {
			all = append(all, open(c, ""))
		}
		synctest.Wait()
		over := open(c, "")
		<-over.done
		if over.code != http.StatusServiceUnavailable || over.header.Get("Retry-After") == "" {
			t.Errorf("one viewer too many got %d %v", over.code, over.header)
		}
		all[0].leave()
		next := open(c, "")
		settle(time.Second)
		if next.code != http.StatusOK {
			t.Errorf("the next viewer got %d", next.code)
		}
		next.leave()
	})
}

func TestViewerThatIsGoneIsLetGo(t *testing.T) {
	testLive(t, func(t *testing.T, f *fake, c *Console) {
		v := open(c, "?log=count-events")
		settle(time.Second)
		v.mu.Lock()
		v.fail = errors.New("connection reset")
		v.mu.Unlock()
		f.put("page view", time.Now(), 1)
		settle(time.Second)
		select {
		case <-v.done:
		default:
			t.Error("the handler goes on writing to nobody")
		}
		if c.watched() {
			t.Error("a viewer that is gone is counted")
		}
	})
}

// failing is a source that cannot be read now and then.
type failing struct {
	*fake
	mu  sync.Mutex
	err error
}

func (f *failing) Streams(ctx context.Context) ([]Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	return f.fake.Streams(ctx)
}

func TestListThatCannotBeReadStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &failing{fake: newFake(time.Now())}
		var log bytes.Buffer
		cfg := f.config()
		cfg.Streams, cfg.Log = f, slog.New(slog.NewTextHandler(&log, nil))
		c := New(cfg)
		settle(time.Second)
		f.mu.Lock()
		f.err = errors.New("disk on fire")
		f.mu.Unlock()
		settle(time.Minute)
		v := open(c, "")
		settle(time.Second)
		if u := parse[Update](t, v.take()[0]); u.Put["streams"]["web-analytics"] == nil {
			t.Error("the stream vanished because it could not be read")
		}
		v.leave()
		_ = c.Close() // never fails
		if n := strings.Count(log.String(), "disk on fire"); n != 1 {
			t.Errorf("the same failure was logged %d times", n)
		}
	})
}
