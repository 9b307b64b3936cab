package pattern

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says why a text is not a pattern of a dialect.
type Error struct {
	Dialect Dialect
	// Reason is what is wrong and where, in the words of the service; it can have
	// several lines and quotes the text.
	Reason string
}

// Error returns the message of the service. For a topic it is what follows
// "Invalid parameter: ". For a mapping it does not tell the reason.
func (e *Error) Error() string {
	switch e.Dialect {
	case Lambda:
		return "Invalid filter pattern definition."
	case EventBridge:
		return "Event pattern is not valid. Reason: " + e.Reason
	}
	if e.Reason == reasonNested {
		return e.Reason
	}
	return "FilterPolicy: " + e.Reason
}

const (
	reasonNested     = "Filter policy scope MessageAttributes does not support nested filter policy"
	reasonKeys       = "Filter policy can not have more than 5 keys"
	reasonPolicySize = "Filter policy is too complex"
	reasonWildcards  = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"
	reasonBranches   = "Rule is too complex - try using fewer alternatives in $or"
)

// sourceLimit is how many characters of a text an error quotes.
const sourceLimit = 500

// location describes a position in a text, which it quotes.
func location(text []byte, pos int) string {
	return fmt.Sprintf("[Source: (String)%s; %s]", quoted(text), place(text, pos))
}

// redacted is location for a service that does not quote the text.
func redacted(text []byte, pos int) string {
	return "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); " + place(text, pos) + "]"
}

func place(text []byte, pos int) string {
	line, column := 1, 1
	before := string(text[:pos])
	for i, r := range before {
		switch {
		case r == '\n', r == '\r' && !strings.HasPrefix(before[i+1:], "\n"):
			line++
			column = 1
		default:
			column += units(r)
		}
	}
	return fmt.Sprintf("line: %d, column: %d", line, column)
}

// units is how many characters a rune is for a service that counts in UTF-16.
func units(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// quoted returns the beginning of a text for an error.
func quoted(text []byte) string {
	var b strings.Builder
	b.WriteByte('"')
	n := 0
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if n+units(r) > sourceLimit {
			break
		}
		n += units(r)
		if unicode.IsControl(r) && r != '\n' && r != '\r' {
			fmt.Fprintf(&b, `\u%04X`, r)
		} else {
			b.WriteRune(r)
		}
		text = text[size:]
	}
	b.WriteByte('"')
	if rest := 0; len(text) > 0 {
		for _, r := range string(text) {
			rest += units(r)
		}
		fmt.Fprintf(&b, "[truncated %d chars]", rest)
	}
	return b.String()
}
