package queue

import (
	"cmp"
	"container/heap"
	"sync"
	"time"
)

// entry is what is in memory of a message.
type entry struct {
	number  uint64
	sent    int64 // milliseconds, as in the store
	group   string
	receipt receipt
	// visibleFrom is when a hidden message can be received, in milliseconds; a
	// delayed one has not been received in this queue.
	visibleFrom int64
	delayed     bool

	prev, next *entry // in its group, FIFO queues only
	turn       uint64 // of its group, when ready in a FIFO queue
	place      place
	index      int // in the heap of its place
}

// place says where a message stands.
type place uint8

const (
	waiting place = iota // visible, behind others of its group
	ready                // can be received
	hidden               // delayed or in flight
	leaving              // being moved to the dead-letter queue
	gone
)

// entryHeap orders entries by less.
type entryHeap struct {
	entries []*entry
	less    func(a, b *entry) bool
}

func (h *entryHeap) Len() int           { return len(h.entries) }
func (h *entryHeap) Less(i, j int) bool { return h.less(h.entries[i], h.entries[j]) }
func (h *entryHeap) Swap(i, j int) {
	h.entries[i], h.entries[j] = h.entries[j], h.entries[i]
	h.entries[i].index, h.entries[j].index = i, j
}

func (h *entryHeap) Push(x any) {
	e := x.(*entry)
	e.index = len(h.entries)
	h.entries = append(h.entries, e)
}

func (h *entryHeap) Pop() any {
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries[last] = nil
	h.entries = h.entries[:last]
	return e
}

// state is the messages of a queue that are on disk. The caller of its methods
// holds mu.
type state struct {
	mu       sync.Mutex
	fifo     bool
	byNumber map[uint64]*entry
	ready    entryHeap // by number; in FIFO queues by turn
	hidden   entryHeap // by time
	tails    map[string]*entry
	turns    uint64             // that were assigned
	delayed  int                // hidden and not yet received
	attempts map[string]attempt // of receives that can be repeated
	wake     chan struct{}
	removed  bool // the queue was deleted
}

func newState(fifo bool) *state {
	return &state{
		fifo: fifo, byNumber: map[uint64]*entry{}, tails: map[string]*entry{}, attempts: map[string]attempt{},
		ready: entryHeap{less: func(a, b *entry) bool {
			return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.number, b.number)) < 0
		}},
		hidden: entryHeap{less: func(a, b *entry) bool {
			return cmp.Or(cmp.Compare(a.visibleFrom, b.visibleFrom), cmp.Compare(a.number, b.number)) < 0
		}},
	}
}

// add takes a message whose number is above all others of its group.
func (s *state) add(e *entry, now int64) {
	s.advance(now)
	s.byNumber[e.number] = e
	if s.fifo {
		if tail := s.tails[e.group]; tail != nil {
			tail.next, e.prev = e, tail
		}
		s.tails[e.group] = e
	}
	if e.visibleFrom > now {
		s.hide(e, e.visibleFrom)
		return
	}
	s.show(e)
}

// hide makes a message that is in no heap invisible until a time. Those who wait for
// the first one to become visible learn that it is this one now.
func (s *state) hide(e *entry, until int64) {
	e.place, e.visibleFrom = hidden, until
	if e.delayed {
		s.delayed++
	}
	heap.Push(&s.hidden, e)
	if e.index == 0 {
		s.wakeAll()
	}
}

// show makes a message that is in no heap visible. It can be received if no other
// of its group stands before it; its group then queues up behind the other groups,
// so that one with a message that nobody can handle does not keep them waiting.
func (s *state) show(e *entry) {
	e.delayed = false
	e.place = waiting
	if e.prev == nil {
		e.place = ready
		if s.fifo {
			s.turns++
			e.turn = s.turns
		}
		heap.Push(&s.ready, e)
		s.wakeAll()
	}
}

// detach takes a message out of its heap.
func (s *state) detach(e *entry) {
	switch e.place {
	case ready:
		heap.Remove(&s.ready, e.index)
	case hidden:
		heap.Remove(&s.hidden, e.index)
		if e.delayed {
			s.delayed--
		}
	}
	e.place = waiting
}

// remove forgets a message; the next of its group may now be received.
func (s *state) remove(e *entry) {
	if e.place == gone {
		return
	}
	s.detach(e)
	e.place = gone
	delete(s.byNumber, e.number)
	if !s.fifo {
		return
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else if e.prev != nil {
		s.tails[e.group] = e.prev
	} else {
		delete(s.tails, e.group)
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else if e.next != nil && e.next.place == waiting {
		s.show(e.next)
	}
}

// advance makes visible what is due.
func (s *state) advance(now int64) {
	for s.hidden.Len() > 0 && s.hidden.entries[0].visibleFrom <= now {
		e := s.hidden.entries[0]
		s.detach(e)
		s.show(e)
	}
}

// inFlight is the number of messages that were received and are hidden.
func (s *state) inFlight() int { return s.hidden.Len() - s.delayed }

// take removes up to most messages from those that can be received, without
// placing them anywhere. In a FIFO queue one group is taken as far as it is
// visible before the next one begins.
func (s *state) take(most int) []*entry {
	var out []*entry
	for len(out) < most && s.ready.Len() > 0 {
		e := s.ready.entries[0]
		s.detach(e)
		out = append(out, e)
		for n := e.next; n != nil && n.place == waiting && len(out) < most; n = n.next {
			out = append(out, n)
		}
	}
	return out
}

// wakeAll wakes those who wait for a message.
func (s *state) wakeAll() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// woken returns a channel that is closed when a message may have become ready.
func (s *state) woken() <-chan struct{} {
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	return s.wake
}

// nextDue returns how long it takes until a hidden message becomes visible; ok is
// false when none is hidden.
func (s *state) nextDue(now int64) (d time.Duration, ok bool) {
	if s.hidden.Len() == 0 {
		return 0, false
	}
	return time.Duration(max(0, s.hidden.entries[0].visibleFrom-now)) * time.Millisecond, true
}

func nowMillis() int64 { return time.Now().UnixMilli() }
