package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Request ids need to be unlikely to repeat, not hard to guess: the fast random
// source is right for them.

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	s[8] = '-'
	hex.Encode(s[9:13], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:18], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:23], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:], b[10:])
	return string(s[:])
}

const idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUV"

// newLongID returns an id in the form of DynamoDB: 52 capitals and digits.
func newLongID() string {
	var s [52]byte
	for i := 0; i < len(s); i += 12 {
		for j, bits := i, rand.Uint64(); j < min(i+12, len(s)); j, bits = j+1, bits>>5 {
			s[j] = idLetters[bits&31]
		}
	}
	return string(s[:])
}

// newID2 returns what goes into x-amz-id-2: base64 of 72 bytes.
func newID2() string {
	var b [72]byte
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rand.Uint64())
	}
	return base64.StdEncoding.EncodeToString(b[:])
}
