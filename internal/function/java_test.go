package function

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestJavaRuntimes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"java8": 8, "java8.al2": 8, "java11": 11, "java17": 17, "java21": 21, "java25": 25} {
		if rt, err := runtimeNamed(name); err != nil || rt.family != familyJava || rt.version != want {
			t.Errorf("%s: %+v %v", name, rt, err)
		}
	}
	for _, name := range []string{"java", "java10", "java17.al2", "java170"} {
		if rt, err := runtimeNamed(name); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %+v %v", name, rt, err)
		}
	}
	if got := runtimeVersion("java21"); got != "java:21.weir" {
		t.Errorf("version %s", got)
	}
}

func TestJavaOptions(t *testing.T) {
	t.Parallel()
	for memory, heap := range map[int]string{128: "72m", 256: "200m", 512: "436m", 1024: "871m", 10240: "8704m"} {
		if options := javaOptions(Interpreter{Version: "17.0.1"}, Definition{MemoryMB: memory}); !slices.Contains(options, "-XX:MaxHeapSize="+heap) ||
			slices.Contains(options, "--enable-native-access=ALL-UNNAMED") {
			t.Errorf("%d MB: %v", memory, options)
		}
	}
	for own, serial := range map[string]bool{"": true, "-XX:+UseZGC -Xss1m": false} {
		def := Definition{MemoryMB: 128, Environment: map[string]string{"JAVA_TOOL_OPTIONS": own}}
		if options := javaOptions(Interpreter{Version: "21.0.1"}, def); slices.Contains(options, "-XX:+UseSerialGC") != serial {
			t.Errorf("%q: %v", own, options)
		}
	}
	own := map[string]string{"JAVA_TOOL_OPTIONS": `-XX:TieredStopAtLevel=4 -Da="b c" -Xss2m`}
	options := javaOptions(Interpreter{Version: "25.0.3"}, Definition{MemoryMB: 128, Environment: own})
	if n := len(options); !slices.Contains(options, "--enable-native-access=ALL-UNNAMED") || !slices.Equal(options[n-2:], []string{"-XX:TieredStopAtLevel=4", "-Xss2m"}) {
		t.Errorf("%v", options)
	}
}

