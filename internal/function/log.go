package function

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// LogsConfig is what Logs need. Zero values of the numbers mean defaults.
type LogsConfig struct {
	DB       *store.DB
	Identity catalog.Identity
	Log      *slog.Logger
	// Retention is how long events are kept in groups that do not say it
	// themselves; 7 days.
	Retention time.Duration
	// GroupBytes bounds what is kept of one group, the oldest goes first; 64
	// MiB. Each event counts its text and 26 bytes.
	GroupBytes int64
}

const (
	defaultRetention  = 7 * 24 * time.Hour
	defaultGroupBytes = 64 << 20
	// eventOverhead is what an event counts beside its text, as on AWS.
	eventOverhead = 26
	// maxPendingBytes is how much may wait to be written before those who log
	// have to wait too.
	maxPendingBytes = 16 << 20
	// linger is how long events are gathered before they are written, so that
	// many lines share one transaction.
	linger = 20 * time.Millisecond
	// flushBytes is how much is written at once without lingering.
	flushBytes = 1 << 20
	trimEvery  = 10 * time.Minute
)

var logNamePattern = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// LogGroup is the definition of a log group.
type LogGroup struct {
	Name    string
	Created int64 // ms since 1970
	// RetentionDays is how long events are kept, 0 if the group does not say.
	RetentionDays int               `json:",omitempty"`
	Tags          map[string]string `json:",omitempty"`
	// Implied tells that nobody has created the group: it came of what a function
	// wrote.
	Implied bool `json:",omitempty"`
	// StoredBytes is filled in when groups are listed.
	StoredBytes int64 `json:"-"`
}

// LogStream describes a log stream. Times are in ms since 1970, 0 if there was
// no event.
type LogStream struct {
	Name          string
	Created       int64
	FirstEvent    int64
	LastEvent     int64
	LastIngestion int64

	number uint32
}

// LogEvent is one event. Times are in ms since 1970.
type LogEvent struct {
	Stream    string
	Time      int64
	Ingestion int64
	Text      string
	// Position is where the event stands in its group; it is unique there.
	Position LogPosition
	// Skipped is how many events before this one a follower missed because it
	// was too slow.
	Skipped int
}

// LogPosition orders the events of a group: by time, then by arrival.
type LogPosition struct {
	Time     uint64
	Sequence uint64
}

// Logs holds log groups with their streams and events.
//
// Events are gathered in memory and written a few milliseconds later by one
// goroutine; every read writes them first, so that it sees what was logged
// before. What was logged in the last moments before a crash may be lost.
//
// Lock order: flushing, then mu.
type Logs struct {
	db         *store.DB
	identity   catalog.Identity
	log        *slog.Logger
	retention  time.Duration
	groupBytes int64
	defs       *catalog.Collection[LogGroup]

	flushing sync.Mutex // held while the store is written

	mu        sync.Mutex
	room      sync.Cond // pendingBytes went down, or closed
	groups    map[string]*logGroup
	followers map[string]map[*follower]struct{}
	pending   int // bytes
	closed    bool

	dirty  chan struct{} // of capacity 1
	full   chan struct{} // of capacity 1
	end    chan struct{}
	ended  sync.WaitGroup
	closer sync.Once
}

// logGroup is a group in memory; guarded by Logs.mu, but what only writing needs
// by Logs.flushing.
type logGroup struct {
	name    string
	streams map[string]*LogStream
	numbers map[uint32]*LogStream
	changed map[*LogStream]struct{} // to be written
	state   logState
	pending []pendingEvent
	newest  int64 // time of the last event of a function
	defined bool  // the definition is in the catalog
}

// logState is the part of a group that changes with its events.
type logState struct {
	NextSequence uint64
	NextStream   uint32
	Bytes        int64
}

type pendingEvent struct {
	stream *LogStream
	time   int64
	text   string
}

