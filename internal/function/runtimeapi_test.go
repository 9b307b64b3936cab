package function

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// readyHost is a host that tells when an environment is ready.
type readyHost struct{ readies, unreadies chan struct{} }

func (h readyHost) ready(*environment)                                       { h.readies <- struct{}{} }
func (h readyHost) unready(*environment)                                     { h.unreadies <- struct{}{} }
func (h readyHost) ended(*environment, bool, func(requestID string) failure) {}
func (h readyHost) observe(outcome)                                          {}

// runtimeClient is a runtime that a test plays, on one connection.
type runtimeClient struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
}

func newAPIEnvironment(t *testing.T) (*environment, readyHost, func() *runtimeClient) {
	t.Helper()
	host := readyHost{make(chan struct{}, 10), make(chan struct{}, 10)}
	out, child, err := newOutput(func(time.Time, []byte) {})
	if err != nil {
		t.Fatal(err)
	}
	_ = child.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &environment{
		def: Definition{MemoryMB: 128}, host: host, timeout: time.Minute, listener: listener, output: out, created: time.Now(),
		open: map[*apiConn]struct{}{},
	}
	e.timer = time.AfterFunc(time.Hour, func() {})
	accepting := make(chan struct{})
	go func() { defer close(accepting); e.accept() }()
	t.Cleanup(func() {
		_ = listener.Close()
		<-accepting
		e.mu.Lock()
		for c := range e.open {
			_ = c.conn.Close()
		}
		e.mu.Unlock()
		e.conns.Wait()
		out.close()
	})
	return e, host, func() *runtimeClient {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		return &runtimeClient{t, conn, bufio.NewReader(conn)}
	}
}

func (c *runtimeClient) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, raw); err != nil {
		c.t.Fatal(err)
	}
}

func (c *runtimeClient) answer() (int, http.Header, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

func (c *runtimeClient) expect(status int, body string) {
	c.t.Helper()
	if s, _, b := c.answer(); s != status || b != body {
		c.t.Errorf("got %d %s, want %d %s", s, b, status, body)
	}
}

func (c *runtimeClient) next() {
	c.send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
}

func post(path, body string, headers ...string) string {
	return "POST /2018-06-01/runtime/" + path + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(headers, ""), "\r\n") +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
}

func TestRuntimeAPI(t *testing.T) {
	t.Parallel()
	e, host, dial := newAPIEnvironment(t)
	c := dial()
	c.send(post("invocation/x/response", "{}"))
	c.expect(400, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
	c.next()
	<-host.readies
	inv := newInvocation("arn", Invocation{Payload: []byte(`{"a":1}`), RequestID: "one", ClientContext: `{"c":2}`})
	if !e.run(inv) {
		t.Fatal("it is not ready")
	}
	status, head, body := c.answer()
	if status != 200 || body != `{"a":1}` || head.Get("Lambda-Runtime-Aws-Request-Id") != "one" || head.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn" ||
		head.Get("Lambda-Runtime-Client-Context") != `{"c":2}` || head.Get("Lambda-Runtime-Deadline-Ms") != fmt.Sprint(inv.deadline.UnixMilli()) {
		t.Errorf("%d %v %s", status, head, body)
	}
	if e.run(newInvocation("arn", Invocation{})) {
		t.Error("it takes a second invocation")
	}
	c.next()
	c.expect(403, `{"errorMessage":"The initialization has failed, or the invocation before has not been answered","errorType":"InvalidStateTransition"}`)
	c.send(post("invocation/two/response", "{}"))
	c.expect(400, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
	// In chunks, with a trailer, after asking whether it may go on.
	c.send("POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n")
	if status, _, _ := c.answer(); status != 100 {
		t.Errorf("status %d", status)
	}
	c.send("3\r\n\"ab\r\n2\r\nc\"\r\n0\r\nX-T: v\r\n\r\n")
	c.expect(202, `{"status":"OK"}`)
	if o := <-inv.done; string(o.payload) != `"abc"` || o.failed {
		t.Errorf("%+v", o)
	}
	c.send(post("invocation/one/response", "{}"))
	c.expect(400, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
	c.send("GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n")
	c.expect(200, `"pong"`)
	c.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
	c.expect(404, `{"errorMessage":"There is no /other","errorType":"ResourceNotFound"}`)
	c.send(post("init/error", `{}`))
	c.expect(403, `{"errorMessage":"The initialization has ended","errorType":"InvalidStateTransition"}`)
}

func TestReportedErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, body, want, kind string }{
		"document":    {"Mine", `{"errorMessage":"m","errorType":"T"}`, `{"errorMessage":"m","errorType":"T"}`, "Mine"},
		"no JSON":     {"Mine", `oh`, `{"errorType":"Mine","errorMessage":"oh"}`, "Mine"},
		"nothing":     {"", ``, `{"errorType":"Runtime.Unknown","errorMessage":""}`, "Runtime.Unknown"},
		"broken JSON": {"", `{"a`, `{"errorType":"Runtime.Unknown","errorMessage":"{\"a"}`, "Runtime.Unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, host, dial := newAPIEnvironment(t)
			client := dial()
			client.next()
			<-host.readies
			inv := newInvocation("arn", Invocation{RequestID: "one"})
			e.run(inv)
			client.answer()
			client.send(post("invocation/one/error", c.body, "Lambda-Runtime-Function-Error-Type: "+c.header))
			client.expect(202, `{"status":"OK"}`)
			if o := <-inv.done; !o.failed || string(o.payload) != c.want || o.errorType != c.kind {
				t.Errorf("%q %s", o.errorType, o.payload)
			}
		})
	}
}

