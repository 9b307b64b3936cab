package exposition

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/meter"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	m := meter.New()
	stream := meter.Dimension{Name: "StreamName", Value: `web "1"`}
	records := m.Series("AWS/Kinesis", "IncomingRecords", "Count", stream)
	records.ObserveN(2, 3)
	records.Observe(4)
	m.Series("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "Milliseconds", stream).Observe(7)
	m.Series("AWS/Kinesis", "IncomingBytes", "Bytes", stream).Observe(500)
	m.Series("AWS/DynamoDB", "SuccessfulRequestLatency", "Milliseconds",
		meter.Dimension{Name: "TableName", Value: "t"}, meter.Dimension{Name: "Operation", Value: "PutItem"}).Observe(1.5)
	m.Series("AWS/DynamoDB", "SuccessfulRequestLatency", "Milliseconds", meter.Dimension{Name: "TableName", Value: "t"}).Observe(2)
	m.Series("AWS/Lambda", "Odd-1", "None", meter.Dimension{Name: "9 lives", Value: "\xff"}).Observe(-1)
	m.Series("AWS/Lambda", "Odd.1", "None", meter.Dimension{Name: "9.lives", Value: "\xff"}).Observe(-1)

	w := httptest.NewRecorder()
	Handler(m, nil).ServeHTTP(w, httptest.NewRequest("GET", "/_weir/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("status %d, %v: %s", w.Code, err, body)
	}
	for _, line := range []string{
		`weir_aws_kinesis_incoming_records_sum{StreamName="web \"1\""} 10`,
		`weir_aws_kinesis_incoming_records_count{StreamName="web \"1\""} 4`,
		`weir_aws_kinesis_incoming_bytes_sum{StreamName="web \"1\""} 500`,
		`weir_aws_kinesis_get_records_iterator_age_milliseconds_last{StreamName="web \"1\""} 7`,
		`weir_aws_dynamodb_successful_request_latency_milliseconds_sum{Operation="PutItem",TableName="t"} 1.5`,
		`weir_aws_dynamodb_successful_request_latency_milliseconds_sum{TableName="t"} 2`,
		`weir_aws_lambda_odd_1_count{_9_lives="` + "\uFFFD" + `"} 1`,
		`# TYPE weir_aws_kinesis_incoming_records summary`,
		"process_resident_memory_bytes",
		"go_goroutines",
	} {
		if !strings.Contains(string(body), line) {
			t.Errorf("missing: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("%s", body)
	}
}
