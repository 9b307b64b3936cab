package awsquery_test

import (
	"encoding/xml"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsquery"
	"github.com/weirstream/weir/internal/api/sdktest"
	"github.com/weirstream/weir/internal/api/shape"
)

func describe[T any](t testing.TB, schema *smithy.Schema) *shape.Type {
	t.Helper()
	typ, err := shape.NewBuilder(sdktest.Unions).Describe(reflect.TypeFor[T](), schema)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func decode[In any](t testing.TB, schema *smithy.Schema, text string) (*In, error) {
	t.Helper()
	form, err := awsquery.Parse(text)
	if err != nil {
		return nil, err
	}
	in := new(In)
	return in, form.Decode(describe[In](t, schema), reflect.ValueOf(in).Elem())
}

func TestDecode(t *testing.T) {
	t.Parallel()
	metrics, err := decode[cloudwatch.PutMetricDataInput](t, cwschemas.PutMetricDataInput,
		"Action=PutMetricData&Version=2010-08-01&Namespace=a%2Fb+c"+
			"&MetricData.member.2.MetricName=second&MetricData.member.1.MetricName=first&MetricData.member.10.MetricName=last"+
			"&MetricData.member.1.Values.member.1=1.5&MetricData.member.1.Values.member.2=-2e3"+
			"&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=v"+
			"&MetricData.member.1.Timestamp=2025-01-02T03:04:05.678901Z&MetricData.member.1.StorageResolution=60")
	want := &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("a/b c"),
		MetricData: []cwtypes.MetricDatum{
			{
				MetricName: aws.String("first"), Values: []float64{1.5, -2000}, StorageResolution: aws.Int32(60),
				Dimensions: []cwtypes.Dimension{{Name: aws.String("d"), Value: aws.String("v")}},
				Timestamp:  aws.Time(time.Date(2025, 1, 2, 3, 4, 5, 678901000, time.UTC)),
			},
			{MetricName: aws.String("second")}, {MetricName: aws.String("last")},
		},
	}
	if err != nil || !reflect.DeepEqual(metrics, want) {
		t.Errorf("metrics: %+v, %v", metrics, err)
	}
	publish, err := decode[sns.PublishInput](t, nil,
		"MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=Binary&MessageAttributes.entry.1.Value.BinaryValue=YQ%3D%3D&Message=m")
	wantPublish := &sns.PublishInput{
		Message:           aws.String("m"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"a": {DataType: aws.String("Binary"), BinaryValue: []byte("a")}},
	}
	if err != nil || !reflect.DeepEqual(publish, wantPublish) {
		t.Errorf("publish: %+v, %v", publish, err)
	}
	topic, err := decode[sns.CreateTopicInput](t, nil, "Attributes.entry.1.key=k&Attributes.entry.1.value=v&Tags.member.1.Key=t&Tags.member.1.Value=&Name=n")
	wantTopic := &sns.CreateTopicInput{
		Name: aws.String("n"), Attributes: map[string]string{"k": "v"}, Tags: []snstypes.Tag{{Key: aws.String("t"), Value: aws.String("")}},
	}
	if err != nil || !reflect.DeepEqual(topic, wantTopic) {
		t.Errorf("topic: %+v, %v", topic, err)
	}
	alarms, err := decode[cloudwatch.DescribeAlarmsInput](t, cwschemas.DescribeAlarmsInput, "AlarmNames=&MaxRecords=5")
	if err != nil || alarms.AlarmNames == nil || len(alarms.AlarmNames) != 0 || *alarms.MaxRecords != 5 {
		t.Errorf("empty list: %+v, %v", alarms, err)
	}
	check, err := decode[sns.CheckIfPhoneNumberIsOptedOutInput](t, nil, "phoneNumber=5")
	if err != nil || aws.ToString(check.PhoneNumber) != "5" {
		t.Errorf("lower case name: %+v, %v", check, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"MetricData.member.1.Value=x":                                 "Value (x) for parameter MetricData.member.1.Value is invalid. It is not a number.",
		"MetricData.member.1.Timestamp=yesterday":                     "Value (yesterday) for parameter MetricData.member.1.Timestamp is invalid. It is not an ISO 8601 timestamp.",
		"MetricData.member.1.StorageResolution=1.5":                   "Value (1.5) for parameter MetricData.member.1.StorageResolution is invalid. It is not an integer.",
		"StrictEntityValidation=perhaps":                              "Value (perhaps) for parameter StrictEntityValidation is invalid. It is not a boolean.",
		"Namespace=%zz":                                               "Value of Namespace is not correctly encoded",
		"%zz=a":                                                       `Key is not correctly encoded: "%zz"`,
		strings.Repeat("a.", 40) + "a=b":                              "The request has too many or too deeply nested parameters",
		"EntityMetricData.member.1.Entity.Attributes.entry.1.value=x": "Value () for parameter EntityMetricData.member.1.Entity.Attributes.entry.1 is invalid. It is not a map entry with a key.",
	} {
		_, err := decode[cloudwatch.PutMetricDataInput](t, cwschemas.PutMetricDataInput, text)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	out := &cloudwatch.GetMetricStatisticsOutput{
		Label: aws.String("<a&b>"),
		Datapoints: []cwtypes.Datapoint{
			{Timestamp: aws.Time(time.Unix(1700000000, 0)), Sum: aws.Float64(0), Unit: cwtypes.StandardUnitCount, ExtendedStatistics: map[string]float64{"p90": 1e6, "p10": 0.5}},
		},
	}
	var e awsquery.Encoder
	e.Response("GetMetricStatistics", "http://x/", "id", describe[cloudwatch.GetMetricStatisticsOutput](t, cwschemas.GetMetricStatisticsOutput), reflect.ValueOf(out).Elem())
	want := `<GetMetricStatisticsResponse xmlns="http://x/"><GetMetricStatisticsResult>` +
		`<Datapoints><member><ExtendedStatistics><entry><key>p10</key><value>0.5</value></entry><entry><key>p90</key><value>1000000</value></entry></ExtendedStatistics>` +
		`<Sum>0</Sum><Timestamp>2023-11-14T22:13:20Z</Timestamp><Unit>Count</Unit></member></Datapoints><Label>&lt;a&amp;b&gt;</Label>` +
		`</GetMetricStatisticsResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetMetricStatisticsResponse>`
	if e.String() != want {
		t.Errorf("got  %s\nwant %s", e.String(), want)
	}
	e.Reset()
	e.Response("ListTopics", "", "id", describe[sns.ListTopicsOutput](t, nil), reflect.ValueOf(sns.ListTopicsOutput{Topics: []snstypes.Topic{}}))
	if want := `<ListTopicsResponse><ListTopicsResult><Topics></Topics></ListTopicsResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></ListTopicsResponse>`; e.String() != want {
		t.Errorf("got  %s\nwant %s", e.String(), want)
	}
	e.Reset()
	e.Error("NotFound", "no \x01 such <topic>", true, "http://x/", "id")
	if want := `<ErrorResponse xmlns="http://x/"><Error><Type>Sender</Type><Code>NotFound</Code><Message>no ` + "\uFFFD" + ` such &lt;topic&gt;</Message></Error><RequestId>id</RequestId></ErrorResponse>`; e.String() != want {
		t.Errorf("got  %s\nwant %s", e.String(), want)
	}
}

// FuzzQueryRequest decodes any form into inputs with and without schemas: that
// must not panic, and what was read must be possible to write as XML.
func FuzzQueryRequest(f *testing.F) {
	types := []*shape.Type{
		describe[cloudwatch.PutMetricDataInput](f, cwschemas.PutMetricDataInput),
		describe[cloudwatch.PutMetricAlarmInput](f, cwschemas.PutMetricAlarmInput),
		describe[sns.PublishBatchInput](f, nil),
		describe[sns.CreateTopicInput](f, nil),
	}
	for _, s := range []string{
		"Action=Publish&Message=a%20b", "MetricData.member.1.Value=1&MetricData.member.1.Dimensions.member.2.Name=x", "Attributes.entry.1.key=k&Attributes.entry.1.value=v",
		"PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=n&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.BinaryValue=YQ==",
		"EvaluationCriteria.PromQLCriteria.Query=x", "&&=&a=&.=1&a..b=2", "MetricData=", "MetricData.member.99999999999999999999.Value=1", "MetricData.member.1.Timestamp=1e300",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := awsquery.Parse(text)
		if err != nil {
			return
		}
		for _, typ := range types {
			v := reflect.New(typ.Go).Elem()
			if form.Decode(typ, v) != nil {
				continue
			}
			var e awsquery.Encoder
			e.Response("Op", "", "id", typ, v)
			d := xml.NewDecoder(&e)
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("not XML: %v", err)
				}
			}
		}
	})
}

func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	for range 30 {
		_, err := decode[cloudwatch.PutMetricAlarmInput](t, cwschemas.PutMetricAlarmInput, "Threshold=a&Period=b&EvaluationPeriods=c&DatapointsToAlarm=d")
		if err == nil || !strings.Contains(err.Error(), "DatapointsToAlarm") {
			t.Fatalf("not the first of the wrong members by name: %v", err)
		}
	}
}
