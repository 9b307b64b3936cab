package jsonscan

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapes maps the character after a backslash to what it stands for.
var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escapeLen returns the length of the escape that b starts with, a pair of
// surrogates counting as one, and 0 if it is not valid.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != 'u' {
		if escapes[b[1]] == 0 {
			return 0
		}
		return 2
	}
	r := hexRune(b)
	switch {
	case r < 0:
		return 0
	case !utf16.IsSurrogate(r):
		return 6
	case utf16.DecodeRune(r, hexRune(b[6:])) == utf8.RuneError:
		return 0
	}
	return 12
}

// hexRune reads \uXXXX, -1 if that is not what b starts with.
func hexRune(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// appendUnescaped appends the text between the quotes of a string that
// scanString has checked.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		if text[i+1] != 'u' {
			dst = append(dst, escapes[text[i+1]])
			i += 2
			continue
		}
		r := hexRune(text[i:])
		i += 6
		if utf16.IsSurrogate(r) {
			r = utf16.DecodeRune(r, hexRune(text[i:]))
			i += 6
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
