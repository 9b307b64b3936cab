package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// ReceiveRequest asks for messages. The zero value asks for one, as the queue is
// set.
type ReceiveRequest struct {
	Max        *int // 1 to 10; nil is 1
	Visibility *int // seconds for which they are hidden from others; nil is the queue's
	Wait       *int // seconds to wait for the first one; nil is the queue's
	// AttemptID makes the request repeatable in FIFO queues: for five minutes the
	// same id gets the same messages, unless something was done with them.
	AttemptID *string

	unsaved bool // see Poll
}

// Received is a message that was handed out.
type Received struct {
	MessageID  string
	Handle     string
	Body       string
	Attributes map[string]Attribute

	Sent, FirstReceived time.Time
	Receives            int // with this one
	Sender              string
	Trace               string // "" for none
	Group               string // "" for none
	DeduplicationID     string // of FIFO queues
	Sequence            string // of FIFO queues
	Origin              string // ARN of the queue from which it was moved here, "" for none
}

const (
	// maxInFlight bounds the messages of a queue that are handed out.
	maxInFlight   = 120_000
	attemptMillis = 5 * 60 * 1000
)

func (r *ReceiveRequest) check(d *Definition) error {
	if r.Max != nil && (*r.Max < 1 || *r.Max > maxBatch) {
		return invalid("MaxNumberOfMessages", *r.Max, "Must be between 1 and 10, if provided.")
	}
	if r.Wait != nil && (*r.Wait < 0 || *r.Wait > maxWait) {
		return invalid("WaitTimeSeconds", *r.Wait, "Must be >= 0 and <= 20, if provided.")
	}
	if err := checkVisibility(r.Visibility); err != nil {
		return err
	}
	if r.AttemptID == nil {
		return nil
	}
	if !d.FIFO {
		return invalid("ReceiveRequestAttemptId", *r.AttemptID, "The request includes a parameter that is not valid for this queue type.")
	}
	return checkIdentifier("ReceiveRequestAttemptId", r.AttemptID)
}

func checkVisibility(seconds *int) error {
	if seconds != nil && (*seconds < 0 || *seconds > maxVisibility) {
		return invalid(attrVisibility, *seconds, "Must be >= 0 and <= 43200, if provided.")
	}
	return nil
}

// or returns the value that p points to, or def.
func or(p *int, def int) int {
	if p == nil {
		return def
	}
	return *p
}

// Receive hands out messages and hides them from others. Without any it waits, and
// returns as soon as there is one; nothing and no error when none came in time.
func (q *Queue) Receive(ctx context.Context, r ReceiveRequest) ([]Received, error) {
	d := q.Definition()
	if err := r.check(d); err != nil {
		return nil, err
	}
	return q.receive(ctx, r, time.Duration(or(r.Wait, d.WaitSeconds))*time.Second)
}

func (q *Queue) receive(ctx context.Context, r ReceiveRequest, wait time.Duration) ([]Received, error) {
	deadline := time.Now().Add(wait)
	timer := time.NewTimer(time.Hour) // set before each use
	defer timer.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, err := q.receiveNow(r)
		if err != nil || len(got) > 0 {
			return got, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			q.series.empty.Observe(1)
			return nil, nil
		}
		if err := q.await(ctx, timer, left); err != nil {
			return nil, err
		}
	}
}

