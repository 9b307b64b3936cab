package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// parsed reads a request as a server would and decodes its body.
func parsed(t *testing.T, request []byte, body any) *http.Request {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(request))
	r, err := http.ReadRequest(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if in.Buffered() > 0 {
		t.Error("there is more than the request")
	}
	if err := json.Unmarshal(text, body); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

func TestPutRecordsRequest(t *testing.T) {
	t.Parallel()
	var body struct {
		StreamName string
		Records    []struct {
			Data         []byte
			PartitionKey string
		}
	}
	r := parsed(t, putBatches(newSource(), "events", 1, 500)[0], &body)
	if r.Header.Get("X-Amz-Target") != "Kinesis_20131202.PutRecords" || body.StreamName != "events" || len(body.Records) != 500 {
		t.Fatalf("target %q, stream %q, %d records", r.Header.Get("X-Amz-Target"), body.StreamName, len(body.Records))
	}
	keys := make(map[string]bool)
	for _, rec := range body.Records {
		var event struct{ Key string }
		if err := json.Unmarshal(rec.Data, &event); err != nil || len(rec.Data) != recordSize || event.Key == "" {
			t.Fatalf("%d bytes, %v: %s", len(rec.Data), err, rec.Data)
		}
		keys[rec.PartitionKey] = true
	}
	if len(keys) != 500 {
		t.Errorf("%d different partition keys", len(keys))
	}
	again := putBatches(newSource(), "events", 1, 500)[0]
	if !bytes.Equal(again, putBatches(newSource(), "events", 1, 500)[0]) {
		t.Error("requests differ from one target to the next")
	}
}

func TestItemRequests(t *testing.T) {
	t.Parallel()
	var item struct {
		Item map[string]map[string]string
	}
	parsed(t, putItem(newSource(), "t", "key-1"), &item)
	if item.Item["EventName"]["S"] != "key-1" || len(item.Item["Payload"]["S"]) != 120 {
		t.Errorf("PutItem: %v", item)
	}
	var key struct {
		Key                       map[string]map[string]string
		ConsistentRead            bool
		ExpressionAttributeValues map[string]map[string]string
	}
	parsed(t, getItem("t", "key-1"), &key)
	if key.Key["EventName"]["S"] != "key-1" || !key.ConsistentRead {
		t.Errorf("GetItem: %v", key)
	}
	parsed(t, updateItem("t", "key-2"), &key)
	if key.Key["EventName"]["S"] != "key-2" || key.ExpressionAttributeValues[":n"]["N"] != "1" {
		t.Errorf("UpdateItem: %v", key)
	}
	var record struct{ Data []byte }
	parsed(t, putRecord(newSource(), "s", []byte("abc")), &record)
	if string(record.Data) != "abc" {
		t.Errorf("PutRecord: %q", record.Data)
	}
}

func TestRESTRequest(t *testing.T) {
	t.Parallel()
	var body map[string]string
	r := parsed(t, rest("lambda", "POST", "/2015-03-31/functions", []byte(`{"A":"b"}`)), &body)
	if r.Method != "POST" || r.URL.Path != "/2015-03-31/functions" || body["A"] != "b" {
		t.Errorf("%s %s %v", r.Method, r.URL, body)
	}
}
