// Package jsonscan reads JSON text value by value, without building anything.
//
// It is the one reader of JSON on the wire: the general decoder of package
// awsjson and the decoders of hot operations both stand on it, so that they
// accept exactly the same texts.
//
// The grammar is that of RFC 8259, strictly: no byte order mark, no trailing
// comma, no invalid UTF-8, no escaped surrogate without its partner, nothing
// but white space after the value. Nesting is bounded by MaxDepth. A caller
// that has seen a whole value without an error and then End without an error
// has seen a valid text.
//
// Errors stick: after the first one every method returns zero values, so a
// caller may check Err once, at the end.
package jsonscan

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth bounds how deep objects and arrays may nest.
const MaxDepth = 256

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. Invalid stands for a syntax error or the end of the text.
const (
	Invalid Kind = iota
	Object
	Array
	String
	Number
	True
	False
	Null
)

// SyntaxError says what is wrong with a text, and where.
type SyntaxError struct {
	Offset int // in bytes from the start
	What   string
}

// Error describes the error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.What)
}

// Scanner reads one text. The zero value reads an empty one; see Reset.
type Scanner struct {
	data    []byte
	pos     int
	depth   int
	first   bool // the innermost container was just opened
	err     *SyntaxError
	scratch []byte // of unescaped strings
}

// Reset makes the scanner read data from its start. Slices that it returns
// point into data, which must not change meanwhile.
func (s *Scanner) Reset(data []byte) {
	*s = Scanner{data: data, scratch: s.scratch[:0]}
}

// Err returns the first syntax error, nil if there was none so far.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// End checks that nothing but white space is left and returns the first error.
func (s *Scanner) End() error {
	s.space()
	if s.err == nil && s.pos < len(s.data) {
		s.fail("text after the value")
	}
	return s.Err()
}

func (s *Scanner) fail(what string) {
	if s.err == nil {
		s.err = &SyntaxError{Offset: s.pos, What: what}
	}
	s.pos = len(s.data)
}

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *Scanner) peek() byte {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' {
		return s.data[s.pos]
	}
	s.space()
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// kinds maps the first byte of a value to its kind.
var kinds = [256]Kind{
	'{': Object, '[': Array, '"': String, 't': True, 'f': False, 'n': Null, '-': Number,
	'0': Number, '1': Number, '2': Number, '3': Number, '4': Number,
	'5': Number, '6': Number, '7': Number, '8': Number, '9': Number,
}

// Kind tells what the next value begins like, without reading it.
func (s *Scanner) Kind() Kind {
	k := kinds[s.peek()]
	if k == Invalid {
		s.fail("a value is expected")
	}
	return k
}

// Object enters the next value, which must be an object; Member then walks it.
func (s *Scanner) Object() bool { return s.enter('{', "an object is expected") }

// Array enters the next value, which must be an array; Element then walks it.
func (s *Scanner) Array() bool { return s.enter('[', "an array is expected") }

func (s *Scanner) enter(open byte, what string) bool {
	if s.peek() != open {
		s.fail(what)
		return false
	}
	if s.depth >= MaxDepth {
		s.fail("nested too deep")
		return false
	}
	s.pos++
	s.depth++
	s.first = true
	return true
}

// Member reads the next name of the current object; its value must be read
// next. At the end of the object it leaves it and returns false. The name is
// valid until the next string is read.
func (s *Scanner) Member() (name []byte, ok bool) {
	if !s.next('}') {
		return nil, false
	}
	if s.peek() != '"' {
		s.fail("a member name is expected")
		return nil, false
	}
	name = s.String()
	if s.peek() != ':' {
		s.fail("a colon is expected")
		return nil, false
	}
	s.pos++
	return name, true
}

// Element reports whether the current array has another value, which must be
// read next. At the end of the array it leaves it and returns false.
func (s *Scanner) Element() bool {
	if !s.next(']') {
		return false
	}
	if s.peek() == ']' {
		s.fail("a value is expected")
		return false
	}
	return s.err == nil
}

// next steps over the comma before the next item, or leaves the container.
func (s *Scanner) next(end byte) bool {
	c := s.peek()
	switch {
	case s.depth == 0:
		s.fail("not inside of a container")
		return false
	case c == end:
		s.pos++
		s.depth--
		s.first = false
		return false
	case s.first:
		s.first = false
		return s.err == nil
	case c != ',':
		s.fail("a comma or the end of the container is expected")
		return false
	}
	s.pos++
	return true
}

