package awscbor_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinschemas "github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	kintypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/fxamacker/cbor/v2"

	"github.com/weirstream/weir/internal/api/awscbor"
	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/sdktest"
	"github.com/weirstream/weir/internal/api/shape"
)

var (
	rpc            = awscbor.Decoder{Dialect: awsjson.Plain}
	kinesisDialect = awscbor.Decoder{Dialect: awsjson.Kinesis, Millis: true}
)

func write(v any, millis bool) []byte {
	s := awscbor.Serializer{Millis: millis}
	v.(smithy.Serializable).Serialize(&s)
	return s.Bytes()
}

// TestEveryInput writes every input of every service in both dialects and reads
// it back.
func TestEveryInput(t *testing.T) {
	t.Parallel()
	inputs, err := sdktest.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, in := range inputs {
		for _, dec := range []awscbor.Decoder{rpc, kinesisDialect} {
			want := in.Fill(rnd)
			data := write(want.Interface(), dec.Millis)
			if err := cbor.Wellformed(data); err != nil {
				t.Fatalf("%s: %v in %x", in.Operation, err, data)
			}
			got := reflect.New(in.Go)
			if err := dec.Decode(data, in.Shape, got.Elem()); err != nil {
				t.Fatalf("%s: %v in %x", in.Operation, err, data)
			}
			if !reflect.DeepEqual(got.Interface(), want.Interface()) {
				t.Fatalf("%s: %+v\n was read as %+v", in.Operation, want, got)
			}
		}
	}
}

