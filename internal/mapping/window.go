package mapping

import (
	"strconv"
	"time"
)

// window is a tumbling window of one shard that is open: the span of arrival times
// [start, end), in seconds since the Unix epoch, and the state that the function
// returned last.
type window struct {
	start, end int64
	state      []byte // JSON; empty before the first invocation
	terminated bool   // the state became too large: the window ends early
	invoked    bool   // the function has heard of it
}

// maxWindowState is the largest state that a window can go on with, in bytes of
// JSON; a larger one ends it early.
const maxWindowState = 1 << 20

// windowGrace is how long after its end an idle window is closed: records that
// were accepted before the end have become readable by then.
const windowGrace = 250 * time.Millisecond

// windowOf returns the window of the given length in seconds in which a time, in
// milliseconds since the epoch, lies.
func windowOf(arrival int64, length int) *window {
	n := int64(length)
	start := arrival / 1000 / n * n
	return &window{start: start, end: start + n}
}

// passed reports whether a record that arrived at a time, in milliseconds, comes
// after the window. One that is older than the window counts in it: the shard's
// order goes before the clock, which may have been set back.
func (w *window) passed(arrival int64) bool { return arrival >= w.end*1000 }

// closes returns when the window may be closed though no further record came.
func (w *window) closes() time.Time { return time.Unix(w.end, 0).Add(windowGrace) }

// appendAttributes appends the members of the event that tell of the window.
func (w *window) appendAttributes(dst []byte, shard, source string, final bool) []byte {
	dst = append(dst, `,"shardId":`...)
	dst = strconv.AppendQuote(dst, shard)
	dst = append(dst, `,"eventSourceARN":`...)
	dst = strconv.AppendQuote(dst, source)
	dst = append(dst, `,"window":`...)
	dst = w.appendSpan(dst)
	dst = append(dst, `,"state":`...)
	dst = w.appendState(dst)
	dst = append(dst, `,"isFinalInvokeForWindow":`...)
	dst = strconv.AppendBool(dst, final)
	dst = append(dst, `,"isWindowTerminatedEarly":`...)
	return strconv.AppendBool(dst, final && w.terminated)
}

func (w *window) appendSpan(dst []byte) []byte {
	dst = append(dst, `{"start":"`...)
	dst = time.Unix(w.start, 0).UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst, `","end":"`...)
	dst = time.Unix(w.end, 0).UTC().AppendFormat(dst, time.RFC3339)
	return append(dst, `"}`...)
}

func (w *window) appendState(dst []byte) []byte {
	if len(w.state) == 0 {
		return append(dst, "{}"...)
	}
	return append(dst, w.state...)
}

// with returns the window after an invocation that returned a state.
func (w *window) with(state []byte, limit int) *window {
	next := *w
	next.state = append([]byte(nil), state...)
	next.terminated = len(state) > limit
	return &next
}
