package main

import (
	"bytes"
	"fmt"
)

// statusError is an answer other than 200.
type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.body) }

// checkStatus accepts 2xx.
func checkStatus(r response) error {
	if r.status/100 == 2 {
		return nil
	}
	return &statusError{r.status, string(r.body[:min(len(r.body), 300)])}
}

// checkPut accepts a PutRecords answer without failed records.
func checkPut(r response) error {
	if err := checkStatus(r); err != nil {
		return err
	}
	if v := memberValue(r.body, "FailedRecordCount"); len(v) < 2 || v[0] != '0' {
		return fmt.Errorf("records were refused: %s", r.body[:min(len(r.body), 300)])
	}
	return nil
}

// checkItem accepts a GetItem answer that has an item.
func checkItem(r response) error {
	if err := checkStatus(r); err != nil {
		return err
	}
	if memberValue(r.body, "Item") == nil {
		return fmt.Errorf("no item: %s", r.body[:min(len(r.body), 300)])
	}
	return nil
}

// countRecords counts the records in a GetRecords answer. Data are base64 and
// partition keys are the generator's own, so the name occurs nowhere else.
func countRecords(body []byte) int { return bytes.Count(body, []byte(`"SequenceNumber"`)) }

// memberValue returns what follows the name of the first member called so, nil if
// there is none. It is no parser: it serves for answers whose strings the
// generator knows.
func memberValue(body []byte, name string) []byte {
	_, after, ok := bytes.Cut(body, []byte(`"`+name+`"`))
	if !ok {
		return nil
	}
	after = bytes.TrimLeft(after, " \t\r\n")
	if len(after) == 0 || after[0] != ':' {
		return nil
	}
	return bytes.TrimLeft(after[1:], " \t\r\n")
}

// stringMember returns the text of a string member that has no escapes, nil if
// there is none.
func stringMember(body []byte, name string) []byte {
	v := memberValue(body, name)
	if len(v) == 0 || v[0] != '"' {
		return nil
	}
	text, _, ok := bytes.Cut(v[1:], []byte{'"'})
	if !ok {
		return nil
	}
	return text
}