// await returns when a message may have become receivable, or after a time.
func (q *Queue) await(ctx context.Context, timer *time.Timer, most time.Duration) error {
	q.state.mu.Lock()
	now := nowMillis()
	q.state.advance(now)
	if q.state.ready.Len() > 0 || q.state.removed {
		q.state.mu.Unlock()
		return nil
	}
	woken := q.state.woken()
	if due, ok := q.state.nextDue(now); ok {
		most = min(most, due)
	}
	q.state.mu.Unlock()
	timer.Reset(most)
	select {
	case <-woken:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// taken is what a receive has found.
type taken struct {
	live, expired, dead []*entry
	tokens              []uint32 // of live
	receipts            []receipt
	target              *Queue // of dead
}

// receiveNow hands out what is there. It begins again when all that it found was
// for the dead-letter queue or had expired.
func (q *Queue) receiveNow(r ReceiveRequest) ([]Received, error) {
	for {
		t, err := q.takeNow(r)
		if err != nil {
			return nil, err
		}
		if err := q.settle(t, !r.unsaved); err != nil {
			return nil, err
		}
		got, err := q.read(t)
		if err != nil || len(got) > 0 {
			return got, err
		}
		if len(t.live)+len(t.expired)+len(t.dead) == 0 {
			return nil, nil
		}
	}
}

func (q *Queue) takeNow(r ReceiveRequest) (taken, error) {
	d := q.Definition()
	target := q.deadLetterQueue(d)
	now := nowMillis()
	until := now + int64(or(r.Visibility, d.VisibilitySeconds))*1000
	s := q.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return taken{}, notFound()
	}
	s.advance(now)
	if r.AttemptID != nil {
		if again := s.repeat(*r.AttemptID, now, until); len(again.live) > 0 {
			return again, nil
		}
	}
	room := maxInFlight - s.inFlight()
	if room <= 0 && !d.FIFO {
		return taken{}, errorf(OverLimit, "The maximum number of in flight messages is reached.")
	}
	t := taken{target: target}
	for _, e := range s.take(min(or(r.Max, 1), room)) {
		switch {
		case now-e.sent >= d.retention().Milliseconds():
			t.expired = append(t.expired, e)
		case target != nil && e.receipt.receives >= d.Redrive.MaxReceives:
			e.place = leaving
			t.dead = append(t.dead, e)
		default:
			s.hand(e, now, until)
			t.add(e)
		}
	}
	// Only now, as it may show the next of a group.
	for _, e := range t.expired {
		s.remove(e)
	}
	if r.AttemptID != nil && len(t.live) > 0 {
		s.remember(*r.AttemptID, t, now)
	}
	return t, nil
}

func (t *taken) add(e *entry) {
	t.live = append(t.live, e)
	t.tokens = append(t.tokens, e.receipt.token)
	t.receipts = append(t.receipts, e.receipt)
}

// hand notes a receive and hides the message.
func (s *state) hand(e *entry, now, until int64) {
	e.receipt.receives++
	if e.receipt.first == 0 {
		e.receipt.first = now
	}
	e.receipt.last, e.receipt.visibleFrom = now, until
	e.receipt.token = rand.Uint32() //nolint:gosec // tells receives apart, guards nothing
	e.delayed = false
	s.hide(e, until)
}

// attempt is what a receive with an id has handed out.
type attempt struct {
	entries []*entry
	tokens  []uint32
	until   int64
}

func (s *state) remember(id string, t taken, now int64) {
	for old, a := range s.attempts {
		if a.until <= now {
			delete(s.attempts, old)
		}
	}
	s.attempts[id] = attempt{t.live, t.tokens, now + attemptMillis}
}

// repeat hands out the messages of an earlier attempt again, if nothing was done
// with them since.
func (s *state) repeat(id string, now, until int64) (t taken) {
	a, ok := s.attempts[id]
	if !ok || a.until <= now {
		return taken{}
	}
	for i, e := range a.entries {
		if e.place != hidden || e.receipt.token != a.tokens[i] {
			return taken{}
		}
	}
	for _, e := range a.entries {
		s.detach(e)
		e.receipt.visibleFrom = until
		s.hide(e, until)
		t.add(e)
	}
	return t
}

// settle writes down what a receive has changed; save says that this goes for the
// messages that were handed out, too.
func (q *Queue) settle(t taken, save bool) error {
	if len(t.dead) > 0 {
		if err := q.bury(t.dead, t.target); err != nil {
			return err
		}
	}
	receipts := t.live
	if !save {
		receipts = nil
	}
	if len(receipts)+len(t.expired) == 0 {
		return nil
	}
	tx := q.queues.db.Begin()
	for i, e := range receipts {
		tx.Set(numberedKey(whatReceipt, q.id, e.number), t.receipts[i].encode())
	}
	q.erase(tx, t.expired)
	return q.queues.commitReceipts(tx)
}

// erase deletes messages with their receipts as part of tx.
func (q *Queue) erase(tx *store.Tx, entries []*entry) {
	for _, e := range entries {
		tx.Delete(numberedKey(whatMessage, q.id, e.number))
		tx.Delete(numberedKey(whatReceipt, q.id, e.number))
	}
}

// read fetches the messages that were taken. One that was deleted meanwhile is
// left out.
func (q *Queue) read(t taken) ([]Received, error) {
	got := make([]Received, 0, len(t.live))
	for i, e := range t.live {
		m, ok, err := q.fetch(e.number)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		r := t.receipts[i]
		out := Received{
			MessageID: m.ID.String(), Handle: handle{q.id, e.number, r.token}.String(), Body: m.Body, Attributes: m.Attributes,
			Sent: time.UnixMilli(m.Sent), FirstReceived: time.UnixMilli(r.first), Receives: r.receives,
			Sender: m.Sender, Trace: m.Trace, Group: m.Group, DeduplicationID: m.Dedup, Origin: m.Origin,
		}
		if q.state.fifo {
			out.Sequence = sequence(e.number)
		}
		got = append(got, out)
	}
	q.series.received.Observe(float64(len(got)))
	return got, nil
}

func (q *Queue) fetch(number uint64) (stored, bool, error) {
	v, ok, err := q.queues.db.Get(numberedKey(whatMessage, q.id, number))
	if err != nil || !ok {
		return stored{}, false, err
	}
	m, err := decodeMessage(v)
	if err != nil {
		return stored{}, false, fmt.Errorf("message %d of queue %s: %w", number, q.name, err)
	}
	return m, true, nil
}

// deadLetterQueue returns where messages go that were received too often, nil if
// there is no such queue.
func (q *Queue) deadLetterQueue(d *Definition) *Queue {
	if d.Redrive == nil {
		return nil
	}
	target, err := q.queues.ByARN(d.Redrive.Target)
	if err != nil || target == q {
		return nil
	}
	return target
}

// bury moves messages to the dead-letter queue. When it fails they stay.
func (q *Queue) bury(entries []*entry, target *Queue) error {
	err := q.move(entries, target, func(m *stored, e *entry) {
		m.Receives, m.FirstTime, m.Origin, m.VisibleFrom = e.receipt.receives, e.receipt.first, q.Definition().ARN, 0
		if q.state.fifo {
			m.Sent = nowMillis()
		}
	})
	if err == nil {
		return nil
	}
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	for _, e := range entries {
		if e.place == leaving {
			q.state.show(e)
		}
	}
	if errors.Is(err, ErrNotFound) {
		return nil // the dead-letter queue was deleted at this moment
	}
	return fmt.Errorf("move to the dead-letter queue: %w", err)
}

// move writes messages into another queue, changed by f, and deletes them here, in
// one transaction.
func (q *Queue) move(entries []*entry, target *Queue, f func(*stored, *entry)) error {
	tx := q.queues.db.Begin()
	defer tx.Discard()
	s := lock([]*Queue{target})
	defer s.Unlock()
	if target.deleted {
		return notFound()
	}
	for _, e := range entries {
		m, ok, err := q.fetch(e.number)
		if err != nil {
			return err
		}
		if ok {
			f(&m, e)
			s.append(tx, target, &m)
		}
	}
	q.erase(tx, entries)
	tx.OnDurable(func() { q.forget(entries) })
	if err := tx.Apply(); err != nil {
		return err
	}
	s.Unlock()
	return tx.Wait()
}

func (q *Queue) forget(entries []*entry) {
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	for _, e := range entries {
		q.state.remove(e)
	}
}

// tidy deletes what has expired and measures the queue.
func (q *Queue) tidy() error {
	now, d := nowMillis(), q.Definition()
	var expired []*entry
	oldest := now
	q.state.mu.Lock()
	q.state.advance(now)
	for _, e := range q.state.byNumber {
		if now-e.sent >= d.retention().Milliseconds() && e.place != leaving {
			expired = append(expired, e)
		} else {
			oldest = min(oldest, e.sent)
		}
	}
	for _, e := range expired {
		q.state.remove(e)
	}
	q.state.mu.Unlock()
	tx := q.queues.db.Begin()
	q.erase(tx, expired)
	q.forgetDuplicates(tx, now)
	q.series.measure(q.Counts(), float64(now-oldest)/1000)
	return q.queues.commitReceipts(tx)
}

func (q *Queue) forgetDuplicates(tx *store.Tx, now int64) {
	q.sendMu.Lock()
	defer q.sendMu.Unlock()
	for key, d := range q.dedup {
		if d.until <= now {
			delete(q.dedup, key)
			tx.Delete(deduplicationKey(q.id, key))
		}
	}
}
