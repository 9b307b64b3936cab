package pattern

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/weirstream/weir/internal/jsonscan"
)

type token uint8

const (
	tokenBad token = iota // an error, or the end of the text
	tokenObject
	tokenObjectEnd
	tokenArray
	tokenArrayEnd
	tokenName
	tokenString
	tokenNumber
	tokenTrue
	tokenFalse
	tokenNull
)

const maxDepth = 1000

const anyValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// lexer reads the tokens of a pattern. Errors of patterns tell the position
// where the reader of the service stands when it notices, so this one moves as
// that does: a name takes the first token of its value with it, and the rest of
// a string is read only when its text is asked for or the next token.
type lexer struct {
	data   []byte
	pos    int
	open   []container
	first  bool   // nothing was read of the innermost container
	ahead  token  // the value of the name that was read last
	start  int    // of the token
	unread bool   // the token is a string whose text was not read yet
	name   string // of the last tokenName

	where func(text []byte, pos int) string // describes a position in an error

	reason string // of the first error, "" if none
	at     int    // its position
}

// CheckJSON reports what is wrong with a text that is given to a topic as JSON, in
// the words of the service; "" if nothing is.
func CheckJSON(text []byte) (reason string) {
	if !utf8.Valid(text) {
		return "failed to parse JSON. Invalid UTF-8"
	}
	l := lexer{data: text, where: redacted}
	empty := l.peek() == 0
	for l.next() != tokenBad {
	}
	switch {
	case empty:
		l.failAt(l.pos, "No content to map due to end-of-input")
	case l.reason == "":
		return ""
	}
	return "failed to parse JSON. " + l.reason + "\n at " + redacted(text, l.at)
}

type container struct {
	start  int // position of the opening bracket
	object bool
}

func (c container) kind() string {
	if c.object {
		return "Object"
	}
	return "Array"
}

func (l *lexer) failAt(pos int, format string, args ...any) token {
	if l.reason == "" {
		l.reason, l.at = fmt.Sprintf(format, args...), pos
	}
	return tokenBad
}

func (l *lexer) unexpected(pos int, expected string) token {
	return l.failAt(pos, "Unexpected character (%s)%s", character(l.data[pos:]), expected)
}

func character(text []byte) string {
	r, _ := utf8.DecodeRune(text)
	if r < ' ' {
		return fmt.Sprintf("(CTRL-CHAR, code %d)", r)
	}
	return fmt.Sprintf("'%c' (code %d)", r, r)
}

func (l *lexer) inside() (container, bool) {
	if len(l.open) == 0 {
		return container{}, false
	}
	return l.open[len(l.open)-1], true
}

// peek skips white space and returns the next byte, 0 at the end.
func (l *lexer) peek() byte {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; c {
		case ' ', '\t', '\n', '\r':
			l.pos++
		default:
			return c
		}
	}
	return 0
}

// next reads the next token.
func (l *lexer) next() token {
	if t := l.ahead; t != tokenBad {
		l.ahead = tokenBad
		return l.entered(t)
	}
	if l.unread {
		l.text()
	}
	if l.reason != "" {
		return tokenBad
	}
	c := l.peek()
	in, nested := l.inside()
	switch {
	case l.pos == len(l.data):
		return l.ended(in, nested)
	case c == '}' || c == ']':
		return l.closed(c, in, nested)
	case !nested:
		return l.entered(l.value())
	}
	if !l.first {
		if c != ',' {
			return l.unexpected(l.pos, ": was expecting comma to separate "+in.kind()+" entries")
		}
		l.pos++
		if l.peek(); l.pos == len(l.data) {
			return l.failAt(l.pos, "Unexpected end-of-input within/between %s entries", in.kind())
		}
	}
	l.first = false
	if in.object {
		return l.member()
	}
	return l.entered(l.value())
}

func (l *lexer) ended(in container, nested bool) token {
	if !nested {
		return tokenBad
	}
	return l.failAt(l.pos, "Unexpected end-of-input: expected close marker for %s (start marker at %s)",
		in.kind(), l.where(l.data, in.start))
}

func (l *lexer) closed(c byte, in container, nested bool) token {
	if !nested || in.object != (c == '}') {
		expected := byte(']')
		if in.object {
			expected = '}'
		}
		if !nested {
			return l.unexpected(l.pos, ": expected a valid value "+anyValue)
		}
		return l.failAt(l.pos+1, "Unexpected close marker '%c': expected '%c' (for %s starting at %s)",
			c, expected, in.kind(), l.where(l.data, in.start))
	}
	l.start = l.pos
	l.pos++
	l.open = l.open[:len(l.open)-1]
	l.first = false
	if c == '}' {
		return tokenObjectEnd
	}
	return tokenArrayEnd
}

// entered notes that the reader is now inside of what the token opens.
func (l *lexer) entered(t token) token {
	if t == tokenObject || t == tokenArray {
		if len(l.open) == maxDepth {
			return l.failAt(l.pos, "Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)", maxDepth+1, maxDepth)
		}
		l.open = append(l.open, container{start: l.start, object: t == tokenObject})
		l.first = true
	}
	return t
}

