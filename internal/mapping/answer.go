package mapping

import (
	"errors"

	"github.com/weirstream/weir/internal/jsonscan"
)

// answer is what the result of a function that did not fail says of its batch.
type answer struct {
	failed []string // identifiers of the records that failed
	state  []byte   // of the window; nil when none was returned
}

var (
	errNotJSON     = errors.New("the function's result is not JSON")
	errBadFailures = errors.New("the function's result has batchItemFailures that are not a list of item identifiers")
	errNoState     = errors.New("the function's result has no state, which a tumbling window needs")
)

// readAnswer reads a result. An empty one, null and values other than objects say
// that all went well. A failure that names no record makes the whole answer
// invalid.
func readAnswer(result []byte) (answer, error) {
	var a answer
	if len(result) == 0 {
		return a, nil
	}
	var s jsonscan.Scanner
	s.Reset(result)
	if s.Kind() != jsonscan.Object {
		s.Skip()
		return a, asNotJSON(s.End())
	}
	var bad error
	s.Object()
	for name, ok := s.Member(); ok; name, ok = s.Member() {
		switch string(name) {
		case "batchItemFailures":
			a.failed, bad = readFailures(&s)
		case "state":
			a.state = readState(&s)
		default:
			s.Skip()
		}
	}
	if err := asNotJSON(s.End()); err != nil {
		return answer{}, err
	}
	return a, bad
}

func asNotJSON(err error) error {
	if err != nil {
		return errNotJSON
	}
	return nil
}

// readState reads the value of the state; null is none.
func readState(s *jsonscan.Scanner) []byte {
	if s.Kind() == jsonscan.Null {
		s.Skip()
		return nil
	}
	return s.Raw()
}

func readFailures(s *jsonscan.Scanner) (failed []string, err error) {
	switch s.Kind() {
	case jsonscan.Null:
		s.Skip()
		return nil, nil
	case jsonscan.Array:
	default:
		s.Skip()
		return nil, errBadFailures
	}
	s.Array()
	for s.Element() {
		id, ok := readIdentifier(s)
		if !ok {
			err = errBadFailures
			continue
		}
		failed = append(failed, id)
	}
	return failed, err
}

// readIdentifier reads one failure, {"itemIdentifier": TEXT}.
func readIdentifier(s *jsonscan.Scanner) (id string, ok bool) {
	if s.Kind() != jsonscan.Object {
		s.Skip()
		return "", false
	}
	s.Object()
	for name, more := s.Member(); more; name, more = s.Member() {
		if string(name) != "itemIdentifier" || s.Kind() != jsonscan.String {
			s.Skip()
			continue
		}
		id = string(s.String())
	}
	return id, id != ""
}
