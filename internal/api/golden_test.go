package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/weirstream/weir/internal/api"
)

// TestGolden sends requests as they are written in testdata and compares the
// answers byte by byte. A request is a line with method and path, headers, an
// empty line and a body, which a directive may change:
//
//	http            as it is
//	http hex        the body is in hexadecimal digits
//	http gzip       the body is compressed
//	http deflate    the same, with zlib
//	http pad=N      the body has N bytes of white space in front
//	http auth       the handler demands signatures
func TestGolden(t *testing.T) {
	t.Parallel()
	fallback := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "own %s\n", r.URL.Path) })
	open := httptest.NewServer(newHandler(t, api.Config{Fallback: fallback}))
	defer open.Close()
	strict := httptest.NewServer(newHandler(t, api.Config{RequireAuth: true}))
	defer strict.Close()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			server := open
			if d.HasArg("auth") {
				server = strict
			}
			return exchange(t, server.URL, d)
		})
	})
}

func exchange(t *testing.T, url string, d *datadriven.TestData) string {
	head, body, _ := strings.Cut(d.Input, "\n\n")
	lines := strings.Split(head, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	data := []byte(strings.TrimSuffix(body, "\n"))
	var err error
	if d.HasArg("hex") {
		data, err = hex.DecodeString(strings.ReplaceAll(string(data), " ", ""))
	}
	if d.HasArg("gzip") {
		data, err = compress(data, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	}
	if d.HasArg("deflate") {
		data, err = compress(data, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	}
	var pad int
	if d.MaybeScanArgs(t, "pad", &pad); pad > 0 {
		data = append(bytes.Repeat([]byte(" "), pad), data...)
	}
	if err != nil {
		d.Fatalf(t, "body: %v", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url+path, bytes.NewReader(data))
	if err != nil {
		d.Fatalf(t, "request: %v", err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatalf(t, "response: %v", err)
	}
	return show(t, resp, got)
}

func compress(data []byte, to func(io.Writer) io.WriteCloser) ([]byte, error) {
	var b bytes.Buffer
	z := to(&b)
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// forms are what ids look like; the ids themselves are random.
var forms = []struct {
	form string
	re   *regexp.Regexp
}{
	{"uuid", regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)},
	{"52", regexp.MustCompile(`^[0-9A-Z]{52}$`)},
}

func show(t *testing.T, resp *http.Response, body []byte) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d", resp.StatusCode)
	id := resp.Header.Get("X-Amzn-Requestid")
	for _, f := range forms {
		if f.re.MatchString(id) {
			fmt.Fprintf(&b, " id=%s", f.form)
		}
	}
	if id2 := resp.Header.Get("X-Amz-Id-2"); id2 != "" {
		raw, err := base64.StdEncoding.DecodeString(id2)
		fmt.Fprintf(&b, " id-2=%d", len(raw))
		if err != nil {
			t.Errorf("x-amz-id-2: %v", err)
		}
	}
	if crc := resp.Header.Get("X-Amz-Crc32"); crc != "" {
		b.WriteString(" crc")
		if want := fmt.Sprint(crc32.ChecksumIEEE(body)); crc != want {
			t.Errorf("checksum is %s, want %s", crc, want)
		}
	}
	b.WriteByte('\n')
	ignored := []string{"X-Amzn-Requestid", "X-Amz-Id-2", "X-Amz-Crc32", "Date", "Content-Length"}
	var names []string
	for name := range resp.Header {
		if !slices.Contains(ignored, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(resp.Header[name], ","))
	}
	text := string(body)
	if strings.Contains(resp.Header.Get("Content-Type"), "cbor") && len(body) > 0 {
		var err error
		if text, err = cbor.Diagnose(body); err != nil {
			t.Errorf("CBOR: %v", err)
		}
	}
	if id != "" {
		text = strings.ReplaceAll(text, id, "ID")
	}
	b.WriteString(text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		b.WriteByte('\n')
	}
	return b.String()
}
