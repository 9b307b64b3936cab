package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// echo answers with the method, the length and the body of a request, and with
// the header that X-Amz-Target asks for.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("X-Host", r.Host)
	fmt.Fprintf(w, "%s %s %d %q", r.Method, r.RequestURI, r.ContentLength, body)
}

// plain takes requests whose target begins with Plain.
func plain(r *http.Request) bool { return strings.HasPrefix(r.Header.Get("X-Amz-Target"), "Plain.") }

// fixture is a server; its handler counts the requests that are plain.
type fixture struct {
	*Server
	t       *testing.T
	addr    string
	plain   atomic.Int64
	others  atomic.Int64
	handler http.HandlerFunc
	served  chan error
}

func serve(t *testing.T, handler http.HandlerFunc) *fixture {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, addr: l.Addr().String(), handler: handler, served: make(chan error, 1)}
	counted := func(n *atomic.Int64) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			f.handler(w, r)
		})
	}
	f.Server = &Server{
		Handler: counted(&f.plain), Plain: plain, Log: slog.New(slog.DiscardHandler),
		Rest: &http.Server{Handler: counted(&f.others), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)},
	}
	go func() { f.served <- f.Serve(l) }()
	t.Cleanup(func() {
		if err := f.Shutdown(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := <-f.served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return f
}

func (f *fixture) dial() net.Conn {
	f.t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// answer reads an answer to its end.
func answer(t *testing.T, r *bufio.Reader) (status int, body string, resp *http.Response) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp
}

func post(body string, header ...string) string {
	return "POST / HTTP/1.1\r\nHost: localhost:4566\r\nX-Amz-Target: Plain.Op\r\n" + strings.Join(append(header, ""), "\r\n") +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func (f *fixture) counts(plain, others int64) {
	f.t.Helper()
	if p, o := f.plain.Load(), f.others.Load(); p != plain || o != others {
		f.t.Errorf("%d plain and %d other requests, want %d and %d", p, o, plain, others)
	}
}

func TestKeepsConnection(t *testing.T) {
	t.Parallel()
	f := serve(t, echo)
	c := f.dial()
	r := bufio.NewReader(c)
	for _, body := range []string{"one", "", strings.Repeat("x", 3*bufferSize), "last"} {
		if _, err := io.WriteString(c, post(body)); err != nil {
			t.Fatal(err)
		}
		status, got, resp := answer(t, r)
		if want := fmt.Sprintf("POST / %d %q", len(body), body); status != http.StatusOK || got != want {
			t.Fatalf("got %d %s", status, got)
		}
		if resp.Header.Get("X-Host") != "localhost:4566" || resp.Header.Get("Date") == "" || resp.ContentLength < 0 {
			t.Errorf("header %v, length %d", resp.Header, resp.ContentLength)
		}
	}
	f.counts(4, 0)
}

// Requests that come in one piece, and in pieces of a byte, are the same.
func TestPieces(t *testing.T) {
	t.Parallel()
	f := serve(t, echo)
	c := f.dial()
	all := strings.Repeat(post("body of a request"), 20)
	if _, err := io.WriteString(c, all); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for range 20 {
		if status, _, _ := answer(t, r); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	for _, b := range []byte(post("body of a request")) {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if _, body, _ := answer(t, r); body != `POST / 17 "body of a request"` {
		t.Error(body)
	}
	f.counts(21, 0)
}

func TestHandsOver(t *testing.T) {
	t.Parallel()
	long := "X-Long: " + strings.Repeat("v", bufferSize)
	for name, request := range map[string]string{
		"another method":    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"another path":      "POST /2015-03-31/functions HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
		"another target":    "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: Other.Op\r\nContent-Length: 2\r\n\r\nhi",
		"chunks":            "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: Plain.Op\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"a long header":     post("hi", long),
		"another version":   "POST / HTTP/1.0\r\nHost: h\r\nX-Amz-Target: Plain.Op\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi",
		"a list of options": post("hi", "Connection: keep-alive, x"),
		"two equal lengths": post("hi", "Content-Length: 2"),
		"unusual name":      post("hi", "X~Y: 1"),
		"a folded line":     post("hi", "X: 1", "  2"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, echo)
			c := f.dial()
			r := bufio.NewReader(c)
			if _, err := io.WriteString(c, post("first")+request+post("after")); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if status, body, _ := answer(t, r); status != http.StatusOK {
					t.Fatalf("%d %s", status, body)
				}
			}
			f.counts(1, 2)
		})
	}
}

// What is wrong is judged by net/http.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"two lengths":      post("hi", "Content-Length: 3"),
		"two hosts":        post("hi", "Host: other"),
		"no host":          "POST / HTTP/1.1\r\nX-Amz-Target: Plain.Op\r\nContent-Length: 2\r\n\r\nhi",
		"a broken name":    post("hi", "X Y: 1"),
		"no colon":         post("hi", "X"),
		"a zero byte":      post("hi", "X: \x00"),
		"a signed length":  "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: Plain.Op\r\nContent-Length: +2\r\n\r\nhi",
		"a broken host":    "POST / HTTP/1.1\r\nHost: a b\r\nX-Amz-Target: Plain.Op\r\nContent-Length: 2\r\n\r\nhi",
		"a lone return":    post("hi", "X: 1\rY: 2"),
		"not HTTP":         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"length and chunk": post("hi", "Transfer-Encoding: other"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, echo)
			c := f.dial()
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			status, _, _ := answer(t, bufio.NewReader(c))
			if status != http.StatusBadRequest && status != http.StatusNotImplemented {
				t.Error(status)
			}
			f.counts(0, 0)
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	f := serve(t, echo)
	c := f.dial()
	if _, err := io.WriteString(c, post("hi", "Connection: close")); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if status, _, resp := answer(t, r); status != http.StatusOK || !resp.Close {
		t.Error(status, resp.Header)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after the last answer: %v", err)
	}
}

// A body that nobody reads does not become a request, and does not keep the answer
// from arriving.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	f := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c := f.dial()
	r := bufio.NewReader(c)
	for range 2 {
		if _, err := io.WriteString(c, post(strings.Repeat(post(""), 100))); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := answer(t, r); status != http.StatusNoContent {
			t.Fatal(status)
		}
	}
	f.counts(2, 0)
	if _, err := io.WriteString(c, post(strings.Repeat("x", 2<<20))); err != nil {
		t.Fatal(err)
	}
	if status, _, resp := answer(t, r); status != http.StatusNoContent || !resp.Close {
		t.Error(status, resp.Header)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after the answer: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("0123456789"), 100_000)
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		status  int
		body    string
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, 200, ""},
		"declared": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(large)
		}, 200, string(large)},
		"in parts": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large[:7]); _, _ = w.Write(large[7:]) }, 200, string(large)},
		"an error": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusRequestEntityTooLarge) }, 413, "no\n"},
		"a break":  {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Two", "a\r\nX-Three: b") }, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, tt.handler)
			c := f.dial()
			r := bufio.NewReader(c)
			for range 2 {
				if _, err := io.WriteString(c, post("")); err != nil {
					t.Fatal(err)
				}
				status, body, resp := answer(t, r)
				if status != tt.status || body != tt.body || resp.Header.Get("X-Three") != "" {
					t.Fatalf("%d, %d bytes, %v", status, len(body), resp.Header)
				}
			}
		})
	}
}

