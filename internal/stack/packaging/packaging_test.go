package packaging

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirstream/weir/internal/stack/template"
)

// write makes files in a new folder; names that end in "*" are executable.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, "*") {
			name, mode = strings.TrimSuffix(name, "*"), 0o755
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// list shows the entries of a zip with their modes.
func list(t *testing.T, data []byte) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range r.File {
		lines = append(lines, fmt.Sprintf("%s %s", f.Mode(), f.Name))
	}
	return strings.Join(lines, "\n")
}

func function(properties string) []byte {
	return []byte("Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {" + properties + "}\n")
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	got, err := Functions([]byte(`
Transform: AWS::Serverless-2016-10-31
Parameters: {Runtime: {Type: String, Default: python3.12}, KeptByTheServer: {Type: Number, NoEcho: true, MinValue: 7}}
Conditions: {Never: !Equals [a, b]}
Globals: {Function: {Runtime: !Ref Runtime, CodeUri: shared/}}
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {Handler: a.h}}
  B: {Type: AWS::Serverless::Function, Properties: {Handler: bootstrap, Runtime: provided.al2023, CodeUri: b/}, Metadata: {BuildMethod: go1.x}}
  C: {Type: AWS::Serverless::Function, Properties: {Handler: c.h, InlineCode: "x"}}
  D: {Type: AWS::Serverless::Function, Properties: {Handler: d.h, CodeUri: "s3://bucket/key"}}
  E: {Type: AWS::Lambda::Function, Properties: {Handler: e.h, Runtime: nodejs20.x, Role: !GetAtt F.Arn, Code: ./e}}
  F: {Type: AWS::IAM::Role}
  G: {Type: AWS::Serverless::Function, Condition: Never, Properties: {Handler: g.h}}
`), nil)
	want := []Function{
		{LogicalID: "B", Line: 8, Runtime: "provided.al2023", Handler: "bootstrap", Path: "b/", BuildMethod: "go1.x"},
		{LogicalID: "E", Line: 11, Runtime: "nodejs20.x", Handler: "e.h", Path: "./e"},
		{LogicalID: "A", Line: 5, Runtime: "python3.12", Handler: "a.h", Path: "shared/"},
	}
	slices.SortFunc(got, func(a, b Function) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(want, func(a, b Function) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v %v\nwant %+v", got, err, want)
	}
	var problems template.Problems
	if _, err := Functions([]byte("Resources: {A: {Type: T, Properties: {V: !Ref Nobody}}}"), nil); !errors.As(err, &problems) {
		t.Errorf("got %v", err)
	}
}

func TestFolderIsPackedTheSameEveryTime(t *testing.T) {
	t.Parallel()
	files := map[string]string{"index.py": "x = 1", "lib/b.py": "", "lib/a.py": "y", "run.sh*": "#!/bin/sh\n",
		".git/config": "", "__pycache__/index.pyc": "", "lib/c.pyc": ""}
	var zips [][]byte
	for i := range 2 {
		dir := write(t, files)
		if err := os.Chtimes(filepath.Join(dir, "index.py"), time.Time{}, time.Unix(int64(i)*1e9, 0)); err != nil {
			t.Fatal(err)
		}
		got, err := Package(t.Context(), function("Runtime: python3.12, Handler: index.h"), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		zips = append(zips, got["F"])
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("the same files give different packages")
	}
	want := "-rw-r--r-- index.py\n-rw-r--r-- lib/a.py\n-rw-r--r-- lib/b.py\n-rwxr-xr-x run.sh"
	if got := list(t, zips[0]); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"code/index.js": "x", "shared/s.js": "s"})
	for link, target := range map[string]string{"code/shared": "../shared", "code/other.js": "index.js"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	got, err := Package(t.Context(), function("Runtime: nodejs20.x, Handler: index.h, CodeUri: code"), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, got["F"]); got != "-rw-r--r-- index.js\n-rw-r--r-- other.js\n-rw-r--r-- shared/s.js" {
		t.Errorf("got\n%s", got)
	}
	if err := os.Symlink("..", filepath.Join(dir, "code", "up")); err != nil {
		t.Skip(err)
	}
	if _, err := Package(t.Context(), function("Runtime: nodejs20.x, Handler: index.h, CodeUri: code"), Options{Dir: dir}); err == nil {
		t.Error("a link to a folder around it was packed")
	}
}

func TestArchivesAndSingleFiles(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"made.zip": "as it is", "one.py": "x"})
	for path, check := range map[string]func([]byte) bool{
		"made.zip": func(b []byte) bool { return string(b) == "as it is" },
		"one.py":   func(b []byte) bool { return list(t, b) == "-rw-r--r-- one.py" },
	} {
		got, err := Package(t.Context(), function("Runtime: python3.12, Handler: index.h, CodeUri: "+path), Options{Dir: dir})
		if err != nil || !check(got["F"]) {
			t.Errorf("%s: %q %v", path, got["F"], err)
		}
	}
}

