package queue

import (
	"context"
	"errors"
	"regexp"
)

// Entry is a message of a batch.
type Entry struct {
	ID string
	Message
}

// Result is what became of an entry of a batch of any kind.
type Result struct {
	ID   string
	Sent Sent // of a message that was sent
	Err  error
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch judges the ids of a batch; kind names its entries.
func checkBatch(kind string, ids []string) error {
	if len(ids) == 0 {
		return errorf(EmptyBatch, "There should be at least one %sBatchRequestEntry in the request.", kind)
	}
	if len(ids) > maxBatch {
		return errorf(TooManyEntries, "Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(ids))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !entryID.MatchString(id) {
			return errorf(InvalidEntryID, "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most %d letters long.", maxEntryID)
		}
		if seen[id] {
			return errorf(EntriesNotDistinct, "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

// SendBatch sends up to ten messages in one transaction and returns when they are
// on disk. Entries that break a rule fail alone, except that a FIFO queue refuses
// a batch with an entry that has no group or no deduplication id.
func (q *Queue) SendBatch(ctx context.Context, entries []Entry) ([]Result, error) {
	return q.sendBatch(ctx, entries, q.send)
}

// sendBatch checks a batch and sends it with send.
func (q *Queue) sendBatch(ctx context.Context, entries []Entry, send func(...*Prepared) ([]Sent, error)) ([]Result, error) {
	ids, size := make([]string, len(entries)), 0
	for i := range entries {
		ids[i] = entries[i].ID
		size += entries[i].size()
	}
	if err := checkBatch("SendMessage", ids); err != nil {
		return nil, err
	}
	if size > maxBatchBytes {
		return nil, errorf(BatchTooLong, "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBatchBytes, size)
	}
	results := make([]Result, len(entries))
	var prepared []*Prepared
	var at []int
	for i, e := range entries {
		results[i].ID = e.ID
		p, err := q.prepareEntry(ctx, e)
		if errors.Is(err, errNoDedup) || errors.Is(err, errNoGroupInBatch) || ctx.Err() != nil {
			return nil, err
		}
		if results[i].Err = err; err == nil {
			prepared, at = append(prepared, p), append(at, i)
		}
	}
	if len(prepared) == 0 {
		return results, nil
	}
	sent, err := send(prepared...)
	if err != nil {
		return nil, err
	}
	for i, s := range sent {
		results[at[i]].Sent = s
	}
	return results, nil
}

// errNoGroupInBatch has the code that the service gives in batches.
var errNoGroupInBatch = errorf(InvalidValue, "%s", errNoGroup.Message)

func (q *Queue) prepareEntry(ctx context.Context, e Entry) (*Prepared, error) {
	if most := q.Definition().MaxMessageBytes; e.size() > most {
		return nil, errorf(InvalidValue, "One or more parameters cannot be validated. Reason: Message must be shorter than %d bytes.", most)
	}
	p, err := q.Prepare(ctx, e.Message)
	if errors.Is(err, errNoGroup) {
		err = errNoGroupInBatch
	}
	return p, err
}
