package kinesisapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
)

type fixture struct {
	t       testing.TB
	handler http.Handler
	h       handlers
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := stream.NewLogs(db)
	if err != nil {
		t.Fatal(err)
	}
	streams, err := stream.Open(stream.Config{DB: db, Logs: logs, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := streams.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	handler, err := api.NewHandler(api.Config{Services: []*api.Service{New(streams)}, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{t: t, handler: handler, h: handlers{streams}}
}

func (f *fixture) call(op, body string) (status int, answer string) {
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Kinesis_20131202."+op)
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func (f *fixture) must(op, body string) string {
	f.t.Helper()
	status, answer := f.call(op, body)
	if status != http.StatusOK {
		f.t.Fatalf("%s %s: %d %s", op, body, status, answer)
	}
	return answer
}

func (f *fixture) refused(op, body, want string) {
	f.t.Helper()
	if status, answer := f.call(op, body); status != http.StatusBadRequest || answer != want {
		f.t.Errorf("%s %.200s:\n got %d %s\nwant %s", op, body, status, answer, want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":2}`)
	f.refused("CreateStream", `{"StreamName":"s","ShardCount":1}`, `{"__type":"ResourceInUseException","message":"Stream s under account 000000000000 already exists."}`)
	f.refused("CreateStream", `{"StreamName":"a b","ShardCount":1}`, `{"__type":"ValidationException","message":"1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"}`)
	f.refused("CreateStream", `{"StreamName":"t","ShardCount":1,"Tags":{}}`, `{"__type":"ValidationException","message":"1 validation error detected: Value '{}' at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1"}`)
	f.refused("CreateStream", `{"StreamName":"t","ShardCount":1,"Tags":{"a;":"b"}}`, `{"__type":"InvalidArgumentException","message":"Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @."}`)
	f.refused("CreateStream", `{"StreamName":"t","ShardCount":1,"Tags":`+manyTags(51)+`}`, `{"__type":"InvalidArgumentException","message":"Failed to add tags to stream t under account 000000000000 because a given stream cannot have more than 10 tags associated with it."}`)
	f.refused("CreateStream", `{}`, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'streamName' failed to satisfy constraint: Member must not be null"}`)
	f.refused("DescribeStream", `{"StreamName":"nope"}`, `{"__type":"ResourceNotFoundException","message":"Stream nope under account 000000000000 not found."}`)
	f.refused("DescribeStream", `{"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/gone"}`, `{"__type":"ResourceNotFoundException","message":"Stream gone under account 000000000000 not found."}`)
	f.refused("GetShardIterator", `{"StreamName":"s","ShardId":"shardId-9","ShardIteratorType":"LATEST"}`, `{"__type":"ResourceNotFoundException","message":"Shard shardId-000000000009 in stream s under account 000000000000 does not exist"}`)
	f.refused("GetShardIterator", `{"StreamName":"s","ShardId":"x","ShardIteratorType":"LATEST"}`, `{"__type":"ResourceNotFoundException","message":"Could not find shard x in stream s under account 000000000000."}`)
	f.refused("GetRecords", `{"ShardIterator":"AAAA"}`, `{"__type":"InvalidArgumentException","message":"Invalid ShardIterator."}`)
	f.refused("GetRecords", `{"ShardIterator":"AAAA","Limit":10001}`, `{"__type":"ValidationException","message":"1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000"}`)
	f.refused("PutRecord", `{"StreamName":"s","PartitionKey":"k","Data":"YQ==","ExplicitHashKey":"340282366920938463463374607431768211456"}`, `{"__type":"InvalidArgumentException","message":"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was 340282366920938463463374607431768211456"}`)
	f.refused("PutRecords", `{"StreamName":"nope","Records":[{"Data":"YQ==","PartitionKey":"k"}]}`, `{"__type":"ResourceNotFoundException","message":"Stream nope under account 000000000000 not found."}`)
	f.refused("ListShards", `{}`, `{"__type":"InvalidArgumentException","message":"Either NextToken or StreamName should be provided."}`)
	f.refused("ListShards", `{"NextToken":"x","StreamName":"s"}`, `{"__type":"InvalidArgumentException","message":"NextToken and StreamName cannot be provided together."}`)
	f.refused("RemoveTagsFromStream", `{"StreamName":"s","TagKeys":["abc;"]}`, `{"__type":"InvalidArgumentException","message":"Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @."}`)
	f.refused("AddTagsToStream", `{"StreamName":"s","Tags":{"a%":"b"}}`, `{"__type":"InvalidArgumentException","message":"Failed to add tags to stream s under account 000000000000 because some tags contained illegal characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'."}`)
	f.refused("SplitShard", `{"StreamName":"s","ShardToSplit":"0","NewStartingHashKey":"999999999999999999999999999999999999999"}`, `{"__type":"InvalidArgumentException","message":"NewStartingHashKey 999999999999999999999999999999999999999 used in SplitShard() on shard shardId-000000000000 in stream s under account 000000000000 is not both greater than one plus the shard's StartingHashKey 0 and less than the shard's EndingHashKey 170141183460469231731687303715884105727."}`)
	f.refused("DescribeAccountSettings", `{}`, `{"__type":"UnknownOperationException","message":"DescribeAccountSettings is not implemented by Weir"}`)
	f.refused("DescribeStreamSettings", `{}`, `{"__type":"UnknownOperationException"}`)
	f.refused("RemoveTagsFromStream", `{"StreamName":"nope","TagKeys":[";"]}`, `{"__type":"ResourceNotFoundException","message":"Stream nope under account 000000000000 not found."}`)
	f.refused("UpdateShardCount", `{"StreamName":"s","TargetShardCount":5,"ScalingType":"UNIFORM_SCALING"}`, `{"__type":"LimitExceededException","message":"UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 2, Target shard count: 5"}`)
	f.refused("UpdateShardCount", `{"StreamName":"s","TargetShardCount":4,"ScalingType":""}`, `{"__type":"ValidationException","message":"1 validation error detected: Value '' at 'scalingType' failed to satisfy constraint: Member must satisfy enum value set: [UNIFORM_SCALING]"}`)
	for given, value := range map[string]string{`,"ShardIteratorType":""`: "''", `,"ShardIteratorType":null`: "null", ``: "null"} {
		rule := "Member must not be null"
		if value == "''" {
			rule = "Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"
		}
		f.refused("GetShardIterator", `{"StreamName":"s","ShardId":"0"`+given+`}`, `{"__type":"ValidationException","message":"1 validation error detected: Value `+value+` at 'shardIteratorType' failed to satisfy constraint: `+rule+`"}`)
	}
}

func TestPutRecordsCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":3}`)
	record := `{"Data":"YQ==","PartitionKey":"k"}`
	body := func(n int) string {
		return `{"StreamName":"s","Records":[` + strings.Repeat(record+",", max(n-1, 0)) + strings.Repeat(record, min(n, 1)) + `]}`
	}
	f.must("PutRecords", body(500))
	for _, n := range []int{0, 501} {
		if status, answer := f.call("PutRecords", body(n)); status != 400 || !strings.Contains(answer, "at 'records' failed to satisfy constraint: Member must have length") {
			t.Errorf("%d records: %d %.200s ...", n, status, answer)
		}
	}
	long := strings.Repeat("é", 256)
	f.must("PutRecord", `{"StreamName":"s","PartitionKey":"`+long+`","Data":""}`)
	if status, _ := f.call("PutRecord", `{"StreamName":"s","PartitionKey":"`+long+`x","Data":""}`); status != 400 {
		t.Error("a partition key of 257 characters was accepted")
	}
}

func TestReadBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	f.must("PutRecords", `{"StreamName":"s","Records":[{"Data":"AP8=","PartitionKey":"k\"é"},{"Data":"","PartitionKey":"l","ExplicitHashKey":"0"}]}`)
	var it struct{ ShardIterator string }
	if err := json.Unmarshal([]byte(f.must("GetShardIterator", `{"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"TRIM_HORIZON"}`)), &it); err != nil {
		t.Fatal(err)
	}
	for _, extra := range []string{"", `,"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"`} { // fast and general
		var out struct {
			Records []struct {
				Data                         []byte
				PartitionKey, SequenceNumber string
				ApproximateArrivalTimestamp  float64
			}
			MillisBehindLatest *int
			NextShardIterator  string
		}
		if err := json.Unmarshal([]byte(f.must("GetRecords", fmt.Sprintf(`{"ShardIterator":%q%s}`, it.ShardIterator, extra))), &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Records) != 2 || string(out.Records[0].Data) != "\x00\xff" || out.Records[0].PartitionKey != "k\"é" || len(out.Records[1].Data) != 0 ||
			len(out.Records[1].SequenceNumber) != 56 || out.Records[0].ApproximateArrivalTimestamp < 1e9 || *out.MillisBehindLatest != 0 || out.NextShardIterator == "" {
			t.Errorf("%+v", out)
		}
	}
}

// FuzzPutRecordsFast holds the decoder of the hot path equal to the general one:
// what it accepts, the general path accepts with the same records.
func FuzzPutRecordsFast(f *testing.F) {
	for _, seed := range []string{
		`{"StreamName":"s","Records":[{"Data":"YQ==","PartitionKey":"k"}]}`,
		`{"Records":[{"PartitionKey":"\u00e9\ud83d\ude00","Data":"","ExplicitHashKey":"170141183460469231731687303715884105728"}],"StreamName":"s"}`,
		`{"StreamName":"s","StreamName":"t","Records":[{"Data":"YQ==","Data":"Yg==","PartitionKey":"k"}]}`,
		`{"StreamName":"s","Records":[{"Data":"YQ=","PartitionKey":"k"}]}`,
		`{"StreamName":"s","Records":null}`,
	} {
		f.Add([]byte(seed))
	}
	general, err := shape.NewBuilder(nil).Describe(reflect.TypeFor[kinesis.PutRecordsInput](), schemas.PutRecordsInput)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		name, entries, ok := decodePutRecords(body)
		if !ok {
			return
		}
		var in kinesis.PutRecordsInput
		if err := (awsjson.Decoder{Dialect: awsjson.Kinesis}).Decode(body, general, reflect.ValueOf(&in).Elem()); err != nil {
			t.Fatalf("the general decoder refuses %q: %v", body, err)
		}
		var c api.Constraints
		checkStream(&c, in.StreamName, in.StreamARN)
		checkEntries(&c, in.Records)
		if err := c.Err(); err != nil || in.DryRun != nil || in.StreamARN != nil {
			t.Fatalf("the general path refuses %q: %v", body, err)
		}
		if *in.StreamName != name || len(in.Records) != len(entries) {
			t.Fatalf("%q: fast %s %d, general %s %d", body, name, len(entries), *in.StreamName, len(in.Records))
		}
		for i, e := range entries {
			g, err := entry(in.Records[i].PartitionKey, in.Records[i].ExplicitHashKey, in.Records[i].Data)
			if err != nil {
				t.Fatal(err)
			}
			sameHash := (e.Hash == nil) == (g.Hash == nil) && (e.Hash == nil || *e.Hash == *g.Hash)
			if !bytes.Equal(e.Data, g.Data) || e.PartitionKey != g.PartitionKey || !sameHash {
				t.Fatalf("%q: record %d: fast %+v, general %+v", body, i, e, g)
			}
		}
	})
}

func BenchmarkPutRecordsHTTP(b *testing.B) {
	f := newFixture(b)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":4}`)
	body := putRecordsBody(500, 200)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		f.must("PutRecords", body)
	}
}

func BenchmarkDecodePutRecords(b *testing.B) {
	body := []byte(putRecordsBody(500, 200))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, _, ok := decodePutRecords(body); !ok {
			b.Fatal("not decoded")
		}
	}
}

func putRecordsBody(n, size int) string {
	var b strings.Builder
	b.WriteString(`{"StreamName":"s","Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"Data":%q,"PartitionKey":"key-%d"}`, base64.StdEncoding.EncodeToString(make([]byte, size)), i)
	}
	return b.String() + `]}`
}

// manyTags is the JSON of n tags.
func manyTags(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	return "{" + strings.Join(tags, ",") + "}"
}
