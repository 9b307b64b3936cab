package http1

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxCopied is up to where copying a part of an answer behind what comes before
	// it costs less than handing the system two pieces.
	maxCopied = 16 << 10
	// maxKept bounds the buffer that a connection keeps.
	maxKept = 64 << 10
)

// response writes an answer. It holds back what is written until it is complete or
// large, so that most answers go out in one piece.
type response struct {
	conn   net.Conn
	header http.Header
	status int   // 0 until WriteHeader
	length int64 // of the body as declared; -1 if it is not
	sent   int64 // of the body, held back or not
	last   bool
	out    []byte // header and body, not yet written
	err    error
}

func (w *response) begin(c net.Conn, last bool) {
	out := w.out
	if cap(out) > maxKept {
		out = nil
	}
	header := w.header
	if header == nil {
		header = make(http.Header, 8)
	}
	clear(header)
	*w = response{conn: c, header: header, last: last, out: out[:0]}
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. There are no informational answers.
func (w *response) WriteHeader(status int) {
	if w.status != 0 || status < 200 {
		return
	}
	w.status, w.length = status, -1
	if declared := w.header["Content-Length"]; len(declared) > 0 {
		if n, err := strconv.ParseInt(declared[0], 10, 64); err == nil && n >= 0 {
			w.length = n
		}
	}
	if close := w.header["Connection"]; len(close) > 0 && strings.EqualFold(close[0], "close") {
		w.last = true
	}
	if w.length >= 0 {
		w.appendHeader(w.length)
	}
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case !bodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.sent+int64(len(p)) > w.length:
		return 0, http.ErrContentLength
	}
	w.sent += int64(len(p))
	if w.length < 0 || len(w.out)+len(p) <= maxCopied {
		w.out = append(w.out, p...)
		return len(p), nil
	}
	pieces := net.Buffers{w.out, p}
	_, w.err = pieces.WriteTo(w.conn)
	w.out = w.out[:0]
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// finish writes what is held back, closing what has no end otherwise. It reports
// whether the connection can go on.
func (w *response) finish(last bool) bool {
	w.last = w.last || last
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.length < 0 {
		body := w.out
		w.out = make([]byte, 0, len(body)+512)
		w.length = w.sent
		w.appendHeader(w.length)
		w.out = append(w.out, body...)
	}
	if w.err == nil && len(w.out) > 0 {
		_, w.err = w.conn.Write(w.out)
	}
	return w.err == nil && !w.last && w.sent == w.length
}

// appendHeader appends the status line and the header.
func (w *response) appendHeader(length int64) {
	out := append(w.out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(w.status), 10)
	out = append(out, ' ')
	out = append(out, http.StatusText(w.status)...)
	out = append(out, "\r\nDate: "...)
	out = append(out, date(time.Now())...)
	for name, values := range w.header {
		if name == "Content-Length" || name == "Connection" || name == "Date" {
			continue
		}
		for _, value := range values {
			out = append(out, "\r\n"...)
			out = append(out, name...)
			out = append(out, ": "...)
			out = append(out, oneLine(value)...)
		}
	}
	if w.last {
		out = append(out, "\r\nConnection: close"...)
	}
	if bodyAllowed(w.status) {
		out = append(out, "\r\nContent-Length: "...)
		out = strconv.AppendInt(out, length, 10)
	}
	w.out = append(out, "\r\n\r\n"...)
}

var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ")

// oneLine keeps a value from ending its line.
func oneLine(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		return lineBreaks.Replace(value)
	}
	return value
}

// dated is a second and its name in the header Date.
type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// date is the value of the header Date, which is made once a second.
func date(now time.Time) string {
	d := lastDate.Load()
	if d == nil || d.second != now.Unix() {
		d = &dated{now.Unix(), now.UTC().Format(http.TimeFormat)}
		lastDate.Store(d)
	}
	return d.text
}