// A handler that declares more than it writes, and one that panics, end the
// connection.
func TestBroken(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("x"))
		},
		"panic": func(http.ResponseWriter, *http.Request) { panic("broken") },
		"abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, handler)
			c := f.dial()
			if _, err := io.WriteString(c, post("")); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Shutdown lets a request end and closes connections that wait.
func TestShutdown(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	f := serve(t, func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	})
	idle, busy := f.dial(), f.dial()
	if _, err := io.WriteString(busy, post("")); err != nil {
		t.Fatal(err)
	}
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- f.Shutdown(context.Background()) }()
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection without requests: %v", err)
	}
	close(release)
	r := bufio.NewReader(busy)
	if status, _, _ := answer(t, r); status != http.StatusOK {
		t.Error(status)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after the answer: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A shutdown whose time is over closes connections with their requests.
func TestShutdownInTime(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	f := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		_, _ = io.ReadAll(r.Body) // never comes to its end
	})
	c := f.dial()
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: Plain.Op\r\nContent-Length: 10\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// A connection ends when nothing comes for long, sooner within a header.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sent     []string // with a pause between them
		min, max time.Duration
	}{
		"nothing":           {nil, idleTime, idleTime},
		"part of a header":  {[]string{"POST / HTTP/1.1\r\nHost: h\r\n"}, headerTime, headerTime},
		"after a request":   {[]string{post("")}, idleTime - idleSlack, idleTime},
		"with long pauses":  {[]string{post(""), post(""), post("")}, idleTime - idleSlack, idleTime},
		"after a long body": {[]string{post(strings.Repeat("x", prompt+1))}, idleTime, idleTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, rwc := net.Pipe()
				defer client.Close()
				s := &Server{Handler: http.HandlerFunc(echo), Plain: plain, Log: slog.New(slog.DiscardHandler), blank: new(http.Request)}
				ended := make(chan bool, 1)
				go func() { ended <- (&conn{server: s, rwc: rwc}).serve() }()
				go func() { _, _ = io.Copy(io.Discard, client) }()
				for _, text := range tt.sent {
					time.Sleep(2 * time.Minute)
					if _, err := io.WriteString(client, text); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				start := time.Now()
				if <-ended {
					t.Error("handed over")
				}
				if took := time.Since(start); took < tt.min || took > tt.max {
					t.Errorf("ended after %v, want %v to %v", took, tt.min, tt.max)
				}
			})
		})
	}
}
