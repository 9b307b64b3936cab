package cloudwatchapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/metric"
	"github.com/weirstream/weir/internal/store"
)

type fixture struct {
	t      *testing.T
	url    string
	client *cloudwatch.Client // RPC v2 CBOR
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := metric.Open(metric.Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	alarms, err := metric.OpenAlarms(metric.AlarmsConfig{DB: db, Identity: catalog.DefaultIdentity, Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	dashboards, err := metric.OpenDashboards(db, catalog.DefaultIdentity)
	if err != nil {
		t.Fatal(err)
	}
	svc := New(Deps{Metrics: metrics, Alarms: alarms, Dashboards: dashboards, Identity: catalog.DefaultIdentity})
	handler, err := api.NewHandler(api.Config{Services: []*api.Service{svc}, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := errors.Join(alarms.Close(), metrics.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	client := cloudwatch.New(cloudwatch.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	return &fixture{t: t, url: server.URL, client: client}
}

// post sends a request of another protocol and returns status and body.
func (f *fixture) post(contentType, body string, header ...string) (int, http.Header, string) {
	f.t.Helper()
	req, err := http.NewRequest(http.MethodPost, f.url+"/", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(answer)
}

func (f *fixture) json(operation, body string, header ...string) (int, http.Header, string) {
	f.t.Helper()
	return f.post("application/x-amz-json-1.0", body, append(header, "X-Amz-Target", "GraniteServiceVersion20100801."+operation)...)
}

func (f *fixture) query(form string, header ...string) (int, http.Header, string) {
	f.t.Helper()
	return f.post("application/x-www-form-urlencoded; charset=utf-8", form+"&Version=2010-08-01", header...)
}

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func zipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The same datapoint through each protocol reads back equal through each.
func TestProtocolsAgree(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	at := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	for _, ns := range []string{"cbor", "json", "query"} {
		iso := at.UTC().Format(time.RFC3339)
		switch ns {
		case "cbor":
			_, err := f.client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &ns, MetricData: []types.MetricDatum{{
				MetricName: aws.String("m"), Values: []float64{1, 2.5}, Counts: []float64{1, 3}, Unit: types.StandardUnitCount, Timestamp: &at,
				Dimensions: []types.Dimension{{Name: aws.String("a"), Value: aws.String("b")}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
		case "json":
			status, _, body := f.json("PutMetricData", fmt.Sprintf(`{"Namespace":"json","MetricData":[{"MetricName":"m","Values":[1,2.5],"Counts":[1,3],"Unit":"Count","Timestamp":%d,"Dimensions":[{"Name":"a","Value":"b"}]}]}`, at.Unix()))
			if status != 200 {
				t.Fatal(body)
			}
		case "query":
			status, _, body := f.query("Action=PutMetricData&Namespace=query&MetricData.member.1.MetricName=m&MetricData.member.1.Values.member.1=1&MetricData.member.1.Values.member.2=2.5" +
				"&MetricData.member.1.Counts.member.1=1&MetricData.member.1.Counts.member.2=3&MetricData.member.1.Unit=Count&MetricData.member.1.Timestamp=" + url.QueryEscape(iso) +
				"&MetricData.member.1.Dimensions.member.1.Name=a&MetricData.member.1.Dimensions.member.1.Value=b")
			if status != 200 || !strings.HasPrefix(body, `<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">`) {
				t.Fatal(body)
			}
		}
		start, end := at.Add(-time.Minute), at.Add(5*time.Minute)
		out, err := f.client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: &ns, MetricName: aws.String("m"), StartTime: &start, EndTime: &end, Period: aws.Int32(60),
			Statistics: []types.Statistic{"SampleCount", "Sum", "Average", "Minimum", "Maximum"}, Dimensions: []types.Dimension{{Name: aws.String("a"), Value: aws.String("b")}},
		})
		if err != nil || len(out.Datapoints) != 1 {
			t.Fatalf("%s: %v, %v", ns, out, err)
		}
		d := out.Datapoints[0]
		if *d.SampleCount != 4 || *d.Sum != 8.5 || *d.Average != 2.125 || *d.Minimum != 1 || *d.Maximum != 2.5 || d.Unit != "Count" || !d.Timestamp.Equal(at) {
			t.Errorf("%s: %v %v %v %v %v %v %v", ns, *d.SampleCount, *d.Sum, *d.Average, *d.Minimum, *d.Maximum, d.Unit, d.Timestamp)
		}
		_, _, body := f.json("GetMetricStatistics", fmt.Sprintf(`{"Namespace":%q,"MetricName":"m","StartTime":%d,"EndTime":%d,"Period":60,"ExtendedStatistics":["p50"],"Dimensions":[{"Name":"a","Value":"b"}]}`, ns, start.Unix(), end.Unix()))
		if want := fmt.Sprintf(`{"Datapoints":[{"ExtendedStatistics":{"p50":2.5},"Timestamp":%d,"Unit":"Count"}],"Label":"m"}`, at.Unix()); body != want {
			t.Errorf("%s by JSON:\n got %s\nwant %s", ns, body, want)
		}
		_, _, body = f.query("Action=GetMetricStatistics&Namespace=" + ns + "&MetricName=m&Period=60&Statistics.member.1=Sum&StartTime=" + url.QueryEscape(start.UTC().Format(time.RFC3339)) +
			"&EndTime=" + url.QueryEscape(end.UTC().Format(time.RFC3339)) + "&Dimensions.member.1.Name=a&Dimensions.member.1.Value=b")
		if want := "<member><Sum>8.5</Sum><Timestamp>" + iso + "</Timestamp><Unit>Count</Unit></member>"; !strings.Contains(body, want) {
			t.Errorf("%s by query: %s, want %s", ns, body, want)
		}
	}
}

// Clients compress large requests; the name of the encoding has no case.
func TestCompressedRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var data []types.MetricDatum
	form := "Action=PutMetricData&Namespace=query"
	for i := range 300 {
		name := fmt.Sprintf("a metric with a long name, number %d", i)
		data = append(data, types.MetricDatum{MetricName: &name, Value: aws.Float64(1)})
		form += fmt.Sprintf("&MetricData.member.%d.MetricName=m%d&MetricData.member.%d.Value=1", i+1, i, i+1)
	}
	if _, err := f.client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("cbor"), MetricData: data}); err != nil {
		t.Error(err)
	}
	body := zipped(t, form+"&Version=2010-08-01")
	if status, _, answer := f.post("application/x-www-form-urlencoded", body, "Content-Encoding", "GZIP"); status != 200 {
		t.Error(answer)
	}
	for _, ns := range []string{"cbor", "query"} {
		out, err := f.client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: &ns})
		if err != nil || len(out.Metrics) != 300 {
			t.Errorf("%s: %v, %v", ns, out, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const missing = `{"AlarmName":"none","StateValue":"OK","StateReason":"r"}`
	status, header, body := f.json("SetAlarmState", missing, "X-Amzn-Query-Mode", "true")
	if status != 404 || header.Get("X-Amzn-Query-Error") != "ResourceNotFound;Sender" || body != `{"__type":"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}` {
		t.Errorf("in query mode: %d %v %s", status, header, body)
	}
	if status, header, body := f.json("SetAlarmState", missing); status != 400 || header.Get("X-Amzn-Query-Error") != "ResourceNotFound;Sender" {
		t.Errorf("not in query mode: %d %v %s", status, header, body)
	}
	if status, _, body := f.query("Action=SetAlarmState&AlarmName=none&StateValue=OK&StateReason=r"); status != 404 || !strings.Contains(body, "<Code>ResourceNotFound</Code>") {
		t.Errorf("query: %d %s", status, body)
	}
	now := time.Now()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no such alarm": {second(f.client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: "OK", StateReason: aws.String("r")})), "ResourceNotFound"},
		"bad state":     {second(f.client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: "BAD", StateReason: aws.String("r")})), "ValidationError"},
		"math":          {second(f.client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("e"), Expression: aws.String("1+1")}}})), "ValidationError"},
		"entity":        {second(f.client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), EntityMetricData: []types.EntityMetricData{{}}})), "ValidationError"},
		"no data":       {second(f.client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n")})), "MissingParameter"},
		"no dashboard":  {second(f.client.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: aws.String("d")})), "ResourceNotFound"},
		"bad dashboard": {second(f.client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String("{}")})), "InvalidParameterInput"},
		"band alarm":    {second(f.client.PutMetricAlarm(t.Context(), alarmInput(func(in *cloudwatch.PutMetricAlarmInput) { in.ThresholdMetricId = aws.String("b") }))), "ValidationError"},
		"wall clock": {second(f.client.PutMetricAlarm(t.Context(), alarmInput(func(in *cloudwatch.PutMetricAlarmInput) {
			in.EvaluationWindow = &types.EvaluationWindowMemberWallClockWindow{}
		}))), "ValidationError"},
		"no threshold":   {second(f.client.PutMetricAlarm(t.Context(), alarmInput(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil }))), "MissingParameter"},
		"no such tagged": {second(f.client.UntagResource(t.Context(), &cloudwatch.UntagResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:x"), TagKeys: []string{"k"}})), "ResourceNotFoundException"},
		"no such listed": {second(f.client.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch::000000000000:dashboard/x")})), "ResourceNotFoundException"},
		"bad token":      {second(f.client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{NextToken: aws.String("%")})), "InvalidNextToken"},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
	var invalid *types.DashboardInvalidInputError
	_, err := f.client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String(`{"widgets":[7]}`)})
	if !errors.As(err, &invalid) || len(invalid.DashboardValidationMessages) != 1 || *invalid.DashboardValidationMessages[0].DataPath != "/widgets/0" {
		t.Errorf("dashboard: %v", err)
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != 400 {
		t.Errorf("dashboard: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func alarmInput(change func(*cloudwatch.PutMetricAlarmInput)) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("a"), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: "Sum",
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), Threshold: aws.Float64(1.5), ComparisonOperator: "GreaterThanThreshold",
	}
	if change != nil {
		change(in)
	}
	return in
}

func TestAlarmsAndDashboards(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	in := alarmInput(func(in *cloudwatch.PutMetricAlarmInput) {
		in.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
		in.AlarmActions = []string{"arn:aws:sns:us-east-1:000000000000:t"}
	})
	if _, err := f.client.PutMetricAlarm(ctx, in); err != nil {
		t.Fatal(err)
	}
	out, err := f.client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	if err != nil || len(out.MetricAlarms) != 1 {
		t.Fatal(out, err)
	}
	a := out.MetricAlarms[0]
	if *a.AlarmArn != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a" || a.StateValue != "INSUFFICIENT_DATA" ||
		a.TreatMissingData != nil || a.DatapointsToAlarm != nil || a.Unit != "" || a.StateReasonData != nil || a.OKActions == nil || !*a.ActionsEnabled {
		t.Errorf("alarm: %+v", a)
	}
	_, _, body := f.json("DescribeAlarms", `{"AlarmTypes":["CompositeAlarm"]}`)
	if body != `{"CompositeAlarms":[],"LogAlarms":[],"MetricAlarms":[]}` {
		t.Errorf("composite alarms: %s", body)
	}
	if _, err := f.client.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: a.AlarmName, StateValue: "ALARM", StateReason: aws.String("drill"), StateReasonData: aws.String(`{"a": 1}`)}); err != nil {
		t.Fatal(err)
	}
	ofMetric, err := f.client.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{Namespace: aws.String("n"), MetricName: aws.String("m")})
	if err != nil || len(ofMetric.MetricAlarms) != 1 || *ofMetric.MetricAlarms[0].StateReasonData != `{"a": 1}` {
		t.Errorf("alarms for metric: %v, %v", ofMetric, err)
	}
	history, err := f.client.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: a.AlarmName, HistoryItemType: "StateUpdate"})
	if err != nil || len(history.AlarmHistoryItems) != 1 || *history.AlarmHistoryItems[0].HistorySummary != "Alarm updated from INSUFFICIENT_DATA to ALARM" {
		t.Errorf("history: %v, %v", history, err)
	}
	if _, err := f.client.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String(`{"widgets": []}`)}); err != nil {
		t.Fatal(err)
	}
	for _, arn := range []string{*a.AlarmArn, "arn:aws:cloudwatch::000000000000:dashboard/d"} {
		if _, err := f.client.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("y")}}}); err != nil {
			t.Error(err)
		}
		if _, err := f.client.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: &arn, TagKeys: []string{"k"}}); err != nil {
			t.Error(err)
		}
		tags, err := f.client.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: &arn})
		if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "x" {
			t.Errorf("tags of %s: %v, %v", arn, tags, err)
		}
	}
	if tags, err := f.client.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(*a.AlarmArn + "x")}); err != nil || tags.Tags == nil || len(tags.Tags) > 0 {
		t.Errorf("tags of an alarm that does not exist: %v, %v", tags, err)
	}
	d, err := f.client.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: aws.String("d")})
	if err != nil || *d.DashboardBody != `{"widgets": []}` {
		t.Errorf("dashboard: %v, %v", d, err)
	}
	list, err := f.client.ListDashboards(ctx, &cloudwatch.ListDashboardsInput{})
	if err != nil || len(list.DashboardEntries) != 1 || *list.DashboardEntries[0].Size != 15 {
		t.Errorf("dashboards: %v, %v", list, err)
	}
	_, _, body = f.query("Action=ListDashboards&DashboardNamePrefix=x")
	if !strings.Contains(body, "<ListDashboardsResult><DashboardEntries></DashboardEntries></ListDashboardsResult>") {
		t.Errorf("no dashboards by query: %s", body)
	}
	_, err = f.client.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"d"}})
	_, err2 := f.client.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a", "b"}})
	_, err3 := f.client.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"a"}})
	if err := errors.Join(err, err2, err3); err != nil {
		t.Error(err)
	}
}

func TestGetMetricDataPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := time.Now().Truncate(time.Minute)
	var data []types.MetricDatum
	for i := range 10 {
		at := now.Add(-time.Duration(i) * time.Minute)
		data = append(data, types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(float64(i)), Timestamp: &at})
	}
	if _, err := f.client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: data}); err != nil {
		t.Fatal(err)
	}
	pages := cloudwatch.NewGetMetricDataPaginator(f.client, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-time.Hour)), EndTime: aws.Time(now.Add(time.Minute)), MaxDatapoints: aws.Int32(4),
		LabelOptions: &types.LabelOptions{Timezone: aws.String("+0130")},
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("a"), Label: aws.String("at ${FIRST_TIME}"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("n"), MetricName: aws.String("m")}, Period: aws.Int32(60), Stat: aws.String("Sum"),
		}}},
	})
	var values []float64
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := page.MetricDataResults[0]
		if wantPartial := len(values)+len(r.Values) < 10; (r.StatusCode == types.StatusCodePartialData) != wantPartial || !strings.HasSuffix(*r.Label, "+01:30") {
			t.Errorf("page: %s %s", r.StatusCode, *r.Label)
		}
		values = append(values, r.Values...)
	}
	if fmt.Sprint(values) != "[0 1 2 3 4 5 6 7 8 9]" {
		t.Errorf("values %v", values)
	}
}

