package stream

import (
	"encoding/json"
	"testing"
)

func TestEvent(t *testing.T) {
	t.Parallel()
	e := Event{
		SourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/s", Region: "us-east-1",
		Shard: Shard{Index: 0, Created: 1700000000}, Role: "arn:aws:iam::000000000000:role/r",
	}
	got := string(e.Append(nil, Record{Position: 1, Arrival: 1789809094742, PartitionKey: "test_0", Data: []byte("hello")}))
	number := e.Shard.SequenceOf(Record{Position: 1, Arrival: 1789809094742}).String()
	want := `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"test_0","sequenceNumber":"` + number +
		`","data":"aGVsbG8=","approximateArrivalTimestamp":1789809094.742},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000000:` + number +
		`","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::000000000000:role/r","awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for key, arrival := range map[string]int64{"é\"\\\n\x01<": 5000, "plain": 5020, "": 5001} {
		doc := e.Append(nil, Record{PartitionKey: key, Arrival: arrival})
		var back struct{ Kinesis struct{ PartitionKey string } }
		if err := json.Unmarshal(doc, &back); err != nil || back.Kinesis.PartitionKey != key {
			t.Errorf("%q: %v %s", key, err, doc)
		}
	}
}

func BenchmarkEventAppend(b *testing.B) {
	e := Event{
		SourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/web-analytics", Region: "us-east-1",
		Shard: Shard{Created: 1700000000}, Role: "arn:aws:iam::000000000000:role/r",
	}
	r := Record{Position: 1, Arrival: 1789809094742, PartitionKey: "0123456789abcdef", Data: make([]byte, 200)}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0], r)
	}
}