// OpenLogs loads the log groups of the store.
func OpenLogs(cfg LogsConfig) (*Logs, error) {
	defs, err := catalog.Load[LogGroup](cfg.DB, "loggroup")
	if err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	l := &Logs{
		db: cfg.DB, identity: cfg.Identity, log: cfg.Log, retention: cfg.Retention, groupBytes: cfg.GroupBytes, defs: defs,
		groups:    map[string]*logGroup{},
		followers: map[string]map[*follower]struct{}{},
		dirty:     make(chan struct{}, 1),
		full:      make(chan struct{}, 1),
		end:       make(chan struct{}),
	}
	l.room.L = &l.mu
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.retention == 0 {
		l.retention = defaultRetention
	}
	if l.groupBytes == 0 {
		l.groupBytes = defaultGroupBytes
	}
	for _, def := range defs.All() {
		g := newLogGroup(def.Name)
		g.defined = true
		if err := l.loadGroup(g); err != nil {
			return nil, fmt.Errorf("open log group %s: %w", def.Name, err)
		}
		l.groups[def.Name] = g
	}
	l.ended.Go(l.write)
	return l, nil
}

func newLogGroup(name string) *logGroup {
	return &logGroup{
		name:    name,
		streams: map[string]*LogStream{},
		numbers: map[uint32]*LogStream{},
		changed: map[*LogStream]struct{}{},
	}
}

// Close writes what waits and returns. Followers end.
func (l *Logs) Close() error {
	var err error
	l.closer.Do(func() {
		l.mu.Lock()
		l.closed = true
		l.room.Broadcast()
		for _, set := range l.followers {
			for f := range set {
				f.close()
			}
		}
		l.mu.Unlock()
		close(l.end)
		l.ended.Wait()
		err = l.flush()
	})
	return err
}

// append logs one event of a function. It makes group and stream when they do not exist, and
// waits when much more is logged than the disk takes.
func (l *Logs) append(group, stream string, at time.Time, text []byte) {
	if len(text) == 0 {
		return
	}
	event := string(text)
	l.mu.Lock()
	for l.pending > maxPendingBytes && !l.closed {
		l.room.Wait()
	}
	if l.closed {
		l.mu.Unlock()
		return
	}
	g := l.groups[group]
	if g == nil {
		g = newLogGroup(group)
		l.groups[group] = g
	}
	// Never back in time, so that a reader who goes on behind the last event of a
	// group that it has seen does not miss one.
	g.newest = max(g.newest, at.UnixMilli())
	l.appendLocked(g, g.stream(stream, g.newest), g.newest, event)
	l.mu.Unlock()
}

