package stream

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"time"
)

// IteratorLifetime is how long a shard iterator can be used.
const IteratorLifetime = 5 * time.Minute

// Iterator is a place in a shard of a certain generation of a stream. Its text
// form is what GetShardIterator hands out: it holds all that is needed to go on,
// so iterators survive a restart.
type Iterator struct {
	Stream  string
	Created int64 // creation time of the stream, epoch milliseconds
	Shard   uint32
	Next    Position
	Issued  int64 // epoch milliseconds
	Nonce   uint32
}

// ErrIterator says that a string is no shard iterator.
var ErrIterator = errors.New("invalid shard iterator")

// iteratorPrefix is how iterators of the service start.
var iteratorPrefix = []byte{0, 0, 0, 0, 0, 0, 0, 1}

// String returns the opaque form, at most 512 characters.
func (it Iterator) String() string {
	b := append(make([]byte, 0, 64+len(it.Stream)), iteratorPrefix...)
	b = binary.BigEndian.AppendUint64(b, uint64(it.Created))
	b = binary.BigEndian.AppendUint32(b, it.Shard)
	b = binary.BigEndian.AppendUint64(b, uint64(it.Next))
	b = binary.BigEndian.AppendUint64(b, uint64(it.Issued))
	b = binary.BigEndian.AppendUint32(b, it.Nonce)
	b = append(b, it.Stream...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.StdEncoding.EncodeToString(b)
}

// ParseIterator reads the opaque form; one in double quotes is accepted as the
// service does.
func ParseIterator(s string) (Iterator, error) {
	if len(s) >= 2 && strings.HasPrefix(s, `"`) && strings.HasSuffix(s, `"`) {
		s = s[1 : len(s)-1]
	}
	b, err := base64.StdEncoding.DecodeString(s)
	const fixed = 8 + 8 + 4 + 8 + 8 + 4
	if err != nil || len(b) < fixed+4+1 || string(b[:8]) != string(iteratorPrefix) {
		return Iterator{}, ErrIterator
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return Iterator{}, ErrIterator
	}
	return Iterator{
		Created: int64(binary.BigEndian.Uint64(b[8:])),
		Shard:   binary.BigEndian.Uint32(b[16:]),
		Next:    Position(binary.BigEndian.Uint64(b[20:])),
		Issued:  int64(binary.BigEndian.Uint64(b[28:])),
		Nonce:   binary.BigEndian.Uint32(b[36:]),
		Stream:  string(body[fixed:]),
	}, nil
}
