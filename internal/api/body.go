package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// errTooLarge says that a request's body exceeds the bound of its service.
var errTooLarge = errors.New("request body too large")

// maxKept bounds the buffers that wait in the pool for the next request, so
// that one large request does not occupy memory for long.
const maxKept = 1 << 20

var buffers = sync.Pool{New: func() any { return new([]byte) }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) > maxKept {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}

// readBody reads a request's body into buf, decompressed, at most limit bytes.
func readBody(r *http.Request, buf []byte, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return buf, errTooLarge
	}
	// The readers of compressed bytes need no bounds of their own: the output has one,
	// and input that yields no output ends at the header.
	var z io.ReadCloser
	var err error
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return readUpTo(r.Body, buf, r.ContentLength, limit)
	case "gzip":
		z, err = gzip.NewReader(io.LimitReader(r.Body, limit))
	case "deflate":
		z, err = zlib.NewReader(io.LimitReader(r.Body, limit))
	default:
		return buf, &Error{Code: "SerializationException", Message: "The content encoding " + encoding + " is not supported", Status: http.StatusUnsupportedMediaType}
	}
	if err != nil {
		return buf, fmt.Errorf("unpack: %w", err)
	}
	buf, err = readUpTo(z, buf, 0, limit)
	return buf, errors.Join(err, z.Close())
}

// readUpTo reads all of r; size is how much is expected, if positive.
func readUpTo(r io.Reader, buf []byte, size, limit int64) ([]byte, error) {
	buf = buf[:0]
	// One byte more than expected, so that the end is seen without growing.
	if want := min(max(size, 0), limit) + 1; int64(cap(buf)) < want {
		buf = make([]byte, 0, max(want, 4096))
	}
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, fmt.Errorf("read body: %w", err)
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
