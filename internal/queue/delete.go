package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirstream/weir/internal/store"
)

// Delete deletes the message of a receipt handle and returns when that is on disk.
// In a standard queue any handle of the message will do, and it is no error when
// the message does not exist any more; in a FIFO queue the message must be in
// flight under that handle.
func (q *Queue) Delete(ctx context.Context, receiptHandle string) error {
	errs, err := q.DeleteAll(ctx, []string{receiptHandle})
	if err != nil {
		return err
	}
	return errs[0]
}

// DeleteAll deletes several messages in one transaction; errs holds what is wrong
// with single handles, in their order.
func (q *Queue) DeleteAll(ctx context.Context, receiptHandles []string) (errs []error, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx := q.queues.db.Begin()
	defer tx.Discard()
	if errs, err = q.DeleteIn(tx, receiptHandles); err != nil {
		return nil, err
	}
	return errs, tx.Commit()
}

// DeleteIn is DeleteAll as part of tx.
func (q *Queue) DeleteIn(tx *store.Tx, receiptHandles []string) (errs []error, err error) {
	errs = make([]error, len(receiptHandles))
	var entries []*entry
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	if q.state.removed {
		return nil, notFound()
	}
	q.state.advance(nowMillis())
	for i, text := range receiptHandles {
		h, err := q.parse(text)
		if err != nil {
			errs[i] = err
			continue
		}
		e := q.state.byNumber[h.number]
		switch {
		case e == nil:
		case q.state.fifo && (e.place != hidden || e.receipt.token != h.token):
			errs[i] = invalid("ReceiptHandle", text, "The receipt handle has expired.")
		default:
			entries = append(entries, e)
		}
	}
	q.erase(tx, entries)
	tx.OnDurable(func() {
		q.forget(entries)
		q.series.deleted.Observe(float64(len(entries)))
	})
	return errs, nil
}

func (q *Queue) parse(text string) (handle, error) {
	h, ok := parseHandle(text)
	if !ok || h.queue != q.id {
		return h, errorf(InvalidReceipt, "The input receipt handle %q is not a valid receipt handle.", text)
	}
	return h, nil
}

// ChangeVisibility hides the message of a receipt handle for so many seconds from
// now; 0 shows it to others at once. In a standard queue any handle of a message in
// flight will do.
func (q *Queue) ChangeVisibility(ctx context.Context, receiptHandle string, seconds int) error {
	err := q.changeVisibility(ctx, receiptHandle, seconds)
	if errors.Is(err, errNotInFlight) {
		return invalid("ReceiptHandle", receiptHandle, errNotInFlight.Message+".")
	}
	return err
}

// errNotInFlight is what an entry of a batch is told; the service words the same error
// of a single request differently.
var errNotInFlight = errorf(InvalidReceipt, "Message does not exist or is not available for visibility timeout change")

func (q *Queue) changeVisibility(ctx context.Context, receiptHandle string, seconds int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkVisibility(&seconds); err != nil {
		return err
	}
	return q.adjust(receiptHandle, !q.state.fifo, func(e *entry, now int64) error {
		if now-e.receipt.last+int64(seconds)*1000 > maxVisibility*1000 && seconds > 0 {
			return invalid(attrVisibility, seconds, fmt.Sprintf("Total VisibilityTimeout for the message is beyond the limit [%d seconds]", maxVisibility))
		}
		q.state.place(e, now, now+int64(seconds)*1000)
		return nil
	})
}

// place moves a message in flight to where it belongs when it is hidden until a
// time.
func (s *state) place(e *entry, now, until int64) {
	s.detach(e)
	if until > now {
		e.receipt.visibleFrom = until
		s.hide(e, until)
		return
	}
	e.receipt.visibleFrom = 0
	s.show(e)
}

// adjust changes a message in flight, under this handle or, with anyHandle, under
// any. One of a standard queue that is not in flight any more stays as it is.
func (q *Queue) adjust(receiptHandle string, anyHandle bool, change func(e *entry, now int64) error) error {
	h, err := q.parse(receiptHandle)
	if err != nil {
		return err
	}
	r, err := q.adjustEntry(h, anyHandle, change)
	if err != nil || r == nil {
		return err
	}
	tx := q.queues.db.Begin()
	tx.Set(numberedKey(whatReceipt, q.id, h.number), r.encode())
	return q.queues.commitReceipts(tx)
}

func (q *Queue) adjustEntry(h handle, anyHandle bool, change func(e *entry, now int64) error) (*receipt, error) {
	q.state.mu.Lock()
	defer q.state.mu.Unlock()
	if q.state.removed {
		return nil, notFound()
	}
	now := nowMillis()
	q.state.advance(now)
	e := q.state.byNumber[h.number]
	inFlight := e != nil && e.place == hidden && !e.delayed && (anyHandle || e.receipt.token == h.token)
	if e == nil || !inFlight && q.state.fifo {
		return nil, errNotInFlight
	}
	if !inFlight {
		return nil, nil
	}
	if err := change(e, now); err != nil {
		return nil, err
	}
	r := e.receipt
	return &r, nil
}

// Handled is an entry of a batch that names a message by its receipt handle.
type Handled struct {
	ID, Handle string
	Visibility int // seconds, for ChangeVisibilityBatch
}

func idsOf(entries []Handled) []string {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return ids
}

// DeleteBatch deletes up to ten messages.
func (q *Queue) DeleteBatch(ctx context.Context, entries []Handled) ([]Result, error) {
	if err := checkBatch("DeleteMessage", idsOf(entries)); err != nil {
		return nil, err
	}
	handles := make([]string, len(entries))
	for i, e := range entries {
		handles[i] = e.Handle
	}
	errs, err := q.DeleteAll(ctx, handles)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(entries))
	for i, e := range entries {
		results[i] = Result{ID: e.ID, Err: errs[i]}
	}
	return results, nil
}

// ChangeVisibilityBatch is ChangeVisibility for up to ten messages.
func (q *Queue) ChangeVisibilityBatch(ctx context.Context, entries []Handled) ([]Result, error) {
	if err := checkBatch("ChangeMessageVisibility", idsOf(entries)); err != nil {
		return nil, err
	}
	results := make([]Result, len(entries))
	for i, e := range entries {
		results[i] = Result{ID: e.ID, Err: q.changeVisibility(ctx, e.Handle, e.Visibility)}
	}
	return results, nil
}
