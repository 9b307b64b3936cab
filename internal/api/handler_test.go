package api_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/klauspost/compress/gzip"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/stsapi"
)

// TestNewHandlerErrors: what cannot be served is found when the server starts.
func TestNewHandlerErrors(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context, *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
		return nil, nil
	}
	alarm := api.Op("PutMetricAlarm", cwschemas.PutMetricAlarm, cwschemas.PutMetricAlarmInput, nil, nothing)
	other := api.Op("PutMetricAlarm", cwschemas.PutMetricAlarm, cwschemas.PutMetricDataInput, nil, nothing)
	stream := api.Op("Stream", lambdaschemas.InvokeWithResponseStream, lambdaschemas.InvokeWithResponseStreamRequest, lambdaschemas.InvokeWithResponseStreamResponse,
		func(context.Context, *lambda.InvokeWithResponseStreamInput) (*lambda.InvokeWithResponseStreamOutput, error) {
			return nil, nil
		})
	for want, services := range map[string][]*api.Service{
		"the variants of the union types.EvaluationCriteria are not known": {{Name: "x", Operations: []api.Operation{alarm}}},
		"has no field for member":               {{Name: "x", Operations: []api.Operation{other}}},
		"has no wire form here":                 {{Name: "x", REST: true, Operations: []api.Operation{stream}}},
		"has no @http trait":                    {{Name: "x", REST: true, Operations: stsapi.New(identity).Operations}},
		"is there twice":                        {{Name: "x", Operations: append(stsapi.New(identity).Operations, stsapi.New(identity).Operations...)}},
		"another service has the target prefix": {{Name: "x", TargetPrefix: "T"}, {Name: "y", TargetPrefix: "T"}},
	} {
		_, err := api.NewHandler(api.Config{Services: services})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestDecompressionBound sends a small body that unpacks to a large one.
func TestDecompressionBound(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.CopyN(z, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"Kinesis_20131202.CreateStream", "Logs_20140328.GetLogEvents"} {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(packed.Bytes()))
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("Content-Encoding", "gzip")
		w := httptest.NewRecorder()
		newHandler(t, api.Config{}).ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestUnknownLength reads a body whose length is not announced.
func TestUnknownLength(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{100: http.StatusOK, 9000: http.StatusOK, 1 << 21: http.StatusRequestEntityTooLarge} {
		body := io.MultiReader(strings.NewReader(strings.Repeat(" ", size)), strings.NewReader(`{"StreamName":"s"}`))
		r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(body))
		r.ContentLength = -1
		r.Header.Set("X-Amz-Target", "Kinesis_20131202.CreateStream")
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		w := httptest.NewRecorder()
		newHandler(t, api.Config{}).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%d bytes: got %d %s", size, w.Code, w.Body)
		}
	}
}

// TestBodyIsNotKept: what an operation got must not change when the buffer of
// the body is used again.
func TestBodyIsNotKept(t *testing.T) {
	t.Parallel()
	h := newHandler(t, api.Config{})
	post := func(body string) string {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	done := make(chan string, 8)
	for i := range cap(done) {
		go func() {
			text := strings.Repeat(string(rune('a'+i)), 1000)
			want := `{"Item":{"k":{"S":"` + text + `"}}}`
			for range 200 {
				if got := post(`{"TableName":"t","Key":{"k":{"S":"` + text + `"}}}`); got != want {
					done <- got
					return
				}
			}
			done <- ""
		}()
	}
	for range cap(done) {
		if got := <-done; got != "" {
			t.Errorf("got %s", got)
		}
	}
}

// TestAbandoned: a request that ends with the server, or whose client is gone, gets no
// answer at all. An empty one would say that it had succeeded.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	gone := func(ctx context.Context, _ *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
		return nil, ctx.Err()
	}
	h, err := api.NewHandler(api.Config{Services: []*api.Service{{
		Name: "x", TargetPrefix: "T", JSONVersion: "1.0",
		Operations: []api.Operation{api.Op("PutMetricData", cwschemas.PutMetricData, cwschemas.PutMetricDataInput, nil, gone)},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewUnstartedServer(h)
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	defer server.Close()
	cancel()
	for body, what := range map[string]io.Reader{"whole": strings.NewReader("{}"), "broken off": io.MultiReader(strings.NewReader("{"), broken{})} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, what)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "T.PutMetricData")
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		if answer, err := http.DefaultClient.Do(r); err == nil {
			t.Errorf("%s: got %s", body, answer.Status)
			_ = answer.Body.Close()
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