// member reads a name, its colon and the first token of its value.
func (l *lexer) member() token {
	if l.data[l.pos] != '"' {
		return l.unexpected(l.pos, ": was expecting double-quote to start field name")
	}
	l.pos++
	name, ok := l.body(" in field name")
	if !ok {
		return tokenBad
	}
	l.name = string(name)
	if c := l.peek(); l.pos == len(l.data) {
		return l.failAt(l.pos, "Unexpected end-of-input within/between Object entries")
	} else if c != ':' {
		return l.unexpected(l.pos, ": was expecting a colon to separate field name and value")
	}
	l.pos++
	if l.peek(); l.pos == len(l.data) {
		return l.failAt(l.pos, "Unexpected end-of-input within/between Object entries")
	}
	if l.ahead = l.value(); l.ahead == tokenBad {
		return tokenBad
	}
	return tokenName
}

// value reads the beginning of a value.
func (l *lexer) value() token {
	l.start = l.pos
	switch c := l.data[l.pos]; {
	case c == '{':
		l.pos++
		return tokenObject
	case c == '[':
		l.pos++
		return tokenArray
	case c == '"':
		l.pos++
		l.unread = true
		return tokenString
	case c == '-' || '0' <= c && c <= '9':
		return l.number()
	}
	return l.word()
}

// word reads true, false or null.
func (l *lexer) word() token {
	for l.pos < len(l.data) {
		r, size := utf8.DecodeRune(l.data[l.pos:])
		if r != '_' && r != '$' && !unicode.IsLetter(r) && (l.pos == l.start || !unicode.IsDigit(r)) {
			break
		}
		l.pos += size
	}
	switch w := string(l.data[l.start:l.pos]); w {
	case "true":
		return tokenTrue
	case "false":
		return tokenFalse
	case "null":
		return tokenNull
	case "":
		return l.unexpected(l.pos, ": expected a valid value "+anyValue)
	default:
		return l.failAt(l.pos, "Unrecognized token '%s': was expecting %s", w, anyValue)
	}
}

func (l *lexer) number() token {
	if n := jsonscan.NumberLen(l.data[l.pos:]); n > 0 {
		l.pos += n
		return tokenNumber
	}
	if l.data[l.pos] == '-' {
		l.pos++
	}
	whole := digits(l.data[l.pos:])
	if whole > 1 && l.data[l.pos] == '0' {
		return l.failAt(l.pos+1, "Invalid numeric value: Leading zeroes not allowed")
	}
	l.pos += whole
	missing := "expected digit (0-9) to follow minus sign, for valid numeric value"
	if whole > 0 { // so the fault is in the fraction or the exponent
		missing = "Exponent indicator not followed by a digit"
		if l.data[l.pos] == '.' {
			l.pos++
			if n := digits(l.data[l.pos:]); n > 0 {
				l.pos += n
			} else {
				missing = "Decimal point not followed by a digit"
			}
		}
		for l.pos < len(l.data) && bytes.IndexByte([]byte("eE+-"), l.data[l.pos]) >= 0 {
			l.pos++
		}
	}
	if l.pos >= len(l.data) {
		return l.failAt(l.pos, "Unexpected end-of-input in Number value")
	}
	return l.unexpected(l.pos, " in numeric value: "+missing)
}

// text returns the text of a string, or the token as it was written.
func (l *lexer) text() string {
	if !l.unread {
		return string(l.data[l.start:l.pos])
	}
	l.unread = false
	s, _ := l.body(": was expecting closing quote for a string value")
	return string(s)
}

// body reads a string to its closing quote.
func (l *lexer) body(unended string) (text []byte, ok bool) {
	start := l.pos
	for {
		l.pos += plainLen(l.data[l.pos:])
		if l.pos == len(l.data) {
			l.failAt(l.pos, "Unexpected end-of-input%s", unended)
			return nil, false
		}
		switch l.data[l.pos] {
		case '"':
			l.pos++
			return unescaped(nil, l.data[start:l.pos-1]), true
		case '\\':
			n := escapeLen(l.data[l.pos:])
			if n == 0 {
				l.badEscape(unended)
				return nil, false
			}
			l.pos += n
		default:
			l.failAt(l.pos, "Illegal unquoted character (%s): has to be escaped using backslash to be included in string value",
				character(l.data[l.pos:]))
			return nil, false
		}
	}
}

func (l *lexer) badEscape(unended string) {
	l.pos++
	switch {
	case l.pos == len(l.data):
		l.failAt(l.pos, "Unexpected end-of-input%s", unended)
	case l.data[l.pos] != 'u':
		l.failAt(l.pos, "Unrecognized character escape %s", character(l.data[l.pos:]))
	default:
		for l.pos++; l.pos < len(l.data) && isHex(l.data[l.pos]); l.pos++ {
		}
		if l.pos == len(l.data) {
			l.failAt(l.pos, "Unexpected end-of-input%s", unended)
			return
		}
		l.unexpected(l.pos, ": expected a hex-digit for character escape sequence")
	}
}
