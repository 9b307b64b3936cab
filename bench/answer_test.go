package main

import (
	"errors"
	"testing"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		check func(response) error
		r     response
		ok    bool
	}{
		"status":           {checkStatus, response{status: 204}, true},
		"put":              {checkPut, response{status: 200, body: []byte(`{"FailedRecordCount":0,"Records":[]}`)}, true},
		"put, at the end":  {checkPut, response{status: 200, body: []byte(`{"Records": [], "FailedRecordCount": 0}`)}, true},
		"put, some failed": {checkPut, response{status: 200, body: []byte(`{"FailedRecordCount":3,"Records":[]}`)}, false},
		"put, no count":    {checkPut, response{status: 200, body: []byte(`{}`)}, false},
		"item":             {checkItem, response{status: 200, body: []byte(`{"Item": {"EventName":{"S":"a"}}}`)}, true},
		"no item":          {checkItem, response{status: 200, body: []byte(`{}`)}, false},
	} {
		if err := c.check(c.r); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	var refused *statusError
	if err := checkPut(response{status: 400, body: []byte(`{"__type":"X"}`)}); !errors.As(err, &refused) || refused.status != 400 {
		t.Errorf("status 400: %v", err)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	body := []byte(`{"NextShardIterator" : "AAA+/=", "N":1, "Records":[{"SequenceNumber":"1"},{"SequenceNumber":"2"}], "Open":"`)
	if got := string(stringMember(body, "NextShardIterator")); got != "AAA+/=" {
		t.Errorf("iterator %q", got)
	}
	if countRecords(body) != 2 {
		t.Errorf("%d records", countRecords(body))
	}
	for _, name := range []string{"N", "None", "Open", "Records"} {
		if got := stringMember(body, name); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`{"Item":{"EventName":{"S":"a"},"EventCount":{"N":"42"}}}`:      42,
		`{"Item": {"EventCount": {"N": "7"}, "EventName": {"S": "a"}}}`: 7,
		`{}`: 0,
	} {
		if got, err := counter([]byte(body)); got != want || err != nil {
			t.Errorf("%s: %d, %v", body, got, err)
		}
	}
	if _, err := counter([]byte(`{"EventCount":{"S":"x"}}`)); err == nil {
		t.Error("a string is taken for a counter")
	}
}
