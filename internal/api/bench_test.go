package api_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/weirstream/weir/internal/api"
)

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             { clear(d.header) }

func benchmarkHandler(b *testing.B, target, contentType string, body []byte) {
	h := newHandler(b, api.Config{})
	r, err := http.NewRequest(http.MethodPost, "/", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20250101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=b")
	r.ContentLength = int64(len(body))
	w := &discard{header: http.Header{}}
	content := bytes.NewReader(body)
	r.Body = io.NopCloser(content)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		content.Reset(body)
		h.ServeHTTP(w, r)
	}
}

// BenchmarkFastPath is what the handler itself costs: the operation does almost
// nothing.
func BenchmarkFastPath(b *testing.B) {
	benchmarkHandler(b, "DynamoDB_20120810.GetItem", "application/x-amz-json-1.0", []byte(`{"TableName":"fast"}`))
}

func BenchmarkGeneralPath(b *testing.B) {
	benchmarkHandler(b, "DynamoDB_20120810.GetItem", "application/x-amz-json-1.0", []byte(`{"TableName":"t","Key":{"k":{"S":"x"}}}`))
}

func BenchmarkPutRecords(b *testing.B) {
	var body bytes.Buffer
	data := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 200))
	body.WriteString(`{"StreamName":"s","Records":[`)
	for i := range 500 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"Data":"%s","PartitionKey":"key-%d"}`, data, i)
	}
	body.WriteString(`]}`)
	benchmarkHandler(b, "Kinesis_20131202.PutRecords", "application/x-amz-json-1.1", body.Bytes())
}
