package jsonscan

import (
	"encoding/base64"
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
func AppendBase64(dst, src []byte) ([]byte, error) {
	if len(src)%4 != 0 {
		return dst, &Base64Error{"Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(len(src))}
	}
	want := DecodedLen(src)
	start := len(dst)
	out, err := strictBase64.AppendDecode(dst, src)
	// The standard decoder steps over line breaks; then bytes are missing.
	if err != nil || len(out)-start != want {
		return dst, base64Error(src)
	}
	return out, nil
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
