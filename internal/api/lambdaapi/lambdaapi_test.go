package lambdaapi

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/store"
)

type fixture struct {
	testing.TB
	handler   http.Handler
	functions *function.Functions
	mappings  *mapping.Mappings
	calls     *heldCalls
	uuid      string // of the mapping that the last answer told of
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := function.OpenLogs(function.LogsConfig{DB: db, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	functions, err := function.Open(function.Config{
		DB: db, Identity: catalog.DefaultIdentity, Logs: logs, CodeDir: filepath.Join(dir, "code"),
		Runtimes: function.NewRuntimes(filepath.Join(dir, "runtimes")),
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := &heldCalls{functions: functions, begun: make(chan struct{}, 1), leave: make(chan struct{})}
	mappings, err := mapping.Open(mapping.Config{DB: db, Identity: catalog.DefaultIdentity, Invoker: calls, Sources: fakeSources{}, Grace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	buckets, err := object.Open(object.Config{DB: db, Identity: catalog.DefaultIdentity, Dir: filepath.Join(dir, "objects")})
	if err != nil {
		t.Fatal(err)
	}
	if err := buckets.CreateBucket(t.Context(), "code", "", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range []interface{ Close() error }{buckets, mappings, functions, logs, db} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	handler, err := api.NewHandler(api.Config{
		Services: []*api.Service{New(functions, mappings, buckets, catalog.DefaultIdentity)}, Identity: catalog.DefaultIdentity,
		Fallback: CodeHandler(functions),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{TB: t, handler: handler, functions: functions, mappings: mappings, calls: calls}
}

// echoScript is a bootstrap that needs nothing but a shell and curl: it gives
// events back.
const echoScript = `#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
  event=$(curl -sS -D headers.$$ $api/next) || exit 1
  id=$(tr -d '\r' < headers.$$ | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
  echo "got $event"
  case $event in
  *fail*) curl -sS -H 'Lambda-Runtime-Function-Error-Type: Mine' -d '{"errorMessage":"asked to","errorType":"Mine"}' $api/$id/error >/dev/null;;
  *) curl -sS -d "$event" $api/$id/response >/dev/null;;
  esac
done
`

func packageOf(t testing.TB, content string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: "bootstrap"}
	h.SetMode(0o755)
	out, err := w.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var (
	uuidText  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timeText  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000`)
	epochText = regexp.MustCompile(`"LastModified":[0-9.e+]+`)
	hashText  = regexp.MustCompile(`runtime:[0-9a-f]{64}`)
	base64Sum = regexp.MustCompile(`"CodeSha256":"[A-Za-z0-9+/=]{44}"`)
)

func mask(s string) string {
	s = uuidText.ReplaceAllString(s, "UUID")
	s = timeText.ReplaceAllString(s, "TIME")
	s = hashText.ReplaceAllString(s, "runtime:HASH")
	s = epochText.ReplaceAllString(s, `"LastModified":EPOCH`)
	return base64Sum.ReplaceAllString(s, `"CodeSha256":"SHA256"`)
}

// shownHeaders are those that scripts show.
var shownHeaders = []string{"X-Amzn-Errortype", "X-Amz-Function-Error", "X-Amz-Executed-Version"}

// TestAPI runs the scripts of testdata: requests as "METHOD /path", headers and
// body, and their answers. $NAME stands for what is in vars, $UUID for the last
// mapping. The command invoked waits for an invocation by a mapping; settle lets it
// end and waits for changes of the last mapping.
func TestAPI(t *testing.T) {
	t.Parallel()
	vars := strings.NewReplacer(
		"$ZIP", base64.StdEncoding.EncodeToString(packageOf(t, "#!/bin/sh\nexit 9\n")),
		"$ROLE", "arn:aws:iam::000000000000:role/r",
		"$FN", "/2015-03-31/functions",
		"$EV", "/2019-09-25/functions",
		"$ARN", "arn:aws:lambda:us-east-1:000000000000:function",
		"$MAP", "/2015-03-31/event-source-mappings",
		"$STREAM", "arn:aws:kinesis:us-east-1:000000000000:stream/s",
		"$BUSY", "arn:aws:kinesis:us-east-1:000000000000:stream/busy",
		"$TABLE", "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000",
		"$LONG", strings.Repeat("a", 65),
	)
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		f := newFixture(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "settle":
				return f.settle()
			case "invoked":
				f.calls.begun <- <-f.calls.begun
				return ""
			}
			vars := func(s string) string { return strings.ReplaceAll(vars.Replace(s), "$UUID", f.uuid) }
			req := httptest.NewRequest(d.Cmd, vars(d.CmdArgs[0].String()), nil)
			head, body, _ := strings.Cut(d.Input, "\n\n")
			if !strings.Contains(head, ": ") || strings.HasPrefix(head, "{") {
				head, body = "", d.Input
			}
			for line := range strings.Lines(head) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				req.Header.Set(name, value)
			}
			req = req.Clone(req.Context())
			return f.show(req, vars(body))
		})
	})
}

func (f *fixture) show(req *http.Request, body string) string {
	w := f.do(req, body)
	var b strings.Builder
	b.WriteString(strconv.Itoa(w.Code) + "\n")
	for _, name := range shownHeaders {
		if v := w.Header().Get(name); v != "" {
			b.WriteString(name + ": " + v + "\n")
		}
	}
	if id := mappingUUID.FindStringSubmatch(w.Body.String()); id != nil {
		f.uuid = id[1]
	}
	if text := mask(w.Body.String()); text != "" {
		b.WriteString(text + "\n")
	}
	return b.String()
}

func (f *fixture) do(req *http.Request, body string) *httptest.ResponseRecorder {
	full := httptest.NewRequest(req.Method, req.URL.String(), strings.NewReader(body))
	full.Header = req.Header
	full.Host = "weir.test"
	full.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, full)
	return w
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.functions.Create(t.Context(), function.Definition{Name: "echo", Runtime: "provided.al2023", TimeoutSeconds: 30}, packageOf(t, echoScript)); err != nil {
		t.Fatal(err)
	}
	call := func(body string, headers ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/echo/invocations", nil)
		for h := range slices.Chunk(headers, 2) {
			req.Header.Set(h[0], h[1])
		}
		return f.do(req, body)
	}
	w := call(`{"a": 1}`, "X-Amz-Log-Type", "Tail")
	if w.Code == 200 && strings.Contains(w.Body.String(), "Runtime.ExitError") {
		t.Skip("there is no curl")
	}
	tail, err := base64.StdEncoding.DecodeString(w.Header().Get("X-Amz-Log-Result"))
	id := w.Header().Get("X-Amzn-Requestid")
	if err != nil || w.Code != 200 || w.Body.String() != `{"a": 1}` || w.Header().Get("X-Amz-Executed-Version") != "$LATEST" ||
		!strings.HasPrefix(string(tail), "START RequestId: "+id) || !strings.Contains(string(tail), "got {\"a\": 1}\n") {
		t.Errorf("%d %v %s\n%s %v", w.Code, w.Header(), w.Body, tail, err)
	}
	if w := call(""); w.Code != 200 || w.Body.String() != "{}" {
		t.Errorf("without a payload: %d %s", w.Code, w.Body)
	}
	if w := call(`"fail"`); w.Code != 200 || w.Header().Get("X-Amz-Function-Error") != "Unhandled" || w.Body.String() != `{"errorMessage":"asked to","errorType":"Mine"}` {
		t.Errorf("failure: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := call("{}", "X-Amz-Invocation-Type", "Event"); w.Code != 202 || w.Body.Len() > 0 {
		t.Errorf("event: %d %s", w.Code, w.Body)
	}
	if w := call("{}", "X-Amz-Invocation-Type", "DryRun"); w.Code != 204 || w.Body.Len() > 0 {
		t.Errorf("dry run: %d %s", w.Code, w.Body)
	}
	big := strings.Repeat(" ", function.MaxPayloadBytes) + "1"
	if w := call(big); w.Code != 413 || w.Header().Get("X-Amzn-Errortype") != "RequestTooLargeException" ||
		!strings.Contains(w.Body.String(), "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)") {
		t.Errorf("too large: %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// A request that is over the service's bound is refused before it is read.
func TestRequestTooLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions", strings.NewReader("{}"))
	r.ContentLength = maxRequestBytes + 1
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if w.Code != 413 || w.Header().Get("X-Amzn-Errortype") != "RequestEntityTooLargeException" ||
		!strings.Contains(w.Body.String(), "Request must be smaller than 70167211 bytes for the CreateFunction operation") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestCodeHandler(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pkg := packageOf(t, "x")
	if _, err := f.functions.Create(t.Context(), function.Definition{Name: "f", Runtime: "provided.al2023"}, pkg); err != nil {
		t.Fatal(err)
	}
	if w := f.do(httptest.NewRequest(http.MethodGet, CodePath+"f", nil), ""); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), pkg) {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
	if w := f.do(httptest.NewRequest(http.MethodGet, CodePath+"g", nil), ""); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
	if w := f.do(httptest.NewRequest(http.MethodPost, CodePath+"f", nil), ""); w.Code != 405 {
		t.Errorf("%d", w.Code)
	}
}
