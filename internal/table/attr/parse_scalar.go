package attr

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/jsonscan"
)

func (p *Parser) scalar(s *jsonscan.Scanner, k Kind) {
	if k == Binary {
		p.binary(s)
		return
	}
	text, ok := p.text(s)
	if !ok {
		return
	}
	if k == String {
		p.buf = append(p.buf, text...)
		return
	}
	buf, err := appendNumber(p.buf, text)
	if err != nil {
		p.refuse(err)
		return
	}
	p.buf = buf
}

func (p *Parser) text(s *jsonscan.Scanner) ([]byte, bool) {
	if s.Kind() == jsonscan.String {
		return s.String(), true
	}
	p.mistypeScalar(s, "String", "class java.lang.String")
	return nil, false
}

// mistypeScalar records that the next value cannot be converted to a scalar.
func (p *Parser) mistypeScalar(s *jsonscan.Scanner, target, class string) {
	found := ""
	switch s.Kind() {
	case jsonscan.Array:
		p.mistype(s, "Unrecognized collection type "+class)
		return
	case jsonscan.Object:
		p.mistype(s, "Start of structure or map found where not expected")
		return
	case jsonscan.True:
		found = "TRUE_VALUE"
	case jsonscan.False:
		found = "FALSE_VALUE"
	case jsonscan.Null:
		found = "NULL_VALUE"
	default:
		found = "NUMBER_VALUE"
		if bytes.ContainsAny(s.Number(), ".eE") {
			found = "DECIMAL_VALUE"
		}
		p.wrongType(found + " cannot be converted to " + target)
		return
	}
	p.mistype(s, found+" cannot be converted to "+target)
}

func (p *Parser) bool(s *jsonscan.Scanner) bool {
	switch s.Kind() {
	case jsonscan.True, jsonscan.False:
		return s.Bool()
	case jsonscan.String:
		switch text := strings.ToLower(string(s.String())); text {
		case "true", "1", "yes":
			return true
		case "false", "0", "no":
			return false
		}
		p.wrongType("Unexpected token received from parser")
	default:
		p.mistypeScalar(s, "Boolean", "class java.lang.Boolean")
	}
	return false
}

func (p *Parser) binary(s *jsonscan.Scanner) {
	switch s.Kind() {
	case jsonscan.String:
		text := s.String()
		buf, err := jsonscan.AppendBase64(p.buf, text)
		switch {
		case err != nil && len(text)%4 != 0:
			p.wrongType(err.Error())
		case err != nil:
			p.wrongType("Invalid last non-pad Base64 character dectected")
		}
		p.buf = buf
	case jsonscan.Array, jsonscan.Object:
		p.mistypeScalar(s, "", "class java.nio.ByteBuffer")
	default:
		p.mistype(s, "only base-64-encoded strings are convertible to bytes")
	}
}

func (p *Parser) list(s *jsonscan.Scanner, depth int) {
	if !p.enterArray(s) {
		return
	}
	for s.Element() {
		p.sizedValue(s, depth)
	}
}

func (p *Parser) set(s *jsonscan.Scanner, k Kind) {
	if !p.enterArray(s) {
		return
	}
	start, base := len(p.buf), len(p.entries)
	for s.Element() {
		e := entry{start: len(p.buf)}
		at := p.reserve()
		p.buf = append(p.buf, byte(k.member()))
		if s.Kind() == jsonscan.Null {
			s.Null()
			p.refuse(nullMember(k))
		} else {
			p.scalar(s, k.member())
		}
		p.fillSize(at)
		e.end = len(p.buf)
		member, _ := cut(p.buf[e.start:e.end])
		e.nameStart, e.nameEnd = e.end-len(member), e.end
		p.entries = append(p.entries, e)
	}
	p.finishSet(start, k, p.entries[base:])
	p.entries = p.entries[:base]
}

// finishSet puts the members into their order and refuses equal ones.
func (p *Parser) finishSet(start int, k Kind, members []entry) {
	if len(members) == 0 {
		p.refuse(emptySet(k))
		return
	}
	p.order(members)
	for i := 1; i < len(members); i++ {
		if p.sameName(members[i-1], members[i]) {
			p.refuse(p.duplicates(k, members))
			return
		}
	}
	p.rewrite(start, members)
}

func emptySet(k Kind) error {
	switch k {
	case StringSet:
		return Invalidf(msgInvalid + "An string set  may not be empty")
	case NumberSet:
		return Invalidf(msgInvalid + "An number set  may not be empty")
	default:
		return Invalidf(msgInvalid + "Binary sets should not be empty")
	}
}

func nullMember(k Kind) error {
	switch k {
	case StringSet:
		return Invalidf(msgInvalid + "An string set may not have a null string as a member")
	case NumberSet:
		return Invalidf(msgInvalid + "An number set may not have a null string as a member")
	default:
		return Invalidf(msgInvalid + "Binary sets may not contain null values")
	}
}

func (p *Parser) duplicates(k Kind, members []entry) error {
	if k == NumberSet {
		return Invalidf(msgNSDuplicates)
	}
	slices.SortFunc(members, func(a, b entry) int { return a.start - b.start }) // as given
	texts := make([]string, len(members))
	for i, m := range members {
		payload := p.buf[m.nameStart+1 : m.nameEnd]
		if k == BinarySet {
			texts[i] = base64.StdEncoding.EncodeToString(payload)
		} else {
			texts[i] = string(payload)
		}
	}
	list := strings.Join(texts, ", ")
	if k == BinarySet {
		return Invalidf(msgInvalid+"Input collection [%s]of type BS contains duplicates.", list)
	}
	return Invalidf(msgInvalid+"Input collection [%s] contains duplicates.", list)
}
