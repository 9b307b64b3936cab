package function

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// Kinds of keys within a group.
const (
	logKeyState  = 0x00
	logKeyStream = 0x01
	logKeyEvent  = 0x02
)

func groupKey(group string) []byte {
	return store.AppendString(store.Key(store.DomainLog, len(group)+2), group)
}

func logKey(group string, kind byte) []byte { return append(groupKey(group), kind) }

func streamKey(group, stream string) []byte {
	return store.AppendString(logKey(group, logKeyStream), stream)
}

func eventKey(group string, p LogPosition) []byte {
	return store.AppendUint64(store.AppendUint64(logKey(group, logKeyEvent), p.Time), p.Sequence)
}

// eventHead is the length of what precedes the text in the value of an event.
const eventHead = 12

var errBadLog = errors.New("malformed log entry in the data directory")

func parseEvent(prefix int, key, value []byte) (p LogPosition, stream uint32, ingestion int64, text []byte, err error) {
	if len(key) != prefix+16 || len(value) < eventHead {
		return p, 0, 0, nil, errBadLog
	}
	p.Time = binary.BigEndian.Uint64(key[prefix:])
	p.Sequence = binary.BigEndian.Uint64(key[prefix+8:])
	return p, binary.BigEndian.Uint32(value), int64(binary.BigEndian.Uint64(value[4:])), value[eventHead:], nil
}

// storedStream is a log stream as it is in the store.
type storedStream struct {
	LogStream
	Number uint32
}

// loadGroup fills a group with what the store has of it.
func (l *Logs) loadGroup(g *logGroup) error {
	doc, ok, err := l.db.Get(logKey(g.name, logKeyState))
	if err != nil {
		return err
	}
	if ok {
		if err := json.Unmarshal(doc, &g.state); err != nil {
			return fmt.Errorf("%w: %w", errBadLog, err)
		}
	}
	prefix := logKey(g.name, logKeyStream)
	it, err := l.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		var s storedStream
		if err := json.Unmarshal(it.Value(), &s); err != nil {
			return fmt.Errorf("%w: %w", errBadLog, err)
		}
		s.number = s.Number
		g.streams[s.Name] = &s.LogStream
		g.numbers[s.number] = &s.LogStream
	}
	return it.Close()
}

// write is the goroutine that writes what is logged, and trims.
func (l *Logs) write() {
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	l.trimAll()
	for {
		select {
		case <-l.end:
			return
		case <-trim.C:
			l.trimAll()
			continue
		case <-l.dirty:
		}
		timer := time.NewTimer(linger)
		select {
		case <-timer.C:
		case <-l.full:
		case <-l.end:
		}
		timer.Stop()
		if err := l.flush(); err != nil {
			l.log.Error("cannot write logs of functions", "error", err)
		}
	}
}

// flush writes what was logged before the call.
func (l *Logs) flush() error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	return l.flushLocked()
}

// flushWork is what one flush takes from a group.
type flushWork struct {
	group   *logGroup
	events  []pendingEvent
	streams []LogStream
	state   logState
	first   uint64 // sequence of events[0]
	define  bool
}

func (l *Logs) flushLocked() error {
	now := time.Now().UnixMilli()
	work, bytes := l.takePending(now)
	if len(work) == 0 {
		return nil
	}
	defer l.release(bytes)
	tx := l.db.Begin()
	for _, w := range work {
		if err := l.writeWork(tx, w, now); err != nil {
			tx.Discard()
			return err
		}
	}
	if err := tx.Apply(); err != nil {
		return fmt.Errorf("write logs: %w", err)
	}
	for _, w := range work {
		l.publish(w, now)
	}
	err := tx.Wait()
	for _, w := range work {
		if w.state.Bytes > l.groupBytes {
			err = errors.Join(err, l.trim(w.group, time.Now()))
		}
	}
	return err
}

// takePending takes what waits, and accounts for it as if it were written: it
// is in a moment, or the directory cannot be written at all.
func (l *Logs) takePending(now int64) ([]flushWork, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var work []flushWork
	for _, g := range l.groups {
		if len(g.pending) == 0 && len(g.changed) == 0 {
			continue
		}
		w := flushWork{group: g, events: g.pending, first: g.state.NextSequence, define: !g.defined}
		g.defined = true
		g.pending = nil
		for _, e := range w.events {
			g.state.Bytes += int64(len(e.text) + eventOverhead)
			e.stream.count(e.time, now)
			g.changed[e.stream] = struct{}{}
		}
		g.state.NextSequence += uint64(len(w.events))
		for s := range g.changed {
			w.streams = append(w.streams, *s)
		}
		clear(g.changed)
		w.state = g.state
		work = append(work, w)
	}
	return work, l.pending
}

// release makes room for those who wait to log.
func (l *Logs) release(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending -= bytes
	l.room.Broadcast()
	if l.pending > 0 {
		signal(l.dirty)
	}
}

func (s *LogStream) count(at, now int64) {
	if s.FirstEvent == 0 || at < s.FirstEvent {
		s.FirstEvent = at
	}
	s.LastEvent = max(s.LastEvent, at)
	s.LastIngestion = now
}

