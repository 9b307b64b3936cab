package http1

import (
	"io"
	"net"
	"sync"
)

// handovers is the listener of net/http's server: it accepts the connections that
// are handed over.
type handovers struct {
	listener net.Listener
	conns    chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

// take hands a connection over.
func (h *handovers) take(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close() // nobody serves it any more
	}
}

func (h *handovers) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handovers) Addr() net.Addr { return h.listener.Addr() }

func (h *handovers) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.listener.Close()
}

// begun is a connection of which the first bytes have been read.
type begun struct {
	net.Conn
	read []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.read) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.read)
	b.read = b.read[n:]
	return n, nil
}

// ReadFrom lets net/http send files without copying them, as it does on a
// connection of its own.
func (b *begun) ReadFrom(r io.Reader) (int64, error) {
	if to, ok := b.Conn.(io.ReaderFrom); ok {
		return to.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{b.Conn}, r)
}

// CloseWrite lets net/http end its side first, so that a client gets to read the
// answer to a request that it was still sending.
func (b *begun) CloseWrite() error {
	if c, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
