// Package http1 answers the plain requests of SDKs, POST / over a kept-alive
// connection of HTTP/1.1, with less work than net/http does for a request of any
// kind, and hands every connection over to net/http at its first request that is
// not plain.
//
// What net/http does besides costs a quarter of the processor time of a small
// write: it reads ahead in a goroutine to notice that a client leaves, with a read
// that fails and two deadlines for each request. A plain request is one whose
// answer does not wait for anything that a client would give up on; so it needs
// none of that.
//
// Invariants: a request is either answered here or left for net/http with all of
// its bytes, never both; whatever is not exactly in the form that SDKs send (a
// version other than 1.1, a chunked body, a header that occurs twice where it must
// not, an expectation, an upgrade, a strange byte) is left to net/http to judge.
package http1

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// headerTime is how long a client may take to send the header of a request once
	// it has begun.
	headerTime = 30 * time.Second
	// idleTime is how long a connection is kept without a request. As its deadline is
	// only moved once in idleSlack, it may be shorter by that.
	idleTime  = 5 * time.Minute
	idleSlack = time.Minute
)

// Server serves connections. Its fields may not change once it serves.
type Server struct {
	// Handler answers plain requests. Their context ends with the server, not with
	// their connection, and their ResponseWriter offers no more than that interface.
	Handler http.Handler
	// Plain tells from the header of a POST to / whether Handler answers it at once,
	// without waiting for anything and with one document.
	Plain func(*http.Request) bool
	// Rest serves the connections that are handed over. Its base context is that of
	// plain requests too.
	Rest *http.Server
	// Log receives panics of the handler.
	Log *slog.Logger

	blank   *http.Request // what all requests begin as: their context
	closing atomic.Bool
	serving sync.WaitGroup

	mu    sync.Mutex
	conns map[*conn]struct{}
}

// Serve accepts connections until Shutdown, and then returns http.ErrServerClosed.
func (s *Server) Serve(l net.Listener) error {
	rest := &handovers{listener: l, conns: make(chan net.Conn), closed: make(chan struct{})}
	ctx := context.Background()
	if s.Rest.BaseContext != nil {
		ctx = s.Rest.BaseContext(l)
	}
	s.blank = new(http.Request).WithContext(ctx)
	// Accepting ends with the listener, which Rest closes.
	s.serving.Go(func() { s.accept(l, rest) })
	return s.Rest.Serve(rest)
}

func (s *Server) accept(l net.Listener, rest *handovers) {
	pause := time.Millisecond
	for {
		rwc, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Too few file descriptors, most likely: others will end.
			s.Log.Warn("accept a connection", "error", err)
			select {
			case <-time.After(pause):
			case <-rest.closed:
				return
			}
			pause = min(2*pause, time.Second)
			continue
		}
		pause = time.Millisecond
		c := &conn{server: s, rwc: rwc, remote: rwc.RemoteAddr().String()}
		if !s.add(c) {
			_ = rwc.Close() // nothing was said on it
			continue
		}
		s.serving.Go(func() {
			defer s.remove(c)
			if c.serve() {
				rest.take(c.handover())
			}
		})
	}
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	if s.conns == nil {
		s.conns = map[*conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown stops accepting, closes connections without a request, and waits for
// the others to be answered. When ctx ends before, it closes these too and waits
// for their handlers only.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing.Store(true)
	for c := range s.conns {
		c.leave()
	}
	s.mu.Unlock()
	var err error
	if s.Rest.Shutdown(ctx) != nil { // it closes the listener first of all
		err = s.Rest.Close()
	}
	stop := context.AfterFunc(ctx, s.closeAll)
	defer stop()
	s.serving.Wait()
	return err
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.rwc.Close() // its request is given up
	}
}
