package table

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
)

// ChangeKind is what happened to an item.
type ChangeKind byte

// The kinds. The numbers are part of the stored form.
const (
	Insert ChangeKind = 1
	Modify ChangeKind = 2
	Remove ChangeKind = 3
)

var changeNames = [...]string{"", "INSERT", "MODIFY", "REMOVE"}

// String returns INSERT, MODIFY or REMOVE.
func (k ChangeKind) String() string {
	if int(k) < len(changeNames) {
		return changeNames[k]
	}
	return ""
}

// Change is a record of a table's stream.
type Change struct {
	Kind ChangeKind
	Keys Item
	// New and Old are the item after and before, as far as there was one and the
	// stream's view tells of it.
	New, Old       Item
	HasNew, HasOld bool

	ID       string // 32 hexadecimal digits, unique
	Sequence string
	Time     time.Time
}

// Size returns the bytes of the keys and images.
func (c *Change) Size() int { return c.Keys.Size() + c.New.Size() + c.Old.Size() }

// flags of the stored form.
const (
	flagNew = 1 << 0
	flagOld = 1 << 1
)

// encodeChange writes a change: kind u8, flags u8, then keys, new and old image as
// far as the flags tell of them, each with its length in front.
func encodeChange(view StreamView, key Item, v *verdict) []byte {
	kind, flags := Modify, byte(0)
	switch {
	case !v.existed:
		kind = Insert
	case !v.exists:
		kind = Remove
	}
	if v.exists && (view == NewImage || view == NewAndOldImages) {
		flags |= flagNew
	}
	if v.existed && (view == OldImage || view == NewAndOldImages) {
		flags |= flagOld
	}
	data := make([]byte, 0, 2+3*binary.MaxVarintLen32+len(key.Encoded())+len(v.new.Encoded())+len(v.old.Encoded()))
	data = append(data, byte(kind), flags)
	data = appendImage(data, key)
	if flags&flagNew != 0 {
		data = appendImage(data, v.new)
	}
	if flags&flagOld != 0 {
		data = appendImage(data, v.old)
	}
	return data
}

func appendImage(data []byte, it Item) []byte {
	data = binary.AppendUvarint(data, uint64(len(it.Encoded())))
	return append(data, it.Encoded()...)
}

var errDamagedChange = errors.New("change record is damaged")

// decodeChange reads what encodeChange wrote.
func decodeChange(data []byte) (Change, error) {
	if len(data) < 2 || data[0] < byte(Insert) || data[0] > byte(Remove) || data[1]&^(flagNew|flagOld) != 0 {
		return Change{}, errDamagedChange
	}
	c := Change{Kind: ChangeKind(data[0]), HasNew: data[1]&flagNew != 0, HasOld: data[1]&flagOld != 0}
	rest := data[2:]
	var err error
	if c.Keys, rest, err = cutImage(rest, true); err != nil {
		return c, err
	}
	if c.New, rest, err = cutImage(rest, c.HasNew); err != nil {
		return c, err
	}
	if c.Old, rest, err = cutImage(rest, c.HasOld); err != nil {
		return c, err
	}
	if len(rest) > 0 {
		return c, errDamagedChange
	}
	return c, nil
}

func cutImage(data []byte, present bool) (Item, []byte, error) {
	if !present {
		return Item{}, data, nil
	}
	n, w := binary.Uvarint(data)
	if w <= 0 || n > uint64(len(data)-w) {
		return Item{}, nil, errDamagedChange
	}
	it, err := attr.DecodeItem(data[w : w+int(n)])
	if err != nil {
		return Item{}, nil, errDamagedChange
	}
	return it, data[w+int(n):], nil
}

// ChangedItem returns what tells the item of a record of a table's stream from all
// others of the table, the written form of its key; nil when the record is damaged.
func ChangedItem(r stream.Record) []byte {
	if len(r.Data) < 2 {
		return nil
	}
	n, w := binary.Uvarint(r.Data[2:])
	if w <= 0 || n > uint64(len(r.Data)-2-w) {
		return nil
	}
	return r.Data[2+w:][:n]
}

// sequenceBase makes sequence numbers have 21 digits, the least that the API allows.
const sequenceBase = "1"

const sequencePositionDigits = 20

// SequenceNumber returns the sequence number of a position of a table's stream.
func SequenceNumber(p stream.Position) string {
	digits := strconv.FormatUint(uint64(p), 10)
	return sequenceBase + zeros[:sequencePositionDigits-len(digits)] + digits
}

const zeros = "00000000000000000000"

// ParseSequenceNumber is the inverse of SequenceNumber.
func ParseSequenceNumber(s string) (stream.Position, bool) {
	if len(s) != len(sequenceBase)+sequencePositionDigits || s[:len(sequenceBase)] != sequenceBase {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	p, err := strconv.ParseUint(s[len(sequenceBase):], 10, 64)
	return stream.Position(p), err == nil
}

// changeID returns an id that is the same whenever the record is read.
func changeID(log stream.LogID, shard uint32, p stream.Position) string {
	var b [20]byte
	binary.BigEndian.PutUint64(b[:], uint64(log))
	binary.BigEndian.PutUint32(b[8:], shard)
	binary.BigEndian.PutUint64(b[12:], uint64(p))
	h := fnv.New128a()
	_, _ = h.Write(b[:]) // never fails
	return hex.EncodeToString(h.Sum(nil))
}
