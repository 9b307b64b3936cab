package function

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// What a key of the domain for asynchronous events holds.
const (
	asyncHead    = 'e' // 0e 'e' number u64 -> asyncEvent (JSON)
	asyncPayload = 'p' // 0e 'p' number u64 -> the document
)

// asyncEvent is an event that waits for its function, or a document that is to
// be delivered because of one, as it is stored. The document lies beside it.
type asyncEvent struct {
	Function      string // bare name
	Qualifier     string `json:",omitempty"` // as it was asked for
	RequestID     string
	ClientContext string    `json:",omitempty"`
	Received      time.Time // or, of a delivery, when it was ordered
	Due           time.Time `json:",omitzero"`  // not before; zero is at once
	Attempts      int       `json:",omitempty"` // runs that ended with a function error
	Bytes         int       // size of the document
	Delivery      *delivery `json:",omitempty"`
}

// delivery says where a document goes.
type delivery struct {
	Target     string // ARN
	DeadLetter bool   `json:",omitempty"` // to the function's dead-letter target
	Attributes map[string]string
	Key        string `json:",omitempty"` // of an object
}

// reference names the function for an invocation.
func (ev asyncEvent) reference() string {
	if ev.Qualifier == "" {
		return ev.Function
	}
	return ev.Function + ":" + ev.Qualifier
}

func asyncKey(what byte, number uint64) []byte {
	return store.AppendUint64(append(store.Key(store.DomainAsync, 9), what), number)
}

func putEventIn(tx *store.Tx, number uint64, ev asyncEvent) error {
	doc, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("event for %s: %w", ev.Function, err)
	}
	tx.Set(asyncKey(asyncHead, number), doc)
	return nil
}

func dropEventIn(tx *store.Tx, number uint64) {
	tx.Delete(asyncKey(asyncHead, number))
	tx.Delete(asyncKey(asyncPayload, number))
}

// loadEvent reads an event with its document.
func loadEvent(db *store.DB, number uint64) (ev asyncEvent, payload []byte, err error) {
	doc, ok, err := db.Get(asyncKey(asyncHead, number))
	if err != nil || !ok {
		return ev, nil, fmt.Errorf("event %d: found %v: %w", number, ok, err)
	}
	if err := json.Unmarshal(doc, &ev); err != nil {
		return ev, nil, fmt.Errorf("event %d: %w", number, err)
	}
	payload, _, err = db.Get(asyncKey(asyncPayload, number))
	if err != nil {
		return ev, nil, fmt.Errorf("event %d: %w", number, err)
	}
	return ev, payload, nil
}

// scanEvents passes all events in the store, in order of their numbers.
func scanEvents(db *store.DB, each func(number uint64, ev asyncEvent)) error {
	prefix := append(store.Key(store.DomainAsync, 1), asyncHead)
	it, err := db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		number, _, err := store.CutUint64(it.Key()[len(prefix):])
		if err != nil {
			return fmt.Errorf("event %x: %w", it.Key(), err)
		}
		var ev asyncEvent
		if err := json.Unmarshal(it.Value(), &ev); err != nil {
			return fmt.Errorf("event %d: %w", number, err)
		}
		each(number, ev)
	}
	return it.Close()
}
