// Package console serves the pages for people under /_weir/console/: the built
// web app, embedded, and the data that it shows.
//
// The package knows no other part of Weir. What the pages need is declared here
// as small interfaces over plain structs; the server adapts the domains to them.
//
// # Data
//
// Two kinds of data reach a page:
//
//   - What every page shows (streams, functions, tables, mappings, alarms, ...)
//     is read by one sampler into one state, whoever watches. Each viewer holds
//     one event stream and is sent what changed since the last thing it was sent,
//     so a slow viewer costs nothing but gets fewer, larger updates.
//   - What one page shows (items, a log, a dashboard, mail, the shards of a
//     mapping) is asked for with a request of its own. So is the status of the
//     whole, for those who look once, such as the command line.
//
// # Invariants
//
//   - Nothing here writes to Weir: every request is a read.
//   - A viewer gets at most one update in liveInterval, none when nothing
//     changed, and a ping in pingInterval so that a dead connection is noticed.
//   - Memory is bounded: historyLength points per resource, maxViewers viewers,
//     no queue per viewer.
//   - No page loads anything from another origin; the content security policy
//     forbids it.
package console

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Prefix is the path under which the console is mounted.
const Prefix = "/_weir/console/"

// Errors that the sources return, wrapped, to choose the answer that a page gets.
// Any other error is logged and shown as an internal one.
var (
	// ErrNotFound says that what was asked for does not exist.
	ErrNotFound = errors.New("not found")
	// ErrInvalid says that the request makes no sense; its text is shown.
	ErrInvalid = errors.New("invalid request")
)

// Config is what a console shows. A source that is nil is a part of Weir that
// this server does not have: its lists are empty and its pages are not found.
type Config struct {
	Server     Server
	Streams    Streams
	Queues     Queues
	Functions  Functions
	Tables     Tables
	Mappings   Mappings
	Alarms     Alarms
	Topics     Topics
	Stacks     Stacks
	Dashboards Dashboards
	Metrics    Metrics
	Logs       Logs
	Outbox     Outbox

	// App replaces the embedded web app, for work on it.
	App fs.FS
	// Log receives failures of the sources; nil discards them.
	Log *slog.Logger
}

// Console is the handler of all paths under Prefix.
type Console struct {
	cfg   Config
	log   *slog.Logger
	mux   *http.ServeMux
	state *state

	stop context.CancelFunc // ends the sampler
	done chan struct{}      // closed by Close, for the viewers
	wake chan struct{}      // tells the sampler that a viewer came

	mu      sync.Mutex
	closed  bool
	viewers int
	running sync.WaitGroup // the sampler and the viewers
}

// New returns a console and starts its sampler, so that a page that is opened
// later shows what happened before. Close it before the HTTP server is shut
// down, as its event streams do not end by themselves.
func New(cfg Config) *Console {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if cfg.App == nil {
		cfg.App = embedded()
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Console{
		cfg:   cfg,
		log:   log,
		mux:   http.NewServeMux(),
		state: newState(time.Now()),
		stop:  stop,
		done:  make(chan struct{}),
		wake:  make(chan struct{}, 1),
	}
	c.routes()
	s := newSampler(cfg, c.state, log)
	c.running.Go(func() { s.run(ctx, c.watched, c.wake) })
	return c
}

// Close ends the sampler and all event streams and returns when they have ended.
// Requests that come later get 503. It can be called more than once.
func (c *Console) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.done)
	}
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
	return nil
}

// ServeHTTP answers a request for a page, for a file of the web app or for data.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	c.mux.ServeHTTP(w, r)
}

func (c *Console) routes() {
	c.mux.HandleFunc("GET "+Prefix+"api/events", c.events)
	for pattern, serve := range map[string]endpoint{
		"GET tables/{name}/items":   c.tableItems,
		"GET functions/{name}/log":  c.functionLog,
		"GET dashboards/{name}":     c.dashboard,
		"POST metrics":              c.metrics,
		"GET alarms/{name}/history": c.alarmHistory,
		"GET status":                c.status,
		"GET mappings/{id}/shards":  c.mappingShards,
		"GET stacks/{name}":         c.stack,
		"GET mail":                  c.mails,
		"GET mail/{id}":             c.mail,
	} {
		c.mux.HandleFunc(route(pattern), c.answer(serve))
	}
	c.mux.HandleFunc("GET "+Prefix+"api/", c.answer(func(*http.Request) (any, error) { return nil, ErrNotFound }))
	c.mux.Handle("GET "+Prefix, newAssets(c.cfg.App))
}

// maxViewers bounds the event streams that are open at one time.
const maxViewers = 128

var errBusy = errors.New("too many open event streams")

// enter counts a viewer in; leave must follow when it returns no error.
func (c *Console) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return http.ErrServerClosed
	}
	if c.viewers >= maxViewers {
		return errBusy
	}
	c.viewers++
	c.running.Add(1)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

func (c *Console) leave() {
	c.mu.Lock()
	c.viewers--
	c.mu.Unlock()
	c.running.Done()
}

func (c *Console) watched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.viewers > 0
}
