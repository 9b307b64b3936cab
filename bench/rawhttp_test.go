package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestReadResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		want  string
		code  int
		close bool
	}{
		"length":          {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, false},
		"names, any case": {"HTTP/1.1 400 Bad Request\r\ncontent-LENGTH:2\r\nconnection: Close\r\n\r\n{}", "{}", 400, true},
		"no reason":       {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, false},
		"no content":      {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, false},
		"chunked":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", 200, false},
		"trailers":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n", "a", 200, false},
		"until close":     {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it", "all of it", 200, true},
		"old":             {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", 200, true},
		"large":           {"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("z", 20000), strings.Repeat("z", 20000), 200, false},
	} {
		for _, src := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
			r := responseReader{src: src}
			got, err := r.read()
			if err != nil || got.status != c.code || string(got.body) != c.want || got.close != c.close {
				t.Errorf("%s: status %d, close %t, body %q, error %v", name, got.status, got.close, got.body, err)
			}
		}
	}
}

func TestReadResponseErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"": io.EOF,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel":                              io.ErrUnexpectedEOF,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy":                               errLeftover,
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":                                errHead,
		"HTTP/1.1 200 OK\r\n\r\n":                                                      errHead,
		"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n":                                    errHead,
		"SMTP 200\r\nContent-Length: 0\r\n\r\n":                                        errHead,
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n":                                          errHead,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n":                  errChunk,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n":       errChunk,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\na\r\n":       errTooLarge,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: 1\r\n": io.ErrUnexpectedEOF,
	} {
		r := responseReader{src: strings.NewReader(text)}
		if _, err := r.read(); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", text, err, want)
		}
	}
}

func FuzzReadResponse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n")
	f.Add("HTTP/1.0 204 No Content\r\nConnection: close\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		whole := responseReader{src: strings.NewReader(text)}
		a, errA := whole.read()
		bytewise := responseReader{src: iotest.OneByteReader(strings.NewReader(text))}
		b, errB := bytewise.read()
		// Bytes beyond a response are seen only if they came along with it.
		if errors.Is(errA, errLeftover) {
			return
		}
		if (errA == nil) != (errB == nil) || errA == nil && string(a.body) != string(b.body) {
			t.Errorf("%q, %v in one piece but %q, %v in many", a.body, errA, b.body, errB)
		}
	})
}

func TestConnConnectsAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	connections := make(map[string]bool)
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		connections[r.RemoteAddr] = true
		if requests++; requests == 2 {
			w.Header().Set("Connection", "close")
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	c := conn{addr: server.Listener.Addr().String()}
	defer c.close()
	for range 4 {
		resp, err := c.do(t.Context(), kinesisJSON.post("ListStreams", []byte(`{"Limit":1}`)))
		if err != nil || string(resp.body) != `{"Limit":1}` {
			t.Fatalf("%q, %v", resp.body, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(connections) != 2 {
		t.Errorf("%d connections for two requests, a close, and two more", len(connections))
	}
}