// TestChoiceOfJava puts programs that claim to be virtual machines into the folder
// of the runtimes.
func TestChoiceOfJava(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fake := func(name, version string) string {
		home := filepath.Join(dir, name)
		script := "#!/bin/sh\necho '    java.home = " + home + "' >&2\necho '    java.version = " + version + "' >&2\n"
		if err := writeWhole(filepath.Join(home, "bin", "java"), strings.NewReader(script)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(home, "bin", "java"), 0o755); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(home, "bin", "java")
	}
	for name, version := range map[string]string{"java8": "1.8.0_412", "java21": "21.0.2"} {
		want := fake(name, version)
		rt, err := runtimeNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := NewRuntimes(dir).interpreter(t.Context(), rt); err != nil || got.Path != want {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	tomorrow := runtimeSpec{name: "java99", family: familyJava, version: 99}
	if got, err := NewRuntimes(dir).interpreter(t.Context(), tomorrow); err == nil || !strings.Contains(err.Error(), "no Java 99 or newer") {
		t.Errorf("java99: %+v %v", got, err)
	}
	later := fake("java99", "99.0.1")
	r := NewRuntimes(dir)
	if got, err := r.interpreter(t.Context(), runtimeSpec{name: "java98", family: familyJava, version: 98}); err != nil || got.Path != later {
		t.Errorf("java98: %+v %v", got, err)
	}
	inv := r.List(t.Context())
	if !slices.ContainsFunc(inv.Interpreters, func(i Interpreter) bool {
		return i == Interpreter{"java", "8.0.0", filepath.Join(dir, "java8/bin/java")}
	}) {
		t.Errorf("inventory %+v", inv.Interpreters)
	}
}

func TestJavaClientIsInstalledOrInThePackage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, library := t.TempDir(), javaLibrary()
	put := func(path, content string) string {
		if err := writeWhole(path, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var missing *startError
	if _, err := w.findJavaClient(code, "sum"); !errors.As(err, &missing) || !strings.Contains(err.Error(), "weir runtimes install java") {
		t.Errorf("nowhere: %v", err)
	}
	put(filepath.Join(code, "lib", "other.jar"), "x")
	jar := put(filepath.Join(code, "lib", javaClient+"-2.4.1.jar"), "no zip")
	if _, err := w.findJavaClient(code, "sum"); !errors.As(err, &missing) {
		t.Errorf("a jar that is none: %v", err)
	}
	put(jar, string(zipOf(t, file{"jni/" + library, 0o644, "native"})))
	for range 2 {
		got, err := w.findJavaClient(code, "sum")
		want := javaClientFiles{code + ":" + filepath.Join(code, "lib", "*"), filepath.Join(w.codeDir, "native", "sum", library)}
		if err != nil || got != want {
			t.Errorf("in lib: %+v %v", got, err)
		}
		if content, err := os.ReadFile(got.native); err != nil || string(content) != "native" {
			t.Errorf("%q %v", content, err)
		}
	}
	fat := t.TempDir()
	native := put(filepath.Join(fat, "jni", library), "native")
	if got, err := w.findJavaClient(fat, "sum"); err != nil || got.native != native {
		t.Errorf("in a fat jar: %+v %v", got, err)
	}
	native = put(filepath.Join(w.runtimes.installDir(sdkJavaClient), library), "native")
	jar = put(filepath.Join(filepath.Dir(native), "a.jar"), "x")
	if got, err := w.findJavaClient(code, "sum"); err != nil || got != (javaClientFiles{jar, native}) {
		t.Errorf("installed: %+v %v", got, err)
	}
}

func TestMirrorOfCentral(t *testing.T) {
	t.Parallel()
	for mirrors, want := range map[string]string{
		``: "",
		`<mirror><mirrorOf>other</mirrorOf><url>http://a</url></mirror>`:                                                                   "",
		`<mirror><mirrorOf>other</mirrorOf><url>http://a</url></mirror><mirror><mirrorOf>central</mirrorOf><url> http://b </url></mirror>`: "http://b",
		`<mirror><mirrorOf>*,!central</mirrorOf><url>http://a</url></mirror>`:                                                              "",
		`<mirror><mirrorOf>external:*</mirrorOf><url>http://a</url></mirror>`:                                                              "http://a",
	} {
		settings := `<?xml version="1.0"?><settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors>` + mirrors + `</mirrors></settings>`
		if got := mirrorOfCentral([]byte(settings)); got != want {
			t.Errorf("%s: %q", mirrors, got)
		}
	}
	if got := mirrorOfCentral([]byte("<nonsense")); got != "" {
		t.Errorf("nonsense: %q", got)
	}
}

func TestDownloadsAreVerified(t *testing.T) {
	t.Parallel()
	var asked []string
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = io.WriteString(w, "something else")
	}))
	defer repository.Close()
	dir := t.TempDir()
	if err := download(t.Context(), repository.URL+"/m2", dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	if len(asked) != len(javaArtifacts) || asked[1] != "/m2/com/amazonaws/aws-lambda-java-core/1.4.0/aws-lambda-java-core-1.4.0.jar" {
		t.Errorf("asked for %q", asked)
	}
	if err := javaArtifacts[0].verify(dir); err == nil || !strings.Contains(err.Error(), "not the file that was published") {
		t.Errorf("got %v", err)
	}
	repository.Config.Handler = http.NotFoundHandler()
	if err := download(t.Context(), repository.URL, dir, io.Discard); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

// trainee is a program that does what the client does in a virtual machine that
// archives classes.
const trainee = `#!/bin/sh
for arg; do
  case $arg in -XX:ArchiveClassesAtExit=*) archive=${arg#*=};; esac
done
trap 'echo classes of "$_HANDLER" >"$archive"; kill $!; exit 143' TERM
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
event=$(curl -sS $api/next) || exit 1
curl -sS -d "$event" $api/training/response || exit 1
curl -sS $api/next &
wait
`

func TestClassesAreArchived(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "java")
	jvm := Interpreter{Language: "java", Version: "17.0.1", Path: program}
	put := func(script string) {
		if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(trainee)
	if err := archiveJavaClasses(t.Context(), jvm, dir); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(javaArchive(dir, jvm)); err != nil || string(content) != "classes of "+trainingHandler+"\n" {
		t.Errorf("%q %v", content, err)
	}
	put("#!/bin/sh\nexit 3\n")
	if err := archiveJavaClasses(t.Context(), jvm, dir); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	jvm.Version = "11.0.2"
	if err := archiveJavaClasses(t.Context(), jvm, dir); err == nil {
		t.Error("Java 11 archived classes")
	}
}
