package webanalytics

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/stack/packaging"
)

var update = flag.Bool("update", false, "write functions.mod and functions.sum from the module's go.mod and go.sum")

var requirement = regexp.MustCompile(`(?m)^\t(\S+) (v\S+)`)

// TestModuleFilesAgree keeps the versions of the extracted example equal to those of
// the module that its functions are tested in.
func TestModuleFilesAgree(t *testing.T) {
	t.Parallel()
	mod, sum := read(t, "../../go.mod"), read(t, "../../go.sum")
	versions := map[string]string{}
	for _, m := range requirement.FindAllStringSubmatch(mod, -1) {
		versions[m[1]] = m[2]
	}
	goVersion := regexp.MustCompile(`(?m)^go \S+$`)
	wantMod := goVersion.ReplaceAllString(read(t, "functions.mod"), goVersion.FindString(mod))
	var wantSum []string
	for _, m := range requirement.FindAllStringSubmatch(wantMod, -1) {
		path, version := m[1], versions[m[1]]
		wantMod = strings.Replace(wantMod, "\t"+path+" "+m[2], "\t"+path+" "+version, 1)
		for line := range strings.Lines(sum) {
			if strings.HasPrefix(line, path+" "+version+" ") || strings.HasPrefix(line, path+" "+version+"/go.mod ") {
				wantSum = append(wantSum, line)
			}
		}
	}
	slices.Sort(wantSum)
	for name, want := range map[string]string{"functions.mod": wantMod, "functions.sum": strings.Join(wantSum, "")} {
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if read(t, name) != want {
			t.Errorf("%s has other versions than the module: run go test ./examples/web-analytics -update", name)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestExtractedExampleIsComplete finds every package that the extracted functions
// import, in the versions of their go.sum.
func TestExtractedExampleIsComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Extract(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Template, PythonTemplate, EventsFile, CountsFile, "python/count_events.py", "README.md"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestTemplatesHaveTheirCode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		Template:       "CountEvents provided.al2023 bootstrap count-events/ go1.x, PublishMetrics provided.al2023 bootstrap publish-metrics/ go1.x",
		PythonTemplate: "CountEvents python3.12 count_events.handler python/ , PublishMetrics python3.12 publish_metrics.handler python/ ",
	} {
		functions, err := packaging.Functions([]byte(read(t, name)), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range functions {
			got = append(got, strings.Join([]string{f.LogicalID, f.Runtime, f.Handler, f.Path, f.BuildMethod}, " "))
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestTemplatesDifferInTheFunctionsOnly keeps the two templates one application.
func TestTemplatesDifferInTheFunctionsOnly(t *testing.T) {
	t.Parallel()
	ofFunctions := regexp.MustCompile(`^\s*(Runtime|Handler|CodeUri|Metadata|BuildMethod|Live counters.*):?`)
	var texts [2][]byte
	for i, name := range []string{Template, PythonTemplate} {
		for line := range strings.Lines(read(t, name)) {
			if !ofFunctions.MatchString(line) {
				texts[i] = append(texts[i], line...)
			}
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Error("the templates differ in more than the functions")
	}
}

// TestPythonFunctions runs the tests of the Python functions where there is Python.
func TestPythonFunctions(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-B", "-m", "unittest", "discover", "-s", "python-tests")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
