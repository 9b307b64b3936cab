package s3api

import (
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// userMetadata reads a value of user metadata. Encoded words of RFC 2047 stand for
// the text that they encode; a word that cannot be decoded stands for itself.
func userMetadata(value string) string {
	if !strings.Contains(value, "=?") {
		return value
	}
	decoded, err := new(mime.WordDecoder).DecodeHeader(value)
	if err != nil {
		return value // of a character set that is not known
	}
	return decoded
}

// metadataHeader writes a value of user metadata as a header: as it is if it is
// printable ASCII, else as one encoded word of RFC 2047. What is no text, but bytes
// or control characters, is in base64.
func metadataHeader(value string) string {
	if !utf8.ValidString(value) {
		return value
	}
	plain, printable := true, true
	for _, r := range value {
		plain = plain && (r == '\t' || ' ' <= r && r <= '~')
		printable = printable && r != utf8.RuneError && !unicode.Is(unicode.C, r)
	}
	if plain {
		return value
	}
	if !printable {
		return "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte(value)) + "?="
	}
	var b strings.Builder
	b.WriteString("=?UTF-8?Q?")
	for _, c := range []byte(value) {
		switch {
		case c == ' ':
			b.WriteByte('_')
		case c < '!' || c > '~' || c == '_' || c == '=' || c == '?':
			fmt.Fprintf(&b, "=%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString("?=")
	return b.String()
}
