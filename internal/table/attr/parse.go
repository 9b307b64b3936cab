package attr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/weirstream/weir/internal/jsonscan"
)

// TypeError says that the JSON of a value is not of the form that its place
// demands, for example a number where a string should be. Message is worded as
// DynamoDB words it.
type TypeError struct{ Message string }

func (e *TypeError) Error() string { return e.Message }

const (
	msgEmptyValue   = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	msgManyTypes    = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	msgInvalid      = "One or more parameter values were invalid: "
	msgNesting      = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	msgNSDuplicates = "Input collection contains duplicates"

	classPrefix = "com.amazonaws.dynamodb.v20120810."
	mapClass    = "java.util.Map<java.lang.String, " + classPrefix + "AttributeValue>"
)

// Parser reads values in DynamoDB JSON notation from a scanner. The zero Parser is
// ready; one Parser can read many values one after the other.
//
// A value can be wrong in two ways, which the API reports at different times: JSON
// of the wrong form is a *TypeError, kept by Err and final; a value that breaks a
// rule of the data model is an *InvalidError, returned beside the value, and
// parsing goes on behind it.
type Parser struct {
	buf     []byte // what was parsed; values refer to it
	entries []entry
	scratch []byte
	typeErr *TypeError
	invalid error // the first rule that the current value breaks
}

// entry is where an attribute of an item or a member of a set lies in buf.
type entry struct{ start, nameStart, nameEnd, end int }

// Err returns the first TypeError, or nil.
func (p *Parser) Err() error {
	if p.typeErr == nil {
		return nil
	}
	return p.typeErr
}

// Grow makes room for values that take n bytes together.
func (p *Parser) Grow(n int) { p.buf = slices.Grow(p.buf, n) }

// ParseItemJSON reads an item in DynamoDB JSON notation. Its error is a
// *jsonscan.SyntaxError, a *TypeError or an *InvalidError.
func ParseItemJSON(src []byte) (Item, error) {
	var s jsonscan.Scanner
	s.Reset(src)
	var p Parser
	p.Grow(len(src))
	it, invalid := p.Item(&s)
	return it, errors.Join(s.End(), p.Err(), invalid)
}

// Item reads an item: an object with a value for each attribute.
func (p *Parser) Item(s *jsonscan.Scanner) (Item, error) {
	p.invalid = nil
	start := len(p.buf)
	p.item(s, MaxDepth)
	if p.invalid != nil || p.typeErr != nil || s.Err() != nil {
		return Item{}, p.invalid
	}
	return Item{p.buf[start:len(p.buf):len(p.buf)]}, nil
}

// MapValue reads a value that stands as a value of a map or an element of a list.
func (p *Parser) MapValue(s *jsonscan.Scanner) (Value, error) {
	p.invalid = nil
	start := len(p.buf)
	p.value(s, MaxDepth)
	if p.invalid != nil || p.typeErr != nil || s.Err() != nil {
		return Value{}, p.invalid
	}
	return Value{p.buf[start:len(p.buf):len(p.buf)]}, nil
}

func (p *Parser) wrongType(message string) {
	if p.typeErr == nil {
		p.typeErr = &TypeError{message}
	}
}

// mistype records a TypeError and moves the scanner past the value.
func (p *Parser) mistype(s *jsonscan.Scanner, message string) {
	p.wrongType(message)
	s.Skip()
}

// refuse records a rule that the value breaks.
func (p *Parser) refuse(err error) {
	if p.invalid == nil {
		p.invalid = err
	}
}

// enterObject steps into the next value, which should be an object.
func (p *Parser) enterObject(s *jsonscan.Scanner, mismatch, class string) bool {
	switch s.Kind() {
	case jsonscan.Object:
		return s.Object()
	case jsonscan.Array:
		p.mistype(s, "Unrecognized collection type "+class)
	default:
		p.mistype(s, mismatch)
	}
	return false
}

func (p *Parser) enterArray(s *jsonscan.Scanner) bool {
	switch s.Kind() {
	case jsonscan.Array:
		return s.Array()
	case jsonscan.Object:
		p.mistype(s, "Start of structure or map found where not expected")
	default:
		p.mistype(s, "Unexpected field type")
	}
	return false
}

