package function

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/weirstream/weir/internal/store"
)

const (
	// maxReadEvents and maxReadBytes bound the answer of one read.
	maxReadEvents = 10_000
	maxReadBytes  = 1 << 20
	// maxScanBytes bounds how much one Filter looks through.
	maxScanBytes = 32 << 20
)

// LogQuery selects events of one stream.
type LogQuery struct {
	Group, Stream string
	// From and To bound the time, in ms since 1970: From inclusive, To exclusive;
	// 0 is no bound.
	From, To int64
	// After and Before, if set, bound the position: at or after, and before.
	After, Before *LogPosition
	// Newest takes the last events that fit instead of the first.
	Newest bool
	// Limit bounds the number of events; 0 means 10,000, which is the most.
	Limit int
}

// Get returns events of a stream in order.
func (l *Logs) Get(_ context.Context, q LogQuery) ([]LogEvent, error) {
	if err := l.flush(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	g := l.groups[q.Group]
	if g == nil {
		l.mu.Unlock()
		return nil, errNoGroup
	}
	s := g.streams[q.Stream]
	if s == nil {
		l.mu.Unlock()
		return nil, errNoStream
	}
	stream := *s
	l.mu.Unlock()
	lower, upper := q.bounds(stream)
	r, err := l.newLogReader(q.Group, lower, upper)
	if err != nil {
		return nil, err
	}
	defer r.it.Close()
	limit := q.Limit
	if limit <= 0 || limit > maxReadEvents {
		limit = maxReadEvents
	}
	var events []LogEvent
	size := 0
	for ok := r.start(q.Newest); ok; ok = r.move(q.Newest) {
		e, number, err := r.event()
		if err != nil {
			return nil, err
		}
		if number != stream.number {
			continue
		}
		size += len(e.Text) + eventOverhead
		if len(events) == limit || size > maxReadBytes && len(events) > 0 {
			break
		}
		e.Stream = q.Stream
		events = append(events, e)
	}
	if q.Newest {
		slices.Reverse(events)
	}
	return events, r.it.Close()
}

// bounds returns the positions between which a query's events lie.
func (q LogQuery) bounds(s LogStream) (lower, upper LogPosition) {
	lower = LogPosition{Time: uint64(max(0, q.From, s.FirstEvent))}
	upper = LogPosition{Time: uint64(s.LastEvent) + 1}
	if q.To > 0 && uint64(q.To) < upper.Time {
		upper.Time = uint64(q.To)
	}
	if q.After != nil && lower.less(*q.After) {
		lower = *q.After
	}
	if q.Before != nil && q.Before.less(upper) {
		upper = *q.Before
	}
	return lower, upper
}

func (p LogPosition) less(o LogPosition) bool {
	return p.Time < o.Time || p.Time == o.Time && p.Sequence < o.Sequence
}

// Next is the smallest position after p.
func (p LogPosition) Next() LogPosition {
	return LogPosition{Time: p.Time, Sequence: p.Sequence + 1}
}

// logReader walks over the events of a group.
type logReader struct {
	it     *store.Iterator
	prefix int
}

func (l *Logs) newLogReader(group string, lower, upper LogPosition) (logReader, error) {
	if !lower.less(upper) {
		upper = lower
	}
	prefix := len(logKey(group, logKeyEvent))
	it, err := l.db.Scan(eventKey(group, lower), eventKey(group, upper))
	if err != nil {
		return logReader{}, fmt.Errorf("read logs: %w", err)
	}
	return logReader{it, prefix}, nil
}

func (r logReader) start(backwards bool) bool {
	if backwards {
		return r.it.Last()
	}
	return r.it.First()
}

func (r logReader) move(backwards bool) bool {
	if backwards {
		return r.it.Prev()
	}
	return r.it.Next()
}

func (r logReader) event() (e LogEvent, stream uint32, err error) {
	p, stream, ingestion, text, err := parseEvent(r.prefix, r.it.Key(), r.it.Value())
	if err != nil {
		return e, 0, err
	}
	return LogEvent{Time: int64(p.Time), Ingestion: ingestion, Text: string(text), Position: p}, stream, nil
}

// stream reads only the number of the stream, without copying the text.
func (r logReader) stream() uint32 {
	if v := r.it.Value(); len(v) >= eventHead {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// LogFilter selects events of a group.
type LogFilter struct {
	Group string
	// Streams, if not empty, names the streams; StreamPrefix what their names
	// begin with.
	Streams      []string
	StreamPrefix string
	From, To     int64 // as in LogQuery
	Pattern      string
	// After, if set, is where to go on.
	After *LogPosition
	Limit int
}

// Filter returns the events of a group that match, in order of time over all
// streams. next is where to go on, nil when there is nothing more; events may
// be empty with next set, when nothing matched in the part that was looked at.
func (l *Logs) Filter(ctx context.Context, f LogFilter) (events []LogEvent, next *LogPosition, err error) {
	match, err := CompilePattern(f.Pattern)
	if err != nil {
		return nil, nil, err
	}
	if err := l.flush(); err != nil {
		return nil, nil, err
	}
	names, err := l.streamNames(f)
	if err != nil {
		return nil, nil, err
	}
	lower, upper := LogPosition{Time: uint64(max(0, f.From))}, LogPosition{Time: 1<<64 - 1}
	if f.To > 0 {
		upper.Time = uint64(f.To)
	}
	if f.After != nil && lower.less(*f.After) {
		lower = *f.After
	}
	r, err := l.newLogReader(f.Group, lower, upper)
	if err != nil {
		return nil, nil, err
	}
	defer r.it.Close()
	return r.filter(ctx, names, match, f.Limit)
}

func (r logReader) filter(ctx context.Context, names map[uint32]string, match Pattern, limit int) ([]LogEvent, *LogPosition, error) {
	if limit <= 0 || limit > maxReadEvents {
		limit = maxReadEvents
	}
	var events []LogEvent
	size, scanned := 0, 0
	for ok := r.it.First(); ok; ok = r.it.Next() {
		if scanned += len(r.it.Value()) + eventOverhead; scanned > maxScanBytes || ctx.Err() != nil {
			p, _, _, _, err := parseEvent(r.prefix, r.it.Key(), r.it.Value())
			return events, &p, err
		}
		name, wanted := names[r.stream()]
		if !wanted {
			continue
		}
		e, _, err := r.event()
		if err != nil {
			return nil, nil, err
		}
		if !match.Match(e.Text) {
			continue
		}
		size += len(e.Text) + eventOverhead
		if len(events) == limit || size > maxReadBytes && len(events) > 0 {
			return events, &e.Position, nil
		}
		e.Stream = name
		events = append(events, e)
	}
	return events, nil, r.it.Close()
}

// streamNames returns the streams that a filter selects, by number.
func (l *Logs) streamNames(f LogFilter) (map[uint32]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[f.Group]
	if g == nil {
		return nil, errNoGroup
	}
	names := map[uint32]string{}
	for _, name := range f.Streams {
		s := g.streams[name]
		if s == nil {
			return nil, errNoStream
		}
		names[s.number] = name
	}
	if len(f.Streams) > 0 {
		return names, nil
	}
	for name, s := range g.streams {
		if strings.HasPrefix(name, f.StreamPrefix) {
			names[s.number] = name
		}
	}
	return names, nil
}

// maxFollowing is how many events wait for a follower before the oldest are
// left out.
const maxFollowing = 10_000

// follower hands the events of a group to one reader.
type follower struct {
	mu      sync.Mutex
	events  []LogEvent
	skipped int
	closed  bool
	wake    chan struct{} // of capacity 1
}

// Follow returns the events of a group from now on, as they are written, until
// ctx ends. The group need not exist yet. A reader that is slow misses events;
// the next one it gets says how many.
func (l *Logs) Follow(ctx context.Context, group string) iter.Seq[LogEvent] {
	return func(yield func(LogEvent) bool) {
		f := &follower{wake: make(chan struct{}, 1)}
		if !l.addFollower(group, f) {
			return
		}
		defer l.removeFollower(group, f)
		for {
			events, closed := f.take()
			for _, e := range events {
				if !yield(e) {
					return
				}
			}
			if closed {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-f.wake:
			}
		}
	}
}

func (l *Logs) addFollower(group string, f *follower) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if l.followers[group] == nil {
		l.followers[group] = map[*follower]struct{}{}
	}
	l.followers[group][f] = struct{}{}
	return true
}

func (l *Logs) removeFollower(group string, f *follower) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.followers[group], f)
	if len(l.followers[group]) == 0 {
		delete(l.followers, group)
	}
}

// publish hands what has been written to the followers of the group.
func (l *Logs) publish(w flushWork, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set := l.followers[w.group.name]
	if len(set) == 0 || len(w.events) == 0 {
		return
	}
	events := make([]LogEvent, len(w.events))
	for i, e := range w.events {
		events[i] = LogEvent{
			Stream: e.stream.Name, Time: e.time, Ingestion: now, Text: e.text,
			Position: LogPosition{Time: uint64(e.time), Sequence: w.first + uint64(i)},
		}
	}
	for f := range set {
		f.add(events)
	}
}

func (f *follower) add(events []LogEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, events...)
	if extra := len(f.events) - maxFollowing; extra > 0 {
		f.skipped += extra
		f.events = slices.Delete(f.events, 0, extra)
	}
	signal(f.wake)
}

func (f *follower) take() (events []LogEvent, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	events, f.events = f.events, nil
	if len(events) > 0 {
		events[0].Skipped, f.skipped = f.skipped, 0
	}
	return events, f.closed
}

func (f *follower) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	signal(f.wake)
}
