package pattern

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirstream/weir/internal/jsonscan"
)

// reader walks the JSON text of an event. Its grammar is that of encoding/json:
// strict, but bytes that are not UTF-8 are let through in strings. After the
// first error it stands at the end, failed.
type reader struct {
	data    []byte
	pos     int
	depth   int
	failed  bool
	scratch []byte // for strings with escapes
}

func (r *reader) fail() {
	r.failed = true
	r.pos = len(r.data)
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *reader) peek() byte {
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		r.pos++
	}
	return 0
}

// ended reports whether the text was valid and is at its end.
func (r *reader) ended() bool {
	r.peek()
	return !r.failed && r.pos == len(r.data)
}

// enter steps over an opening bracket.
func (r *reader) enter() bool {
	if r.depth++; r.depth > maxDepth {
		r.fail()
		return false
	}
	r.pos++
	return true
}

// more steps to the next item of a container, over the comma when it is not the
// first, or leaves the container.
func (r *reader) more(first bool, end byte) bool {
	switch c := r.peek(); {
	case c == end:
		r.pos++
		r.depth--
		return false
	case first:
		return !r.failed
	case c != ',':
		r.fail()
		return false
	}
	r.pos++
	return true
}

// name reads the name of a member and the colon. The name is valid until the
// next string is read.
func (r *reader) name() []byte {
	if r.peek() != '"' {
		r.fail()
		return nil
	}
	name := r.text()
	if r.peek() != ':' {
		r.fail()
		return nil
	}
	r.pos++
	return name
}

// skipName reads a name that does not matter.
func (r *reader) skipName() {
	if r.peek() != '"' {
		r.fail()
		return
	}
	r.skipString()
	if r.peek() != ':' {
		r.fail()
		return
	}
	r.pos++
}

// text reads a string, whose opening quote is next, and returns what it stands
// for. It is valid until the next string is read.
func (r *reader) text() []byte {
	start := r.pos + 1
	if !r.skipString() {
		return r.data[start : r.pos-1]
	}
	if r.failed {
		return nil
	}
	r.scratch = unescaped(r.scratch[:0], r.data[start:r.pos-1])
	return r.scratch
}

// skipString reads a string and reports whether it must be unescaped; after an
// error, it does.
func (r *reader) skipString() (escaped bool) {
	i := r.pos + 1
	for {
		i += plainLen(r.data[i:])
		if i >= len(r.data) {
			break
		}
		if r.data[i] == '"' {
			r.pos = i + 1
			return escaped
		}
		n := escapeLen(r.data[i:])
		if n == 0 {
			break
		}
		escaped = true
		i += n
	}
	r.fail()
	return true
}

// number reads a number.
func (r *reader) number() []byte {
	n := jsonscan.NumberLen(r.data[r.pos:])
	if n == 0 {
		r.fail()
		return nil
	}
	r.pos += n
	return r.data[r.pos-n : r.pos]
}

func (r *reader) word(want string) {
	if !bytes.HasPrefix(r.data[r.pos:], []byte(want)) {
		r.fail()
		return
	}
	r.pos += len(want)
}

// skip reads a value that does not matter.
func (r *reader) skip() {
	switch c := r.peek(); c {
	case '"':
		r.skipString()
	case '{':
		if !r.enter() {
			return
		}
		for first := true; r.more(first, '}'); first = false {
			r.skipName()
			r.skip()
		}
	case '[':
		if !r.enter() {
			return
		}
		for first := true; r.more(first, ']'); first = false {
			r.skip()
		}
	case 't':
		r.word("true")
	case 'f':
		r.word("false")
	case 'n':
		r.word("null")
	default:
		r.number()
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainLen returns how many bytes there are before the first quote, backslash
// or control character. It looks at eight bytes at a time.
func plainLen(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote := x ^ ones*'"'
		slash := x ^ ones*'\\'
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*0x20)&^x) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return i
}

// escapeLen returns the length of the escape that b starts with, 0 if there is
// none.
func escapeLen(b []byte) int {
	if len(b) < 2 || b[0] != '\\' {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unescaped appends what a valid string stands for. Half of a surrogate pair
// stands for U+FFFD.
func unescaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		if b[1] != 'u' {
			dst = append(dst, escapes[b[1]])
			b = b[2:]
			continue
		}
		r := hexRune(b)
		b = b[6:]
		if utf16.IsSurrogate(r) {
			pair := utf8.RuneError
			if len(b) >= 6 && b[0] == '\\' && b[1] == 'u' {
				pair = utf16.DecodeRune(r, hexRune(b))
			}
			if r = pair; r != utf8.RuneError {
				b = b[6:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
}

// hexRune returns what \uXXXX says.
func hexRune(b []byte) (r rune) {
	for _, c := range b[2:6] {
		d := c - '0'
		if d > 9 {
			d = c | 0x20 - 'a' + 10
		}
		r = r<<4 | rune(d)
	}
	return r
}

func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}
