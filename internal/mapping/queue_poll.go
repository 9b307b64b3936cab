package mapping

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	// firstConcurrency is how many batches of a queue are processed at a time in the
	// beginning; growEvery is how long a batch waits before there is room for one
	// more: 300 a minute.
	firstConcurrency = 5
	growEvery        = 200 * time.Millisecond
	// pollMost is how many messages are taken at a time. What does not fit into an event
	// is given back, so this bounds what is read in vain, and how much memory it takes.
	pollMost = 10
	// pollWait bounds one wait for messages.
	pollWait = 20 * time.Second
	// refusedDelay is how long messages rest of which the function has not been told,
	// as it may not run now.
	refusedDelay = time.Second
)

// poller processes the messages of a queue for one run of a mapping: one goroutine
// gathers batches, and each batch is processed by one of its own.
type poller struct {
	run     *run
	def     Definition
	queue   Queue
	log     *slog.Logger
	filters []queueFilter

	slots  chan struct{} // one for each batch that may be processed
	issued int           // slots that there are by now
	most   int           // slots that there can be
	busy   sync.WaitGroup

	mu     sync.Mutex
	status ShardStatus
	active int // batches that are being processed
}

// poll processes a queue until ctx ends or the queue is gone.
func (r *run) poll(ctx context.Context) error {
	q, err := r.mp.owner.openQueue(r.def.SourceARN)
	if err != nil {
		return err
	}
	p := &poller{
		run: r, def: r.def, queue: q, most: queueConcurrency(r.def), status: ShardStatus{Shard: queueName(r.def.SourceARN)},
		log: r.mp.owner.cfg.Log.With("mapping", r.def.UUID, "queue", r.def.SourceARN),
	}
	if p.filters, err = r.def.compileQueueFilters(); err != nil {
		return err
	}
	p.slots = make(chan struct{}, p.most)
	for p.issued < min(firstConcurrency, p.most) {
		p.slots <- struct{}{}
		p.issued++
	}
	if prepare, ok := r.mp.owner.cfg.Invoker.(Preparer); ok {
		prepare.Prepare(r.def.FunctionARN, 1)
	}
	defer p.busy.Wait()
	p.note(0, nil)
	for {
		if err := p.slot(ctx); err != nil {
			return err
		}
		b, err := p.gather(ctx)
		if err != nil {
			return err
		}
		p.note(+1, nil)
		p.busy.Go(func() {
			p.process(ctx, b)
			p.note(-1, nil)
			p.slots <- struct{}{}
		})
	}
}

// queueConcurrency is how many batches of a queue are processed at a time at most.
// Unless the mapping says how many, it is what this machine can be expected to
// run: each takes an environment.
func queueConcurrency(d Definition) int {
	if d.MaximumConcurrency > 0 {
		return d.MaximumConcurrency
	}
	return max(2*firstConcurrency, 5*runtime.NumCPU())
}

// slot waits for room for a batch, and makes room when it has to wait long.
func (p *poller) slot(ctx context.Context) error {
	var grow <-chan time.Time
	if p.issued < p.most {
		timer := time.NewTimer(growEvery)
		defer timer.Stop()
		grow = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.slots:
	case <-grow:
		p.issued++
	}
	return nil
}

// batch is messages that the function gets together, and the event in which it
// does.
type batch struct {
	messages []Message
	event    []byte
	claim    claim // of the messages
}

func handlesOf(messages []Message) []string {
	handles := make([]string, len(messages))
	for i, m := range messages {
		handles[i] = m.Handle
	}
	return handles
}

