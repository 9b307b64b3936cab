package jsonscan

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Base64Error is the reason why a text is not the base64 of anything, in the
// words of the services.
type Base64Error struct{ What string }

// Error returns the reason.
func (e *Base64Error) Error() string { return e.What }

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

var strictBase64 = base64.StdEncoding.Strict()

// AppendBase64 appends the bytes that src, padded standard base64, stands for.
// It is strict: no line breaks, no bits set that are not part of a byte. Its
// error is a *Base64Error.
//
// Records arrive in base64, so this is where a put spends its time: all but the
// last characters go through a table, the rest through the standard library.
func AppendBase64(dst, src []byte) ([]byte, error) {
	if len(src)%4 != 0 {
		return dst, &Base64Error{"Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(len(src))}
	}
	want := len(dst) + DecodedLen(src)
	out, rest, ok := appendBlocks(slices.Grow(dst, len(src)/4*3), src)
	if !ok {
		return dst, base64Error(src)
	}
	out, err := strictBase64.AppendDecode(out, rest)
	// The standard decoder steps over line breaks; then bytes are missing.
	if err != nil || len(out) != want {
		return dst, base64Error(src)
	}
	return out, nil
}

// notBase64 marks what is no letter of the alphabet in a place of letterBits.
const notBase64 = 1 << 31

// letterBits is what a letter contributes to the 24 bits of four, by its place
// among them.
var letterBits = func() (t [4][256]uint32) {
	for i := range t {
		for c := range t[i] {
			t[i][c] = notBase64
		}
		for v := range len(alphabet) {
			t[i][alphabet[v]] = uint32(v) << (18 - 6*i)
		}
	}
	return t
}()

// appendBlocks decodes eight characters at a time and returns those that are
// left: the last ones, which may be padding, and those for which dst lacks room,
// as each step stores eight bytes and keeps six.
func appendBlocks(dst, src []byte) (out, rest []byte, ok bool) {
	var all uint32
	n := len(dst)
	room := dst[:cap(dst)]
	for len(src) > 8 && n+8 <= len(room) {
		c := src[:8]
		hi := letterBits[0][c[0]] | letterBits[1][c[1]] | letterBits[2][c[2]] | letterBits[3][c[3]]
		lo := letterBits[0][c[4]] | letterBits[1][c[5]] | letterBits[2][c[6]] | letterBits[3][c[7]]
		all |= hi | lo
		binary.BigEndian.PutUint64(room[n:], uint64(hi)<<40|uint64(lo)<<16)
		n += 6
		src = src[8:]
	}
	return room[:n], src, all&notBase64 == 0
}

// DecodedLen is the number of bytes that AppendBase64 appends for a valid src.
func DecodedLen(src []byte) int {
	n := len(src) / 4 * 3
	for i := len(src) - 1; i >= 0 && i >= len(src)-2 && src[i] == '='; i-- {
		n--
	}
	return n
}

// base64Error finds out what is wrong with src, whose length is right.
func base64Error(src []byte) error {
	for i, c := range src {
		if strings.IndexByte(alphabet, c) >= 0 {
			continue
		}
		padding := c == '=' && (i == len(src)-1 || i == len(src)-2 && src[i+1] == '=')
		if !padding {
			return &Base64Error{"Invalid Base64 character: '" + string(rune(c)) + "'"}
		}
	}
	return &Base64Error{"Invalid last non-pad Base64 character dectected"}
}