// TestLostConnection drops the connection that waits, and then the one that an
// event was written to.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	e, host, dial := newAPIEnvironment(t)
	first := dial()
	first.next()
	<-host.readies
	_ = first.conn.Close()
	<-host.unreadies
	if e.run(newInvocation("arn", Invocation{})) {
		t.Error("it takes an invocation without a connection")
	}
	second := dial()
	second.next()
	<-host.readies
	inv := newInvocation("arn", Invocation{Payload: []byte("1"), RequestID: "one"})
	e.mu.Lock()
	broken := e.waiting[0]
	e.mu.Unlock()
	_ = broken.conn.Close() // the write fails, whatever the other side does
	if !e.run(inv) {
		t.Skip("the loss was noticed before the event was written")
	}
	third := dial()
	third.next()
	if status, head, body := third.answer(); status != 200 || body != "1" || head.Get("Lambda-Runtime-Aws-Request-Id") != "one" {
		t.Errorf("%d %v %s", status, head, body)
	}
	third.send(post("invocation/one/response", "2"))
	third.expect(202, `{"status":"OK"}`)
	if o := <-inv.done; string(o.payload) != "2" {
		t.Errorf("%+v", o)
	}
}

func TestBrokenRequestsEndTheConnection(t *testing.T) {
	t.Parallel()
	_, _, dial := newAPIEnvironment(t)
	for name, raw := range map[string]string{
		"no HTTP":     "hello\r\n\r\n",
		"huge header": "GET /2018-06-01/ping HTTP/1.1\r\nX: " + strings.Repeat("x", 2*maxHeaderBytes) + "\r\n\r\n",
	} {
		c := dial()
		_, _ = io.WriteString(c.conn, raw) // may be cut off
		if n, err := c.reader.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: %d bytes were answered", name, n)
		}
	}
}

// TestClientsThatWantTheConnectionClosed read each answer to the end of the connection.
func TestClientsThatWantTheConnectionClosed(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"header": " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
		"old":    " HTTP/1.0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, host, dial := newAPIEnvironment(t)
			first := dial()
			first.send("GET /2018-06-01/runtime/invocation/next" + head + "\r\n")
			<-host.readies
			inv := newInvocation("arn", Invocation{Payload: []byte(`{"a":1}`), RequestID: "one"})
			e.run(inv)
			if all, err := io.ReadAll(first.reader); err != nil || !strings.HasSuffix(string(all), "\r\nConnection: close\r\n\r\n"+`{"a":1}`) {
				t.Errorf("%v %q", err, all)
			}
			second := dial()
			second.send("POST /2018-06-01/runtime/invocation/one/response" + head + "Content-Length: 1\r\n\r\n2")
			if all, err := io.ReadAll(second.reader); err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 202 ") {
				t.Errorf("%v %q", err, all)
			}
			if o := <-inv.done; string(o.payload) != "2" || o.failed {
				t.Errorf("%+v", o)
			}
		})
	}
}

