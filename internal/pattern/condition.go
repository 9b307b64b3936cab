package pattern

import (
	"bytes"
	"net/netip"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	isString kind = 1 << iota
	isNumber
	isTrue
	isFalse
	isNull
)

// value is the value of a field.
type value struct {
	kind kind
	text []byte // of a string, without escapes, or of a number
}

// test is an operator.
type test interface {
	holds(v value) bool
}

// condition is what a pattern wants of a field: one of its values or operators.
type condition struct {
	absent   bool // the field may be missing
	exists   bool // any value will do
	literals kind // true, false, null
	values   values
	tests    []test
	size     int // how many were given
}

func (c *condition) holds(v value) bool {
	if c.exists || c.literals&v.kind != 0 || c.values.holds(v) {
		return true
	}
	for _, t := range c.tests {
		if t.holds(v) {
			return true
		}
	}
	return false
}

// values is a set of strings and numbers.
type values struct {
	texts   []string
	index   map[string]struct{} // of texts, when they are many
	numbers []number
	compare comparison
}

type number struct {
	text    []byte
	decimal decimal
}

// manyTexts is from how many strings on a map is faster than comparing each.
const manyTexts = 8

func (s *values) addText(text string) {
	s.texts = append(s.texts, text)
	if len(s.texts) < manyTexts {
		return
	}
	if s.index == nil {
		s.index = make(map[string]struct{})
		for _, t := range s.texts {
			s.index[t] = struct{}{}
		}
	}
	s.index[text] = struct{}{}
}

func (s *values) addNumber(text string) {
	b := []byte(text)
	s.numbers = append(s.numbers, number{text: b, decimal: s.compare.read(b)})
}

func (s *values) holds(v value) bool {
	switch v.kind {
	case isString:
		if s.index != nil {
			_, ok := s.index[string(v.text)]
			return ok
		}
		for _, t := range s.texts {
			if string(v.text) == t {
				return true
			}
		}
	case isNumber:
		return len(s.numbers) > 0 && s.holdsNumber(v.text)
	}
	return false
}

func (s *values) holdsNumber(text []byte) bool {
	var d decimal
	if s.compare != byText {
		d = s.compare.read(text)
	}
	for _, n := range s.numbers {
		if bytes.Equal(n.text, text) || s.compare != byText && n.decimal.compare(d) == 0 {
			return true
		}
	}
	return false
}

// except is anything-but: every value that passes none of the tests.
type except struct {
	values values
	tests  []test
}

func (e *except) holds(v value) bool {
	if e.values.holds(v) {
		return false
	}
	for _, t := range e.tests {
		if t.holds(v) {
			return false
		}
	}
	return true
}

// span is numeric: the numbers between two bounds, of which one may be missing.
type span struct {
	low, high         *decimal
	openLow, openHigh bool
	compare           comparison
}

// comparing returns s with bounds for the way in which numbers are compared.
func (s *span) comparing(by comparison) *span {
	s.compare = by
	for _, bound := range []*decimal{s.low, s.high} {
		if bound != nil && by == byDecimals {
			*bound = bound.cut()
		}
	}
	return s
}

func (s *span) holds(v value) bool {
	if v.kind != isNumber {
		return false
	}
	d := s.compare.read(v.text)
	if s.low != nil {
		if c := d.compare(*s.low); c < 0 || c == 0 && s.openLow {
			return false
		}
	}
	if s.high != nil {
		if c := d.compare(*s.high); c > 0 || c == 0 && s.openHigh {
			return false
		}
	}
	return true
}

type prefix struct {
	text string
	fold bool
}

func (p prefix) holds(v value) bool {
	if v.kind != isString {
		return false
	}
	if p.fold {
		return foldPrefix(v.text, p.text)
	}
	return len(v.text) >= len(p.text) && string(v.text[:len(p.text)]) == p.text
}

type suffix struct {
	text string
	fold bool
}

func (s suffix) holds(v value) bool {
	if v.kind != isString {
		return false
	}
	if s.fold {
		return foldSuffix(v.text, s.text)
	}
	return len(v.text) >= len(s.text) && string(v.text[len(v.text)-len(s.text):]) == s.text
}

type equalFold []byte

func (e equalFold) holds(v value) bool {
	return v.kind == isString && bytes.EqualFold(v.text, e)
}

func foldPrefix(text []byte, want string) bool {
	for _, w := range want {
		r, size := utf8.DecodeRune(text)
		if size == 0 || !sameFold(r, w) {
			return false
		}
		text = text[size:]
	}
	return true
}

func foldSuffix(text []byte, want string) bool {
	for len(want) > 0 {
		w, wsize := utf8.DecodeLastRuneInString(want)
		r, size := utf8.DecodeLastRune(text)
		if size == 0 || !sameFold(r, w) {
			return false
		}
		text, want = text[:len(text)-size], want[:len(want)-wsize]
	}
	return true
}

// sameFold reports whether two letters differ in nothing but their case.
func sameFold(a, b rune) bool {
	if a == b {
		return true
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}

// block is cidr: the addresses of a network.
type block netip.Prefix

// maxAddress is the length of the longest text of an IP address.
const maxAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

func (b block) holds(v value) bool {
	if v.kind != isString || len(v.text) > maxAddress {
		return false
	}
	address, err := netip.ParseAddr(string(v.text))
	return err == nil && address.Zone() == "" && netip.Prefix(b).Contains(address.Unmap())
}
