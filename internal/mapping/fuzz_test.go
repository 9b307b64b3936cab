package mapping

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

// FuzzReadAnswer: whatever a function answers is read or refused. What is read is
// JSON, and names of it are those that the standard decoder finds.
func FuzzReadAnswer(f *testing.F) {
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `7`, `"x"`, `oops`, `{"batchItemFailures":[]}`, `{"batchItemFailures":null}`, `{"batchItemFailures":7}`,
		`{"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"2"}]}`, `{"batchItemFailures":[{"itemIdentifier":""}]}`,
		`{"batchItemFailures":[{"itemIdentifier":1}]}`, `{"batchItemFailures":[{"foo":1}]}`, `{"batchItemFailures":[7]}`,
		`{"state":{"a":[1,2,"x"]},"batchItemFailures":[{"itemIdentifier":"1","x":{}}]}`, `{"state":null}`, `{"state":1`, `{"state":1} x`,
		`{"batchItemFailures":[{"itemIdentifier":"\u0031"}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		a, err := readAnswer(result)
		if len(result) > 0 && !errors.Is(err, errNotJSON) && !json.Valid(result) {
			t.Fatalf("%q: taken as JSON", result)
		}
		if err != nil {
			return
		}
		if a.state != nil && (!json.Valid(a.state) || string(a.state) == "null") {
			t.Errorf("%q: state %q", result, a.state)
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(result, &object) != nil {
			if a.failed != nil || a.state != nil {
				t.Errorf("%q: %+v of no object", result, a)
			}
			return
		}
		var failures []struct{ ItemIdentifier string }
		if json.Unmarshal(object["batchItemFailures"], &failures) == nil && len(failures) != len(a.failed) {
			t.Errorf("%q: %d failures, not %d", result, len(a.failed), len(failures))
		}
		for _, id := range a.failed {
			if id == "" {
				t.Errorf("%q: an empty identifier", result)
			}
		}
	})
}

// FuzzDecodeCheckpoint: bytes are refused, or are a checkpoint that is written as it
// is read.
func FuzzDecodeCheckpoint(f *testing.F) {
	for _, c := range []checkpoint{
		{}, {next: position{at: 7}}, {next: position{at: 7, sub: 3}}, {next: position{at: 9}, done: true},
		{next: position{at: 1 << 60}, window: &window{start: 10, end: 20, invoked: true}},
		{next: position{at: 2, sub: 1}, window: &window{start: 10, end: 20, state: []byte(`{"n":1}`), terminated: true, invoked: true}},
	} {
		f.Add(c.encode())
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		c, err := decodeCheckpoint(value)
		if err != nil {
			return
		}
		again, err := decodeCheckpoint(c.encode())
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("%x: %+v, then %+v %v", value, c, again, err)
		}
		var p progress
		_ = p.add(nil, value)           // what a restart does with it,
		_ = p.add([]byte{3, 1}, value)  // and with a lane's,
		_ = p.add(value, value)         // and with a key that is damaged
		p.processed(Record{Key: "key"}) // never panics
	})
}

// FuzzSpec: a request is refused with an error of the API, or makes a definition
// within the bounds that can be kept, read again and run.
func FuzzSpec(f *testing.F) {
	f.Add(100, 0, 1, 0, -1, -1, "", `{"data":{"a":[1]}}`, "ReportBatchItemFailures", false)
	f.Add(10000, 300, 10, 900, 604800, 10000, "arn:aws:sqs:us-east-1:000000000000:q", `{"eventName":["INSERT"]}`, "x", true)
	f.Add(0, -1, 11, 901, 59, -2, "arn:aws:s3:::b", `{`, "", true)
	f.Fuzz(func(t *testing.T, batch, window, factor, tumbling, age, retries int, destination, filter, response string, table bool) {
		s := Spec{
			BatchSize: &batch, BatchingWindow: &window, Factor: &factor, TumblingWindow: &tumbling, MaximumRecordAge: &age,
			RetryLimit: &retries, OnFailure: &destination, Filters: &[]string{filter}, ResponseTypes: &[]string{response},
		}
		d := Definition{SourceARN: sourceARN}
		if table {
			d.SourceARN = tableARN
		}
		d = s.apply(d, nil)
		var refused *Error
		for _, err := range []error{s.check(), d.check()} {
			if err == nil {
				continue
			}
			if !errors.As(err, &refused) || refused.Message == "" {
				t.Errorf("%+v: %v", s, err)
			}
			return
		}
		if d.BatchSize < 1 || d.BatchSize > 10000 || d.lanes() > 10 || d.TumblingWindow > 0 && d.lanes() > 1 || d.MaximumRecordAge < 0 ||
			d.RetryLimit != nil && *d.RetryLimit < 0 || !d.ReportItemFailures {
			t.Errorf("accepted %+v", d)
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again Definition
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if _, err := again.compileFilters(); err != nil {
			t.Errorf("kept and read again: %v", err)
		}
	})
}
