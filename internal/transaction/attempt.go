package transaction

import (
	"context"
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
// one takes besides its own. The oldest are forgotten: an attempt follows soon.
const (
	maxAnswers     = 4 << 20
	answerOverhead = 256
)

// Attempt is a call that is being performed, or was.
type Attempt struct {
	of     *attempts
	call   string
	done   chan struct{} // closed by End
	answer []byte        // valid then
}

// Attempt begins a call of the invocation, by the name that all attempts at it have.
// If one was answered before, attempt is nil and answer what it was told. While
// another one is under way Attempt waits for its end, or that of ctx.
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
		if other.answer != nil {
			return nil, other.answer, nil
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
		delete(a.calls, oldest.call)
	}
}

// forget forgets all answers.
func (a *attempts) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.answered {
		delete(a.calls, c.call)
	}
	a.answered, a.bytes = nil, 0
}
