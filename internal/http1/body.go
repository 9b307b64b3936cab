package http1

import (
	"io"
	"net/http"
)

// body reads the body of a request: what came with the header, then the rest from
// the connection, straight into the reader's memory.
type body struct {
	conn   *conn
	rest   int64 // not yet read
	closed bool
}

// Read implements io.Reader. It returns io.EOF with the last bytes.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.rest == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	return b.read(p)
}

func (b *body) read(p []byte) (n int, err error) {
	p = p[:min(int64(len(p)), b.rest)]
	if c := b.conn; c.start < c.end {
		n = copy(p, c.buf[c.start:c.end])
		c.start += n
	} else {
		n, err = c.rwc.Read(p)
	}
	b.rest -= int64(n)
	switch {
	case b.rest == 0:
		return n, io.EOF
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.closed = true
	return nil
}

// drain reads what the handler left, if it is little, so that the next request can
// be read.
func (b *body) drain() bool {
	if b.rest == 0 || b.rest > maxDrained {
		return b.rest == 0
	}
	var p [4 << 10]byte
	for b.rest > 0 {
		if _, err := b.read(p[:]); err != nil && err != io.EOF {
			return false
		}
	}
	return true
}
