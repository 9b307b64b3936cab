// Package server puts the parts of Weir together: it opens the data directory,
// connects the domains to each other through the small interfaces that they
// declare, and serves the APIs and the console on one port.
//
// Starting goes from the store upwards, stopping the other way round: mappings
// first, so that invocations in flight can still reach the APIs, then the
// functions, the listener, the domains, and the store last.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/http1"
	"github.com/weirstream/weir/internal/meter"
)

// Config is how a server runs.
type Config struct {
	Listen   string // host:port; port 0 takes a free one
	DataDir  string
	Identity catalog.Identity
	// AllowedHosts are names by which others than this machine call the server, and
	// whose pages may call it, such as "weir.example.com" or "*.example.com".
	AllowedHosts []string
	// SMTP is where mail goes, "host:port" or a URL smtp[s]://user:pass@host:port;
	// empty keeps mail in the outbox.
	SMTP string
	// Limits enforces the throughput limits of AWS, as far as they are implemented:
	// the concurrency of functions.
	Limits  bool
	Version string // shown to people
	Log     *slog.Logger
	// Grace is how long Close lets invocations in flight finish; 0 means 5 s.
	Grace time.Duration
}

// Server is a running Weir.
type Server struct {
	cfg      Config
	listener net.Listener
	endpoint string
	meter    *meter.Meter
	started  time.Time

	parts *parts
	http  *http1.Server
	// requests is cancelled when the listener is shut down, to end event streams
	// and long polls.
	cancelRequests context.CancelFunc
	serving        sync.WaitGroup
	closeOnce      sync.Once
	closeErr       error
}

// Open starts a server. It accepts requests when Open returns.
func Open(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Grace == 0 {
		cfg.Grace = 5 * time.Second
	}
	if cfg.Identity == (catalog.Identity{}) {
		cfg.Identity = catalog.DefaultIdentity
	}
	tune()
	var err error
	// Processes of functions run in other directories and are started by path.
	if cfg.DataDir, err = filepath.Abs(cfg.DataDir); err != nil {
		return nil, err
	}
	if err := checkLoopback(cfg.Listen); err != nil {
		return nil, err
	}
	listener, err := listen(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	s := &Server{cfg: cfg, listener: listener, endpoint: "http://" + listener.Addr().String(), meter: meter.New(), started: time.Now()}
	if s.parts, err = s.openParts(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := s.serve(); err != nil {
		return nil, errors.Join(err, s.parts.close(), listener.Close())
	}
	s.parts.functions.Start(&destinations{topics: s.parts.topics, functions: s.parts.functions, queues: s.parts.queues, buckets: s.parts.buckets})
	s.parts.mappings.Start()
	releaseStartPages()
	return s, nil
}

// listenPatience is how long a port that is taken is tried again: a process that
// was being started when its server was killed holds the port for a moment.
const listenPatience = time.Second

func listen(address string) (net.Listener, error) {
	end := time.Now().Add(listenPatience)
	for {
		l, err := net.Listen("tcp", address)
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
			return l, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// checkLoopback refuses to listen where others than this machine could reach a
// server that accepts any credentials.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen address %q is not host:port: %w", address, err)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("refusing to listen on %s: without request authentication Weir accepts any credentials, so it only listens on loopback addresses such as 127.0.0.1", address)
}

func (s *Server) serve() error {
	handler, err := s.handler()
	if err != nil {
		return err
	}
	requests, cancel := context.WithCancel(context.Background())
	s.cancelRequests = cancel
	others := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
		Protocols:         new(http.Protocols),
	}
	// Some SDKs (Kinesis for JavaScript) speak HTTP/2 to http:// endpoints without
	// asking first.
	others.Protocols.SetHTTP1(true)
	others.Protocols.SetUnencryptedHTTP2(true)
	s.http = &http1.Server{Handler: handler, Plain: handler.Plain, Rest: others, Log: s.cfg.Log}
	s.serving.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("serve", "error", err)
		}
	})
	return nil
}

// Endpoint returns the URL at which the server answers.
func (s *Server) Endpoint() string { return s.endpoint }

// Close stops the server and returns when everything has ended. Invocations in
// flight may finish within the grace period. A second call returns what the first
// one did.
func (s *Server) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Server) close() error {
	var errs []error
	errs = append(errs, s.parts.closeWorkers())
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Grace)
	defer cancel()
	s.cancelRequests()
	errs = append(errs, s.http.Shutdown(ctx))
	s.serving.Wait()
	return errors.Join(append(errs, s.parts.close())...)
}
