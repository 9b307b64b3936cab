package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// pingInterval is the time after which a viewer is sent a sign of life.
	pingInterval = 10 * time.Second
	// writeTimeout ends the event stream of a viewer that does not read.
	writeTimeout = 10 * time.Second
	// logTail is the number of log events that a follower gets to begin with.
	logTail = 500
	// logBurst bounds the log events of one message; the newest are kept.
	logBurst = 500
	// logInterval is the least time between two messages of a log.
	logInterval = 250 * time.Millisecond
)

// LogUpdate is what an event stream sends of the log that it follows.
type LogUpdate struct {
	Function string     `json:"function"`
	Reset    bool       `json:"reset,omitempty"` // Events are the tail; forget earlier ones
	Events   []LogEvent `json:"events"`
	Skipped  int        `json:"skipped,omitempty"` // events left out before these, as they came too fast
	Error    string     `json:"error,omitempty"`   // why nothing more will come
}

// events serves one viewer. Messages: "state" with an Update, "log" with a
// LogUpdate when the query names a function in "log", "ping" with nothing.
//
// A reconnecting browser names the last log event it saw, and the log goes on
// from there.
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	if err := c.enter(); err != nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer c.leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	out := newEventWriter(w)
	if err := out.begin(); err != nil {
		return
	}
	lines, wait := c.startFollowing(ctx, r)
	defer wait()
	defer cancel() // before wait, which needs it
	if err := c.stream(ctx, out, lines); err != nil {
		c.log.Debug("console viewer left", "error", err)
	}
}

// stream sends until ctx ends, the console is closed or the viewer is gone.
func (c *Console) stream(ctx context.Context, out *eventWriter, lines <-chan LogUpdate) error {
	select {
	case <-c.state.ready:
	case <-c.done:
		return http.ErrServerClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	var at position
	for {
		u, next, more := c.state.since(at)
		at = next
		if err := out.send("state", "", u); err != nil {
			return err
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-c.done:
				return http.ErrServerClosed
			case <-more:
				waiting = false
			case l := <-lines:
				if err := out.send("log", lastID(l.Events), l); err != nil {
					return err
				}
			case <-ping.C:
				if err := out.send("ping", "", struct{}{}); err != nil {
					return err
				}
			}
		}
	}
}

func lastID(events []LogEvent) string {
	if len(events) == 0 {
		return ""
	}
	return events[len(events)-1].ID
}

// startFollowing follows the log that the request names, if it names one; wait
// returns when that has ended, which it does with ctx.
func (c *Console) startFollowing(ctx context.Context, r *http.Request) (lines <-chan LogUpdate, wait func()) {
	function := r.URL.Query().Get("log")
	if function == "" || c.cfg.Logs == nil {
		return nil, func() {}
	}
	out := make(chan LogUpdate)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := c.follow(ctx, function, r.Header.Get("Last-Event-ID"), out)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the log has ended")
		}
		select {
		case out <- LogUpdate{Function: function, Error: c.explain(err)}:
		case <-ctx.Done():
		}
	}()
	return out, func() { <-done }
}

// follow sends the tail of a log, unless the viewer has it up to after, and then
// what is written, at most one message in logInterval.
func (c *Console) follow(ctx context.Context, function, after string, out chan<- LogUpdate) error {
	send := func(u LogUpdate) error {
		select {
		case out <- u:
		case <-ctx.Done():
			return ctx.Err()
		}
		timer := time.NewTimer(logInterval)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if after == "" {
		tail, err := c.cfg.Logs.Tail(ctx, function, "", logTail)
		if err != nil {
			return err
		}
		if err := send(LogUpdate{Function: function, Reset: true, Events: notNil(tail)}); err != nil {
			return err
		}
		after = lastID(tail)
	}
	return c.cfg.Logs.Follow(ctx, function, after, func(events []LogEvent) error {
		if len(events) == 0 {
			return nil
		}
		u := LogUpdate{Function: function, Events: events}
		if over := len(events) - logBurst; over > 0 {
			u.Events, u.Skipped = events[over:], over
		}
		return send(u)
	})
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	return &eventWriter{w, http.NewResponseController(w)}
}

func (e *eventWriter) begin() error {
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must pass events on at once
	e.w.WriteHeader(http.StatusOK)
	return e.write("retry: 1000\n\n")
}

// send writes one message; an id makes the browser name it when it reconnects.
func (e *eventWriter) send(event, id string, data any) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", event, err)
	}
	var b strings.Builder
	b.WriteString("event: " + event + "\n")
	if id != "" && !strings.ContainsAny(id, "\r\n\x00") {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("data: ")
	b.Write(doc) // JSON has no line breaks
	b.WriteString("\n\n")
	return e.write(b.String())
}

func (e *eventWriter) write(s string) error {
	// Not every writer has deadlines; those that have must not block for ever.
	if err := e.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write([]byte(s)); err != nil {
		return err
	}
	return e.rc.Flush()
}
