package http1

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	// bufferSize bounds the header of a plain request.
	bufferSize = 8 << 10
	// maxDrained is how much of a body that the handler left is read to keep the
	// connection.
	maxDrained = 256 << 10
	// prompt is a body that is read within the deadline of the connection.
	prompt = 1 << 20
)

// States of a connection.
const (
	waiting int32 = iota // for a request, or the rest of its header
	busy                 // with a request
	left                 // closed by Shutdown
)

// conn is a connection while its requests are plain.
type conn struct {
	server *Server
	rwc    net.Conn
	remote string
	state  atomic.Int32

	buf        []byte // what was read is in buf[start:end]
	start, end int
	moved      time.Time // when the deadline of reads was last set; zero if it is to be set anew
	response   response
}

// leave closes the connection if it waits for a request.
func (c *conn) leave() {
	if c.state.CompareAndSwap(waiting, left) {
		_ = c.rwc.Close() // its goroutine ends by that
	}
}

// handover is the connection with what was read of it.
func (c *conn) handover() net.Conn {
	_ = c.rwc.SetReadDeadline(time.Time{}) // net/http sets its own; a closed connection it sees by itself
	return &begun{Conn: c.rwc, read: c.buf[c.start:c.end]}
}

// serve answers requests until the connection ends; true means that net/http is
// to go on with it.
func (c *conn) serve() (handOver bool) {
	defer func() {
		if p := recover(); p != nil {
			c.server.recovered(p)
			handOver = false
		}
		if !handOver {
			_ = c.rwc.Close() // it is of no use any more
		}
	}()
	c.buf = make([]byte, bufferSize)
	for {
		size, ok := c.readHeader()
		if !ok {
			return size > 0
		}
		req := parse(c.buf[c.start:c.start+size], c.server.blank)
		if req == nil || !c.server.Plain(req) {
			return true
		}
		if !c.state.CompareAndSwap(waiting, busy) {
			return false
		}
		c.start += size
		if !c.answer(req) {
			return false
		}
		c.state.Store(waiting)
		if c.server.closing.Load() {
			return false
		}
	}
}

func (s *Server) recovered(p any) {
	if p != http.ErrAbortHandler {
		s.Log.Error("panic in a request", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}

// readHeader reads up to the end of a header, whose size it returns. Without ok, a
// size above 0 says that what has been read is not plain, 0 that the connection
// has ended.
func (c *conn) readHeader() (size int, ok bool) {
	searched := 0
	for {
		have := c.buf[c.start:c.end]
		if n := min(len(have), len(start)); string(have[:n]) != start[:n] {
			return n, false
		}
		size, plain := headerEnd(have, searched)
		if size > 0 {
			return size, true
		}
		searched = len(have)
		if !plain || searched == len(c.buf) {
			return searched, false
		}
		if !c.fill() {
			return 0, false
		}
	}
}

// fill reads what there is, at least a byte.
func (c *conn) fill() bool {
	if c.start > 0 {
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.start = 0
	}
	if c.setDeadline() != nil {
		return false
	}
	n, err := c.rwc.Read(c.buf[c.end:])
	c.end += n
	return n > 0 || err == nil
}

// setDeadline bounds the next read. A connection that is in use has its deadline
// moved only now and then, as each time costs.
func (c *conn) setDeadline() error {
	now := time.Now()
	if c.end > c.start {
		c.moved = time.Time{}
		return c.rwc.SetReadDeadline(now.Add(headerTime))
	}
	if now.Sub(c.moved) < idleSlack {
		return nil
	}
	c.moved = now
	return c.rwc.SetReadDeadline(now.Add(idleTime))
}

// answer has a request answered; false ends the connection.
func (c *conn) answer(req *http.Request) bool {
	b := &body{conn: c, rest: req.ContentLength}
	if b.rest > prompt {
		c.moved = time.Time{}
		if c.rwc.SetReadDeadline(time.Time{}) != nil {
			return false
		}
	}
	req.Body = b
	req.RemoteAddr = c.remote
	w := &c.response
	w.begin(c.rwc, req.Close)
	c.server.Handler.ServeHTTP(w, req)
	b.closed = true
	drained := b.drain()
	goesOn := w.finish(!drained)
	if !drained {
		c.linger()
	}
	return goesOn
}

// lingerTime is how long a client may go on sending after the answer.
const lingerTime = 500 * time.Millisecond

// linger ends the connection so that the client gets to read the answer to a
// request that it is still sending: closing at once would reset the connection.
func (c *conn) linger() {
	end, ok := c.rwc.(interface{ CloseWrite() error })
	if !ok || end.CloseWrite() != nil || c.rwc.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, c.rwc) // until the client or the deadline ends it
}