const goMain = "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"counted\") }\n"

func TestGoSourceIsBuilt(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"go.mod": "module example.com/f\n\ngo 1.24\n", "f/main.go": goMain, "f/notes.txt": "x"})
	for _, test := range []struct{ properties, name string }{
		{"Runtime: provided.al2023, Handler: bootstrap, CodeUri: f/", "bootstrap"},
		{"Runtime: go1.x, Handler: count, CodeUri: f/", "count"},
	} {
		var lines []string
		got, err := Package(t.Context(), function(test.properties), Options{Dir: dir, Progress: func(line string) { lines = append(lines, line) }})
		if err != nil {
			t.Fatal(err)
		}
		if got := list(t, got["F"]); got != "-rwxr-xr-x "+test.name {
			t.Errorf("got %s", got)
		}
		if len(lines) != 2 || lines[0] != "F: go build f/" {
			t.Errorf("progress is %q", lines)
		}
		again, err := Package(t.Context(), function(test.properties), Options{Dir: dir})
		if err != nil || !bytes.Equal(got["F"], again["F"]) {
			t.Errorf("built again it is another package: %v", err)
		}
		if output := run(t, got["F"]); output != "counted" {
			t.Errorf("it prints %q", output)
		}
	}
}

// run starts the only file of a package.
func run(t *testing.T, data []byte) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	executable := filepath.Join(t.TempDir(), "run")
	if runtime.GOOS == "windows" {
		executable += ".exe"
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	// A process that another test starts meanwhile would hold the file open for writing.
	syscall.ForkLock.RLock()
	err = os.WriteFile(executable, content, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), executable).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(output)
}

func TestExecutableThatIsThereIsTaken(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"bootstrap*": "#!/bin/sh\n", "main.go": "does not compile"})
	got, err := Package(t.Context(), function("Runtime: provided.al2, Handler: h"), Options{Dir: dir})
	if err != nil || list(t, got["F"]) != "-rwxr-xr-x bootstrap\n-rw-r--r-- main.go" {
		t.Errorf("%v", err)
	}
}

func TestMakefile(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip(err)
	}
	dir := write(t, map[string]string{"Makefile": "build-F:\n\tcp source.txt $(ARTIFACTS_DIR)/bootstrap\n", "source.txt": "x"})
	got, err := Package(t.Context(), function("Runtime: provided.al2023, Handler: h"), Options{Dir: dir})
	if err != nil || list(t, got["F"]) != "-rw-r--r-- bootstrap" {
		t.Errorf("%v", err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"broken/go.mod": "module example.com/f\n", "broken/main.go": "package main\n\nfunc main() { nonsense }\n",
		"empty/readme": "", "node/package.json": "{"})
	for properties, wants := range map[string][]string{
		"Runtime: provided.al2023, Handler: h, CodeUri: nowhere/": {"function F (line 5): its code nowhere/ cannot be read, paths are relative to the folder of the template"},
		"Runtime: provided.al2023, Handler: h, CodeUri: broken/":  {"function F (line 5): its code in broken/ does not compile: go build", "main.go:3:15: undefined: nonsense"},
		"Runtime: provided.al2023, Handler: h, CodeUri: empty/":   {"empty/ has no executable named bootstrap, no Go or Rust source to build one from, and no Makefile"},
		"Runtime: nodejs20.x, Handler: h, CodeUri: node/":         {"its package.json is not valid JSON"},
	} {
		_, err := Package(t.Context(), function(properties), Options{Dir: dir})
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", properties, err, want)
			}
		}
	}
	text := append(function("Runtime: nodejs20.x, Handler: h, CodeUri: empty/"), "    Metadata: {BuildMethod: esbuild}\n"...)
	if _, err := Package(t.Context(), text, Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "BuildMethod esbuild is not implemented") {
		t.Errorf("got %v", err)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"go.mod": "module example.com/f\n\ngo 1.24\n", "main.go": goMain})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Package(ctx, function("Runtime: provided.al2023, Handler: h"), Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNeedsPip(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                   false,
		"# nothing\n\nboto3>=1.20\nBotocore": false,
		"boto3\nrequests==2.31.0":            true,
		"-r other.txt":                       true,
		"boto3-stubs":                        true,
		"git+https://example.com/x.git":      true,
	} {
		if got := needsPip(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
