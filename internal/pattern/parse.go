package pattern

import (
	"slices"
	"unicode/utf8"
)

// maxText bounds the text of a pattern, in bytes. Services have lower limits.
const maxText = 256 << 10

// object is the members of an object of a pattern, in their order.
type object []member

// member is one of: conditions on a field, an object, the alternatives of $or.
type member struct {
	name      string
	condition *condition
	fields    object
	or        []object
}

const orName = "$or"

// reserved are names that fields inside $or cannot have.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// parser turns the text of a pattern into its members. It goes on after an
// error, with bad tokens, until it is out of all loops.
type parser struct {
	lexer
	grammar grammar
	inOr    int
	inList  bool // inside a list of anything-but
	reason  string
}

// parse returns the members of a pattern, or what is wrong with it.
func parse(text []byte, d Dialect) (o object, reason string) {
	p := parser{lexer: lexer{data: text, where: location}, grammar: grammars[d]}
	switch {
	case len(text) > maxText:
		return nil, "The pattern is too long"
	case !utf8.Valid(text):
		return nil, "The pattern is not valid UTF-8"
	}
	if p.next() != tokenObject {
		p.fail("Filter is not an object")
	}
	o = p.object()
	if p.reason == "" && p.peek() != 0 {
		p.next()
		p.fail("Text after the pattern")
	}
	return o, p.reason
}

// next reads the next token; tokenBad ends whatever is being read.
func (p *parser) next() token {
	if p.reason != "" {
		return tokenBad
	}
	t := p.lexer.next()
	p.checkText()
	return t
}

// text returns the text of the last token, "" after an error.
func (p *parser) text() string {
	if p.reason != "" {
		return ""
	}
	s := p.lexer.text()
	p.checkText()
	return s
}

// checkText takes over an error of the lexer.
func (p *parser) checkText() {
	if p.lexer.reason != "" && p.reason == "" {
		p.pos = p.at
		p.fail(p.lexer.reason)
	}
}

// fail notes an error at the present position, unless there was one.
func (p *parser) fail(reason string) {
	if p.reason != "" {
		return
	}
	where := "\n at " + location(p.data, p.pos)
	p.reason = reason + where
	if p.inList {
		p.reason += where // the service says it twice
	}
}

// failAnywhere is fail for what the service does not tell the position of.
func (p *parser) failAnywhere(reason string) {
	if p.reason == "" {
		p.reason = reason
	}
}

// object reads members up to the closing bracket.
func (p *parser) object() (o object) {
	top := len(p.open) == 1
	for {
		switch p.next() {
		case tokenObjectEnd:
			if len(o) == 0 && !(top && p.grammar.topic) {
				p.fail("Empty objects are not allowed")
			}
			return o
		case tokenName:
			o = append(o, p.member())
		default:
			return nil
		}
	}
}

func (p *parser) member() member {
	m := member{name: p.name}
	if m.name == orName {
		m.or = p.or()
		return m
	}
	if p.inOr > 0 && slices.Contains(reserved, m.name) {
		p.fail(m.name + " is Ruler reserved fieldName which cannot be used inside $or.")
	}
	switch p.next() {
	case tokenObject:
		m.fields = p.object()
	case tokenArray:
		m.condition = p.condition()
	default:
		p.fail(`"` + m.name + `" must be an object or an array`)
	}
	return m
}

func (p *parser) or() (alternatives []object) {
	p.inOr++
	defer func() { p.inOr-- }()
	if p.next() != tokenArray {
		p.fail("It must be an Array followed with $or.")
	}
	for {
		switch p.next() {
		case tokenObject:
			alternatives = append(alternatives, p.object())
		case tokenArrayEnd:
			if len(alternatives) < 2 {
				p.fail("There must have at least 2 Objects in $or relationship.")
			}
			return alternatives
		default:
			p.fail("Only JSON object is allowed in array of $or relationship.")
			return nil
		}
	}
}

// condition reads the values of an array up to its end.
func (p *parser) condition() *condition {
	c := &condition{}
	c.values.compare = p.grammar.numbers
	for {
		t := p.next()
		switch t {
		case tokenObject:
			p.operator(c)
		case tokenString:
			c.values.addText(p.text())
		case tokenNumber:
			c.values.addNumber(p.text())
		case tokenTrue:
			c.literals |= isTrue
		case tokenFalse:
			c.literals |= isFalse
		case tokenNull:
			c.literals |= isNull
		case tokenArrayEnd:
			if c.size == 0 {
				p.fail("Empty arrays are not allowed")
			}
			return c
		default:
			p.fail("Match value must be String, number, true, false, or null")
			return c
		}
		c.size++
	}
}