func (l *Logs) writeWork(tx *store.Tx, w flushWork, now int64) error {
	name := w.group.name
	if w.define {
		if err := l.defs.PutIn(tx, name, LogGroup{Name: name, Created: now, Implied: true}); err != nil {
			return err
		}
	}
	prefix := logKey(name, logKeyEvent)
	for i, e := range w.events {
		key, value := tx.SetBuffers(len(prefix)+16, eventHead+len(e.text))
		n := copy(key, prefix)
		binary.BigEndian.PutUint64(key[n:], uint64(e.time))
		binary.BigEndian.PutUint64(key[n+8:], w.first+uint64(i))
		binary.BigEndian.PutUint32(value, e.stream.number)
		binary.BigEndian.PutUint64(value[4:], uint64(now))
		copy(value[eventHead:], e.text)
	}
	for _, s := range w.streams {
		if err := setJSON(tx, streamKey(name, s.Name), storedStream{s, s.number}); err != nil {
			return err
		}
	}
	return setJSON(tx, logKey(name, logKeyState), w.state)
}

func setJSON(tx *store.Tx, key []byte, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	tx.Set(key, doc)
	return nil
}

// trimAll removes what is older than its group keeps it.
func (l *Logs) trimAll() {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.mu.Lock()
	groups := make([]*logGroup, 0, len(l.groups))
	for _, g := range l.groups {
		groups = append(groups, g)
	}
	l.mu.Unlock()
	for _, g := range groups {
		if err := l.trim(g, time.Now()); err != nil {
			l.log.Error("cannot trim a log group", "group", g.name, "error", err)
		}
	}
}

// trim removes the oldest events of a group, those that are too old and, when
// there are too many bytes, enough of the others. l.flushing is held.
func (l *Logs) trim(g *logGroup, now time.Time) error {
	prefix := logKey(g.name, logKeyEvent)
	it, err := l.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	l.mu.Lock()
	bytes := g.state.Bytes
	l.mu.Unlock()
	horizon := uint64(max(0, now.Add(-l.keep(g.name)).UnixMilli()))
	target := bytes
	if bytes > l.groupBytes {
		target = l.groupBytes / 10 * 9
	}
	var removed int64
	ok := it.First()
	for ; ok; ok = it.Next() {
		p, _, _, text, err := parseEvent(len(prefix), it.Key(), it.Value())
		if err != nil {
			return err
		}
		if p.Time >= horizon && bytes-removed <= target {
			break
		}
		removed += int64(len(text) + eventOverhead)
	}
	if removed == 0 {
		return it.Close()
	}
	end, oldest := store.PrefixEnd(prefix), horizon
	if ok {
		end = append([]byte(nil), it.Key()...)
		oldest = binary.BigEndian.Uint64(end[len(prefix):])
	}
	return l.removeBefore(g, prefix, end, removed, int64(oldest))
}

// removeBefore removes the events of a group in a range of keys, and the
// streams that have none left.
func (l *Logs) removeBefore(g *logGroup, from, to []byte, bytes, oldest int64) error {
	tx := l.db.Begin()
	tx.DeleteRange(from, to)
	l.mu.Lock()
	for _, name := range g.dropStreamsBefore(oldest) {
		tx.Delete(streamKey(g.name, name))
	}
	g.state.Bytes = max(0, g.state.Bytes-bytes)
	state := g.state
	l.mu.Unlock()
	if err := setJSON(tx, logKey(g.name, logKeyState), state); err != nil {
		tx.Discard()
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("trim log group %s: %w", g.name, err)
	}
	return nil
}

// dropStreamsBefore forgets the streams whose events are all older than the
// oldest one that is kept, and returns their names.
func (g *logGroup) dropStreamsBefore(oldest int64) []string {
	waiting := map[*LogStream]bool{}
	for _, e := range g.pending {
		waiting[e.stream] = true
	}
	var dropped []string
	for name, s := range g.streams {
		if s.LastEvent == 0 || s.LastEvent >= oldest || waiting[s] {
			s.FirstEvent = max(s.FirstEvent, min(oldest, s.LastEvent))
			continue
		}
		delete(g.streams, name)
		delete(g.numbers, s.number)
		delete(g.changed, s)
		dropped = append(dropped, name)
	}
	return dropped
}

// dropStream removes a stream and its events; both locks are held.
func (l *Logs) dropStream(g *logGroup, s *LogStream) error {
	prefix := logKey(g.name, logKeyEvent)
	it, err := l.db.Scan(eventKey(g.name, LogPosition{Time: uint64(s.FirstEvent)}), store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	tx := l.db.Begin()
	defer tx.Discard()
	var bytes int64
	for ok := it.First(); ok; ok = it.Next() {
		p, number, _, text, err := parseEvent(len(prefix), it.Key(), it.Value())
		if err != nil {
			return err
		}
		if int64(p.Time) > s.LastEvent {
			break
		}
		if number == s.number {
			tx.Delete(it.Key())
			bytes += int64(len(text) + eventOverhead)
		}
	}
	tx.Delete(streamKey(g.name, s.Name))
	g.state.Bytes = max(0, g.state.Bytes-bytes)
	delete(g.streams, s.Name)
	delete(g.numbers, s.number)
	if err := setJSON(tx, logKey(g.name, logKeyState), g.state); err != nil {
		return err
	}
	return tx.Commit()
}