// Values outside of the API model are refused, and not passed over.
func TestValuesOutsideOfTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.client.PutMetricAlarm(t.Context(), alarmInput(func(*cloudwatch.PutMetricAlarmInput) {})); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 256)
	const metric = "&Namespace=n&MetricName=m"
	const arn = "&ResourceARN=arn:aws:cloudwatch:us-east-1:000000000000:alarm:a"
	for _, c := range []struct{ form, want string }{
		{"DescribeAlarms&AlarmTypes.member.1=MetricAlarm&AlarmTypes.member.2=Log",
			"<Code>ValidationError</Code><Message>1 validation error detected: Value &#39;[MetricAlarm, Log]&#39; at &#39;alarmTypes&#39; failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [CompositeAlarm, MetricAlarm, LogAlarm]]</Message>"},
		{"DescribeAlarms&AlarmNames.member.1=" + long, "alarmNames"},
		{"DescribeAlarms&AlarmNamePrefix=" + long, "alarmNamePrefix"},
		{"DescribeAlarms&ActionPrefix=", "actionPrefix"},
		{"DescribeAlarmHistory&AlarmTypes.member.1=Log", "alarmTypes"},
		{"DescribeAlarmHistory&AlarmName=", "alarmName"},
		{"DescribeAlarmsForMetric&Namespace=:n&MetricName=", "2 validation errors detected"},
		{"DescribeAlarmsForMetric&Statistic=p" + metric, "statistic"},
		{"DescribeAlarmsForMetric&Unit=Miles" + metric, "unit"},
		{"DescribeAlarmsForMetric&Period=0" + metric, "period"},
		{"DescribeAlarmsForMetric&Dimensions.member.1.Name=a" + metric, "dimensions.1.member.value"},
		{"DescribeAlarmsForMetric&ExtendedStatistic=p101" + metric, "The value p101 for parameter ExtendedStatistic is not supported."},
		{"GetMetricData&MaxDatapoints=0", "MaxDatapoints must be between 1 and 100800"},
		{"ListMetrics&Namespace=:n", "namespace"},
		{"ListMetrics&MetricName=" + long, "metricName"},
		{"ListMetrics&OwningAccount=", "owningAccount"},
		{"ListMetrics&Dimensions.member.1.Value=a", "dimensions.1.member.name"},
		{"DeleteAlarms", "alarmNames"},
		{"EnableAlarmActions&AlarmNames.member.1=", "alarmNames"},
		{"DisableAlarmActions", "alarmNames"},
		{"TagResource" + arn, "tags"},
		{"UntagResource" + arn, "tagKeys"},
		{"UntagResource&TagKeys.member.1=" + arn, "tagKeys"},
		{"PutMetricAlarm&AlarmName=a&TreatMissingData=", "treatMissingData"},
		{"PutMetricData&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1&MetricData.member.1.StorageResolution=0", "<Code>InvalidParameterValue</Code>"},
		{"PutMetricData&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.StatisticValues.SampleCount=1&MetricData.member.1.StatisticValues.Minimum=1&MetricData.member.1.StatisticValues.Maximum=1", "MetricData.member.1.StatisticValues.Sum is required"},
		{"GetMetricStatistics&Period=60&StartTime=2026-01-01T00:00:00Z&EndTime=2026-01-01T01:00:00Z" + metric + strings.Join([]string{"", "1=Sum", "2=Sum", "3=Sum", "4=Sum", "5=Sum", "6=Sum"}, "&Statistics.member."), "must not have a size greater than 5"},
		{"GetMetricData&StartTime=2026-01-01T00:00:00Z&EndTime=2026-01-01T01:00:00Z&MetricDataQueries.member.1.Period=0", "metricDataQueries.1.member.period"},
	} {
		if status, _, body := f.query("Action=" + c.form); status != http.StatusBadRequest || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.form, status, body)
		}
	}
	if status, _, body := f.query("Action=DescribeAlarms&AlarmTypes.member.1=LogAlarm&AlarmTypes.member.2=MetricAlarm"); status != http.StatusOK || !strings.Contains(body, "<AlarmName>") {
		t.Errorf("kinds of alarms that there are: %d %s", status, body)
	}
}
