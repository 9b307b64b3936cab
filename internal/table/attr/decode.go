package attr

import (
	"bytes"
	"encoding/binary"
	"errors"
)

var errDamaged = errors.New("damaged attribute value")

// DecodeItem returns the item whose stored form enc is, after checking that it is
// well formed.
func DecodeItem(enc []byte) (Item, error) {
	if !validItem(enc, MaxDepth+1) {
		return Item{}, errDamaged
	}
	return Item{enc}, nil
}

// TrustedItem returns the item whose stored form enc is. It saves the check of
// DecodeItem for bytes of this program's own store.
func TrustedItem(enc []byte) Item { return Item{enc} }

// takeSized is cut for bytes that may be malformed.
func takeSized(b []byte) (part, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || w > 1 && b[w-1] == 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}

func validItem(enc []byte, depth int) bool {
	if depth == 0 {
		return false
	}
	var last []byte
	for first := true; len(enc) > 0; first = false {
		name, rest, ok := takeSized(enc)
		if !ok || !first && bytes.Compare(last, name) >= 0 {
			return false
		}
		last = name
		value, rest, ok := takeSized(rest)
		if !ok || !validValue(value, depth-1) {
			return false
		}
		enc = rest
	}
	return true
}

func validValue(enc []byte, depth int) bool {
	if len(enc) == 0 {
		return false
	}
	kind, payload := Kind(enc[0]), enc[1:]
	switch kind {
	case String, Binary:
		return true
	case Number:
		return validNumber(payload)
	case Bool:
		return len(payload) == 1 && payload[0] <= 1
	case Null:
		return len(payload) == 0
	case StringSet, NumberSet, BinarySet:
		return validSet(kind.member(), payload)
	case List:
		return depth > 0 && validList(payload, depth-1)
	case Map:
		return depth > 0 && validItem(payload, depth)
	}
	return false
}

func validSet(member Kind, payload []byte) bool {
	if len(payload) == 0 {
		return false
	}
	var last []byte
	for len(payload) > 0 {
		m, rest, ok := takeSized(payload)
		if !ok || len(m) == 0 || Kind(m[0]) != member || !validValue(m, 0) || bytes.Compare(last, m) >= 0 {
			return false
		}
		last, payload = m, rest
	}
	return true
}

func validList(payload []byte, depth int) bool {
	for len(payload) > 0 {
		e, rest, ok := takeSized(payload)
		if !ok || !validValue(e, depth) {
			return false
		}
		payload = rest
	}
	return true
}

func validNumber(payload []byte) bool {
	if len(payload) < 2 || len(payload) > maxDigits/2+1+2 {
		return false
	}
	if payload[0] < headerZero {
		payload = bytes.Clone(payload)
		invert(payload)
		if payload[0] == headerZero && payload[1] == terminator {
			return false // zero has no sign
		}
	}
	pairs := payload[1 : len(payload)-1]
	if payload[len(payload)-1] != terminator || len(pairs) == 0 && payload[0] != headerZero {
		return false
	}
	for i, p := range pairs {
		if p == 0 || p > 100 || p == 1 && (i == 0 || i == len(pairs)-1) {
			return false
		}
	}
	var d decimal
	d.load(payload)
	return len(d.digits) <= maxDigits
}
