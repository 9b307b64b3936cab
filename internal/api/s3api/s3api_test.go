package s3api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/store"
)

func newHandler(t testing.TB) *Handler {
	t.Helper()
	fs := vfs.NewMem()
	db, err := store.Open("store", store.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	buckets, err := object.Open(object.Config{DB: db, Identity: catalog.DefaultIdentity, Dir: "objects", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(buckets.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return New(buckets, nil)
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600))
	if got := timestamp(at); got != "2026-01-02T02:04:05.000Z" {
		t.Error(got)
	}
}

// masks hide what differs from run to run.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`<RequestId>[^<]*</RequestId><HostId>[^<]*</HostId>`), "<IDS/>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z`), "TIME"},
	{regexp.MustCompile(`^<\?xml version="1.0" encoding="UTF-8"\?>\n`), ""},
	{regexp.MustCompile(` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`), ""},
	{regexp.MustCompile(`\n?$`), "\n"},
}

var hidden = []string{"X-Amz-Request-Id", "X-Amz-Id-2", "Last-Modified", "Connection"}

// TestWire runs stories of requests and answers: the command is the method, its
// arguments are the address and headers, its input is the body.
func TestWire(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		h := newHandler(t)
		upload := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			lines := strings.Split(d.Input, "\n")
			address := strings.ReplaceAll(lines[0], "$UPLOAD", upload)
			head, body := lines[1:], ""
			if i := slices.Index(head, ""); i >= 0 {
				head, body = head[:i], strings.ReplaceAll(strings.Join(head[i+1:], "\n"), "\\r\\n", "\r\n")
			}
			r := httptest.NewRequest(strings.ToUpper(d.Cmd), address, strings.NewReader(body))
			r.Host = "127.0.0.1:4566"
			for _, line := range head {
				name, value, _ := strings.Cut(line, ": ")
				if name == "Host" {
					r.Host = value
					continue
				}
				r.Header.Add(name, value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if found := regexp.MustCompile(`<UploadId>(\w+)</UploadId>`).FindStringSubmatch(w.Body.String()); found != nil {
				upload = found[1]
			}
			return answer(w, upload)
		})
	})
}