// gather waits for messages until there are enough of them or the batching window,
// which begins with the first one, is over.
func (p *poller) gather(ctx context.Context) (*batch, error) {
	b := &batch{event: []byte(`{"Records":[`), claim: claim{queue: p.queue, log: p.log}}
	var end time.Time
	for {
		wait := pollWait
		if len(b.messages) > 0 {
			wait = time.Until(end)
		}
		if len(b.messages) == p.def.BatchSize || len(b.messages) > 0 && wait <= 0 {
			b.event = append(b.event, "]}"...)
			return b, nil
		}
		got, err := p.queue.Poll(ctx, min(pollMost, p.def.BatchSize-len(b.messages)), wait, holdTime(p.queue), p.def.BatchingWindow > 0)
		if err != nil {
			p.release(b, 0)
			return nil, err
		}
		got = p.filter(got)
		if len(b.messages) == 0 && len(got) > 0 {
			end = time.Now().Add(time.Duration(p.def.BatchingWindow) * time.Second)
		}
		if full := p.fill(b, got); full {
			end = time.Now()
		}
	}
}

// filter deletes the messages that no filter lets through and returns the others.
func (p *poller) filter(got []Message) []Message {
	var kept, out []Message
	for _, m := range got {
		if passes(p.filters, m) {
			kept = append(kept, m)
		} else {
			out = append(out, m)
		}
	}
	p.run.metrics.read(len(got), len(out))
	p.remove(out)
	return kept
}

// fill adds messages to a batch as far as the event stays within the limit of an
// invocation; what does not fit is given back.
func (p *poller) fill(b *batch, got []Message) (full bool) {
	n := 0
	for _, m := range got {
		if len(b.messages) > 0 && len(b.event)+len(m.Event)+len(",]}") > p.run.mp.owner.maxEvent {
			break
		}
		if len(b.messages) > 0 {
			b.event = append(b.event, ',')
		}
		b.event = append(b.event, m.Event...)
		b.messages = append(b.messages, m)
		n++
	}
	if n > 0 {
		b.claim.add(got[:n])
	}
	if n == len(got) {
		return false
	}
	p.giveBack(got[n:], 0)
	return true
}

// release lets the messages of a batch be handed out again after a delay, as if they
// had not been.
func (p *poller) release(b *batch, delay time.Duration) {
	b.claim.settle()
	p.giveBack(b.messages, delay)
}

func (p *poller) giveBack(messages []Message, delay time.Duration) {
	if err := p.queue.GiveBack(handlesOf(messages), delay); err != nil {
		p.log.Error("give messages back", "error", err)
	}
}

// process takes a batch to its end. An exactly-once invocation that conflicts is
// repeated at once, with the same event, by which it is known to be a repetition and
// gets its turn. When the mapping stops, the messages come again later.
func (p *poller) process(ctx context.Context, b *batch) {
	for conflicts := 1; p.attempt(b); conflicts++ {
		stopped := sleep(ctx, p.run.conflictBackoff(conflicts)) != nil
		if stopped || !b.claim.again() {
			p.release(b, 0)
			return
		}
	}
}

// attempt invokes the function with a batch and does with the messages as the
// outcome says; conflicted tells that they are still in hand. The invocation is not
// cut off when the mapping stops.
func (p *poller) attempt(b *batch) (conflicted bool) {
	owner := p.run.mp.owner
	began := time.Now()
	outcome, err := owner.cfg.Invoker.Invoke(owner.hard, p.def.FunctionARN, b.event, b.claim.begin)
	took := time.Since(began)
	unreached := b.claim.settle()
	switch {
	case errors.Is(err, ErrThrottled):
		p.giveBack(b.messages, refusedDelay)
		p.note(0, func(s *ShardStatus) { s.Retries++; s.failed(err, s.Attempts); s.Activity = Throttled })
		_ = sleep(owner.hard, refusedDelay) // it ends early when the server does
		return false
	case unreached && owner.hard.Err() != nil:
		p.giveBack(b.messages, 0)
		return false
	case unreached:
		b.claim.begin() // the function cannot be called: the next attempt is after the timeout
	}
	p.note(0, func(s *ShardStatus) { s.invoked(len(b.messages), took) })
	if err != nil {
		p.failed(b.messages, fmt.Errorf("invoke %s: %w", p.def.FunctionName, err))
		return false
	}
	observe(p.run.metrics.invoked, len(b.messages))
	if outcome.FunctionError != "" {
		discard(outcome.Effects)
		p.failed(b.messages, functionError(outcome))
		return false
	}
	return p.answered(b.messages, outcome)
}

