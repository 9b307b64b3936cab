package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// notices receives what instances of countfunction tell about their writes.
type notices struct {
	listener net.Listener
	heard    func(notice, time.Time) // called by several goroutines
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
	readers  sync.WaitGroup
}

// hear listens until close is called.
func hear(heard func(notice, time.Time)) (*notices, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &notices{listener: l, heard: heard}
	n.readers.Go(n.accept)
	return n, nil
}

func (n *notices) addr() string { return n.listener.Addr().String() }

func (n *notices) accept() {
	for {
		c, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		if n.closed {
			c.Close()
		}
		n.conns = append(n.conns, c)
		n.mu.Unlock()
		n.readers.Go(func() { n.read(c) })
	}
}

func (n *notices) read(c net.Conn) {
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		at := time.Now()
		if what, ok := parseNotice(lines.Text()); ok {
			n.heard(what, at)
		}
	}
}

// close ends when no call of heard is under way, nor will be.
func (n *notices) close() {
	n.listener.Close()
	n.mu.Lock()
	n.closed = true
	for _, c := range n.conns {
		c.Close()
	}
	n.mu.Unlock()
	n.readers.Wait()
}

// notice says that a number of records was added to the counter of a key. ids are
// those of the records that have one.
type notice struct {
	key   string
	count int
	ids   []int
}

// parseNotice reads "key count id...".
func parseNotice(line string) (n notice, ok bool) {
	key, numbers, _ := strings.Cut(line, " ")
	var all []int
	for digits := range strings.SplitSeq(numbers, " ") {
		number, err := strconv.Atoi(digits)
		if err != nil {
			return notice{}, false
		}
		all = append(all, number)
	}
	return notice{key: key, count: all[0], ids: all[1:]}, key != ""
}

// goBuild builds a package of this module with settings of the environment; path
// is relative to its root.
func goBuild(ctx context.Context, output, path string, settings ...string) error {
	const module = "github.com/weirstream/weir"
	pkg := module + strings.TrimPrefix(path, ".")
	args := append(settings, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", output, pkg)
	if err := command(ctx, "", "env", args...); err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	return nil
}
