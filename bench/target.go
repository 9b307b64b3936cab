package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

// ability is what a scenario needs and a target offers.
type ability uint8

const (
	streams         ability = 1 << iota // Kinesis streams
	tables                              // DynamoDB tables
	goFunctions                         // functions in Go mapped to streams, with tables to write to
	pythonFunctions                     // the same in Python
	nodeFunctions                       // the same in Node
	exactlyOnce                         // functions whose writes count once
	rapid                               // takes the records of effect as fast as they come
	startable                           // the runner starts the process itself
)

const everything = streams | tables | goFunctions | pythonFunctions | nodeFunctions | exactlyOnce | rapid

// target is a system under test.
type target struct {
	name    string
	version string
	keeps   string // how it keeps data
	offers  ability
	records int                                                    // in the stream of a pipeline, 0 for pipelineRecords
	start   func(ctx context.Context, dir string) (*server, error) // dir is empty and the server's own
}

// server is a running target.
type server struct {
	addr    string
	tables  string        // the address of tables, if it is another
	offers  ability       // of its target
	records int           // of its target
	proc    *process      // nil if the runner has not started it
	also    []*process    // others that are part of it
	ready   time.Duration // from the start of the process until it said that it is ready
	undo    []func()      // removes what scenarios have created, last first
	// install gets what functions in a language need; nil if that is not ours to do.
	install func(ctx context.Context, runtime string) error
	host    functionHost // nil if functions are created and mapped as with AWS
}

// functionHost runs functions for a target without Lambda's interface.
type functionHost interface {
	create(function string, l language, variables map[string]string) error
	mapTo(ctx context.Context, streamARN, function string, batch int) (id string, err error)
	unmap(id string)
}

// addrOf is the address at which a service is.
func (s *server) addrOf(p protocol) string {
	if p == dynamodbJSON && s.tables != "" {
		return s.tables
	}
	return s.addr
}

// stop ends a server that the runner has started. From any other it removes what
// the scenario has created.
func (s *server) stop() {
	if s.proc != nil {
		s.proc.stop()
		for _, p := range s.also {
			p.stop()
		}
		return
	}
	for i := len(s.undo) - 1; i >= 0; i-- {
		s.undo[i]()
	}
}

// explain adds to an error that the server has ended, if it has.
func (s *server) explain(err error) error {
	if s.proc == nil {
		return err
	}
	return s.proc.explain(err)
}

// running is the target at an endpoint that the runner did not start.
func running(endpoint string) (target, error) {
	addr, err := address(endpoint)
	if err != nil {
		return target{}, err
	}
	return target{
		name: endpoint, version: "as found", keeps: "in a way that is not known here", offers: everything,
		start: func(context.Context, string) (*server, error) { return &server{addr: addr}, nil },
	}, nil
}

// weirTarget is Weir as a binary that was built before.
func weirTarget(ctx context.Context, binary string) (target, error) {
	out, err := exec.CommandContext(ctx, binary, "version", "--json").Output()
	if err != nil {
		return target{}, fmt.Errorf("asking %s for its version: %w", binary, err)
	}
	var v struct{ Version, Commit string }
	if err := json.Unmarshal(out, &v); err != nil {
		return target{}, fmt.Errorf("version of %s: %w", binary, err)
	}
	version := v.Version
	if v.Commit != "unknown" {
		version += " of commit " + v.Commit
	}
	return target{
		name: "weir", version: version,
		keeps:  "on disk: every acknowledged write has been synced (fsync)",
		offers: everything | startable,
		start: func(ctx context.Context, dir string) (*server, error) {
			s, err := startAnnouncing(ctx, dir, "ready ", binary, "up", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-level", "warn")
			if err != nil {
				return nil, err
			}
			s.install = func(ctx context.Context, runtime string) error {
				return command(ctx, dir, binary, "runtimes", "install", runtime, "--data-dir", dir)
			}
			return s, nil
		},
	}, nil
}

// startAnnouncing starts a server whose first line on standard output is prefix
// and its endpoint.
func startAnnouncing(ctx context.Context, dir, prefix, binary string, args ...string) (*server, error) {
	p, err := startProcess(dir, binary, args...)
	if err != nil {
		return nil, err
	}
	line, took, err := p.ready(ctx)
	if err != nil {
		p.stop()
		return nil, err
	}
	endpoint, ok := strings.CutPrefix(line, prefix)
	if !ok {
		p.stop()
		return nil, fmt.Errorf("%s said %q, not %q", binary, line, prefix+"...")
	}
	addr, err := address(endpoint)
	if err != nil {
		p.stop()
		return nil, err
	}
	return &server{addr: addr, proc: p, ready: took}, nil
}

// startSilent starts a server that is told its address and does not say when it
// accepts connections: that is tried every millisecond.
func startSilent(ctx context.Context, dir, addr, binary string, args ...string) (*server, error) {
	p, err := startProcess(dir, binary, args...)
	if err != nil {
		return nil, err
	}
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return &server{addr: addr, proc: p, ready: time.Since(p.started)}, nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-p.ended:
			return nil, p.failure()
		case <-ctx.Done():
			p.stop()
			return nil, context.Cause(ctx)
		}
	}
}

// freeAddress returns a loopback address that was free a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// address returns the host and port of an http endpoint.
func address(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	if u.Scheme != "http" || u.Port() == "" {
		return "", errors.New("endpoint " + endpoint + ": want http://host:port")
	}
	return u.Host, nil
}
