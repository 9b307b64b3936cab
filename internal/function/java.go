package function

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const (
	// javaClient is the name of the runtime interface client, the program that runs
	// functions in a Java virtual machine, and of its jar.
	javaClient     = "aws-lambda-java-runtime-interface-client"
	javaClientMain = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
	// javaNative is the property that tells the client where its native library is.
	// Without it each process overwrites the same file in /tmp.
	javaNative = "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI"

	// A virtual machine needs memory beside its heap: this much, or this part of what
	// the function has, whichever is more.
	javaBesideHeapMB      = 56
	javaBesideHeapPercent = 15
)

// javaCommand is the command line of a function for a Java virtual machine. The
// client loads the function's classes itself, from the working directory and the
// jars in its folder lib.
func (f *Functions) javaCommand(ctx context.Context, def Definition, rt runtimeSpec, code string) ([]string, error) {
	jvm, err := f.runtimes.interpreter(ctx, rt)
	if err != nil {
		return nil, badEntrypoint(err.Error(), err)
	}
	client, err := f.findJavaClient(code, def.CodeSHA256)
	if err != nil {
		return nil, err
	}
	argv := append([]string{jvm.Path}, javaOptions(jvm, def)...)
	if archive := javaArchive(filepath.Dir(client.native), jvm); exists(archive) {
		argv = append(argv, "-XX:SharedArchiveFile="+archive, "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
	}
	return append(argv, "-D"+javaNative+"="+client.native, "-cp", client.classPath, javaClientMain, def.Handler), nil
}

// javaOptions keep a start short and a process small, as the service does. Options
// of the function in JAVA_TOOL_OPTIONS win.
func javaOptions(jvm Interpreter, def Definition) []string {
	heap := def.MemoryMB - max(javaBesideHeapMB, def.MemoryMB*javaBesideHeapPercent/100)
	own := strings.Fields(def.Environment["JAVA_TOOL_OPTIONS"])
	options := []string{
		"-XX:MaxHeapSize=" + strconv.Itoa(heap) + "m", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData",
		"-XX:ErrorFile=" + filepath.Join(os.TempDir(), "hs_err_"+def.Name+"_%p.log"), // else in the folder of the code
	}
	if v, ok := parseVersion(jvm.Version); ok && v[0] >= 22 {
		options = append(options, "--enable-native-access=ALL-UNNAMED") // else it warns of the client
	}
	if !slices.ContainsFunc(own, collectorOption.MatchString) { // there can be only one
		options = append(options, "-XX:+UseSerialGC")
	}
	for _, option := range own {
		if strings.HasPrefix(option, "-X") { // the virtual machine has read it already, but the command line goes before
			options = append(options, option)
		}
	}
	return options
}

var collectorOption = regexp.MustCompile(`^-XX:\+Use\w+GC$`)

// javaClientFiles is where a runtime interface client is.
type javaClientFiles struct {
	classPath string
	native    string // library
}

// findJavaClient looks for the client: as installed, else in the package.
func (f *Functions) findJavaClient(code, codeSHA256 string) (javaClientFiles, error) {
	if runtime.GOOS != "linux" {
		return javaClientFiles{}, badEntrypoint("Java functions run on Linux only: the runtime interface client has no native library for "+runtime.GOOS, nil)
	}
	library := javaLibrary()
	installed := f.runtimes.installDir(sdkJavaClient)
	if native := filepath.Join(installed, library); exists(native) {
		return javaClientFiles{classPath: javaClassPath(installed), native: native}, nil
	}
	if jars, _ := filepath.Glob(filepath.Join(code, "lib", javaClient+"-*.jar")); len(jars) > 0 { // the pattern is well-formed
		native := filepath.Join(f.codeDir, nativeGroup, codeSHA256, library)
		err := extractFromJar(jars[0], "jni/"+library, native)
		return javaClientFiles{classPath: code + ":" + filepath.Join(code, "lib", "*"), native: native}, err
	}
	if native := filepath.Join(code, "jni", library); exists(native) { // a jar with all dependencies in it
		return javaClientFiles{classPath: code + ":" + filepath.Join(code, "lib", "*"), native: native}, nil
	}
	return javaClientFiles{}, badEntrypoint("The Java runtime interface client is not installed: "+javaRemedy+" gets it", nil)
}

const javaRemedy = "weir runtimes install java"

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// javaLibrary names the native library of the client for this machine.
func javaLibrary() string {
	system, machine := "linux", runtime.GOARCH
	if musl, _ := filepath.Glob("/lib/ld-musl-*"); len(musl) > 0 { // the pattern is well-formed
		if glibc, _ := filepath.Glob("/lib*/ld-linux-*"); len(glibc) == 0 {
			system = "linux_musl"
		}
	}
	switch machine {
	case "amd64":
		machine = "x86_64"
	case "arm64":
		machine = "aarch_64"
	}
	return "libaws-lambda-jni." + system + "-" + machine + ".so"
}

// extractFromJar copies a file out of a jar, unless it is there already.
func extractFromJar(jar, name, target string) error {
	if exists(target) {
		return nil
	}
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return badEntrypoint(filepath.Base(jar)+" cannot be read", err)
	}
	defer archive.Close()
	in, err := archive.Open(name)
	if err != nil {
		return badEntrypoint(filepath.Base(jar)+" has no "+name, err)
	}
	defer in.Close()
	if err := writeWhole(target, in); err != nil {
		return fmt.Errorf("extract %s: %w", name, err)
	}
	return nil
}

// writeWhole makes a file that is complete whenever it exists.
func writeWhole(target string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(target), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone when it has become the target
	_, err = io.Copy(tmp, content)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), target)
}