// String reads the next value, which must be a string, and returns its text,
// unescaped. It is valid until the next string is read.
func (s *Scanner) String() []byte {
	start, end, escaped := s.scanString()
	if s.err != nil {
		return nil
	}
	if !escaped {
		return s.data[start:end]
	}
	s.scratch = appendUnescaped(s.scratch[:0], s.data[start:end])
	return s.scratch
}

// scanString checks and steps over a string. It returns where the text between
// the quotes is, and whether it has escapes.
func (s *Scanner) scanString() (start, end int, escaped bool) {
	if s.peek() != '"' {
		s.fail("a string is expected")
		return 0, 0, false
	}
	start = s.pos + 1
	i := start
	for {
		i = plainEnd(s.data, i)
		if i >= len(s.data) {
			s.fail("the string has no end")
			return 0, 0, false
		}
		n := 0
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return start, i, escaped
		case c == '\\':
			escaped = true
			n = escapeLen(s.data[i:])
		case c >= utf8.RuneSelf:
			n = runeLen(s.data[i:])
		}
		if n == 0 {
			s.pos = i
			s.fail("invalid character in a string")
			return 0, 0, false
		}
		i += n
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainEnd returns the position of the first byte from i on that is a quote, a
// backslash, a control character or not ASCII; len(data) if there is none. It
// looks at eight bytes at a time.
func plainEnd(data []byte, i int) int {
	for i+8 <= len(data) {
		x := binary.LittleEndian.Uint64(data[i:])
		quote := x ^ ones*'"'
		slash := x ^ ones*'\\'
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*0x20)&^x | x) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
		i += 8
	}
	for i < len(data) {
		if c := data[i]; c == '"' || c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
			return i
		}
		i++
	}
	return i
}

// runeLen returns the length of the UTF-8 sequence that b starts with, 0 if it
// is not valid.
func runeLen(b []byte) int {
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n <= 1 {
		return 0
	}
	return n
}

// Number reads the next value, which must be a number, and returns its text.
func (s *Scanner) Number() []byte {
	s.peek()
	start := s.pos
	n := NumberLen(s.data[start:])
	if n == 0 {
		s.fail("a number is expected")
		return nil
	}
	s.pos += n
	return s.data[start:s.pos]
}

// NumberLen returns the length of the number that b starts with, 0 if there is
// none or it is malformed.
func NumberLen(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch n := digits(b[i:]); {
	case n == 0, n > 1 && b[i] == '0':
		return 0
	default:
		i += n
	}
	if i < len(b) && b[i] == '.' {
		n := digits(b[i+1:])
		if n == 0 {
			return 0
		}
		i += 1 + n
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		n := digits(b[i:])
		if n == 0 {
			return 0
		}
		i += n
	}
	return i
}

func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// Bool reads the next value, which must be true or false.
func (s *Scanner) Bool() bool {
	if s.peek() == 't' {
		return s.literal("true")
	}
	s.literal("false")
	return false
}

// Null reads the next value, which must be null.
func (s *Scanner) Null() { s.literal("null") }

func (s *Scanner) literal(want string) bool {
	s.peek()
	if end := s.pos + len(want); end <= len(s.data) && string(s.data[s.pos:end]) == want {
		s.pos = end
		return true
	}
	s.fail(want + " is expected")
	return false
}

// Skip reads the next value, whatever it is.
func (s *Scanner) Skip() {
	switch s.Kind() {
	case Object:
		if s.Object() {
			for s.skipName() {
				s.Skip()
			}
		}
	case Array:
		if s.Array() {
			for s.Element() {
				s.Skip()
			}
		}
	case String:
		s.scanString()
	case Number:
		s.Number()
	case True, False:
		s.Bool()
	case Null:
		s.Null()
	}
}

// skipName is Member for a name that does not matter.
func (s *Scanner) skipName() bool {
	if !s.next('}') {
		return false
	}
	s.scanString()
	if s.peek() != ':' {
		s.fail("a colon is expected")
		return false
	}
	s.pos++
	return true
}

// Raw reads the next value, whatever it is, and returns its text.
func (s *Scanner) Raw() []byte {
	s.peek()
	start := s.pos
	s.Skip()
	if s.err != nil {
		return nil
	}
	return s.data[start:s.pos]
}

// Valid reports whether data is one JSON value of the kind that the first
// return value tells.
func Valid(data []byte) (Kind, bool) {
	var s Scanner
	s.Reset(data)
	k := s.Kind()
	s.Skip()
	return k, s.End() == nil
}
