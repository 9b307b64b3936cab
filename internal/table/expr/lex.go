package expr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weirstream/weir/internal/table/attr"
)

type tokenKind byte

const (
	tokenEnd    tokenKind = iota
	tokenName             // a bare name, a function or a keyword
	tokenNamed            // #placeholder
	tokenValue            // :placeholder
	tokenDigits           // an index
	tokenSymbol           // everything else
)

type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// is reports whether the token is a symbol or, in any case, a keyword.
func (t token) is(text string) bool {
	switch t.kind {
	case tokenSymbol:
		return t.text == text
	case tokenName:
		return strings.EqualFold(t.text, text)
	}
	return false
}

// scan returns the token at or after position i of text.
func scan(text string, i int) token {
	for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
		i++
	}
	if i == len(text) {
		return token{kind: tokenEnd, text: "<EOF>", start: i, end: i}
	}
	end, kind := i+1, tokenSymbol
	switch c := text[i]; {
	case isDigit(c):
		kind = tokenDigits // a number with a leading zero is two of them
		for c != '0' && end < len(text) && isDigit(text[end]) {
			end++
		}
	case c == '_': // no name begins with it
	case isNameByte(c):
		kind = tokenName
		end = nameEnd(text, end)
	case c == '#' || c == ':':
		if end = nameEnd(text, end); end > i+1 {
			kind = tokenNamed
			if c == ':' {
				kind = tokenValue
			}
		}
	case c == '<' && end < len(text) && (text[end] == '=' || text[end] == '>'),
		c == '>' && end < len(text) && text[end] == '=':
		end++
	case c >= utf8.RuneSelf:
		_, size := utf8.DecodeRuneInString(text[i:])
		end = i + size
	}
	return token{kind, text[i:end], i, end}
}

func nameEnd(text string, i int) int {
	for i < len(text) && isNameByte(text[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c) || c == '_'
}

const (
	maxTextBytes = 4096
	maxOperators = 300
	maxInList    = 100
)

// parser reads the text of one expression. After the first syntax error it stands
// at the end, so that every loop ends; what else is wrong with the text is noted
// and reported when all of it was read.
type parser struct {
	text      string
	prev, tok token
	syntax    syntax
	err       error
	keywords  []string // names that are part of the grammar

	operators  int
	redundant  bool   // doubled parentheses
	repeated   string // section
	inOperands int    // of the first IN with too many

	flaw   error // the first name, function or index in the text that is not allowed
	flawAt int   // its position
}

func newParser(text string, keywords ...string) (*parser, error) {
	if text == "" {
		return nil, attr.Invalidf("The expression can not be empty;")
	}
	if len(text) > maxTextBytes {
		return nil, attr.Invalidf("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	return &parser{text: text, tok: scan(text, 0), keywords: keywords}, nil
}

func (p *parser) isKeyword(t token) bool { return slices.ContainsFunc(p.keywords, t.is) }

func (p *parser) advance() token {
	t := p.tok
	p.prev, p.tok = t, scan(p.text, t.end)
	return t
}

// fail reports the current token as the syntax error, with its neighbours and the
// white space among them.
func (p *parser) fail() {
	if p.err == nil {
		near := p.text[p.prev.start:scan(p.text, p.tok.end).end]
		p.err = attr.Invalidf(`Syntax error; token: "%s", near: "%s"`, p.tok.text, near)
	}
	p.prev = token{start: len(p.text), end: len(p.text)}
	p.tok = scan(p.text, len(p.text))
}

// accept steps over the token if it is the given symbol or keyword.
func (p *parser) accept(text string) bool {
	if !p.tok.is(text) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail()
	}
}

// end checks that nothing is left.
func (p *parser) end() error {
	if p.tok.kind != tokenEnd {
		p.fail()
	}
	return p.err
}

// note remembers what is wrong at a position of the text, if nothing before it is.
func (p *parser) note(at int, flaw error) {
	if p.flaw == nil || at < p.flawAt {
		p.flaw, p.flawAt = flaw, at
	}
}

func (p *parser) checkOperators() error {
	if p.operators > maxOperators {
		return attr.Invalidf("The expression contains too many operators; operator count: %d", maxOperators+1)
	}
	if p.inOperands > 0 {
		return attr.Invalidf("The IN operator is provided with too many operands; number of operands: %d", p.inOperands)
	}
	return nil
}

func invalidFunction(name string) error {
	return attr.Invalidf("Invalid function name; function: %s", name)
}

func misusedFunction(name string) error {
	return attr.Invalidf("The function is not allowed to be used this way in an expression; function: %s", name)
}

func reservedKeyword(name string) error {
	return attr.Invalidf("Attribute name is a reserved keyword; reserved keyword: %s", name)
}
