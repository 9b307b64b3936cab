package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
)

const (
	whatMessage       = 'm'
	whatReceipt       = 'r'
	whatDeduplication = 'd'
	whatCeiling       = 'c'
	whatNextID        = 'i'
)

func prefixOf(what byte, queueID uint64) []byte {
	k := append(store.Key(store.DomainQueue, 17), what)
	return store.AppendUint64(k, queueID)
}

func numberedKey(what byte, queueID, number uint64) []byte {
	return store.AppendUint64(prefixOf(what, queueID), number)
}

func deduplicationKey(queueID uint64, key string) []byte {
	return store.AppendString(prefixOf(whatDeduplication, queueID), key)
}

// stored is a message as it is in the store. Times are milliseconds since the
// Unix epoch.
type stored struct {
	ID          uuid.UUID
	Sent        int64
	VisibleFrom int64 // of a message that was delayed, else 0
	Receives    int   // in the queues that it was in before
	FirstTime   int64 // of the first receive there
	Group       string
	Dedup       string // the deduplication id
	Sender      string
	Trace       string
	Origin      string // ARN of the queue that it was moved from
	Attributes  map[string]Attribute
	Body        string
}

// A stored message begins with the fields that are kept in memory:
//
//	version u8 = 1 | id 16 bytes | sent, visible from, receives, first receive uvarint |
//	group | deduplication id | sender | trace | origin |
//	number of attributes uvarint | (name | type | value)... | body
//
// where a text is its length as a uvarint and its bytes.
const messageVersion = 1

func (m *stored) encode() []byte {
	b := make([]byte, 0, 96+len(m.Body)+len(m.Group)+len(m.Dedup))
	b = append(b, messageVersion)
	b = append(b, m.ID[:]...)
	for _, n := range []int64{m.Sent, m.VisibleFrom, int64(m.Receives), m.FirstTime} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, s := range []string{m.Group, m.Dedup, m.Sender, m.Trace, m.Origin} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Attributes)))
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		a := m.Attributes[name]
		b = appendText(b, name)
		b = appendText(b, a.Type)
		if a.isBinary() {
			b = appendText(b, string(a.Binary))
		} else {
			b = appendText(b, a.String)
		}
	}
	return appendText(b, m.Body)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errDamaged = errors.New("stored message is damaged")

// reader reads what encode writes; after the first failure everything is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err, r.b = errDamaged, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.err, r.b = errDamaged, nil
		return nil
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}

func (r *reader) text() string { return string(r.take(r.uvarint())) }

// decodeHead reads the fields that are kept in memory and leaves the reader after
// them.
func (r *reader) head() stored {
	var m stored
	if v := r.take(1); len(v) == 1 && v[0] != messageVersion {
		r.err = fmt.Errorf("stored message has version %d", v[0])
	}
	copy(m.ID[:], r.take(16))
	m.Sent, m.VisibleFrom = int64(r.uvarint()), int64(r.uvarint())
	m.Receives, m.FirstTime = int(r.uvarint()), int64(r.uvarint())
	m.Group = r.text()
	return m
}

func decodeMessage(b []byte) (stored, error) {
	r := reader{b: b}
	m := r.head()
	m.Dedup, m.Sender, m.Trace, m.Origin = r.text(), r.text(), r.text(), r.text()
	n := r.uvarint()
	if n > maxAttributes {
		return stored{}, errDamaged
	}
	for range n {
		name, a := r.text(), Attribute{Type: r.text()}
		if a.isBinary() {
			a.Binary = []byte(r.text())
		} else {
			a.String = r.text()
		}
		if m.Attributes == nil {
			m.Attributes = make(map[string]Attribute, n)
		}
		m.Attributes[name] = a
	}
	m.Body = r.text()
	if r.err == nil && len(r.b) > 0 {
		r.err = errDamaged
	}
	return m, r.err
}

// receipt is what is known of the receives of a message. Times are milliseconds
// since the Unix epoch.
type receipt struct {
	receives    int
	first, last int64
	visibleFrom int64 // 0 once it was made visible
	token       uint32
}

func (r receipt) encode() []byte {
	b := make([]byte, 0, 32)
	for _, n := range []uint64{uint64(r.receives), uint64(r.first), uint64(r.last), uint64(r.visibleFrom), uint64(r.token)} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func decodeReceipt(b []byte) (receipt, error) {
	r := reader{b: b}
	out := receipt{receives: int(r.uvarint()), first: int64(r.uvarint()), last: int64(r.uvarint()), visibleFrom: int64(r.uvarint())}
	out.token = uint32(r.uvarint())
	return out, r.err
}