// answered looks at what the function's result says of the messages.
func (p *poller) answered(messages []Message, outcome Outcome) (conflicted bool) {
	done, left := messages, []Message(nil)
	if p.def.ReportItemFailures {
		a, err := readAnswer(outcome.Payload)
		if err == nil {
			done, left, err = divide(messages, a.failed)
		}
		if err != nil {
			discard(outcome.Effects)
			p.failed(messages, err)
			return false
		}
	}
	if len(left) > 0 {
		p.failed(left, fmt.Errorf("the function reported that %d of %d messages failed", len(left), len(messages)))
	}
	if outcome.Effects != nil {
		return p.commit(done, left, outcome.Effects)
	}
	p.remove(done)
	p.succeeded(done, left)
	return false
}

func (p *poller) succeeded(done, left []Message) {
	p.run.mp.delivered.Add(uint64(len(done)))
	if len(left) == 0 {
		p.note(0, func(s *ShardStatus) { s.Problem, s.Attempts = "", 0 })
		p.run.mp.setResult(resultOK)
	}
}

// divide tells the messages that failed from the others.
func divide(messages []Message, failed []string) (done, left []Message, err error) {
	bad := make(map[string]bool, len(failed))
	for _, id := range failed {
		bad[id] = true
	}
	for _, m := range messages {
		if bad[m.ID] {
			left = append(left, m)
		} else {
			done = append(done, m)
		}
	}
	if len(left) != len(bad) {
		return nil, nil, fmt.Errorf("%w of this batch: %.200q", errBadFailures, failed)
	}
	return done, left, nil
}

// holdForCommit is how long messages are kept from others while the effects of an
// invocation are committed.
const holdForCommit = 30 * time.Second

// commit makes the effects of an exactly-once invocation and the deletion of its
// messages one. They count only if no message has been handed out again meanwhile.
// Effects cannot be told apart by message: when some failed, the others come again
// without counting as received.
func (p *poller) commit(done, left []Message, effects Effects) (conflicted bool) {
	handles := handlesOf(done)
	if len(left) > 0 || !p.queue.Hold(handles, holdForCommit) {
		effects.Discard()
		p.giveBack(done, 0)
		return false
	}
	var deleting error
	err := effects.Commit(func(tx *store.Tx) { deleting = p.queue.DeleteIn(tx, handles) })
	switch {
	case errors.Is(err, ErrConflict):
		p.note(0, func(s *ShardStatus) { s.Conflicts++ })
		return true
	case errors.Join(err, deleting) != nil:
		p.failed(done, errors.Join(err, deleting))
	default:
		p.run.metrics.deletes(len(done))
		p.succeeded(done, left)
	}
	return false
}

// remove deletes messages. When it fails they come again, as after a crash.
func (p *poller) remove(messages []Message) {
	if len(messages) == 0 {
		return
	}
	if err := p.queue.Delete(p.run.mp.owner.hard, handlesOf(messages)); err != nil {
		p.log.Error("delete messages", "error", err)
		return
	}
	p.run.metrics.deletes(len(messages))
}

// failed leaves messages to be handed out again when their visibility timeout has
// passed.
func (p *poller) failed(messages []Message, cause error) {
	observe(p.run.metrics.failed, len(messages))
	p.note(0, func(s *ShardStatus) { s.failed(cause, s.Attempts+1) })
	p.run.mp.setResult(resultFailed)
	p.log.Debug("batch of a queue failed", "messages", len(messages), "error", cause)
}

// note changes the status that the mapping shows; begun is how many more batches
// are being processed.
func (p *poller) note(begun int, change func(*ShardStatus)) {
	p.mu.Lock()
	p.active += begun
	p.status.Activity = Waiting
	if p.active > 0 {
		p.status.Activity = Invoking
	}
	if change != nil {
		change(&p.status)
	}
	shown := p.status
	p.mu.Unlock()
	mp := p.run.mp
	mp.mu.Lock()
	defer mp.mu.Unlock()
	mp.shards[laneID{shown.Shard, 0}] = shown
}
