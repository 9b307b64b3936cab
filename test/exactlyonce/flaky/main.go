// Command flaky runs a function that is built for provided.al2023, the program
// "function" beside it, and lets it fail at random after some of its writes, without
// the function having a part in it. It stands between the function and the server:
// in an invocation that it picks it waits for one of the writes to be answered, and
// then the function gets an error instead, or no answer until it has timed out, or
// its process ends. The last write of an invocation is its result.
//
// FLAKY_PERCENT is how many invocations fail, of a hundred.
package main

import (
	"bytes"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	percent, err := strconv.Atoi(os.Getenv("FLAKY_PERCENT"))
	if err != nil {
		log.Fatalf("FLAKY_PERCENT: %v", err)
	}
	f := &flaky{percent: percent, usual: 1}
	runtime := f.proxy("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	server := f.proxy(os.Getenv("AWS_ENDPOINT_URL"))
	cmd := exec.Command(filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), "function")) // #nosec G204 G702 -- the function
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+runtime, "AWS_ENDPOINT_URL=http://"+server)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		log.Fatal(err)
	}
}

// flaky decides what goes wrong.
type flaky struct {
	percent int

	mu     sync.Mutex
	usual  int // writes of an invocation, as the last ones had it
	writes int // of this one
	failAt int // the write after which this one fails; 0 for none
}

// proxy passes requests on to a server and returns its own address.
func (f *flaky) proxy(to string) string {
	target, err := url.Parse(to)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is part of what was signed
		},
		ModifyResponse: f.answered,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/response") && f.wrote() {
			os.Exit(4)
		}
		proxy.ServeHTTP(w, r)
	}), ReadHeaderTimeout: time.Minute}
	go func() { log.Fatal(server.Serve(listener)) }()
	return listener.Addr().String()
}

// begin is called when an invocation begins.
func (f *flaky) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writes > 0 {
		f.usual = f.writes
	}
	f.writes, f.failAt = 0, 0
	if rand.IntN(100) < f.percent {
		f.failAt = 1 + rand.IntN(f.usual)
	}
}

// wrote counts a write and reports whether it is the one after which the invocation
// fails.
func (f *flaky) wrote() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	return f.writes == f.failAt
}

func (f *flaky) answered(resp *http.Response) error {
	if strings.HasSuffix(resp.Request.URL.Path, "/next") {
		f.begin()
		return nil
	}
	if !isWrite(resp.Request) || resp.StatusCode != http.StatusOK || !f.wrote() {
		return nil
	}
	switch rand.IntN(5) {
	case 0:
		time.Sleep(time.Hour) // and so the function times out
	case 1, 2:
		os.Exit(3)
	}
	body := []byte(`{"__type":"ValidationException","message":"flaky"}`)
	resp.StatusCode, resp.Status = http.StatusBadRequest, "400 Bad Request"
	resp.Header.Del("X-Amz-Crc32")
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.ContentLength, resp.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
	return nil
}

func isWrite(r *http.Request) bool {
	what := r.Header.Get("X-Amz-Target") + r.URL.Path
	for _, name := range []string{"UpdateItem", "PutItem", "PutRecord", "PutMetricData", "SendMessage"} {
		if strings.Contains(what, name) {
			return true
		}
	}
	return false
}
