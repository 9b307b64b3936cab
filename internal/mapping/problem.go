package mapping

import (
	"errors"
	"strings"
	"unicode"

	"github.com/weirstream/weir/internal/jsonscan"
)

// maxProblem bounds the text of a problem, in characters.
const maxProblem = 200

// functionError is what a function that failed says of it: the type and message of
// its error, as runtimes report them, or whatever it answered.
func functionError(o Outcome) error {
	kind, message := readError(o.Payload)
	if kind == "" && message == "" {
		message = oneLine(o.Payload)
	}
	if kind == "" {
		kind = "function error " + o.FunctionError
	}
	if message == "" {
		return errors.New(kind)
	}
	return errors.New(kind + ": " + message)
}

// readError reads errorType and errorMessage, "" where there is none.
func readError(payload []byte) (kind, message string) {
	var s jsonscan.Scanner
	s.Reset(payload)
	if s.Kind() != jsonscan.Object {
		return "", ""
	}
	s.Object()
	for name, ok := s.Member(); ok; name, ok = s.Member() {
		member := string(name)
		if s.Kind() != jsonscan.String {
			s.Skip()
			continue
		}
		text := s.String()
		switch member {
		case "errorType":
			kind = oneLine(text)
		case "errorMessage":
			message = oneLine(text)
		}
	}
	if s.End() != nil {
		return "", ""
	}
	return kind, message
}

// oneLine makes a text of somebody else's safe to show: in one line, without what
// a terminal would obey, and not longer than maxProblem.
func oneLine(text []byte) string {
	var out strings.Builder
	n, space := 0, false
	for _, r := range string(text) {
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) {
			space = n > 0
			continue
		}
		if n >= maxProblem {
			return out.String() + "…"
		}
		if space {
			out.WriteByte(' ')
			n++
			space = false
		}
		out.WriteRune(r)
		n++
	}
	return out.String()
}

// failed notes why an attempt failed, after how many in a row.
func (s *ShardStatus) failed(cause error, attempts int) {
	s.Problem, s.Attempts = oneLine([]byte(cause.Error())), attempts
}
