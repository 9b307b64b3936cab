package mapping

import (
	"context"
	"errors"
	"fmt"
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
	p := &poller{run: r, def: r.def, queue: q, most: queueConcurrency(r.def), status: ShardStatus{Shard: queueName(r.def.SourceARN)}}
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
	hidden   time.Time // until when the messages are kept from others
	held     bool      // and that is longer than from when they were handed out
}

func (b *batch) handles() []string { return handlesOf(b.messages) }

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
	b := &batch{event: []byte(`{"Records":[`)}
	var end time.Time
	for {
		wait := pollWait
		if len(b.messages) > 0 {
			wait = time.Until(end)
		}
		if len(b.messages) == p.def.BatchSize || len(b.messages) > 0 && wait <= 0 {
			p.complete(b)
			return b, nil
		}
		if len(b.messages) > 0 {
			sure := p.keep(b)
			if sure <= 0 {
				end = time.Now()
				continue
			}
			wait = min(wait, sure)
		}
		got, err := p.queue.Poll(ctx, p.def.BatchSize-len(b.messages), wait, p.def.BatchingWindow > 0)
		if err != nil {
			p.queue.GiveBack(b.handles(), 0)
			return nil, err
		}
		got = p.filter(got)
		if len(b.messages) == 0 && len(got) > 0 {
			end = time.Now().Add(time.Duration(p.def.BatchingWindow) * time.Second)
			b.hidden = time.Now().Add(p.queue.VisibilityTimeout())
		}
		if full := p.fill(b, got); full {
			end = time.Now()
		}
	}
}

// complete ends the event of a batch. If its messages had to be held, they are
// kept from others for the whole timeout from now on, when the function runs.
func (p *poller) complete(b *batch) {
	if b.held {
		p.queue.Hold(b.handles(), p.queue.VisibilityTimeout())
	}
	b.event = append(b.event, "]}"...)
}

// keep holds the messages of a batch whose window is longer than their visibility
// timeout, as they would come into it once more. It returns how long no message has
// to be held, 0 when one is not kept from others any more: gathering has to end.
func (p *poller) keep(b *batch) time.Duration {
	timeout := p.queue.VisibilityTimeout()
	margin := min(time.Second, timeout/2)
	if time.Until(b.hidden) <= margin {
		if !p.queue.Hold(b.handles(), timeout) {
			return 0
		}
		b.hidden, b.held = time.Now().Add(timeout), true
	}
	return time.Until(b.hidden) - margin
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
	for i, m := range got {
		if len(b.messages) > 0 && len(b.event)+len(m.Event)+len(",]}") > p.run.mp.owner.maxEvent {
			p.queue.GiveBack(handlesOf(got[i:]), 0)
			return true
		}
		if len(b.messages) > 0 {
			b.event = append(b.event, ',')
		}
		b.event = append(b.event, m.Event...)
		b.messages = append(b.messages, m)
	}
	return false
}

// process takes a batch to its end. An exactly-once invocation that conflicts is
// repeated at once, with the same event, by which it is known to be a repetition and
// gets its turn. When the mapping stops, the messages come again later.
func (p *poller) process(ctx context.Context, b *batch) {
	for conflicts := 1; p.attempt(b); conflicts++ {
		stopped := sleep(ctx, p.run.conflictBackoff(conflicts)) != nil
		if stopped || !p.queue.Hold(b.handles(), p.queue.VisibilityTimeout()) {
			p.queue.GiveBack(b.handles(), 0)
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
	outcome, err := owner.cfg.Invoker.Invoke(owner.hard, p.def.FunctionARN, b.event)
	took := time.Since(began)
	if errors.Is(err, ErrThrottled) {
		p.queue.GiveBack(b.handles(), refusedDelay)
		p.note(0, func(s *ShardStatus) { s.Retries++; s.failed(err, s.Attempts); s.Activity = Throttled })
		_ = sleep(owner.hard, refusedDelay) // it ends early when the server does
		return false
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
		p.queue.GiveBack(handles, 0)
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
		p.run.mp.owner.cfg.Log.Error("delete messages", "mapping", p.def.UUID, "queue", p.def.SourceARN, "error", err)
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
	p.run.mp.owner.cfg.Log.Debug("batch of a queue failed", "mapping", p.def.UUID, "messages", len(messages), "error", cause)
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
