package transaction

import (
	"context"
	"hash/maphash"
)

// A Turn is the right of an invocation of a function to run. Invocations of one
// function run beside each other, except that one which is repeated after a
// conflict runs alone: what it reads is changed by no other of them, so that a long
// one gets its turn among many short ones.
type Turn struct {
	owner    *Transactions
	turns    *turns
	function string
	event    uint64 // a hash, by which a repeated invocation is known
	alone    bool
	left     bool // guarded by the mutex of owner
}

// turns are the invocations of one function.
type turns struct {
	entered         int // that run or wait
	shared, waiting int // that run beside others; that wait to be alone
	alone           bool
	changed         chan struct{} // closed at the next change; nil if nobody waits
	conflicted      map[uint64]struct{}
}

// maxConflicted bounds the invocations that are remembered to be repeated.
const maxConflicted = 10_000

// Enter waits until an invocation of a function with an event may run, or until ctx
// ends. The turn ends with the transaction that is begun in it, or with Leave.
func (s *Transactions) Enter(ctx context.Context, function string, event []byte) (*Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.arrive(function, event)
	q := t.turns
	if _, t.alone = q.conflicted[t.event]; t.alone {
		delete(q.conflicted, t.event)
		q.waiting++
		defer func() { q.waiting-- }()
	}
	for !q.free(t.alone) {
		if q.changed == nil {
			q.changed = make(chan struct{})
		}
		changed := q.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if err := ctx.Err(); err != nil {
			if t.alone {
				q.remember(t.event)
			}
			q.change()
			t.depart()
			return nil, err
		}
	}
	if t.alone {
		q.alone = true
	} else {
		q.shared++
	}
	return t, nil
}

// Join is Enter for an invocation that another one, which has a turn, waits for: it
// runs at once, as who has the right to run alone may be waiting for that other one.
func (s *Transactions) Join(function string, event []byte) *Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.arrive(function, event)
	t.turns.shared++
	return t
}

// arrive makes the turn of an invocation that is to run. s.mu is held.
func (s *Transactions) arrive(function string, event []byte) *Turn {
	q := s.turns[function]
	if q == nil {
		q = &turns{conflicted: map[uint64]struct{}{}}
		s.turns[function] = q
	}
	q.entered++
	return &Turn{owner: s, turns: q, function: function, event: maphash.Bytes(s.seed, event)}
}

func (q *turns) free(alone bool) bool {
	if alone {
		return !q.alone && q.shared == 0
	}
	return !q.alone && q.waiting == 0
}

func (q *turns) change() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// Leave ends the turn. A second call does nothing, nor does one on nil.
func (t *Turn) Leave() {
	if t == nil {
		return
	}
	t.owner.mu.Lock()
	defer t.owner.mu.Unlock()
	t.leave()
}

// Return ends the turn of an invocation that did not run after all. If it was to run
// alone, it still is.
func (t *Turn) Return() {
	if t == nil {
		return
	}
	t.owner.mu.Lock()
	defer t.owner.mu.Unlock()
	if !t.left && t.alone {
		t.turns.remember(t.event)
	}
	t.leave()
}

// leave is Leave with the mutex of the owner held.
func (t *Turn) leave() {
	if t.left {
		return
	}
	t.left = true
	if t.alone {
		t.turns.alone = false
	} else {
		t.turns.shared--
	}
	t.turns.change()
	t.depart()
}

// depart forgets what nobody needs any more.
func (t *Turn) depart() {
	q := t.turns
	if q.entered--; q.entered == 0 && len(q.conflicted) == 0 {
		delete(t.owner.turns, t.function)
	}
}

// conflict ends the turn; when the invocation is repeated it runs alone.
func (t *Turn) conflict() {
	if t == nil {
		return
	}
	t.owner.mu.Lock()
	defer t.owner.mu.Unlock()
	if !t.left {
		t.turns.remember(t.event)
	}
	t.leave()
}

// remember notes that an invocation is to be repeated. Some never are, as their
// mapping has ended or their caller has given up: those must not keep others out.
func (q *turns) remember(event uint64) {
	for other := range q.conflicted {
		if len(q.conflicted) < maxConflicted {
			break
		}
		delete(q.conflicted, other)
	}
	q.conflicted[event] = struct{}{}
}
