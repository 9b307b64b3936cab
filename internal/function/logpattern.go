package function

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxPatternBytes bounds a filter pattern, maxPatternDepth its nesting.
const (
	maxPatternBytes = 1024
	maxPatternDepth = 32
)

// Pattern decides whether the text of a log event is wanted.
type Pattern struct {
	terms termPattern
	json  jsonCondition // nil if the pattern is not of the JSON kind
}

// CompilePattern reads a filter pattern: terms ("ERROR", "?ERROR ?WARN",
// "-DEBUG", "\"two words\"") or a condition on JSON ("{ $.status = 5* }"). A blank
// pattern matches everything. Errors are of kind ErrInvalid.
func CompilePattern(text string) (Pattern, error) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxPatternBytes:
		return Pattern{}, invalidf("1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to %d", maxPatternBytes)
	case !utf8.ValidString(text):
		return Pattern{}, invalidf("Invalid filter pattern: it is not valid UTF-8")
	case strings.HasPrefix(text, "["):
		return Pattern{}, invalidf("Invalid filter pattern: Weir does not implement space-delimited patterns yet")
	case strings.HasPrefix(text, "{"):
		cond, err := parseJSONPattern(text)
		return Pattern{json: cond}, err
	}
	terms, err := parseTerms(text)
	return Pattern{terms: terms}, err
}

// Match reports whether an event is wanted.
func (p Pattern) Match(text string) bool {
	if p.json == nil {
		return p.terms.match(text)
	}
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return false // saves trying
	}
	var doc any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&doc) != nil {
		return false
	}
	return p.json(doc)
}

// termPattern is a pattern of words.
type termPattern struct {
	all, any, none []string
}

func (p termPattern) match(text string) bool {
	for _, term := range p.none {
		if strings.Contains(text, term) {
			return false
		}
	}
	for _, term := range p.all {
		if !strings.Contains(text, term) {
			return false
		}
	}
	// Optional terms count only where there are no others.
	if len(p.any) == 0 || len(p.all)+len(p.none) > 0 {
		return true
	}
	for _, term := range p.any {
		if strings.Contains(text, term) {
			return true
		}
	}
	return false
}

func parseTerms(text string) (termPattern, error) {
	var p termPattern
	for text = strings.TrimLeft(text, " \t\r\n"); text != ""; text = strings.TrimLeft(text, " \t\r\n") {
		list := &p.all
		switch text[0] {
		case '?':
			list, text = &p.any, text[1:]
		case '-':
			list, text = &p.none, text[1:]
		case '%':
			return p, invalidf("Invalid filter pattern: Weir does not implement regular expressions in patterns yet")
		}
		term, rest, err := cutTerm(text)
		if err != nil {
			return p, err
		}
		*list, text = append(*list, term), rest
	}
	return p, nil
}

// cutTerm reads a word or a quoted phrase.
func cutTerm(text string) (term, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		return cutQuoted(text)
	}
	end := strings.IndexAny(text, " \t\r\n")
	if end < 0 {
		end = len(text)
	}
	if end == 0 {
		return "", "", invalidf("Invalid filter pattern: a term is missing")
	}
	if i := strings.IndexAny(text[:end], "\"()"); i >= 0 {
		return "", "", invalidf("Invalid character(s) in term '%s'", text[:end])
	}
	return text[:end], text[end:], nil
}

// cutQuoted reads a phrase in double quotes; a backslash takes the next
// character as it is.
func cutQuoted(text string) (term, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i < len(text) {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", invalidf("Invalid filter pattern: a quote is not closed")
}

// jsonCondition is a condition on a decoded JSON document.
type jsonCondition func(doc any) bool

// parseJSONPattern reads "{ condition }".
func parseJSONPattern(text string) (jsonCondition, error) {
	p := &jsonPatternParser{rest: text}
	if !p.take("{") {
		return nil, p.fail()
	}
	cond, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if !p.take("}") || p.rest != "" {
		return nil, p.fail()
	}
	return cond, nil
}

type jsonPatternParser struct{ rest string }

func (p *jsonPatternParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *jsonPatternParser) take(token string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
		p.skip()
	}
	return ok
}

