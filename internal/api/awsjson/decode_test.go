package awsjson_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbschemas "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinschemas "github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/sdktest"
	"github.com/weirstream/weir/internal/api/shape"
)

func describe(t testing.TB, goType reflect.Type, schema *smithy.Schema) *shape.Type {
	t.Helper()
	typ, err := shape.NewBuilder(sdktest.Unions).Describe(goType, schema)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func decode[In any](t testing.TB, d *awsjson.Dialect, schema *smithy.Schema, body string) (*In, error) {
	t.Helper()
	in := new(In)
	typ := describe(t, reflect.TypeFor[In](), schema)
	return in, awsjson.Decoder{Dialect: d}.Decode([]byte(body), typ, reflect.ValueOf(in).Elem())
}

func TestTypeErrors(t *testing.T) {
	t.Parallel()
	putRecords := func(body string) error {
		_, err := decode[kinesis.PutRecordsInput](t, awsjson.Kinesis, kinschemas.PutRecordsInput, body)
		return err
	}
	iterator := func(body string) error {
		_, err := decode[kinesis.GetShardIteratorInput](t, awsjson.Kinesis, kinschemas.GetShardIteratorInput, body)
		return err
	}
	deleteStream := func(body string) error {
		_, err := decode[kinesis.DeleteStreamInput](t, awsjson.Kinesis, kinschemas.DeleteStreamInput, body)
		return err
	}
	createStream := func(body string) error {
		_, err := decode[kinesis.CreateStreamInput](t, awsjson.Kinesis, kinschemas.CreateStreamInput, body)
		return err
	}
	putItem := func(body string) error {
		_, err := decode[dynamodb.PutItemInput](t, awsjson.DynamoDB, ddbschemas.PutItemInput, body)
		return err
	}
	query := func(body string) error {
		_, err := decode[dynamodb.QueryInput](t, awsjson.DynamoDB, ddbschemas.QueryInput, body)
		return err
	}
	batchWrite := func(body string) error {
		_, err := decode[dynamodb.BatchWriteItemInput](t, awsjson.DynamoDB, ddbschemas.BatchWriteItemInput, body)
		return err
	}
	putMetric := func(body string) error {
		_, err := decode[cloudwatch.PutMetricDataInput](t, awsjson.Plain, cwschemas.PutMetricDataInput, body)
		return err
	}
	const number = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to "
	for _, c := range []struct {
		decode     func(string) error
		body, want string
	}{
		// Kinesis.
		{putRecords, `{"StreamName":true}`, "class java.lang.Boolean can not be converted to an String"},
		{putRecords, `{"StreamName":23}`, number + "an String"},
		{putRecords, `{"StreamName":[]}`, "Start of list found where not expected"},
		{putRecords, `{"StreamName":{}}`, "Start of structure or map found where not expected."},
		{putRecords, `{"Records":"x"}`, "Expected list or null"},
		{putRecords, `{"Records":{}}`, "Start of structure or map found where not expected."},
		{putRecords, `{"Records":[3]}`, "Expected null"},
		{putRecords, `{"Records":[[]]}`, "Start of list found where not expected"},
		{putRecords, `{"Records":[{"Data":true}]}`, "class java.lang.Boolean can not be converted to a Blob"},
		{putRecords, `{"Records":[{"Data":1}]}`, number + "a Blob"},
		{putRecords, `{"Records":[{"Data":"23456"}]}`, "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
		{putRecords, `{"Records":[{"Data":"=+/="}]}`, "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"},
		{putRecords, `{"Records":[{"Data":"+/=="}]}`, "'+/==' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"},
		{iterator, `{"Timestamp":"2016"}`, "class java.lang.String can not be converted to milliseconds since epoch"},
		{iterator, `{"Timestamp":true}`, "class java.lang.Boolean can not be converted to milliseconds since epoch"},
		{createStream, `{"ShardCount":"2"}`, "class java.lang.String can not be converted to an Integer"},
		{createStream, `{"ShardCount":true}`, "class java.lang.Boolean can not be converted to an Integer"},
		{createStream, `{"Tags":"2"}`, "Expected map or null"},
		{createStream, `{"Tags":[]}`, "Start of list found where not expected"},
		{deleteStream, `{"EnforceConsumerDeletion":"23"}`, "'23' can not be converted to an Boolean"},
		{deleteStream, `{"EnforceConsumerDeletion":23}`, number + "an Boolean"},
		// The first mismatch counts, and only if the text is valid.
		{putRecords, `{"StreamName":true,"Records":3}`, "class java.lang.Boolean can not be converted to an String"},
		{putRecords, `{"StreamName":true,`, "invalid JSON at byte 19: a member name is expected"},
		{putRecords, `{"StreamName":true}x`, "invalid JSON at byte 19: text after the value"},
		{putRecords, `[]`, awsjson.ErrNotObject.Error()},
		{putRecords, `3`, awsjson.ErrNotObject.Error()},
		{putRecords, ``, "invalid JSON at byte 0: a value is expected"},
		// DynamoDB.
		{putItem, `{"TableName":3}`, "NUMBER_VALUE cannot be converted to String"},
		{putItem, `{"TableName":3.5}`, "DECIMAL_VALUE cannot be converted to String"},
		{putItem, `{"TableName":true}`, "TRUE_VALUE cannot be converted to String"},
		{putItem, `{"TableName":false}`, "FALSE_VALUE cannot be converted to String"},
		{putItem, `{"TableName":[]}`, "Unrecognized collection type class java.lang.String"},
		{putItem, `{"TableName":{}}`, "Start of structure or map found where not expected"},
		{query, `{"Limit":"5"}`, "STRING_VALUE cannot be converted to Integer"},
		{query, `{"Limit":[]}`, "Unrecognized collection type class java.lang.Integer"},
		{query, `{"ConsistentRead":5}`, "NUMBER_VALUE cannot be converted to Boolean"},
		{query, `{"ConsistentRead":"maybe"}`, "Unexpected token received from parser"},
		{query, `{"ConsistentRead":[]}`, "Unrecognized collection type class java.lang.Boolean"},
		{query, `{"AttributesToGet":"x"}`, "Unexpected field type"},
		{putItem, `{"Item":"x"}`, "Unexpected field type"},
		{putItem, `{"Item":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
		{putItem, `{"Item":{"a":"x"}}`, "Unexpected value type in payload"},
		{putItem, `{"Item":{"a":[]}}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"},
		{putItem, `{"Item":{"a":{"L":[{"M":{"b":{"S":5}}}]}}}`, "NUMBER_VALUE cannot be converted to String"},
		{putItem, `{"Item":{"a":{"B":5}}}`, "only base-64-encoded strings are convertible to bytes"},
		{putItem, `{"Item":{"a":{"B":"abcde"}}}`, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
		{putItem, `{"Item":{"a":{"B":[]}}}`, "Unrecognized collection type class java.nio.ByteBuffer"},
		{putItem, `{"Item":{"a":{"SS":"x"}}}`, "Unexpected field type"},
		{putItem, `{"Expected":{"a":[]}}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue"},
		{batchWrite, `{"RequestItems":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>"},
		{batchWrite, `{"RequestItems":{"t":[{"PutRequest":3}]}}`, "Unexpected field type"},
		// The others.
		{putMetric, `{"Namespace":3}`, "NUMBER_VALUE can not be converted to a String"},
		{putMetric, `{"MetricData":[{"StorageResolution":"3"}]}`, "STRING_VALUE can not be converted to an Integer"},
		{putMetric, `{"MetricData":[{"Value":"3"}]}`, "STRING_VALUE can not be converted to a Double"},
		{putMetric, `{"MetricData":[{"Timestamp":"2016"}]}`, "STRING_VALUE can not be converted to milliseconds since epoch"},
		{putMetric, `{"MetricData":3}`, "Expected list or null"},
	} {
		err := c.decode(c.body)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.body, err, c.want)
		}
	}
}

func TestLeniency(t *testing.T) {
	t.Parallel()
	in, err := decode[kinesis.GetShardIteratorInput](t, awsjson.Kinesis, kinschemas.GetShardIteratorInput,
		`{"Unknown":{"a":[1]},"ShardId":null,"StreamName":"a","StreamName":"b","Timestamp":1701760153.593}`)
	want := &kinesis.GetShardIteratorInput{StreamName: aws.String("b"), Timestamp: aws.Time(time.UnixMilli(1701760153593).UTC())}
	if err != nil || !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, %v", in, err)
	}
	for number, want := range map[string]int32{
		"1": 1, "-7": -7, "1.9": 1, "-1.9": -1, "1e3": 1000, "1E+2": 100, "99999999999": 1<<31 - 1, "-99999999999": -1 << 31,
		"1e400": 1<<31 - 1, "123456789012345678901234567890": 1<<31 - 1, "0.0": 0, "2147483647": 1<<31 - 1, "2147483648": 1<<31 - 1,
	} {
		in, err := decode[kinesis.CreateStreamInput](t, awsjson.Kinesis, kinschemas.CreateStreamInput, `{"ShardCount":`+number+`}`)
		if err != nil || in.ShardCount == nil || *in.ShardCount != want {
			t.Errorf("%s was read as %v, %v", number, in.ShardCount, err)
		}
	}
	for word, want := range map[string]bool{"true": true, "Yes": true, "1": true, "FALSE": false, "no": false, "0": false} {
		in, err := decode[dynamodb.QueryInput](t, awsjson.DynamoDB, ddbschemas.QueryInput, `{"ConsistentRead":"`+word+`"}`)
		if err != nil || in.ConsistentRead == nil || *in.ConsistentRead != want {
			t.Errorf("%s was read as %v, %v", word, in.ConsistentRead, err)
		}
	}
}

func TestUnions(t *testing.T) {
	t.Parallel()
	in, err := decode[dynamodb.PutItemInput](t, awsjson.DynamoDB, ddbschemas.PutItemInput,
		`{"Item":{"none":{},"null":null,"two":{"S":"x","N":"1"},"one":{"S":"x","N":null},"other":{"X":"x"},"three":{"S":"a","S":"b"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]ddbtypes.AttributeValue{
		"none": nil, "null": nil, "other": nil,
		"two":   &ddbtypes.UnknownUnionMember{Tag: "S,N"},
		"one":   &ddbtypes.AttributeValueMemberS{Value: "x"},
		"three": &ddbtypes.AttributeValueMemberS{Value: "b"},
	}
	if !reflect.DeepEqual(in.Item, want) {
		t.Errorf("got %#v", in.Item)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	deep := `{"Item":{"a":` + strings.Repeat(`{"L":[`, 200) + strings.Repeat(`]}`, 200) + `}}`
	if _, err := decode[dynamodb.PutItemInput](t, awsjson.DynamoDB, ddbschemas.PutItemInput, deep); err == nil {
		t.Error("400 levels are accepted")
	}
	many := `{"Records":[` + strings.Repeat(`{},`, awsjson.MaxElements) + `{}]}`
	if _, err := decode[kinesis.PutRecordsInput](t, awsjson.Kinesis, kinschemas.PutRecordsInput, many); !errors.Is(err, awsjson.ErrTooLarge) {
		t.Errorf("too many elements: %v", err)
	}
}

func TestEpoch(t *testing.T) {
	t.Parallel()
	for ms, want := range map[int64]string{
		1701760153593: "1701760153.593", 1701760153000: "1701760153", 1701760153500: "1701760153.5", 10: "0.01", -1500: "-1.5", 0: "0",
	} {
		if got := string(awsjson.AppendEpoch(nil, time.UnixMilli(ms))); got != want {
			t.Errorf("%d ms is written as %s, want %s", ms, got, want)
		}
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": `""`, "abc": `"abc"`, "a\"b\\c/": `"a\"b\\c/"`, "\n\r\t\x00\x1f\x7f": "\"\\n\\r\\t\\u0000\\u001f\x7f\"",
		"é😀<&>": `"é😀<&>"`, "a\xffb\xc3": "\"a\uFFFDb\uFFFD\"",
	} {
		if got := string(awsjson.AppendString(nil, in)); got != want {
			t.Errorf("%q is written as %s, want %s", in, got, want)
		}
	}
}

// FuzzJSONRequest decodes any bytes into inputs of several services: that must
// not panic, and what is accepted must survive being written and read again.
func FuzzJSONRequest(f *testing.F) {
	inputs, err := sdktest.Inputs()
	if err != nil {
		f.Fatal(err)
	}
	var chosen []sdktest.Input
	for _, in := range inputs {
		switch in.Operation {
		case "PutRecords", "UpdateItem", "BatchWriteItem", "PutMetricData", "CreateFunction", "GetShardIterator", "PutLogEvents", "PutMetricAlarm":
			chosen = append(chosen, in)
		}
	}
	for _, s := range []string{
		`{}`, `{"Records":[{"Data":"YQ==","PartitionKey":"k"},null],"StreamName":"s"}`,
		`{"TableName":"t","Key":{"k":{"S":"v"}},"ExpressionAttributeValues":{":n":{"L":[{"M":{"a":{"NS":["1"]}}},{"NULL":true}]}}}`,
		`{"MetricData":[{"Value":1e3,"Timestamp":1.5,"Dimensions":[{}]}]}`, `{"Timestamp":-1e300,"ShardCount":"NaN"}`,
		`{"Item":{"a":{"S":"x","N":"1"}}}`, `{"Key":{"a":{},"b":null},"ExpressionAttributeValues":{"":{}}}`, `[`, `{"a":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, in := range chosen {
			for _, d := range []*awsjson.Dialect{awsjson.Plain, awsjson.Kinesis, awsjson.DynamoDB} {
				checkStable(t, in, awsjson.Decoder{Dialect: d}, body)
			}
		}
	})
}

func checkStable(t *testing.T, in sdktest.Input, dec awsjson.Decoder, body []byte) {
	first, second := reflect.New(in.Go), reflect.New(in.Go)
	if dec.Decode(body, in.Shape, first.Elem()) != nil {
		return
	}
	text := write(first)
	if err := dec.Decode(text, in.Shape, second.Elem()); err != nil {
		t.Fatalf("%s: %v in %s", in.Operation, err, text)
	}
	// Maps are written in any order.
	if again := write(second); len(again) != len(text) {
		t.Fatalf("%s: %s was read as %s", in.Operation, text, again)
	}
}

func write(v reflect.Value) []byte {
	var s awsjson.Serializer
	v.Interface().(smithy.Serializable).Serialize(&s)
	return s.Bytes()
}

func putRecordsBody() []byte {
	data := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 200))
	var b bytes.Buffer
	b.WriteString(`{"StreamName":"web-analytics","Records":[`)
	for i := range 500 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"Data":"%s","PartitionKey":"key-%d"}`, data, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

const updateItemBody = `{"TableName":"event-counters","Key":{"EventName":{"S":"page view"},"EventHour":{"S":"2015-05-17T10:00:00"}},` +
	`"UpdateExpression":"ADD EventCount :n","ExpressionAttributeValues":{":n":{"N":"17"}},"ReturnValues":"UPDATED_NEW"}`

func BenchmarkDecodePutRecords(b *testing.B) {
	benchmarkDecode(b, reflect.TypeFor[kinesis.PutRecordsInput](), kinschemas.PutRecordsInput, putRecordsBody())
}

func BenchmarkDecodeUpdateItem(b *testing.B) {
	benchmarkDecode(b, reflect.TypeFor[dynamodb.UpdateItemInput](), ddbschemas.UpdateItemInput, []byte(updateItemBody))
}

func benchmarkDecode(b *testing.B, goType reflect.Type, schema *smithy.Schema, body []byte) {
	typ := describe(b, goType, schema)
	dec := awsjson.Decoder{Dialect: awsjson.Plain}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := dec.Decode(body, typ, reflect.New(goType).Elem()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodePutRecords(b *testing.B) {
	in, err := decode[kinesis.PutRecordsInput](b, awsjson.Plain, kinschemas.PutRecordsInput, string(putRecordsBody()))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkEncode(b, in)
}

func BenchmarkEncodeUpdateItem(b *testing.B) {
	in, err := decode[dynamodb.UpdateItemInput](b, awsjson.Plain, ddbschemas.UpdateItemInput, updateItemBody)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkEncode(b, in)
}

func benchmarkEncode(b *testing.B, v smithy.Serializable) {
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var s awsjson.Serializer
		s.Reset(buf[:0])
		v.Serialize(&s)
		buf = s.Bytes()
	}
	b.SetBytes(int64(len(buf)))
}
