package function

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// buildHandler builds the function of testdata/handler once per run, or takes
// the one that it was given.
var buildHandler = sync.OnceValues(func() ([]byte, error) {
	if path := os.Getenv("WEIR_TEST_HANDLER"); path != "" {
		return os.ReadFile(path)
	}
	dir, err := os.MkdirTemp("", "weir-function-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", path, "./testdata/handler")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(path)
})

// handlerZip is the package of the test handler.
func handlerZip(t testing.TB) []byte {
	t.Helper()
	pkg, err := packHandler()
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

var packHandler = sync.OnceValues(func() ([]byte, error) {
	binary, err := buildHandler()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store} // compressing takes its time
	h.SetMode(0o755)
	out, err := w.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(binary); err != nil {
		return nil, err
	}
	err = w.Close()
	return buf.Bytes(), err
})

type file struct {
	name    string
	mode    os.FileMode
	content string
}

func zipOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		h.SetMode(f.mode)
		out, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// world is a set of functions on a store in memory.
type world struct {
	testing.TB
	*Functions
	logs  *Logs
	db    *store.DB
	meter *meter.Meter
}

func newWorld(t testing.TB, edit ...func(*Config)) *world {
	t.Helper()
	db, err := store.Open("db", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := OpenLogs(LogsConfig{DB: db, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m := meter.New()
	cfg := Config{
		DB: db, Identity: catalog.DefaultIdentity, Meter: m, Logs: logs,
		Runtimes: NewRuntimes(filepath.Join(dir, "runtimes")), CodeDir: filepath.Join(dir, "code"),
		Endpoint: "http://127.0.0.1:4566",
	}
	for _, f := range edit {
		f(&cfg)
	}
	functions, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	functions.Start(nil)
	w := &world{t, functions, logs, db, m}
	t.Cleanup(func() {
		for _, close := range []func() error{functions.Close, logs.Close, db.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	return w
}

// create makes a function of the test handler.
func (w *world) create(name string, edit ...func(*Definition)) Definition {
	w.Helper()
	def := Definition{Name: name, Runtime: "provided.al2023", Role: "arn:aws:iam::000000000000:role/r"}
	for _, f := range edit {
		f(&def)
	}
	def, err := w.Create(context.Background(), def, handlerZip(w))
	if err != nil {
		w.Fatal(err)
	}
	return def
}

// invoke runs a function with an event that says what to do.
func (w *world) invoke(name, do string, args ...any) Result {
	w.Helper()
	r, err := w.Invoke(context.Background(), Invocation{Function: name, Payload: eventFor(do, args...)})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func eventFor(do string, args ...any) []byte {
	e := map[string]any{"Do": do}
	for _, arg := range args {
		switch arg := arg.(type) {
		case int:
			e["N"] = arg
		case string:
			e["Text"] = arg
		}
	}
	doc, _ := json.Marshal(e)
	return doc
}

// messages returns the texts in a function's log.
func (w *world) messages(group string) []string {
	w.Helper()
	var texts []string
	var after *LogPosition
	for {
		events, next, err := w.logs.Filter(context.Background(), LogFilter{Group: group, After: after})
		if err != nil {
			w.Fatal(err)
		}
		for _, e := range events {
			texts = append(texts, e.Text)
		}
		if next == nil {
			return texts
		}
		after = next
	}
}

// until waits for a condition that another process brings about.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func pidOf(t testing.TB, r Result) int {
	t.Helper()
	var pid int
	if err := json.Unmarshal(r.Payload, &pid); err != nil {
		t.Fatalf("%s: %v", r.Payload, err)
	}
	return pid
}

func TestInvokeReturnsWhatTheFunctionReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("echo")
	r := w.invoke("echo", "echo", "hello")
	if got := string(r.Payload); got != `{"Do":"echo","Text":"hello"}` || r.FunctionError != "" || r.ExecutedVersion != "$LATEST" || r.RequestID == "" {
		t.Errorf("got %+v, payload %s", r, got)
	}
}

func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	for range 30 {
		if err := validateEnvironment(map[string]string{"bb": "\x00", "aa": "\x00", "cc": "\x00"}); err == nil || !strings.Contains(err.Error(), "value of aa is") {
			t.Fatal(err)
		}
	}
}