// takeWord takes a keyword, in any case.
func (p *jsonPatternParser) takeWord(word string) bool {
	p.skip()
	if len(p.rest) < len(word) || !strings.EqualFold(p.rest[:len(word)], word) {
		return false
	}
	if after := p.rest[len(word):]; after != "" && isNameByte(after[0]) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

func (p *jsonPatternParser) fail() error {
	near := p.rest
	if len(near) > 20 {
		near = strings.ToValidUTF8(near[:20], "")
	}
	return invalidf("Invalid filter pattern near '%s'", near)
}

func (p *jsonPatternParser) or(depth int) (jsonCondition, error) {
	return p.chain(depth, "||", p.and, func(a, b jsonCondition) jsonCondition {
		return func(doc any) bool { return a(doc) || b(doc) }
	})
}

func (p *jsonPatternParser) and(depth int) (jsonCondition, error) {
	return p.chain(depth, "&&", p.primary, func(a, b jsonCondition) jsonCondition {
		return func(doc any) bool { return a(doc) && b(doc) }
	})
}

func (p *jsonPatternParser) chain(depth int, op string, next func(int) (jsonCondition, error), join func(a, b jsonCondition) jsonCondition) (jsonCondition, error) {
	left, err := next(depth)
	for err == nil && p.take(op) {
		var right jsonCondition
		if right, err = next(depth); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *jsonPatternParser) primary(depth int) (jsonCondition, error) {
	if depth > maxPatternDepth {
		return nil, invalidf("Invalid filter pattern: it is nested too deeply")
	}
	if p.take("(") {
		cond, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, p.fail()
		}
		return cond, nil
	}
	path, err := p.selector()
	if err != nil {
		return nil, err
	}
	return p.comparison(path)
}

// selector reads "$.a.b[0]" or "$[0].a" into keys (string) and indexes (int).
func (p *jsonPatternParser) selector() ([]any, error) {
	if !p.take("$") {
		return nil, p.fail()
	}
	var path []any
	for {
		switch {
		case strings.HasPrefix(p.rest, "."):
			p.rest = p.rest[1:]
			n := 0
			for n < len(p.rest) && isNameByte(p.rest[n]) {
				n++
			}
			if n == 0 {
				return nil, p.fail()
			}
			path = append(path, p.rest[:n])
			p.rest = p.rest[n:]
		case strings.HasPrefix(p.rest, "["):
			end := strings.IndexByte(p.rest, ']')
			if end < 0 {
				return nil, p.fail()
			}
			i, err := strconv.Atoi(p.rest[1:end])
			if err != nil || i < 0 {
				return nil, p.fail()
			}
			path = append(path, i)
			p.rest = p.rest[end+1:]
		case len(path) == 0:
			return nil, p.fail()
		default:
			return path, nil
		}
	}
}

func (p *jsonPatternParser) comparison(path []any) (jsonCondition, error) {
	switch {
	case p.takeWord("IS"):
		for word, want := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false} {
			if p.takeWord(word) {
				return func(doc any) bool { v, ok := lookUp(doc, path); return ok && v == want }, nil
			}
		}
		return nil, p.fail()
	case p.takeWord("NOT"):
		if !p.takeWord("EXISTS") {
			return nil, p.fail()
		}
		return func(doc any) bool { _, ok := lookUp(doc, path); return !ok }, nil
	case p.takeWord("EXISTS"):
		return func(doc any) bool { _, ok := lookUp(doc, path); return ok }, nil
	}
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.take(op) {
			return p.operand(path, op)
		}
	}
	return nil, p.fail()
}

func (p *jsonPatternParser) operand(path []any, op string) (jsonCondition, error) {
	var word string
	quoted := strings.HasPrefix(p.rest, `"`)
	if quoted {
		var err error
		if word, p.rest, err = cutQuoted(p.rest); err != nil {
			return nil, err
		}
	} else {
		n := strings.IndexAny(p.rest, " \t\r\n)}&|")
		if n <= 0 {
			return nil, p.fail()
		}
		word, p.rest = p.rest[:n], p.rest[n:]
	}
	if strings.HasPrefix(word, "%") && !quoted {
		return nil, invalidf("Invalid filter pattern: Weir does not implement regular expressions in patterns yet")
	}
	if number, err := strconv.ParseFloat(word, 64); err == nil && !quoted {
		return compareNumber(path, op, number), nil
	}
	switch op {
	case "=":
		return func(doc any) bool { v, ok := lookUp(doc, path); return ok && wildcard(word, textOf(v)) }, nil
	case "!=":
		return func(doc any) bool { v, ok := lookUp(doc, path); return ok && !wildcard(word, textOf(v)) }, nil
	}
	return nil, invalidf("Invalid filter pattern: %s needs a number", op)
}

func compareNumber(path []any, op string, want float64) jsonCondition {
	return func(doc any) bool {
		v, ok := lookUp(doc, path)
		number, isNumber := v.(json.Number)
		if !ok || !isNumber {
			return false
		}
		got, err := number.Float64()
		if err != nil {
			return false
		}
		switch op {
		case "=":
			return got == want
		case "!=":
			return got != want
		case "<":
			return got < want
		case "<=":
			return got <= want
		case ">":
			return got > want
		default:
			return got >= want
		}
	}
}

func lookUp(doc any, path []any) (any, bool) {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			object, ok := doc.(map[string]any)
			if !ok {
				return nil, false
			}
			if doc, ok = object[key]; !ok {
				return nil, false
			}
		case int:
			list, ok := doc.([]any)
			if !ok || key >= len(list) {
				return nil, false
			}
			doc = list[key]
		}
	}
	return doc, true
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// wildcard reports whether text fits pattern, in which * stands for any text.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}
