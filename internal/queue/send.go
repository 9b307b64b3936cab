package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
)

// Sent is what a sender learns about a message.
type Sent struct {
	MessageID     string
	BodyMD5       string
	AttributesMD5 string // "" without attributes
	SystemMD5     string // of the system attributes, "" without
	Sequence      string // of FIFO queues, else ""
}

// Prepared is a message that has passed all checks and can be sent.
type Prepared struct {
	queue   *Queue
	message stored
	delay   time.Duration
	// dedupKey identifies the message for deduplication, "" in standard queues.
	dedupKey string
	sent     Sent
}

// Sent returns what the sender learns; the sequence number and, for a duplicate,
// the id are known only once the message was sent.
func (p *Prepared) Sent() Sent { return p.sent }

// Send sends a message to the queue with an ARN and returns its id when it is on
// disk.
func (qs *Queues) Send(ctx context.Context, arn string, m Message) (id string, err error) {
	q, err := qs.ByARN(arn)
	if err != nil {
		return "", err
	}
	sent, err := q.Send(ctx, m)
	return sent.MessageID, err
}

// Send sends a message and returns when it is on disk.
func (q *Queue) Send(ctx context.Context, m Message) (Sent, error) {
	p, err := q.Prepare(ctx, m)
	if err != nil {
		return Sent{}, err
	}
	sent, err := q.send(p)
	if err != nil {
		return Sent{}, err
	}
	return sent[0], nil
}

func (q *Queue) send(ps ...*Prepared) ([]Sent, error) {
	sent := make([]Sent, len(ps))
	tx := q.queues.db.Begin()
	defer tx.Discard()
	s := q.queues.Lock(ps...)
	for i, p := range ps {
		var err error
		if sent[i], err = s.Send(tx, p); err != nil {
			s.Unlock()
			return nil, err
		}
	}
	err := tx.Apply()
	s.Unlock()
	if err != nil {
		return nil, err
	}
	return sent, tx.Wait()
}

// Prepare checks a message and everything that can be checked without sending it.
// It changes nothing.
func (q *Queue) Prepare(ctx context.Context, m Message) (*Prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := q.Definition()
	if err := m.check(); err != nil {
		return nil, err
	}
	if n := m.size(); n > d.MaxMessageBytes {
		return nil, errorf(InvalidValue, "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", d.MaxMessageBytes)
	}
	p := &Prepared{queue: q, delay: time.Duration(d.DelaySeconds) * time.Second}
	if err := p.setDelay(d, m.Delay); err != nil {
		return nil, err
	}
	if err := p.identify(d, &m); err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("message id: %w", err)
	}
	p.message.ID = id
	p.message.Body, p.message.Attributes, p.message.Trace = m.Body, m.Attributes, m.TraceHeader
	p.message.Sender = cmp.Or(m.Sender, q.queues.cfg.Identity.Account)
	p.sent = Sent{MessageID: id.String(), BodyMD5: BodyMD5(m.Body), AttributesMD5: AttributesMD5(m.Attributes)}
	if m.TraceHeader != "" {
		p.sent.SystemMD5 = AttributesMD5(map[string]Attribute{"AWSTraceHeader": {Type: "String", String: m.TraceHeader}})
	}
	return p, nil
}

// setDelay takes a delay of its own for the message. FIFO queues have one delay
// for all; 0 there means the queue's.
func (p *Prepared) setDelay(d *Definition, delay *int) error {
	switch {
	case delay == nil:
	case *delay < 0 || *delay > maxDelay:
		return invalid(attrDelay, *delay, "DelaySeconds must be >= 0 and <= 900.")
	case d.FIFO && *delay != 0:
		return invalid(attrDelay, *delay, "The request include parameter that is not valid for this queue type.")
	case !d.FIFO:
		p.delay = time.Duration(*delay) * time.Second
	}
	return nil
}

