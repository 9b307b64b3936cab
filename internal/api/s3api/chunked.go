package s3api

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxTrailers = 16
	// chunkBuffer also bounds a line: a length with a signature, or a trailer.
	chunkBuffer = 64 << 10
)

// chunkReader reads a body in the encoding aws-chunked:
//
//	hexadecimal length [;chunk-signature=...] CRLF data CRLF ... 0 [;...] CRLF trailers CRLF
//
// Signatures of chunks are not verified. The trailers are there once Read has
// returned io.EOF.
type chunkReader struct {
	r       *bufio.Reader
	left    int64 // of the chunk
	started bool
	err     error
	trailer http.Header
}

func newChunkReader(r io.Reader) *chunkReader {
	return &chunkReader{r: bufio.NewReaderSize(r, chunkBuffer), trailer: http.Header{}}
}

// Read implements io.Reader.
func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.left == 0 {
		if c.err = c.next(); c.err != nil {
			return 0, c.err
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if err != nil {
		c.err = incomplete(err)
	}
	return n, c.err
}

// next reads the head of a chunk; at the last one, the trailers.
func (c *chunkReader) next() error {
	if c.started {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line != "" {
			return errChunk
		}
	}
	c.started = true
	line, err := c.line()
	if err != nil {
		return err
	}
	length, _, _ := strings.Cut(line, ";")
	c.left, err = strconv.ParseInt(strings.TrimSpace(length), 16, 64)
	switch {
	case err != nil || c.left < 0:
		return errChunk
	case c.left > 0:
		return nil
	}
	return c.readTrailers()
}

// readTrailers reads up to the empty line, or the end of the body, which some
// clients leave it at.
func (c *chunkReader) readTrailers() error {
	for range maxTrailers {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) || err == nil && line == "" {
			return io.EOF
		}
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return errChunk
		}
		c.trailer.Set(name, strings.TrimSpace(value))
	}
	return errChunk
}

// line reads a line without its end.
func (c *chunkReader) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errChunk
	}
	if err != nil {
		return "", incomplete(err)
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}
