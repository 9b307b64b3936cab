package store

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Key starts a key in domain d with room for n more bytes.
func Key(d Domain, n int) []byte {
	k := make([]byte, 1, 1+n)
	k[0] = byte(d)
	return k
}

// AppendUint64 appends v big endian, so that byte order is numeric order.
func AppendUint64(k []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(k, v) }

// AppendUint32 appends v big endian, so that byte order is numeric order.
func AppendUint32(k []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(k, v) }

// AppendString appends s so that byte order of keys is byte order of strings and
// no string is a prefix of another: 00 becomes 00 ff, and 00 01 ends the string.
func AppendString[T ~string | ~[]byte](k []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			k = append(k, 0, 0xff)
			continue
		}
		k = append(k, s[i])
	}
	return append(k, 0, 1)
}

var errBadKey = errors.New("store: malformed key")

// CutString reads a string written by AppendString from the front of k and
// returns it with what follows.
func CutString(k []byte) (s, rest []byte, err error) {
	for {
		i := bytes.IndexByte(k, 0)
		if i < 0 || i+1 >= len(k) {
			return nil, nil, errBadKey
		}
		s = append(s, k[:i]...)
		switch k[i+1] {
		case 1:
			return s, k[i+2:], nil
		case 0xff:
			s = append(s, 0)
			k = k[i+2:]
		default:
			return nil, nil, errBadKey
		}
	}
}

// CutUint64 reads an integer written by AppendUint64 from the front of k.
func CutUint64(k []byte) (v uint64, rest []byte, err error) {
	if len(k) < 8 {
		return 0, nil, errBadKey
	}
	return binary.BigEndian.Uint64(k), k[8:], nil
}

// CutUint32 reads an integer written by AppendUint32 from the front of k.
func CutUint32(k []byte) (v uint32, rest []byte, err error) {
	if len(k) < 4 {
		return 0, nil, errBadKey
	}
	return binary.BigEndian.Uint32(k), k[4:], nil
}

// PrefixEnd returns the smallest key that is greater than every key with the
// given prefix, or nil when there is none.
func PrefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
