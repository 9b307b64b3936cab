package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// MailState tells where a mail is.
type MailState string

// The states of a mail.
const (
	MailKept   MailState = "kept"   // no SMTP server is configured: it is only here
	MailQueued MailState = "queued" // to be handed to the SMTP server
	MailSent   MailState = "sent"
	MailFailed MailState = "failed" // given up
)

// Mail is a mail that a topic sent or tried to send.
type Mail struct {
	ID       uint64 // grows with time
	Time     time.Time
	From, To string
	Subject  string
	Body     string // plain text
	State    MailState
	Tries    int    `json:",omitempty"`
	Error    string `json:",omitempty"` // of the last try
}

// maxMails is how many mails are kept.
const maxMails = 1000

// ErrNoMail says that there is no mail with an id, or no more.
var ErrNoMail = errors.New("no such mail")

// Outbox is the last thousand mails. Its methods can be called concurrently.
type Outbox struct {
	db   *store.DB
	next uint64 // id of the next mail; changed under Topics.changing

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a mail is added or changes
}

func mailKey(id uint64) []byte {
	return store.AppendUint64(append(store.Key(store.DomainNotify, 9), whatMail), id)
}

func loadOutbox(db *store.DB) (*Outbox, error) {
	o := &Outbox{db: db, next: 1, changed: make(chan struct{})}
	newest, err := o.List(0, 1)
	if err != nil {
		return nil, err
	}
	if len(newest) > 0 {
		o.next = newest[0].ID + 1
	}
	return o, nil
}

// addIn puts a mail into the outbox as part of tx, and the oldest out of it. The
// caller holds Topics.changing until tx was applied.
func (o *Outbox) addIn(tx *store.Tx, m Mail) (id uint64, err error) {
	m.ID = o.next
	o.next++
	if err := o.setIn(tx, m); err != nil {
		return 0, err
	}
	if m.ID > maxMails {
		tx.Delete(mailKey(m.ID - maxMails))
	}
	return m.ID, nil
}

func (o *Outbox) setIn(tx *store.Tx, m Mail) error {
	doc, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("mail %d: %w", m.ID, err)
	}
	tx.Set(mailKey(m.ID), doc)
	tx.OnApply(o.announce)
	return nil
}

// changeIn notes what became of a mail as part of tx; one that is not kept any
// more is passed over.
func (o *Outbox) changeIn(tx *store.Tx, id uint64, state MailState, tries int, failure error) error {
	m, err := o.Get(id)
	if errors.Is(err, ErrNoMail) {
		return nil
	}
	if err != nil {
		return err
	}
	m.State, m.Tries, m.Error = state, tries, ""
	if failure != nil {
		m.Error = failure.Error()
	}
	return o.setIn(tx, m)
}

func (o *Outbox) announce() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
}

// Changed returns a channel that is closed when the next mail is added or
// changes.
func (o *Outbox) Changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changed
}

// Get returns a mail, or ErrNoMail.
func (o *Outbox) Get(id uint64) (Mail, error) {
	doc, ok, err := o.db.Get(mailKey(id))
	if err != nil {
		return Mail{}, fmt.Errorf("mail %d: %w", id, err)
	}
	if !ok {
		return Mail{}, fmt.Errorf("mail %d: %w", id, ErrNoMail)
	}
	var m Mail
	if err := json.Unmarshal(doc, &m); err != nil {
		return Mail{}, fmt.Errorf("mail %d: %w", id, err)
	}
	return m, nil
}

// Len returns the number of mails.
func (o *Outbox) Len() (int, error) {
	n := 0
	err := o.scan(0, 0, false, func(Mail) bool { n++; return true })
	return n, err
}

// List returns up to limit mails, newest first, of those before an id; 0 means
// from the newest.
func (o *Outbox) List(before uint64, limit int) ([]Mail, error) {
	var mails []Mail
	err := o.scan(0, before, true, func(m Mail) bool {
		mails = append(mails, m)
		return len(mails) < limit
	})
	return mails, err
}

// scan calls f for mails with after < id < before, 0 being no bound, until it
// returns false.
func (o *Outbox) scan(after, before uint64, backward bool, f func(Mail) bool) error {
	upper := store.PrefixEnd(append(store.Key(store.DomainNotify, 1), whatMail))
	if before > 0 {
		upper = mailKey(before)
	}
	it, err := o.db.Scan(mailKey(after+1), upper)
	if err != nil {
		return err
	}
	defer it.Close()
	start, step := it.First, it.Next
	if backward {
		start, step = it.Last, it.Prev
	}
	for ok := start(); ok; ok = step() {
		var m Mail
		if err := json.Unmarshal(it.Value(), &m); err != nil {
			return fmt.Errorf("mail %x: %w", it.Key(), err)
		}
		if !f(m) {
			break
		}
	}
	return it.Close()
}

// Follow calls f for each mail after an id as it is added, until the context ends
// or f fails, and returns why it ended.
func (o *Outbox) Follow(ctx context.Context, after uint64, f func(Mail) error) error {
	for {
		changed := o.Changed()
		var mails []Mail
		if err := o.scan(after, 0, false, func(m Mail) bool { mails = append(mails, m); return true }); err != nil {
			return err
		}
		for _, m := range mails {
			if err := f(m); err != nil {
				return err
			}
			after = m.ID
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