func (l *Logs) appendLocked(g *logGroup, s *LogStream, at int64, text string) {
	first := l.pending == 0
	g.pending = append(g.pending, pendingEvent{stream: s, time: at, text: text})
	l.pending += len(text) + eventOverhead
	if first {
		signal(l.dirty)
	}
	if l.pending > flushBytes {
		signal(l.full)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// stream returns the stream of a name, making it.
func (g *logGroup) stream(name string, now int64) *LogStream {
	s := g.streams[name]
	if s == nil {
		s = &LogStream{Name: name, Created: now, number: g.state.NextStream}
		g.state.NextStream++
		g.streams[name] = s
		g.numbers[s.number] = s
		g.changed[s] = struct{}{}
	}
	return s
}

// change runs f with both locks, after everything that waits has been written.
func (l *Logs) change(f func() error) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	if err := l.flushLocked(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return f()
}

var errNoGroup = errorf(ErrNotFound, "The specified log group does not exist.")
var errNoStream = errorf(ErrNotFound, "The specified log stream does not exist.")

// DeleteGroup removes a log group with all that is in it.
func (l *Logs) DeleteGroup(_ context.Context, name string) error {
	return l.change(func() error {
		if l.groups[name] == nil {
			return errNoGroup
		}
		tx := l.db.Begin()
		l.defs.DeleteIn(tx, name)
		prefix := groupKey(name)
		tx.DeleteRange(prefix, store.PrefixEnd(prefix))
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("delete log group %s: %w", name, err)
		}
		delete(l.groups, name)
		return nil
	})
}

// SetRetention says how many days a group keeps events; 0 means the default.
func (l *Logs) SetRetention(_ context.Context, name string, days int) error {
	return l.change(func() error {
		def, ok := l.defs.Get(name)
		if !ok {
			return errNoGroup
		}
		def.RetentionDays = days
		return l.defs.Put(name, def)
	})
}

// CreateStream makes a log stream.
func (l *Logs) CreateStream(_ context.Context, group, name string) error {
	if name == "" || len(name) > 512 || strings.ContainsAny(name, ":*") {
		return invalidf("%q is not a valid log stream name", name)
	}
	err := l.change(func() error {
		g := l.groups[group]
		switch {
		case g == nil:
			return errNoGroup
		case g.streams[name] != nil:
			return errorf(ErrExists, "The specified log stream already exists")
		}
		g.stream(name, time.Now().UnixMilli())
		return nil
	})
	if err != nil {
		return err
	}
	return l.flush()
}

// DeleteStream removes a log stream and its events.
func (l *Logs) DeleteStream(_ context.Context, group, name string) error {
	return l.change(func() error {
		g := l.groups[group]
		if g == nil {
			return errNoGroup
		}
		s := g.streams[name]
		if s == nil {
			return errNoStream
		}
		return l.dropStream(g, s)
	})
}

// Groups lists the groups whose names begin with prefix and contain part, in
// order of their names.
func (l *Logs) Groups(_ context.Context, prefix, part string) ([]LogGroup, error) {
	if err := l.flush(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var groups []LogGroup
	for _, def := range l.defs.All() {
		if g := l.groups[def.Name]; g != nil && strings.HasPrefix(def.Name, prefix) && strings.Contains(def.Name, part) {
			def.StoredBytes = g.state.Bytes
			groups = append(groups, def)
		}
	}
	return groups, nil
}

// ARN returns the ARN of a log group.
func (l *Logs) ARN(group string) string { return l.identity.ARN("logs", "log-group:"+group) }

// Streams lists the streams of a group whose names begin with prefix, in order
// of their names.
func (l *Logs) Streams(_ context.Context, group, prefix string) ([]LogStream, error) {
	if err := l.flush(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[group]
	if g == nil {
		return nil, errNoGroup
	}
	var streams []LogStream
	for name, s := range g.streams {
		if strings.HasPrefix(name, prefix) {
			streams = append(streams, *s)
		}
	}
	slices.SortFunc(streams, func(a, b LogStream) int { return strings.Compare(a.Name, b.Name) })
	return streams, nil
}

// Rejected says which events of a Put were not taken, by their index; -1 if
// none.
type Rejected struct {
	TooOldEnd   int // events before this index are older than is kept
	TooNewStart int // events from this index on lie too far in the future
}

// InputEvent is an event to be put.
type InputEvent struct {
	Time int64 // ms since 1970
	Text string
}

// maxFuture is how far ahead of the clock an event may be.
const maxFuture = 2 * time.Hour

// Put adds events to a stream, in order of time.
func (l *Logs) Put(_ context.Context, group, stream string, events []InputEvent) (Rejected, error) {
	rejected := Rejected{TooOldEnd: -1, TooNewStart: -1}
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[group]
	if g == nil {
		return rejected, errNoGroup
	}
	s := g.streams[stream]
	if s == nil {
		return rejected, errNoStream
	}
	oldest, newest, err := l.window(g)
	if err != nil {
		return rejected, err
	}
	for i, e := range events {
		switch {
		case e.Time < oldest:
			rejected.TooOldEnd = i + 1
		case e.Time > newest:
			if rejected.TooNewStart < 0 {
				rejected.TooNewStart = i
			}
		default:
			l.appendLocked(g, s, e.Time, e.Text)
		}
	}
	return rejected, nil
}

// window returns the times between which events are taken.
func (l *Logs) window(g *logGroup) (oldest, newest int64, err error) {
	if l.closed {
		return 0, 0, ErrClosed
	}
	now := time.Now()
	return max(0, now.Add(-l.keep(g.name)).UnixMilli()), now.Add(maxFuture).UnixMilli(), nil
}

// keep returns how long a group keeps events.
func (l *Logs) keep(group string) time.Duration {
	if def, ok := l.defs.Get(group); ok && def.RetentionDays > 0 {
		return time.Duration(def.RetentionDays) * 24 * time.Hour
	}
	return l.retention
}
