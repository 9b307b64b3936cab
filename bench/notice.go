package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// notices receives what instances of countfunction tell about their writes.
type notices struct {
	listener net.Listener
	heard    func(key string, count int, at time.Time) // called by several goroutines
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
	readers  sync.WaitGroup
}

// hear listens until close is called.
func hear(heard func(key string, count int, at time.Time)) (*notices, error) {
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
		if key, count, ok := parseNotice(lines.Text()); ok {
			n.heard(key, count, at)
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

// parseNotice reads "key count".
func parseNotice(line string) (key string, count int, ok bool) {
	key, digits, ok := strings.Cut(line, " ")
	count, err := strconv.Atoi(digits)
	return key, count, ok && err == nil && key != ""
}

// buildFunction builds countfunction and returns it as a zip file.
func buildFunction(ctx context.Context, dir string) ([]byte, error) {
	binary := filepath.Join(dir, "bootstrap")
	if err := goBuild(ctx, binary, "./bench/countfunction"); err != nil {
		return nil, err
	}
	code, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(code); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// goBuild builds a package of this module; path is relative to its root.
func goBuild(ctx context.Context, output, path string) error {
	const module = "github.com/weirstream/weir"
	pkg := module + strings.TrimPrefix(path, ".")
	if err := command(ctx, "", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", output, pkg); err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	return nil
}