func decode[In any](t *testing.T, dec awscbor.Decoder, schema *smithy.Schema, data []byte) (*In, error) {
	t.Helper()
	typ, err := shape.NewBuilder(sdktest.Unions).Describe(reflect.TypeFor[In](), schema)
	if err != nil {
		t.Fatal(err)
	}
	in := new(In)
	return in, dec.Decode(data, typ, reflect.ValueOf(in).Elem())
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNumbers reads all forms in which clients send numbers.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]float64{
		"05": 5, "1818": 24, "190100": 256, "1a00010000": 65536, "1b0000000100000000": 1 << 32, "20": -1, "3903e7": -1000,
		"f93e00": 1.5, "f98000": math.Copysign(0, -1), "f90001": math.Ldexp(1, -24), "f97bff": 65504, "fa3fc00000": 1.5,
		"fb3ff8000000000000": 1.5, "f97c00": math.Inf(1), "faff800000": math.Inf(-1),
	} {
		data := append([]byte("\xa1\x6aMetricData\x81\xa1\x65Value"), unhex(t, form)...)
		in, err := decode[cloudwatch.PutMetricDataInput](t, rpc, cwschemas.PutMetricDataInput, data)
		if err != nil || *in.MetricData[0].Value != want {
			t.Errorf("%s: got %+v, %v; want %v", form, in, err, want)
		}
	}
	for form, want := range map[string]int32{"05": 5, "fb3ff8000000000000": 1, "1b0000000100000000": math.MaxInt32, "fbc1e0000000200000": math.MinInt32} {
		data := append([]byte("\xa1\x6aShardCount"), unhex(t, form)...)
		in, err := decode[kinesis.CreateStreamInput](t, kinesisDialect, kinschemas.CreateStreamInput, data)
		if err != nil || *in.ShardCount != want {
			t.Errorf("%s: got %+v, %v; want %v", form, in, err, want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const ms = 1701760153593
	for _, c := range []struct {
		dec  awscbor.Decoder
		form string
		want int64
	}{
		{rpc, "c11a656ecc99", ms / 1000 * 1000},
		{rpc, "c1fb41d95bb32665f3b6", ms},
		{rpc, "c1fa4ecadd99", 1701760128000}, // what is left of it in 32 bits
		{kinesisDialect, "c11b0000018c38cf37f9", ms},
		{kinesisDialect, "c1fb4278c38cf37f9000", ms},
	} {
		data := append([]byte("\xa1\x69Timestamp"), unhex(t, c.form)...)
		in, err := decode[kinesis.GetShardIteratorInput](t, c.dec, kinschemas.GetShardIteratorInput, data)
		if err != nil || in.Timestamp == nil || in.Timestamp.UnixMilli() != c.want {
			t.Errorf("%s: got %v, %v; want %v", c.form, in.Timestamp, err, time.UnixMilli(c.want))
		}
	}
	out := &kinesis.GetRecordsOutput{Records: []kintypes.Record{{ApproximateArrivalTimestamp: aws.Time(time.UnixMilli(ms))}}}
	if got := write(out, true); !bytes.Contains(got, unhex(t, "c11b0000018c38cf37f9")) {
		t.Errorf("time in milliseconds: %x", got)
	}
	if got := write(out, false); !bytes.Contains(got, unhex(t, "c1fb41d95bb32665f3b6")) {
		t.Errorf("time in seconds: %x", got)
	}
}

// TestIndefinite reads what Java clients write.
func TestIndefinite(t *testing.T) {
	t.Parallel()
	data := []byte("\xbf\x6aStreamName\x7f\x62ab\x61c\xff\x67Records\x9f\xbf\x64Data\x5f\x41x\x41y\xff\x6cPartitionKey\x61k\xff\xf6\xff\x65Other\xd9\xd9\xf7\x9f\x01\xff\xff")
	in, err := decode[kinesis.PutRecordsInput](t, kinesisDialect, kinschemas.PutRecordsInput, data)
	want := &kinesis.PutRecordsInput{
		StreamName: aws.String("abc"),
		Records:    []kintypes.PutRecordsRequestEntry{{Data: []byte("xy"), PartitionKey: aws.String("k")}, {}},
	}
	if err != nil || !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ data, want string }{
		{"", "malformed CBOR: unexpected end at byte 0"},
		{"\x80", awscbor.ErrNotMap.Error()},
		{"\xa1", "malformed CBOR: unexpected end at byte 1"},
		{"\xa1\x01\x02", "malformed CBOR: a key is not a text at byte 2"},
		{"\xa0\x00", "malformed CBOR: data after the document at byte 1"},
		{"\xbf", "malformed CBOR: unexpected end at byte 1"},
		{"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "malformed CBOR: unexpected end at byte 9"},
		{"\xa1\x6aStreamName\x61\xff", "malformed CBOR: text is not UTF-8 at byte 14"},
		{"\xa1\x6aStreamName\x1c", "malformed CBOR: reserved head at byte 13"},
		{"\xa1\x6aStreamName\xff", "malformed CBOR: reserved head at byte 13"},
		{"\xa1\x6aStreamName\x01", "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
		{"\xa1\x6aStreamName\xf5", "class java.lang.Boolean can not be converted to an String"},
		{"\xa1\x67Records\x61x", "Expected list or null"},
		{"\xa1\x67Records\x81\xa1\x64Data\x62YQ", "class java.lang.String can not be converted to a Blob"},
	} {
		_, err := decode[kinesis.PutRecordsInput](t, kinesisDialect, kinschemas.PutRecordsInput, []byte(c.data))
		if err == nil || err.Error() != c.want {
			t.Errorf("%x: got %v, want %s", c.data, err, c.want)
		}
	}
	deep := append(bytes.Repeat([]byte("\xa1\x61a"), 300), 0xa0)
	if _, err := decode[kinesis.PutRecordsInput](t, kinesisDialect, kinschemas.PutRecordsInput, deep); err == nil {
		t.Error("300 levels are accepted")
	}
}

// FuzzCBORRequest decodes any bytes into inputs of several services: that must
// not panic, must accept only what is well-formed, and what is accepted must
// survive being written and read again.
func FuzzCBORRequest(f *testing.F) {
	inputs, err := sdktest.Inputs()
	if err != nil {
		f.Fatal(err)
	}
	var chosen []sdktest.Input
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, in := range inputs {
		switch in.Operation {
		case "PutRecords", "PutMetricData", "GetShardIterator", "PutMetricAlarm", "UpdateItem":
			chosen = append(chosen, in)
			f.Add(write(in.Fill(rnd).Interface(), false))
		}
	}
	f.Add([]byte("\xbf\x6aStreamName\x7f\x62ab\x61c\xff\x67Records\x9f\xbf\x64Data\x5f\x41x\x41y\xff\x6cPartitionKey\x61k\xff\xf6\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if awscbor.Valid(data) {
			if err := wellformed.Wellformed(data); err != nil {
				t.Fatalf("accepted, but %v", err)
			}
		}
		for _, in := range chosen {
			checkStable(t, in, rpc, data)
			checkStable(t, in, kinesisDialect, data)
		}
	})
}

// wellformed is the oracle, with bounds that are not lower than ours.
var wellformed = func() cbor.DecMode {
	m, err := cbor.DecOptions{MaxNestedLevels: 65535, MaxArrayElements: math.MaxInt32, MaxMapPairs: math.MaxInt32}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

func checkStable(t *testing.T, in sdktest.Input, dec awscbor.Decoder, data []byte) {
	first, second := reflect.New(in.Go), reflect.New(in.Go)
	if dec.Decode(data, in.Shape, first.Elem()) != nil {
		return
	}
	if !awscbor.Valid(data) {
		t.Fatalf("%s was read, but is not valid", in.Operation)
	}
	text := write(first.Interface(), dec.Millis)
	if err := dec.Decode(text, in.Shape, second.Elem()); err != nil {
		t.Fatalf("%s: %v in %x", in.Operation, err, text)
	}
	if again := write(second.Interface(), dec.Millis); len(again) != len(text) {
		t.Fatalf("%s: %x was read as %x", in.Operation, text, again)
	}
}
