package logsapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/store"
)

func newHandler(t *testing.T) http.Handler {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := function.OpenLogs(function.LogsConfig{DB: db, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range []interface{ Close() error }{logs, db} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	h, err := api.NewHandler(api.Config{Services: []*api.Service{New(logs)}, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	nowText  = regexp.MustCompile(`\$NOW([+-]\d+)?`)
	timeText = regexp.MustCompile(`(?:creationTime|ingestionTime|lastIngestionTime)":\d+`)
)

// TestAPI runs the scripts of testdata: operations with their inputs, and the
// answers. $NOW-3 is three seconds before the script began, $TOKEN the last
// token that was returned.
func TestAPI(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		h := newHandler(t)
		begin := time.Now().Truncate(time.Second)
		var token string
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			body := nowText.ReplaceAllStringFunc(d.Input, func(s string) string {
				offset, _ := strconv.Atoi(strings.TrimPrefix(s, "$NOW"))
				return strconv.FormatInt(begin.Add(time.Duration(offset)*time.Second).UnixMilli(), 10)
			})
			req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.ReplaceAll(body, "$TOKEN", token)))
			req.Header.Set("Content-Type", "application/x-amz-json-1.1")
			req.Header.Set("X-Amz-Target", "Logs_20140328."+d.Cmd)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			answer := w.Body.String()
			for _, m := range regexp.MustCompile(`"next(?:Forward)?Token":"([^"]+)"`).FindAllStringSubmatch(answer, -1) {
				token = m[1]
			}
			for ago := -10; ago <= 10; ago++ {
				at := begin.Add(time.Duration(ago) * time.Second).UnixMilli()
				answer = strings.ReplaceAll(answer, strconv.FormatInt(at, 10), fmt.Sprintf("NOW%+d", ago))
			}
			answer = timeText.ReplaceAllStringFunc(answer, func(s string) string { return s[:strings.LastIndexByte(s, ':')+1] + "TIME" })
			if answer != "" {
				answer += "\n"
			}
			return strconv.Itoa(w.Code) + "\n" + answer
		})
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add("f/00000001795248317477000000000000000000000000000000000003/s")
	f.Add("b//s")
	f.Fuzz(func(t *testing.T, text string) {
		forward, p, ok := parseToken(text)
		direction := "b"
		if forward {
			direction = "f"
		}
		if ok && *token(direction, p) != text {
			t.Fatalf("%q is read as %v %v", text, forward, p)
		}
	})
}
