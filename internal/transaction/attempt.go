package transaction

import (
	"context"
	"fmt"
	"maps"
	"sync"
)

// attempts are the calls of one invocation that its SDK may send again because it
// did not get the answer. What was performed must not be performed twice: the next
// attempt gets the same answer.
type attempts struct {
	mu       sync.Mutex
	calls    map[string]*Attempt
	answered []*Attempt // oldest first
	bytes    int        // of their answers
}

// maxAnswers bounds what is remembered of answers in bytes, answerOverhead is what
// one takes besides its own. The oldest answers are forgotten, as an attempt follows
// soon, but not that the calls were performed.
const (
	maxAnswers     = 4 << 20
	answerOverhead = 256
)

// errForgotten is the end of a call that was performed and cannot be answered again.
var errForgotten = fmt.Errorf("%w: the answer to an earlier attempt at the call is not known any more", ErrTooLarge)

// Attempt is a call that is being performed, or was.
type Attempt struct {
	of   *attempts
	call string
	done chan struct{} // closed by End

	// Guarded by the mutex of attempts.
	answer    []byte // nil if nothing was performed, or forgotten
	forgotten bool
}

// Attempt begins a call of the invocation, by the name that all attempts at it have.
// If one was answered before, attempt is nil and answer what it was told. While
// another one is under way Attempt waits for its end, or that of ctx. It returns
// ErrTooLarge if the call was performed but its answer is forgotten.
func (t *Tx) Attempt(ctx context.Context, call string) (attempt *Attempt, answer []byte, err error) {
	a := &t.attempts
	for {
		a.mu.Lock()
		other := a.calls[call]
		if other == nil {
			if a.calls == nil {
				a.calls = map[string]*Attempt{}
			}
			attempt = &Attempt{of: a, call: call, done: make(chan struct{})}
			a.calls[call] = attempt
			a.mu.Unlock()
			return attempt, nil, nil
		}
		a.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		a.mu.Lock()
		answer, forgotten := other.answer, other.forgotten
		a.mu.Unlock()
		switch {
		case forgotten:
			return nil, nil, errForgotten
		case answer != nil:
			return nil, answer, nil
		}
	}
}

// End ends an attempt. Without an answer, nil, nothing was performed, and the call
// may be performed again. The answer must not change any more.
func (c *Attempt) End(answer []byte) {
	a := c.of
	a.mu.Lock()
	defer a.mu.Unlock()
	c.answer = answer
	close(c.done)
	if answer == nil {
		delete(a.calls, c.call)
		return
	}
	a.answered = append(a.answered, c)
	a.bytes += answerOverhead + len(answer)
	for a.bytes > maxAnswers {
		oldest := a.answered[0]
		a.answered = a.answered[1:]
		a.bytes -= answerOverhead + len(oldest.answer)
		oldest.answer, oldest.forgotten = nil, true
	}
}

// forget forgets all answers.
func (a *attempts) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.calls, func(_ string, c *Attempt) bool { return c.answer != nil || c.forgotten })
	a.answered, a.bytes = nil, 0
}
