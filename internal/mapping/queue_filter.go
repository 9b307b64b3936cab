package mapping

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/weirstream/weir/internal/pattern"
)

// queueFilter is one filter on the messages of a queue. It sees a message as the
// function would, except that a body to which it has a pattern is taken as JSON.
type queueFilter struct {
	filters *pattern.Filters
	// document says that the filter looks into the body, which has to be a JSON
	// object then.
	document bool
}

// compileQueueFilters reads the filters of a queue's mapping.
func (d Definition) compileQueueFilters() ([]queueFilter, error) {
	if _, err := d.compileFilters(); err != nil { // also how many they are
		return nil, err
	}
	all := make([]queueFilter, len(d.Filters))
	for i, text := range d.Filters {
		filters, err := pattern.CompileFilters([]string{text}, pattern.Table)
		if err != nil {
			return nil, err
		}
		all[i] = queueFilter{filters, looksIntoBody([]byte(text))}
	}
	return all, nil
}

// looksIntoBody reports whether a filter has a pattern for the body, be it one of
// several alternatives.
func looksIntoBody(filter []byte) bool {
	var members struct {
		Body json.RawMessage   `json:"body"`
		Or   []json.RawMessage `json:"$or"`
	}
	if json.Unmarshal(filter, &members) != nil {
		return false
	}
	if bytes.HasPrefix(members.Body, []byte("{")) {
		return true
	}
	for _, alternative := range members.Or {
		if looksIntoBody(alternative) {
			return true
		}
	}
	return false
}

// passes reports whether the function is to get a message: without filters, and if
// one of them matches.
func passes(filters []queueFilter, m Message) bool {
	if len(filters) == 0 {
		return true
	}
	var opened []byte // the event with the body as JSON
	for _, f := range filters {
		event := m.Event
		if f.document {
			if opened == nil {
				opened = withOpenBody(m)
			}
			if event = opened; len(event) == 0 {
				continue
			}
		}
		if f.filters.Match(event) {
			return true
		}
	}
	return false
}

// withOpenBody returns the event of a message with its body as a JSON object, empty
// if that is something else.
func withOpenBody(m Message) []byte {
	body := bytes.TrimSpace([]byte(m.Body))
	if !bytes.HasPrefix(body, []byte("{")) || !json.Valid(body) {
		return []byte{}
	}
	// A member that stands twice counts as it stands last.
	event := bytes.TrimSuffix(m.Event, []byte("}"))
	return append(append(append([]byte{}, event...), `,`+strconv.Quote("body")+`:`...), append(body, '}')...)
}
