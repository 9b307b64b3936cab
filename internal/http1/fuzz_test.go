package http1

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// heard collects what requests a server has seen, by the address of their client.
type heard struct {
	mu   sync.Mutex
	seen map[string][]string
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s host %q length %d close %v body %q error %v", r.Method, r.RequestURI, r.Host, r.ContentLength, r.Close, body, err)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&text, " %q %q", name, r.Header[name])
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[r.RemoteAddr] = append(h.seen[r.RemoteAddr], text.String())
}

// hear sends bytes to a server and returns the requests that it has seen in them.
func (h *heard) hear(t *testing.T, addr string, sent []byte) []string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The server may close before it has everything.
	_, _ = c.Write(sent)
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, c)
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.seen[c.LocalAddr().String()]
	delete(h.seen, c.LocalAddr().String())
	return seen
}

// FuzzRequests compares the requests that are found in any bytes with those that
// net/http finds.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		post("{}"),
		post("{}") + post("two"),
		post("{}") + "GET /x HTTP/1.1\r\nHost: h\r\n\r\n" + post("three"),
		post("hi", "Connection: close") + post("never"),
		post("hi", "authorization: AWS4-HMAC-SHA256 Credential=a/b", "x-amz-date:20261121T000000Z", "X-Two: 1", "x-two: 2"),
		post("hi", "Transfer-Encoding: chunked"),
		post("hi", "Expect: 100-continue"),
		post("hi", "X: 1", " 2"),
		post("hi", "Content-Length: 2"),
		"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: Plain.Op\r\nContent-Length: 10\r\n\r\nhi",
		"POST / HTTP/1.1\nHost: h\nX-Amz-Target: Plain.Op\nContent-Length: 2\n\nhi",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	discard := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	own, reference := &heard{seen: map[string][]string{}}, &heard{seen: map[string][]string{}}
	listen := func(serve func(net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			f.Fatal(err)
		}
		go func() { _ = serve(l) }()
		f.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	server := &Server{Handler: own, Plain: plain, Rest: &http.Server{Handler: own, ErrorLog: discard}, Log: slog.New(slog.DiscardHandler)}
	ownAddr := listen(server.Serve)
	referenceAddr := listen((&http.Server{Handler: reference, ErrorLog: discard}).Serve)
	f.Fuzz(func(t *testing.T, sent []byte) {
		got, want := own.hear(t, ownAddr, sent), reference.hear(t, referenceAddr, sent)
		if !slices.Equal(got, want) {
			t.Errorf("requests\n%q\nwant\n%q", got, want)
		}
	})
}
