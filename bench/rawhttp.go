package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// maxResponse bounds what is read of one response. GetRecords, the largest, gives
// 10 MB of data, a third more in base64.
const maxResponse = 64 << 20

var (
	errHead     = errors.New("malformed response head")
	errChunk    = errors.New("malformed chunk")
	errTooLarge = errors.New("response is too large")
	errLeftover = errors.New("data after the response")
)

// response is what the generator looks at of an HTTP response.
type response struct {
	status int
	body   []byte // valid until the next response is read
	close  bool   // the server ends the connection
}

// conn is a kept-alive connection that sends requests as they are, byte for byte,
// one at a time. It connects on its first use, and again after the server has
// announced that it closes. It is not safe for concurrent use.
type conn struct {
	addr   string
	poller *poller // that waits for it; nil if goroutines do
	c      io.ReadWriteCloser
	r      responseReader
	unbind func() bool
}

// do sends a request and reads the response. The context of the call that
// connects bounds the whole life of the connection.
func (c *conn) do(ctx context.Context, request []byte) (response, error) {
	if c.c == nil {
		if err := c.dial(ctx); err != nil {
			return response{}, err
		}
	}
	if _, err := c.c.Write(request); err != nil {
		c.close()
		return response{}, fmt.Errorf("sending to %s: %w", c.addr, err)
	}
	resp, err := c.r.read()
	if err != nil {
		c.close()
		return response{}, fmt.Errorf("reading from %s: %w", c.addr, err)
	}
	if resp.close {
		c.close()
	}
	return resp, nil
}

func (c *conn) dial(ctx context.Context) error {
	if c.poller != nil {
		s, err := c.poller.dial(c.addr)
		if err != nil {
			return err
		}
		c.c, c.r.src = s, s
		c.unbind = func() bool { return true } // run of the poller sees the context
		return nil
	}
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetDeadline(deadline) // fails only on a closed connection, as does the next write
	}
	c.c, c.r.src = nc, nc
	c.unbind = context.AfterFunc(ctx, func() { nc.Close() })
	return nil
}

func (c *conn) close() {
	if c.c == nil {
		return
	}
	c.unbind()
	c.c.Close()
	c.c = nil
}

// responseReader reads responses one after another into one buffer. Requests are
// not pipelined, so bytes beyond a response are an error.
type responseReader struct {
	src  io.Reader
	buf  []byte
	have int // bytes of buf that have been read
}

func (r *responseReader) read() (response, error) {
	r.have = 0
	end, err := r.index(0, "\r\n\r\n")
	if err != nil {
		return response{}, err
	}
	h, err := parseHead(r.buf[:end])
	if err != nil {
		return response{}, err
	}
	start := end + 4
	stop, next := start, start
	switch {
	case h.status == 204 || h.status == 304:
	case h.chunked:
		stop, next, err = r.chunks(start)
	case h.length >= 0:
		stop, next = start+h.length, start+h.length
		err = r.fill(next)
	case h.close:
		stop, err = r.rest()
		next = stop
	default:
		err = fmt.Errorf("%w: no length", errHead)
	}
	if err == nil && r.have != next {
		err = errLeftover
	}
	return response{status: h.status, body: r.buf[start:stop], close: h.close}, err
}

// chunks moves the chunks that begin at start together and returns where their
// data stops and where the response ends.
func (r *responseReader) chunks(start int) (stop, next int, err error) {
	stop, next = start, start
	for {
		eol, err := r.index(next, "\r\n")
		if err != nil {
			return start, start, err
		}
		digits, _, _ := bytes.Cut(r.buf[next:eol], []byte{';'})
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 31)
		if err != nil {
			return start, start, fmt.Errorf("%w: size %q", errChunk, digits)
		}
		next = eol + 2
		if size == 0 {
			next, err = r.trailers(next)
			return stop, next, err
		}
		last := next + int(size)
		if err := r.fill(last + 2); err != nil {
			return start, start, err
		}
		if string(r.buf[last:last+2]) != "\r\n" {
			return start, start, errChunk
		}
		stop += copy(r.buf[stop:], r.buf[next:last])
		next = last + 2
	}
}

// trailers skips header fields after the last chunk.
func (r *responseReader) trailers(from int) (int, error) {
	for {
		eol, err := r.index(from, "\r\n")
		if err != nil {
			return from, err
		}
		if eol == from {
			return eol + 2, nil
		}
		from = eol + 2
	}
}

// index returns where sep next begins at or after from, reading as far as needed.
func (r *responseReader) index(from int, sep string) (int, error) {
	search := from
	for {
		if i := bytes.Index(r.buf[search:r.have], []byte(sep)); i >= 0 {
			return search + i, nil
		}
		search = max(from, r.have-len(sep)+1)
		if err := r.more(r.have + 1); err != nil {
			return 0, err
		}
	}
}

// fill reads until at least n bytes are there.
func (r *responseReader) fill(n int) error {
	for r.have < n {
		if err := r.more(n); err != nil {
			return err
		}
	}
	return nil
}

// rest reads to the end of the connection.
func (r *responseReader) rest() (int, error) {
	for {
		err := r.more(r.have + 1)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return r.have, nil
		}
		if err != nil {
			return r.have, err
		}
	}
}

// more reads once into a buffer with room for n bytes in all.
func (r *responseReader) more(n int) error {
	if n > maxResponse {
		return errTooLarge
	}
	if n > len(r.buf) {
		grown := make([]byte, max(n, 2*len(r.buf), 4<<10))
		copy(grown, r.buf[:r.have])
		r.buf = grown
	}
	got, err := r.src.Read(r.buf[r.have:])
	r.have += got
	switch {
	case got > 0:
		return nil
	case err == io.EOF && r.have > 0:
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

type responseHead struct {
	status  int
	length  int // -1 if not given
	chunked bool
	close   bool
}

// parseHead reads a status line and the header fields that say where the body ends.
func parseHead(head []byte) (responseHead, error) {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	version, rest, _ := bytes.Cut(line, []byte{' '})
	code, _, _ := bytes.Cut(rest, []byte{' '})
	status, err := strconv.Atoi(string(code))
	if err != nil || status < 200 || status > 999 || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return responseHead{}, fmt.Errorf("%w: %q", errHead, line)
	}
	h := responseHead{status: status, length: -1, close: string(version) == "HTTP/1.0"}
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			return responseHead{}, fmt.Errorf("%w: %q", errHead, line)
		}
		if err := h.field(name, bytes.TrimSpace(value)); err != nil {
			return responseHead{}, err
		}
	}
	return h, nil
}

func (h *responseHead) field(name, value []byte) error {
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 {
			return fmt.Errorf("%w: Content-Length %q", errHead, value)
		}
		h.length = n
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Connection")):
		h.close = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}
