package queue

import (
	"context"
	"errors"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// held is the messages that a transaction sends.
type held struct {
	queues   *Queues
	messages []*Prepared
	sender   *Sender // from Prepare on
}

// messageOverhead is about what a held message takes besides what it says.
const messageOverhead = 512

// SendIn is Send as part of a transaction. The sequence number that it returns, and
// in a FIFO queue the id, are those which the message would get now; which it gets
// is decided when the transaction commits.
func (q *Queue) SendIn(ctx context.Context, tx *transaction.Tx, m Message) (Sent, error) {
	p, err := q.Prepare(ctx, m)
	if err != nil {
		return Sent{}, err
	}
	sent, err := q.hold(tx, p)
	if err != nil {
		return Sent{}, err
	}
	return sent[0], nil
}

// SendBatchIn is SendBatch as part of a transaction, as SendIn is.
func (q *Queue) SendBatchIn(ctx context.Context, tx *transaction.Tx, entries []Entry) ([]Result, error) {
	return q.sendBatch(ctx, entries, func(ps ...*Prepared) ([]Sent, error) { return q.hold(tx, ps...) })
}

func (q *Queue) hold(tx *transaction.Tx, ps ...*Prepared) ([]Sent, error) {
	sent := make([]Sent, len(ps))
	bytes := len(ps) * messageOverhead
	for _, p := range ps {
		bytes += len(p.message.encode())
	}
	err := tx.Do(func() error {
		if err := tx.Grow(len(ps), bytes); err != nil {
			return err
		}
		h := transaction.PartOf(tx, transaction.Queues, func() *held { return &held{queues: q.queues} })
		next := q.nextNumber() + uint64(len(h.messages))
		h.messages = append(h.messages, ps...)
		for i, p := range ps {
			sent[i] = p.sent
			if p.dedupKey != "" {
				sent[i].Sequence = sequence(next + uint64(i))
			}
		}
		return nil
	})
	return sent, err
}

// nextNumber is about the number that the next message gets.
func (q *Queue) nextNumber() uint64 {
	q.sendMu.Lock()
	defer q.sendMu.Unlock()
	return q.next
}

// Prepare implements transaction.Part.
func (h *held) Prepare(tx *store.Tx) error {
	h.sender = h.queues.Lock(h.messages...)
	for _, p := range h.messages {
		if _, err := h.sender.Send(tx, p); errors.Is(err, ErrNotFound) {
			return transaction.ErrConflict // the function was told that there is one
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Announce implements transaction.Part.
func (h *held) Announce() {}

// Release implements transaction.Part.
func (h *held) Release(bool) { h.sender.Unlock() }
