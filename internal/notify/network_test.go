package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
)

// network is a network in memory: virtual time goes on while its users wait.
type network struct {
	mu    sync.Mutex
	hosts map[string]*host
}

type host struct {
	network *network
	name    string
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newNetwork() *network { return &network{hosts: map[string]*host{}} }

func (n *network) listen(address string) *host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := &host{network: n, name: address, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.hosts[address] = h
	return h
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	h := n.hosts[address]
	n.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("connect to %s: refused", address)
	}
	ours, theirs := net.Pipe()
	select {
	case h.conns <- theirs:
		return ours, nil
	case <-h.closed:
		return nil, fmt.Errorf("connect to %s: refused", address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *host) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *host) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *host) Addr() net.Addr { return address(h.name) }

type address string

func (a address) Network() string { return "memory" }
func (a address) String() string  { return string(a) }

// subscriber is an HTTP endpoint that answers as it is told and keeps what it
// gets.
type subscriber struct {
	server *http.Server

	mu       sync.Mutex
	statuses []int // of the next answers; 200 after them; 0 never answers
	got      []request
}

type request struct {
	header http.Header
	path   string
	body   string
	status int
}

func newSubscriber(n *network, address string) *subscriber {
	s := &subscriber{}
	s.server = &http.Server{Handler: s}
	go func() {
		if err := s.server.Serve(n.listen(address)); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return s
}

func (s *subscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	status := http.StatusOK
	if len(s.statuses) > 0 {
		status, s.statuses = s.statuses[0], s.statuses[1:]
	}
	s.got = append(s.got, request{r.Header.Clone(), r.URL.Path, string(body), status})
	s.mu.Unlock()
	if status == 0 {
		<-r.Context().Done()
		return
	}
	if status == http.StatusFound {
		w.Header().Set("Location", "http://elsewhere/")
	}
	w.WriteHeader(status)
}

func (s *subscriber) take() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// postOffice is an SMTP server that keeps what it gets.
type postOffice struct {
	host *host
	done sync.WaitGroup

	mu      sync.Mutex
	refuse  []string // answers to the next recipients, instead of 250
	letters []string
	user    string // of the last authentication
}

func newPostOffice(n *network, address string) *postOffice {
	p := &postOffice{host: n.listen(address)}
	p.done.Go(func() {
		for {
			c, err := p.host.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(c) })
		}
	})
	return p
}

func (p *postOffice) close() {
	_ = p.host.Close()
	p.done.Wait()
}

func (p *postOffice) serve(c net.Conn) {
	defer c.Close()
	r := textproto.NewReader(bufio.NewReader(c))
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 post office")
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-post office")
			say("250 AUTH PLAIN")
		case "AUTH":
			p.mu.Lock()
			p.user = rest
			p.mu.Unlock()
			say("235 welcome")
		case "RCPT":
			say(p.answer())
		case "DATA":
			say("354 go on")
			lines, err := r.ReadDotLines()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.letters = append(p.letters, strings.Join(lines, "\n"))
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (p *postOffice) answer() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.refuse) == 0 {
		return "250 fine"
	}
	answer := p.refuse[0]
	p.refuse = p.refuse[1:]
	return answer
}

func (p *postOffice) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	letters := p.letters
	p.letters = nil
	return letters
}
