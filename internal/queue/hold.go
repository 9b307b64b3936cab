package queue

import (
	"context"
	"slices"
	"time"
)

// Poll hands out messages to an event source, which may take some time until it
// works on them: any number of them, after any wait. They are hidden from others for
// so long, and the receive is not written down before [Queue.Begin]: after a crash
// it has not been.
func (q *Queue) Poll(ctx context.Context, most int, wait, hide time.Duration) ([]Received, error) {
	seconds := int(hide / time.Second)
	return q.receive(ctx, ReceiveRequest{Max: &most, Visibility: &seconds, unsaved: true}, wait)
}

// inHand returns the messages of receipt handles that are in flight under them, in
// order. q.state.mu is held.
func (q *Queue) inHand(receiptHandles []string) []*entry {
	q.state.advance(nowMillis())
	entries := make([]*entry, 0, len(receiptHandles))
	for _, text := range receiptHandles {
		h, err := q.parse(text)
		e := q.state.byNumber[h.number]
		if err == nil && e != nil && e.place == hidden && !e.delayed && e.receipt.token == h.token {
			entries = append(entries, e)
		}
	}
	return entries
}

// Hold keeps messages in flight for at least so long from now. It reports whether
// all of them still are in flight under these handles; others stay as they are.
func (q *Queue) Hold(receiptHandles []string, d time.Duration) bool {
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	entries := q.inHand(receiptHandles)
	now := nowMillis()
	for _, e := range entries {
		q.state.place(e, now, max(e.visibleFrom, now+d.Milliseconds()))
	}
	return len(entries) == len(receiptHandles)
}

// Begin begins the visibility timeout of messages in flight anew, as the queue is
// set: now somebody works on them. Those that are not in flight under these handles
// stay as they are.
func (q *Queue) Begin(receiptHandles []string) error {
	timeout := int64(q.Definition().VisibilitySeconds) * 1000
	return q.replace(receiptHandles, func(e *entry, now int64) { q.state.place(e, now, now+timeout) })
}

// GiveBack undoes a receive of which nothing has come: the messages can be received
// again after a time, and the receive does not count. Those that are not in flight
// under these handles stay as they are.
func (q *Queue) GiveBack(receiptHandles []string, delay time.Duration) error {
	return q.replace(receiptHandles, func(e *entry, now int64) {
		e.receipt.receives--
		q.state.place(e, now, now+delay.Milliseconds())
	})
}

// replace changes messages in flight, the last one first, so that the first of a
// group comes last to be seen, and writes down what has become of them.
func (q *Queue) replace(receiptHandles []string, change func(e *entry, now int64)) error {
	tx := q.queues.db.Begin()
	q.state.mu.Lock()
	now := nowMillis()
	for _, e := range slices.Backward(q.inHand(receiptHandles)) {
		change(e, now)
		tx.Set(numberedKey(whatReceipt, q.id, e.number), e.receipt.encode())
	}
	q.state.mu.Unlock()
	return q.queues.commitReceipts(tx)
}
