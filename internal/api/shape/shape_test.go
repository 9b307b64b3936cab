package shape_test

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbschemas "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinschemas "github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/weirstream/weir/internal/api/sdktest"
	"github.com/weirstream/weir/internal/api/shape"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	b := shape.NewBuilder(sdktest.Unions)
	put, err := b.Describe(reflect.TypeFor[kinesis.PutRecordsInput](), kinschemas.PutRecordsInput)
	if err != nil {
		t.Fatal(err)
	}
	records := put.MemberNamed("Records")
	if records.Kind != shape.List || records.Pointer || records.Elem.Kind != shape.Struct || records.Elem.Name != "PutRecordsRequestEntry" {
		t.Errorf("records: %+v", records)
	}
	if data := records.Elem.MemberNamed("Data"); data.Kind != shape.Blob || data.Name != "Data" {
		t.Errorf("data: %+v", data)
	}
	if name := put.Member([]byte("StreamName")); name.Kind != shape.String || !name.Pointer {
		t.Errorf("name: %+v", name)
	}
	if put.MemberNamed("ResultMetadata") != nil {
		t.Error("metadata of the client is a member")
	}
	item, err := b.Describe(reflect.TypeFor[dynamodb.PutItemInput](), ddbschemas.PutItemInput)
	if err != nil {
		t.Fatal(err)
	}
	value := item.MemberNamed("Item").Elem.Type
	if nested := value.MemberNamed("L").Elem.Type; value.Kind != shape.Union || nested != value {
		t.Errorf("a value in a list is not described by the value itself: %+v", nested)
	}
	publish, err := b.Describe(reflect.TypeFor[sns.PublishInput](), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := publish.MemberNamed("MessageAttributes"); m.Kind != shape.Map || m.Elem.Kind != shape.Struct || m.Schema != nil {
		t.Errorf("without a schema: %+v", m)
	}
	part := put.Restrict(func(m *shape.Member) bool { return m.Kind == shape.String })
	if part.MemberNamed("Records") != nil || part.MemberNamed("StreamName") == nil || put.MemberNamed("Records") == nil {
		t.Error("Restrict keeps the wrong members")
	}
}

func TestDescribeErrors(t *testing.T) {
	t.Parallel()
	for want, typ := range map[string]reflect.Type{
		"not a struct":                 reflect.TypeFor[*kinesis.PutRecordsInput](),
		"no wire form for func":        reflect.TypeFor[struct{ F func(context.Context) }](),
		"no wire form for map[int]":    reflect.TypeFor[struct{ M []map[int]string }](),
		"variants of the union":        reflect.TypeFor[struct{ I any }](),
		"no field for member Records":  reflect.TypeFor[struct{ DryRun, StreamARN, StreamId, StreamName *string }](),
		"no field for member StreamId": reflect.TypeFor[struct{ DryRun, StreamARN, Records, StreamName *string }](),
	} {
		schema := kinschemas.PutRecordsInput
		if !strings.Contains(want, "member") {
			schema = nil
		}
		if _, err := shape.NewBuilder(nil).Describe(typ, schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", typ, err, want)
		}
	}
}

func TestTimeOf(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{
		1701760153.593: "2023-12-05T07:09:13.593Z",
		0:              "1970-01-01T00:00:00Z",
		-1.5:           "1969-12-31T23:59:58.5Z",
		math.Inf(1):    "9999-12-31T23:59:59Z",
		1e300:          "9999-12-31T23:59:59Z",
	} {
		if got := shape.TimeOf(seconds).Format(time.RFC3339Nano); got != want {
			t.Errorf("%v is %s, want %s", seconds, got, want)
		}
	}
	if got := shape.TimeOf(math.NaN()); !got.Equal(time.Unix(0, 0)) {
		t.Errorf("NaN is %v", got)
	}
	if got := shape.TimeOfMillis(math.MaxInt64); got.Year() != 9999 {
		t.Errorf("the last millisecond is %v", got)
	}
}
