package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/api"
)

// FuzzRequest sends any request through routing and all protocols: none may
// cause a panic, apart from the one that a test service has.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/", "Kinesis_20131202.PutRecords", "application/x-amz-json-1.1", []byte(`{"Records":[{"Data":"YQ=="}]}`))
	f.Add("POST", "/", "Kinesis_20131202.GetRecords", "application/x-amz-cbor-1.1", []byte("\xa1\x6dShardIterator\x61i"))
	f.Add("POST", "/", "DynamoDB_20120810.GetItem", "application/x-amz-json-1.0", []byte(`{"Key":{"k":{"S":"x","N":"1"}}}`))
	f.Add("GET", "/", "", "", []byte(nil))
	f.Add("OPTIONS", "/?X-Amz-Algorithm=x", "..", "text/plain", []byte("x"))
	f.Add("POST", "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", "application/cbor", []byte("\xbf\xff"))
	f.Add("POST", "/", "", "application/x-www-form-urlencoded", []byte("Action=Publish&Version=2010-03-31&MessageAttributes.entry.1.Name=a"))
	f.Add("GET", "/?Action=ConfirmSubscription&TopicArn=t&Token=x", "", "", []byte(nil))
	f.Add("POST", "/2015-03-31/functions/f%2Fg/invocations?Qualifier=1", "", "", []byte("{}"))
	var log bytes.Buffer
	h := newHandler(f, api.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	f.Fuzz(func(t *testing.T, method, uri, target, contentType string, body []byte) {
		u, err := url.ParseRequestURI(uri)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, Header: http.Header{}, ContentLength: int64(len(body))}
		r.Body = http.MaxBytesReader(nil, readCloser{bytes.NewReader(body)}, 1<<30)
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if text := log.String(); strings.Contains(text, "panic") && !strings.Contains(text, "a bug") {
			t.Fatal(text)
		}
	})
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
