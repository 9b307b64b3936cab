package queue

import (
	"errors"
	"slices"
	"testing"

	"github.com/weirstream/weir/internal/transaction"
)

// TestHeldMessages sends messages in transactions.
func TestHeldMessages(t *testing.T) {
	t.Parallel()
	qs := openQueues(t)
	q, fifo, gone := create(t, qs, "q", nil), create(t, qs, "q.fifo", map[string]string{"FifoQueue": "true"}), create(t, qs, "gone", nil)
	txs := transaction.Open(transaction.Config{DB: qs.db})
	kept, dropped, conflicted := txs.Begin("f", nil), txs.Begin("f", nil), txs.Begin("f", nil)
	ctx, group, id := t.Context(), "g", "1"

	results, err := q.SendBatchIn(ctx, kept, []Entry{{ID: "a", Message: Message{Body: "one"}}, {ID: "b", Message: Message{Body: ""}}, {ID: "c", Message: Message{Body: "two"}}})
	if err != nil || results[0].Err != nil || results[1].Err == nil || results[2].Err != nil {
		t.Fatalf("%+v %v", results, err)
	}
	for range 2 { // the second is a duplicate
		sent, err := fifo.SendIn(ctx, kept, Message{Body: "first", Group: &group, DeduplicationID: &id})
		if err != nil || sent.Sequence == "" {
			t.Fatalf("%+v %v", sent, err)
		}
	}
	for tx, to := range map[*transaction.Tx]*Queue{dropped: q, conflicted: gone} {
		if _, err := to.SendIn(ctx, tx, Message{Body: "lost"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := bodies(t, q); len(got) > 0 {
		t.Errorf("%q are there before the commit", got)
	}
	if err := qs.Delete(ctx, "gone"); err != nil {
		t.Fatal(err)
	}
	dropped.Discard()
	if err := conflicted.Commit(nil); !errors.Is(err, transaction.ErrConflict) {
		t.Errorf("a message to a queue that was deleted: %v", err)
	}
	if err := errors.Join(kept.Commit(nil), kept.Wait(), txs.Close()); err != nil {
		t.Fatal(err)
	}
	got := bodies(t, q)
	slices.Sort(got)
	if !slices.Equal(got, []string{"one", "two"}) || !slices.Equal(bodies(t, fifo), []string{"first"}) {
		t.Errorf("received %q", got)
	}
}

func bodies(t *testing.T, q *Queue) (all []string) {
	t.Helper()
	most := 10
	got, err := q.Receive(t.Context(), ReceiveRequest{Max: &most})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		all = append(all, m.Body)
	}
	return all
}