func answer(w *httptest.ResponseRecorder, upload string) string {
	var b strings.Builder
	fmt.Fprintln(&b, w.Code)
	var names []string
	for name := range w.Header() {
		if !slices.Contains(hidden, name) && w.Header().Get(name) != "" || strings.HasPrefix(name, "x-amz-meta-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(w.Header()[name], ", "))
	}
	text := w.Body.String()
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	if upload != "" {
		text = strings.ReplaceAll(text, upload, "UPLOAD")
	}
	b.WriteString(strings.TrimPrefix(text, "\n"))
	return b.String()
}

func TestClaims(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	if err := h.buckets.CreateBucket(t.Context(), "bucket", "", nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, host, target, signedFor string
		claims, has                     bool
	}{
		{"GET", "127.0.0.1:4566", "/", "", false, false},
		{"GET", "127.0.0.1:4566", "/", "s3", true, false},
		{"PUT", "127.0.0.1:4566", "/bucket", "s3", true, false},
		{"POST", "127.0.0.1:4566", "/", "dynamodb", false, false},
		{"GET", "127.0.0.1:4566", "/bucket/key", "", false, true},
		{"GET", "127.0.0.1:4566", "/other/key", "", false, false},
		{"PUT", "127.0.0.1:4566", "/bucket/key", "", false, false},
		{"GET", "bucket.localhost:4566", "/key", "", false, true},
		{"GET", "other.localhost:4566", "/key", "", false, false},
		{"PUT", "bucket.s3.localhost:4566", "/key", "", true, false},
		{"PUT", "s3.us-east-1.localhost.localstack.cloud:4566", "/bucket/key", "", true, false},
		{"GET", "bucket.s3.amazonaws.com", "/key", "kinesis", false, true},
		{"PUT", "127.0.0.1:4566", "/bucket/key?AWSAccessKeyId=a&Signature=b&Expires=1", "", true, false},
	} {
		r := httptest.NewRequest(test.method, test.target, nil)
		r.Host = test.host
		if got := h.Claims(r, test.signedFor); got != test.claims {
			t.Errorf("%+v: claims %v", test, got)
		}
		if got := h.Has(r); got != test.has {
			t.Errorf("%+v: has %v", test, got)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ host, path, bucket, key string }{
		{"127.0.0.1:4566", "/", "", ""},
		{"127.0.0.1:4566", "/b", "b", ""},
		{"127.0.0.1:4566", "/b/", "b", ""},
		{"127.0.0.1:4566", "/b//k/", "b", "/k/"},
		{"localhost:4566", "/b/../../k", "b", "../../k"},
		{"b.localhost:4566", "/k/l", "b", "k/l"},
		{"b.c.s3.localhost:4566", "/k", "b.c", "k"},
		{"b.s3.us-east-1.amazonaws.com", "//k", "b", "/k"},
		{"b.s3-us-west-2.amazonaws.com", "/k", "b", "k"},
		{"s3.localhost.localstack.cloud:4566", "/b/k", "b", "k"},
	} {
		r := &http.Request{Host: test.host}
		r.URL = httptest.NewRequest("GET", "http://x/", nil).URL
		r.URL.Path = test.path
		if bucket, key := address(r); bucket != test.bucket || key != test.key {
			t.Errorf("%s %s: %q %q", test.host, test.path, bucket, key)
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text        string
		first, last int64
		ok          bool
	}{
		{"bytes=0-0", 0, 0, true}, {"bytes=2-", 2, 9, true}, {"bytes=-3", 7, 9, true}, {"bytes=-30", 0, 9, true},
		{"bytes=5-100", 5, 9, true}, {"bytes=10-", 10, 9, true}, {"bytes=-0", 10, 10, true},
		{"", 0, 0, false}, {"bytes=", 0, 0, false}, {"bytes=3-2", 0, 0, false}, {"bytes=0-1,3-4", 0, 0, false},
		{"lines=1-2", 0, 0, false}, {"bytes=a-b", 0, 0, false}, {"bytes=--1", 0, 0, false},
	} {
		first, last, ok := parseRange(test.text, 10)
		if first != test.first || last != test.last || ok != test.ok {
			t.Errorf("%q: %d-%d %v", test.text, first, last, ok)
		}
	}
}

// inChunks writes a body in chunks of random sizes.
func inChunks(rng *rand.Rand, body []byte, trailer string) []byte {
	var b bytes.Buffer
	for len(body) > 0 {
		n := 1 + rng.IntN(len(body))
		fmt.Fprintf(&b, "%x;chunk-signature=%064x\r\n%s\r\n", n, n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n" + trailer + "\r\n")
	return b.Bytes()
}

func TestChunks(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		body := make([]byte, rng.IntN(200_000))
		for i := range body {
			body[i] = byte(rng.Uint32())
		}
		c := newChunkReader(bytes.NewReader(inChunks(rng, body, "x-amz-checksum-crc32: abc\r\n")))
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, body) || c.trailer.Get("X-Amz-Checksum-Crc32") != "abc" {
			t.Fatalf("%d of %d bytes, %v, %v", len(got), len(body), c.trailer, err)
		}
	}
	for _, bad := range []string{"", "5\r\nabc", "5\r\nabcdexx0\r\n\r\n", "x\r\n", "-1\r\n", "3\r\nabc\r\n", "0\r\nno colon\r\n\r\n", strings.Repeat("1", 70_000), "ffffffffffffffffff\r\n"} {
		if got, err := io.ReadAll(newChunkReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%.20q is taken for %q", bad, got)
		}
	}
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte("3;chunk-signature=abc\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"))
	f.Add([]byte("0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := io.ReadAll(newChunkReader(bytes.NewReader(in)))
		if err == nil && len(got) > len(in) {
			t.Errorf("%d bytes have become %d", len(in), len(got))
		}
	})
}

// FuzzRequests sends anything; only the status is judged.
func FuzzRequests(f *testing.F) {
	h := newHandler(f)
	f.Add("PUT", "/bucket", "", "", []byte(""))
	f.Add("PUT", "/bucket/key", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", []byte("0\r\n\r\n"))
	f.Add("PUT", "/bucket?notification", "", "", []byte("<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:a:b:c</Queue><Event>x</Event></QueueConfiguration></NotificationConfiguration>"))
	f.Add("POST", "/bucket?delete", "", "", []byte("<Delete><Object><Key>k</Key></Object></Delete>"))
	f.Add("POST", "/bucket", "Content-Type", "multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"policy\"\r\n\r\ne30=\r\n--b--\r\n"))
	f.Add("GET", "/bucket/key", "Range", "bytes=1-", []byte(""))
	f.Add("GET", "/bucket?list-type=2&continuation-token=YQ==&max-keys=1", "", "", []byte(""))
	f.Fuzz(func(t *testing.T, method, target, name, value string, body []byte) {
		r, err := http.NewRequest(method, "http://127.0.0.1"+target, bytes.NewReader(body))
		if err != nil || strings.ContainsAny(name+value, "\r\n") {
			return
		}
		if name != "" {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s %s: %s", method, target, w.Body)
		}
	})
}

// TestCompletingAtOnce completes an upload several times at once, as clients do that
// lost patience: all get the same answer.
func TestCompletingAtOnce(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	if err := h.buckets.CreateBucket(t.Context(), "bucket", "", nil); err != nil {
		t.Fatal(err)
	}
	do := func(method, address, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, address, strings.NewReader(body)))
		return w
	}
	for range 20 {
		started := do(http.MethodPost, "/bucket/key?uploads", "")
		upload := regexp.MustCompile(`<UploadId>(.*)</UploadId>`).FindStringSubmatch(started.Body.String())[1]
		part := do(http.MethodPut, "/bucket/key?partNumber=1&uploadId="+upload, "x").Header().Get("Etag")
		document := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + strings.Trim(part, `"`) + "</ETag></Part></CompleteMultipartUpload>"
		var done sync.WaitGroup
		for range 8 {
			done.Go(func() {
				if w := do(http.MethodPost, "/bucket/key?uploadId="+upload, document); w.Code != http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		done.Wait()
	}
}

func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	for range 30 {
		r := httptest.NewRequest(http.MethodPut, "/b/k", nil)
		for _, name := range []string{"X-Amz-Object-Lock-Mode", "X-Amz-Mfa", "X-Amz-Website-Redirect-Location"} {
			r.Header.Set(name, "x")
		}
		x := exchange{r: r}
		if err := x.refuseHeaders(); err == nil || !strings.Contains(err.Error(), "x-amz-mfa") {
			t.Fatal("not the first of the refused headers:", err)
		}
	}
}
