package stream

import (
	"crypto/md5" // #nosec G501 -- Kinesis routes by MD5; it protects nothing here
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"
)

// HashKey is a point of the 128-bit space in which partition keys are spread over
// shards. In JSON it is a decimal string.
type HashKey struct{ Hi, Lo uint64 }

// MaxHashKey is 2^128-1.
var MaxHashKey = HashKey{^uint64(0), ^uint64(0)}

// HashOf returns the hash key of a partition key: its MD5 as a big endian integer.
func HashOf(partitionKey string) HashKey {
	sum := md5.Sum([]byte(partitionKey)) // #nosec G401 -- see the import
	return HashKey{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// ErrHashKey says that a string is no decimal integer in [0, 2^128-1].
var ErrHashKey = errors.New("hash key is not an integer in the range [0, 2^128-1]")

// ParseHashKey reads a decimal hash key.
func ParseHashKey(s string) (HashKey, error) {
	if len(s) == 0 || len(s) > 39 {
		return HashKey{}, ErrHashKey
	}
	var h HashKey
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return HashKey{}, ErrHashKey
		}
		hiOver, hi := bits.Mul64(h.Hi, 10)
		carry, lo := bits.Mul64(h.Lo, 10)
		var c1, c2, c3 uint64
		lo, c1 = bits.Add64(lo, uint64(c-'0'), 0)
		hi, c2 = bits.Add64(hi, carry, 0)
		hi, c3 = bits.Add64(hi, c1, 0)
		if hiOver != 0 || c2 != 0 || c3 != 0 {
			return HashKey{}, ErrHashKey
		}
		h = HashKey{hi, lo}
	}
	return h, nil
}

// Cmp returns -1, 0 or 1 as h is less than, equal to or greater than o.
func (h HashKey) Cmp(o HashKey) int {
	switch {
	case h.Hi < o.Hi || h.Hi == o.Hi && h.Lo < o.Lo:
		return -1
	case h == o:
		return 0
	}
	return 1
}

// Prev returns h-1; the predecessor of 0 is MaxHashKey.
func (h HashKey) Prev() HashKey {
	lo, borrow := bits.Sub64(h.Lo, 1, 0)
	return HashKey{h.Hi - borrow, lo}
}

// Next returns h+1; the successor of MaxHashKey is 0.
func (h HashKey) Next() HashKey {
	lo, carry := bits.Add64(h.Lo, 1, 0)
	return HashKey{h.Hi + carry, lo}
}

// distance returns how far h and o are apart.
func (h HashKey) distance(o HashKey) HashKey {
	if h.Cmp(o) < 0 {
		h, o = o, h
	}
	lo, borrow := bits.Sub64(h.Lo, o.Lo, 0)
	hi, _ := bits.Sub64(h.Hi, o.Hi, borrow)
	return HashKey{hi, lo}
}

// String returns the decimal form.
func (h HashKey) String() string { return h.big().String() }

// MarshalText makes JSON show the decimal form.
func (h HashKey) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (h *HashKey) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHashKey(string(b))
	return err
}

func (h HashKey) big() *big.Int {
	b := new(big.Int).SetUint64(h.Hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(h.Lo))
}

func hashKeyFromBig(b *big.Int) HashKey {
	lo := new(big.Int).And(b, new(big.Int).SetUint64(^uint64(0)))
	return HashKey{new(big.Int).Rsh(b, 64).Uint64(), lo.Uint64()}
}

// HashRange is a range of hash keys, both ends inclusive.
type HashRange struct{ Start, End HashKey }

// Contains reports whether h lies in the range.
func (r HashRange) Contains(h HashKey) bool { return r.Start.Cmp(h) <= 0 && h.Cmp(r.End) <= 0 }

// evenRanges cuts the whole space into n ranges of floor(2^128/n), the last one
// taking the rest, as CreateStream does.
func evenRanges(n int) []HashRange {
	space := new(big.Int).Lsh(big.NewInt(1), 128)
	width := space.Div(space, big.NewInt(int64(n)))
	ranges := make([]HashRange, n)
	start := HashKey{}
	for i := range ranges {
		end := MaxHashKey
		if i < n-1 {
			next := new(big.Int).Mul(width, big.NewInt(int64(i+1)))
			end = hashKeyFromBig(next).Prev()
		}
		ranges[i] = HashRange{start, end}
		start = end.Next()
	}
	return ranges
}