// item appends the attributes of an object. depth is how many lists and maps may
// still be nested in a value of it.
func (p *Parser) item(s *jsonscan.Scanner, depth int) {
	if !p.enterObject(s, "Unexpected field type", mapClass) {
		return
	}
	start, base := len(p.buf), len(p.entries)
	sorted := true
	for {
		name, ok := s.Member()
		if !ok {
			break
		}
		if err := CheckName(len(name)); err != nil {
			p.refuse(err)
		}
		e := entry{start: len(p.buf)}
		p.buf = binary.AppendUvarint(p.buf, uint64(len(name)))
		e.nameStart = len(p.buf)
		p.buf = append(p.buf, name...)
		e.nameEnd = len(p.buf)
		if n := len(p.entries); n > base && sorted {
			last := p.entries[n-1]
			sorted = bytes.Compare(p.buf[last.nameStart:last.nameEnd], p.buf[e.nameStart:e.nameEnd]) < 0
		}
		p.sizedValue(s, depth)
		e.end = len(p.buf)
		p.entries = append(p.entries, e)
	}
	if !sorted {
		p.order(p.entries[base:])
		p.rewrite(start, p.entries[base:])
	}
	p.entries = p.entries[:base]
}

// order sorts entries by name, in byte order.
func (p *Parser) order(entries []entry) {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return bytes.Compare(p.buf[a.nameStart:a.nameEnd], p.buf[b.nameStart:b.nameEnd])
	})
}

func (p *Parser) sameName(a, b entry) bool {
	return bytes.Equal(p.buf[a.nameStart:a.nameEnd], p.buf[b.nameStart:b.nameEnd])
}

// rewrite puts what lies in buf from start on into the order of entries. Of
// attributes with the same name, which JSON does not rule out, the last one counts.
func (p *Parser) rewrite(start int, entries []entry) {
	p.scratch = p.scratch[:0]
	for i, e := range entries {
		if i+1 < len(entries) && p.sameName(e, entries[i+1]) {
			continue
		}
		p.scratch = append(p.scratch, p.buf[e.start:e.end]...)
	}
	p.buf = append(p.buf[:start], p.scratch...)
}

// sizedValue appends a value with its length in front.
func (p *Parser) sizedValue(s *jsonscan.Scanner, depth int) {
	at := p.reserve()
	p.value(s, depth)
	p.fillSize(at)
}

// reserve leaves room for a length of one byte, which is what most need.
func (p *Parser) reserve() int {
	p.buf = append(p.buf, 0)
	return len(p.buf) - 1
}

func (p *Parser) fillSize(at int) {
	n := uint64(len(p.buf) - at - 1)
	if n < 0x80 {
		p.buf[at] = byte(n)
		return
	}
	var size [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(size[:], n)
	p.buf = slices.Insert(p.buf, at, size[:w-1]...)
	copy(p.buf[at:], size[:w])
}

// value appends a value. An attribute value should have exactly one type; if there
// are more, each is checked before that is reported.
func (p *Parser) value(s *jsonscan.Scanner, depth int) {
	if s.Kind() == jsonscan.Null {
		s.Null()
		p.refuse(Invalidf(msgEmptyValue))
		return
	}
	if !p.enterObject(s, "Unexpected value type in payload", "class "+classPrefix+"AttributeValue") {
		return
	}
	start := len(p.buf)
	var kind Kind
	for {
		name, ok := s.Member()
		if !ok {
			break
		}
		k := kindOfName(name)
		if k == Missing || s.Kind() == jsonscan.Null {
			s.Skip()
			continue
		}
		p.buf = append(p.buf[:start], byte(k))
		p.payload(s, k, depth)
		if kind != Missing && kind != k {
			p.refuse(Invalidf(msgManyTypes))
		}
		kind = k
	}
	if kind == Missing {
		p.refuse(Invalidf(msgEmptyValue))
	}
}

func kindOfName(name []byte) Kind {
	switch string(name) {
	case "S":
		return String
	case "N":
		return Number
	case "B":
		return Binary
	case "BOOL":
		return Bool
	case "NULL":
		return Null
	case "SS":
		return StringSet
	case "NS":
		return NumberSet
	case "BS":
		return BinarySet
	case "L":
		return List
	case "M":
		return Map
	}
	return Missing
}

func (p *Parser) payload(s *jsonscan.Scanner, k Kind, depth int) {
	switch k {
	case String, Number, Binary:
		p.scalar(s, k)
	case Bool:
		b := p.bool(s)
		p.buf = append(p.buf, 0)
		if b {
			p.buf[len(p.buf)-1] = 1
		}
	case Null:
		p.bool(s) // false is taken as true, as the service does
	case List:
		p.list(s, p.nest(depth))
	case Map:
		p.item(s, p.nest(depth))
	default:
		p.set(s, k)
	}
}

// nest returns the depth left inside of a list or map.
func (p *Parser) nest(depth int) int {
	if depth == 0 {
		p.refuse(Invalidf(msgNesting))
		return 0
	}
	return depth - 1
}
