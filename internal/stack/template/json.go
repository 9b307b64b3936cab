package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth bounds how deeply values may nest, so that no text can exhaust the
// stack; CloudFormation's own templates stay far below.
const maxDepth = 100

// parseJSON reads a JSON text into nodes that carry their lines.
func parseJSON(text []byte) (*Node, Problems) {
	var problems Problems
	p := jsonParser{text: text, line: 1, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	root, err := p.value(0)
	if err == nil {
		if _, extra := p.dec.Token(); !errors.Is(extra, io.EOF) {
			err = &notWellFormed{offset: p.dec.InputOffset()}
		}
	}
	if err != nil {
		problems = append(problems, p.problem(err))
		return nil, problems
	}
	return root, p.problems
}

type jsonParser struct {
	text     []byte
	dec      *json.Decoder
	seen     int64 // up to where newlines are counted into line
	line     int
	problems Problems
}

type notWellFormed struct{ offset int64 }

func (e *notWellFormed) Error() string { return fmt.Sprintf("unexpected text at byte %d", e.offset) }

var errTooDeep = errors.New("too deep")

func (p *jsonParser) problem(err error) Problem {
	if errors.Is(err, errTooDeep) {
		return tooDeep(p.line)
	}
	offset := int64(len(p.text))
	var syntax *json.SyntaxError
	var unexpected *notWellFormed
	switch {
	case errors.As(err, &syntax):
		offset = min(syntax.Offset, offset)
	case errors.As(err, &unexpected):
		offset = unexpected.offset
	}
	before := p.text[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return Problem{
		Line:    line,
		Message: fmt.Sprintf("Template format error: JSON not well-formed. (line %d, column %d)", line, column),
	}
}

func tooDeep(line int) Problem {
	return Problem{Line: line, Message: fmt.Sprintf("Template format error: values nest more than %d deep.", maxDepth)}
}

// token reads the next token and moves the line count to its end, which is its
// line too, as no JSON token spans lines.
func (p *jsonParser) token() (json.Token, error) {
	tok, err := p.dec.Token()
	end := p.dec.InputOffset()
	p.line += bytes.Count(p.text[p.seen:end], []byte("\n"))
	p.seen = end
	return tok, err
}

func (p *jsonParser) value(depth int) (*Node, error) {
	tok, err := p.token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, errTooDeep
	}
	line := p.line
	switch v := tok.(type) {
	case string:
		return String(line, v), nil
	case json.Number:
		return &Node{Kind: KindNumber, Text: v.String(), Line: line}, nil
	case bool:
		return &Node{Kind: KindBool, Text: fmt.Sprint(v), Line: line}, nil
	case nil:
		return &Node{Kind: KindNull, Line: line}, nil
	case json.Delim:
		if v == '[' {
			return p.list(line, depth)
		}
		return p.object(line, depth)
	default:
		return nil, &notWellFormed{offset: p.seen}
	}
}

func (p *jsonParser) list(line, depth int) (*Node, error) {
	list := List(line)
	for p.dec.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, item)
	}
	_, err := p.token()
	return list, err
}

func (p *jsonParser) object(line, depth int) (*Node, error) {
	object := Map(line)
	keys := map[string]bool{}
	for p.dec.More() {
		tok, err := p.token()
		if err != nil {
			return nil, err
		}
		key, ok := tok.(string)
		if !ok {
			return nil, &notWellFormed{offset: p.seen}
		}
		keyLine := p.line
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if keys[key] {
			p.problems = append(p.problems, duplicateKey(keyLine, key))
			continue
		}
		keys[key] = true
		object.Entries = append(object.Entries, Entry{Key: key, Line: keyLine, Value: value})
	}
	_, err := p.token()
	return object, err
}

// duplicateKey is refused although CloudFormation takes one of the two, which one
// being undefined: nobody means it.
func duplicateKey(line int, key string) Problem {
	return Problem{Line: line, Message: fmt.Sprintf("Template format error: duplicate key '%s'", strings.ToValidUTF8(key, "?"))}
}