var (
	errNoGroup = errorf(MissingParameter, "The request must contain the parameter MessageGroupId.")
	errNoDedup = errorf(InvalidValue, "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
)

// identify sets group and deduplication id.
func (p *Prepared) identify(d *Definition, m *Message) error {
	if d.FIFO && m.Group == nil {
		return errNoGroup
	}
	if err := checkIdentifier("MessageGroupId", m.Group); err != nil {
		return err
	}
	if err := checkIdentifier("MessageDeduplicationId", m.DeduplicationID); err != nil {
		return err
	}
	if m.Group != nil {
		p.message.Group = *m.Group
	}
	if !d.FIFO {
		if m.DeduplicationID != nil {
			return invalid("MessageDeduplicationId", *m.DeduplicationID, "The request includes a parameter that is not valid for this queue type.")
		}
		return nil
	}
	switch {
	case m.DeduplicationID != nil:
		p.message.Dedup = *m.DeduplicationID
	case d.ContentDeduplication:
		sum := sha256.Sum256([]byte(m.Body))
		p.message.Dedup = hex.EncodeToString(sum[:])
	default:
		return errNoDedup
	}
	p.dedupKey = "\x00" + p.message.Dedup
	if d.GroupDeduplication {
		p.dedupKey = p.message.Group + p.dedupKey // identifiers hold no zero byte
	}
	return nil
}

// Sender holds the send locks of some queues for the length of one commit, which
// may write other things too:
//
//	s := queues.Lock(prepared...)
//	s.Send(tx, prepared) ...
//	err = tx.Apply()
//	s.Unlock()
//	err = tx.Wait()
//
// Unlock must come after Apply or Discard and before Wait, so that others can send
// while this transaction waits for the disk.
type Sender struct {
	queues []*Queue
	tx     *store.Tx
	now    int64
}

// Lock takes the send locks of the queues that prepared messages go to.
func (qs *Queues) Lock(ps ...*Prepared) *Sender {
	queues := make([]*Queue, len(ps))
	for i, p := range ps {
		queues[i] = p.queue
	}
	return lock(queues)
}

func lock(queues []*Queue) *Sender {
	slices.SortFunc(queues, func(a, b *Queue) int { return cmp.Compare(a.id, b.id) })
	queues = slices.Compact(queues)
	for _, q := range queues {
		q.sendMu.Lock()
	}
	return &Sender{queues: queues, now: nowMillis()}
}

// deduplicationMillis is how long a message keeps others like it out.
const deduplicationMillis = 5 * 60 * 1000

// Send sends a message to one of the locked queues as part of tx. It fails when
// the queue was deleted. All messages sent through one Sender go to one tx.
func (s *Sender) Send(tx *store.Tx, p *Prepared) (Sent, error) {
	q := p.queue
	if q.deleted {
		return Sent{}, notFound()
	}
	if first, ok := q.duplicated(p.dedupKey, s.now); ok {
		// Written again so that tx, too, is on disk only when the first one is.
		tx.Set(deduplicationKey(q.id, p.dedupKey), first.encode())
		sent := p.sent
		sent.MessageID, sent.Sequence = first.id.String(), sequence(first.number)
		return sent, nil
	}
	m := p.message
	m.Sent = s.now
	if p.delay > 0 {
		m.VisibleFrom = s.now + p.delay.Milliseconds()
	}
	number := s.append(tx, q, &m)
	sent := p.sent
	if p.dedupKey != "" {
		d := deduplication{number: number, id: m.ID, until: s.now + deduplicationMillis}
		tx.Set(deduplicationKey(q.id, p.dedupKey), d.encode())
		q.pendingDedup[p.dedupKey] = d
		sent.Sequence = sequence(number)
	}
	size := len(m.Body)
	tx.OnDurable(func() { q.series.wasSent(size) })
	return sent, nil
}

// ceilingStep is how many numbers are reserved by one write of the ceiling.
const ceilingStep = 4096

// append writes a message under the next number.
func (s *Sender) append(tx *store.Tx, q *Queue, m *stored) uint64 {
	s.register(tx)
	number := q.next + uint64(len(q.pending))
	if number >= q.ceiling {
		ceiling := number + ceilingStep
		tx.Set(prefixOf(whatCeiling, q.id), store.AppendUint64(nil, ceiling))
		tx.OnApply(func() { q.ceiling = ceiling })
	}
	tx.Set(numberedKey(whatMessage, q.id, number), m.encode())
	q.pending = append(q.pending, m.entry(number))
	return number
}

// register makes tx publish what was sent.
func (s *Sender) register(tx *store.Tx) {
	if s.tx != nil {
		return
	}
	s.tx = tx
	queues, ends := s.queues, make([]uint64, len(s.queues))
	tx.OnApply(func() {
		for i, q := range queues {
			ends[i] = q.applyPending()
		}
	})
	tx.OnDurable(func() {
		for i, q := range queues {
			q.publish(ends[i])
		}
	})
}

// Unlock releases the send locks. Messages of a transaction that was discarded are
// forgotten. A second call does nothing.
func (s *Sender) Unlock() {
	for _, q := range s.queues {
		q.pending = nil
		clear(q.pendingDedup)
		q.sendMu.Unlock()
	}
	s.queues = nil
}

func (q *Queue) duplicated(key string, now int64) (deduplication, bool) {
	if key == "" {
		return deduplication{}, false
	}
	d, ok := q.pendingDedup[key]
	if !ok {
		d, ok = q.dedup[key]
	}
	return d, ok && d.until > now
}

// applyPending takes over what was sent, not yet receivable, and returns the
// number after it. The caller holds sendMu.
func (q *Queue) applyPending() uint64 {
	for key, d := range q.pendingDedup {
		q.dedup[key] = d
	}
	clear(q.pendingDedup)
	q.next += uint64(len(q.pending))
	q.publishMu.Lock()
	defer q.publishMu.Unlock()
	q.unpublished = append(q.unpublished, q.pending...)
	q.pending = nil
	return q.next
}

// publish lets messages below a number be received: they are on disk. The log is
// sequential, so those before the ones that were just synced are too.
func (q *Queue) publish(end uint64) {
	q.publishMu.Lock()
	defer q.publishMu.Unlock()
	n := 0
	for n < len(q.unpublished) && q.unpublished[n].number < end {
		n++
	}
	if n == 0 {
		return
	}
	now := nowMillis()
	q.state.mu.Lock()
	for _, e := range q.unpublished[:n] {
		q.state.add(e, now)
	}
	q.state.wakeAll()
	q.state.mu.Unlock()
	q.unpublished = append(q.unpublished[:0:0], q.unpublished[n:]...)
}

// sequence is the sequence number of a message in a FIFO queue: 20 digits.
func sequence(number uint64) string {
	const digits = 20
	text := strconv.FormatUint(number<<8, 10)
	return "1" + "0000000000000000000"[:digits-1-len(text)] + text
}
