package pattern

import "errors"

// Source is what records the filters of an event source mapping see.
type Source uint8

// The sources.
const (
	// Table is changes of a table. A filter sees the record as the function would,
	// attributes with their type descriptors.
	Table Source = iota
	// Stream is records of a stream. A filter sees an object with the members of
	// the "kinesis" object of the record, of which "data" is not Base64 but the
	// JSON value that the producer put.
	Stream
)

// dataName is the member of a stream's record that has what the producer put.
const dataName = "data"

// MaxFilters is how many filters a mapping can have: the most that the service allows
// on request.
const MaxFilters = 10

// ErrTooManyFilters is returned for more than MaxFilters filters.
var ErrTooManyFilters = errors.New("too many filters")

// Filters is the filters of an event source mapping. A record passes if one of
// them matches it, and a nil *Filters lets all records pass. Any number of
// goroutines may use it.
type Filters struct {
	pattern  *Pattern
	data     *node // of the data of a stream's record; nil if no filter looks at it
	metadata bool
}

// CompileFilters reads the filters of a mapping. It returns nil if there are
// none. An error is ErrTooManyFilters or an *Error.
func CompileFilters(texts []string, s Source) (*Filters, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	if len(texts) > MaxFilters {
		return nil, ErrTooManyFilters
	}
	var all []branch
	for _, text := range texts {
		branches, reason := compile([]byte(text), Lambda)
		if reason != "" {
			return nil, &Error{Dialect: Lambda, Reason: reason}
		}
		all = append(all, branches...)
	}
	p, reason := newPattern(all, Lambda)
	if reason != "" {
		return nil, &Error{Dialect: Lambda, Reason: reason}
	}
	f := &Filters{pattern: p}
	if s == Stream {
		f.data = p.root.child([]byte(dataName))
		f.metadata = f.data == nil || len(p.root.kids) > 1
		if f.data != nil && len(f.data.leaves) > 0 {
			return nil, &Error{Dialect: Lambda, Reason: `The filter on "data" is not a JSON object`}
		}
	}
	return f, nil
}

// Match reports whether the record of a table, as JSON text, passes.
func (f *Filters) Match(record []byte) bool {
	return f == nil || f.pattern.Match(record)
}

// NeedsMetadata reports whether MatchData looks at the metadata of records.
func (f *Filters) NeedsMetadata() bool { return f != nil && f.metadata }

// MatchData reports whether the record of a stream passes. data is what the
// producer put, before Base64; if it is not JSON, filters on it do not match.
// metadata is the text of a JSON object with the other members; it is not looked
// at, and may be nil, if NeedsMetadata is false.
func (f *Filters) MatchData(data, metadata []byte) bool {
	if f == nil {
		return true
	}
	m := f.pattern.machine()
	defer m.release()
	if f.metadata && !m.document(metadata) {
		return false
	}
	if f.data != nil {
		m.begin(data)
		m.value(f.data, 0)
		if !m.ended() {
			m.spoil(f.data)
		}
	}
	return m.decide()
}