// TestSeveralConnectionsWait has two connections ask: each is served in its turn, and
// that one goes does not take the other's.
func TestSeveralConnectionsWait(t *testing.T) {
	t.Parallel()
	e, host, dial := newAPIEnvironment(t)
	clients := []*runtimeClient{dial(), dial(), dial()}
	for i, c := range clients {
		c.next()
		waitUntil(t, e, func() bool { return len(e.waiting) == i+1 })
	}
	<-host.readies
	_ = clients[0].conn.Close()
	waitUntil(t, e, func() bool { return len(e.waiting) == 2 })
	for _, c := range clients[1:] {
		inv := newInvocation("arn", Invocation{})
		if !e.run(inv) {
			t.Fatal("it is not ready")
		}
		c.answer()
		c.send(post("invocation/"+inv.id+"/response", "1"))
		c.expect(202, `{"status":"OK"}`)
		<-inv.done
		if c == clients[1] {
			<-host.readies // without having been asked again
		}
	}
	if len(host.readies) != 0 || len(host.unreadies) != 0 {
		t.Errorf("%d times ready, %d times not", len(host.readies), len(host.unreadies))
	}
}

func TestEventThatOneConnectionDoesNotTakeGoesToTheOther(t *testing.T) {
	t.Parallel()
	e, _, dial := newAPIEnvironment(t)
	server, broken := net.Pipe()
	_ = broken.Close()
	if !e.next(newAPIConn(server)) { // nobody reads from it, so that its end goes unnoticed
		t.Fatal("it takes no connection")
	}
	c := dial()
	c.next()
	waitUntil(t, e, func() bool { return len(e.waiting) == 2 })
	inv := newInvocation("arn", Invocation{RequestID: "one"})
	e.run(inv)
	c.answer()
	c.send(post("invocation/one/response", "1"))
	c.expect(202, `{"status":"OK"}`)
	<-inv.done
}

func waitUntil(t *testing.T, e *environment, condition func() bool) {
	t.Helper()
	until(t, "the connections are as expected", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return condition()
	})
}

func TestInitializationThatHasFailedDoesNotGoOn(t *testing.T) {
	t.Parallel()
	e, _, dial := newAPIEnvironment(t)
	c := dial()
	c.send(post("init/error", `{"errorMessage":"m"}`))
	c.expect(202, `{"status":"OK"}`)
	c.next()
	if status, _, _ := c.answer(); status != 403 {
		t.Errorf("status %d", status)
	}
	if e.idle() {
		t.Error("it is ready")
	}
}

func TestResponsesThatAreRefused(t *testing.T) {
	t.Parallel()
	const beyond = maxDiscardBytes + 1<<20
	for name, c := range map[string]struct {
		header string
		size   int
		status int
		want   string
	}{
		"mode":         {"Lambda-Runtime-Function-Response-Mode: nonsense\r\n", 1, 400, "Runtime.InvalidResponseModeHeader"},
		"large":        {"", MaxResponseBytes + 1, 413, "Function.ResponseSizeTooLarge"},
		"beyond reach": {"", beyond, 413, "Function.ResponseSizeTooLarge"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, host, dial := newAPIEnvironment(t)
			client := dial()
			client.next()
			<-host.readies
			inv := newInvocation("arn", Invocation{RequestID: "one"})
			e.run(inv)
			client.answer()
			client.send("POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\nHost: x\r\n" + c.header +
				fmt.Sprintf("Content-Length: %d\r\n\r\n", c.size))
			_, _ = io.Copy(client.conn, io.LimitReader(zeros{}, int64(c.size))) // may be cut off
			if o := <-inv.done; !o.failed || o.errorType != c.want {
				t.Errorf("%+v", o)
			}
			if c.size == beyond { // the answer may have got lost with the connection
				return
			}
			if status, _, _ := client.answer(); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestReportOfAnErrorThatIsTooLarge(t *testing.T) {
	t.Parallel()
	e, host, dial := newAPIEnvironment(t)
	client := dial()
	client.next()
	<-host.readies
	inv := newInvocation("arn", Invocation{RequestID: "one"})
	e.run(inv)
	client.answer()
	client.send(post("invocation/one/error", `"`+strings.Repeat("x", maxErrorBytes)+`"`, "Lambda-Runtime-Function-Error-Type: Mine"))
	client.expect(202, `{"status":"OK"}`)
	if o := <-inv.done; string(o.payload) != `{"errorType":"Mine","errorMessage":"The report of the error is too large: body of more than 1048576 bytes"}` {
		t.Errorf("%+v", o)
	}
}
