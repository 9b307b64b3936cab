package stream

import (
	"errors"
	"math/bits"
)

// Sequence is the content of a Kinesis sequence number, version 2. As a number
// it has 188 bits and 56 decimal digits; from the most significant bit:
//
//	 4 bits  constant 2
//	36 bits  creation time of the shard, epoch seconds
//	 4 bits  low nibble of the shard index
//	64 bits  counter: the position of the record
//	 8 bits  zero
//	36 bits  time of the record, epoch seconds
//	32 bits  shard index
//	 4 bits  version, 2
//
// Within a shard the order of numbers is the order of positions.
type Sequence struct {
	ShardCreated int64 // epoch seconds
	Shard        uint32
	Counter      uint64
	Time         int64 // epoch seconds
}

// endCounter is the counter of the number that ends a closed shard: greater than
// that of any record.
const endCounter = 0x7fffffffffffffff

// ErrSequence says that a string is no sequence number of this format.
var ErrSequence = errors.New("malformed sequence number")

const (
	sequenceDigits = 56
	mask36         = 1<<36 - 1
)

// words returns the number as 64-bit words, most significant first.
func (q Sequence) words() [3]uint64 {
	t := uint64(q.Time) & mask36
	return [3]uint64{
		2<<56 | (uint64(q.ShardCreated)&mask36)<<20 | uint64(q.Shard&0xf)<<16 | q.Counter>>48,
		q.Counter<<16 | t>>28,
		t<<36 | uint64(q.Shard)<<4 | 2,
	}
}

// String returns the 56 digits.
func (q Sequence) String() string { return string(q.Append(make([]byte, 0, sequenceDigits))) }

// Append appends the 56 digits to dst.
func (q Sequence) Append(dst []byte) []byte {
	const chunk = 1e19 // the largest power of ten in a word, 19 digits
	w := q.words()
	var digits [sequenceDigits]byte
	for end := len(digits); end > 0; end -= 19 {
		var rem uint64
		w[0], rem = bits.Div64(0, w[0], chunk)
		w[1], rem = bits.Div64(rem, w[1], chunk)
		w[2], rem = bits.Div64(rem, w[2], chunk)
		for i := end - 1; i >= max(0, end-19); i-- {
			digits[i] = byte('0' + rem%10)
			rem /= 10
		}
	}
	return append(dst, digits[:]...)
}

// ParseSequence reads a sequence number of this format.
func ParseSequence(s string) (Sequence, error) {
	if len(s) != sequenceDigits {
		return Sequence{}, ErrSequence
	}
	var w [3]uint64
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return Sequence{}, ErrSequence
		}
		carry := uint64(c - '0')
		for i := 2; i >= 0; i-- {
			hi, lo := bits.Mul64(w[i], 10)
			var over uint64
			w[i], over = bits.Add64(lo, carry, 0)
			carry = hi + over
		}
		if carry != 0 {
			return Sequence{}, ErrSequence
		}
	}
	q := Sequence{
		ShardCreated: int64(w[0] >> 20 & mask36),
		Shard:        uint32(w[2] >> 4),
		Counter:      w[0]<<48 | w[1]>>16,
		Time:         int64((w[1]&0xff)<<28 | w[2]>>36),
	}
	if q.words() != w {
		return Sequence{}, ErrSequence
	}
	return q, nil
}
