package pattern

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

const (
	reasonOneKey  = "Only one key allowed in match expression"
	reasonTooMany = "Too many elements in numeric expression"
)

// operator reads an object like {"prefix":"a"}, whose bracket was read, and adds
// it to the condition.
func (p *parser) operator(c *condition) {
	if p.next() != tokenName {
		p.fail("Match expression name not found")
		return
	}
	switch name := p.name; {
	case name == "prefix" || name == "suffix":
		c.tests = append(c.tests, p.affix(name))
	case name == "equals-ignore-case":
		c.tests = append(c.tests, equalFold(p.operand(name)))
		p.end(reasonOneKey)
	case name == "numeric":
		c.tests = append(c.tests, p.numeric().comparing(p.grammar.numbers))
		p.end(reasonTooMany)
	case name == "exists":
		p.exists(c)
	case name == "anything-but":
		c.tests = append(c.tests, p.except())
	case name == "cidr" && p.grammar.cidr:
		c.tests = append(c.tests, p.cidr())
		p.end(reasonOneKey)
	case name == "wildcard" && p.grammar.wildcard:
		c.tests = append(c.tests, p.glob(p.operand(name)))
		p.end(reasonOneKey)
	default:
		p.fail("Unrecognized match type " + name)
	}
}

// end reads the end of an object.
func (p *parser) end(reason string) {
	if p.next() != tokenObjectEnd {
		p.fail(reason)
	}
}

// operand reads the string that an operator compares with.
func (p *parser) operand(name string) string {
	if p.next() != tokenString {
		p.fail(name + " match pattern must be a string")
		return ""
	}
	return p.text()
}

// affix reads what comes after "prefix" or "suffix".
func (p *parser) affix(name string) test {
	if p.grammar.foldEnds && p.ahead == tokenObject {
		return p.foldedAffix(name)
	}
	text := p.operand(name)
	p.end(reasonOneKey)
	return newAffix(name, text, false)
}

// foldedAffix reads {"equals-ignore-case":"a"}.
func (p *parser) foldedAffix(name string) test {
	p.next()
	if p.next() != tokenName {
		p.fail(strings.ToUpper(name[:1]) + name[1:] + " expression name not found")
	}
	if p.name != "equals-ignore-case" {
		p.fail("Unsupported " + name + " pattern: " + p.name)
	}
	text := p.operand("equals-ignore-case")
	p.end(reasonOneKey)
	p.end(reasonOneKey)
	return newAffix(name, text, true)
}

func newAffix(name, text string, fold bool) test {
	if name == "prefix" {
		return prefix{text: text, fold: fold}
	}
	return suffix{text: text, fold: fold}
}

func (p *parser) exists(c *condition) {
	switch p.next() {
	case tokenTrue:
		c.exists = true
	case tokenFalse:
		c.absent = true
	default:
		p.fail("exists match pattern must be either true or false.")
	}
	p.end(reasonOneKey)
}

func (p *parser) glob(text string) *glob {
	g, reason := newGlob(text)
	if reason != "" {
		p.fail(reason)
		return &glob{pieces: [][]byte{nil}}
	}
	return g
}

var (
	dotted = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)
	colons = regexp.MustCompile(`^[0-9a-fA-F:]*:[0-9a-fA-F:]*$`)
)

func (p *parser) cidr() test {
	if p.next() != tokenString {
		p.fail("prefix match pattern must be a string")
		return block{}
	}
	parts := strings.Split(strings.TrimRight(p.text(), "/"), "/")
	if len(parts) != 2 {
		p.failAnywhere("Malformed CIDR, one '/' required")
		return block{}
	}
	bits, err := strconv.Atoi(parts[1])
	if err != nil {
		p.failAnywhere("Malformed CIDR, mask bits must be an integer")
	} else if bits < 0 {
		p.failAnywhere("Malformed CIDR, mask bits must not be negative")
	}
	if !dotted.MatchString(parts[0]) && !colons.MatchString(parts[0]) {
		p.failAnywhere("Nonstandard IP address: " + parts[0])
	}
	address, err := netip.ParseAddr(parts[0])
	address = address.Unmap()
	switch {
	case err != nil:
		p.failAnywhere("Invalid IP address: " + parts[0])
	case address.Is4() && bits > 31:
		p.failAnywhere("IPv4 mask bits must be < 32")
	case bits > 127:
		p.failAnywhere("IPv6 mask bits must be < 128")
	}
	return block(netip.PrefixFrom(address, bits))
}

// numeric reads an array like [">",0,"<=",5].
func (p *parser) numeric() *span {
	if p.next() != tokenArray {
		p.fail("Value of numeric must be an array.")
		return &span{}
	}
	if p.next() != tokenString {
		p.fail("Invalid member in numeric match: " + p.text())
		return &span{}
	}
	operator := p.text()
	t := p.next()
	switch operator {
	case "=", ">=", ">", "<=", "<":
	default:
		p.fail("Unrecognized numeric range operator: " + operator)
		return &span{}
	}
	if t != tokenNumber {
		name := operator
		if name == "=" {
			name = "equals"
		}
		p.fail("Value of " + name + " must be numeric")
		return &span{}
	}
	bound := parseDecimal([]byte(p.text()))
	t = p.next()
	if operator[0] == '>' {
		return p.upTo(&span{low: &bound, openLow: operator == ">"}, t)
	}
	if t != tokenArrayEnd {
		p.fail(reasonTooMany)
	}
	if operator == "=" {
		return &span{low: &bound, high: &bound}
	}
	return &span{high: &bound, openHigh: operator == "<"}
}

// upTo reads the second half of a range, if there is one; t is the token after
// the first.
func (p *parser) upTo(s *span, t token) *span {
	switch t {
	case tokenArrayEnd:
		return s
	case tokenString:
	default:
		p.fail("Bad value in numeric range: " + p.text())
		return s
	}
	operator := p.text()
	if operator != "<" && operator != "<=" {
		p.fail("Bad numeric range operator: " + operator)
	}
	if p.next() != tokenNumber {
		p.fail("Value of " + operator + " must be numeric")
		return s
	}
	bound := parseDecimal([]byte(p.text()))
	s.high, s.openHigh = &bound, operator == "<"
	if p.next() != tokenArrayEnd {
		p.fail("Too many terms in numeric range expression")
	}
	if s.low.compare(bound) >= 0 {
		p.fail("Bottom must be less than top")
	}
	return s
}
