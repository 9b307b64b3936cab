package function

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sdkKind names what AWS's own runtimes include for functions to find.
type sdkKind string

const (
	sdkBoto3        sdkKind = "boto3"
	sdkJavaScriptV3 sdkKind = "aws-sdk-js-v3"
	sdkJavaScriptV2 sdkKind = "aws-sdk-js-v2"
	sdkJavaClient   sdkKind = javaClient
)

// Interpreter is a language's interpreter found on the machine.
type Interpreter struct {
	Language string // "python", "nodejs" or "java"
	Version  string
	Path     string
}

// SDK is an AWS SDK that functions find without having it in their package.
type SDK struct {
	Name string // "boto3", "aws-sdk-js-v3", "aws-sdk-js-v2", or the Java runtime interface client
	// Path is the folder that is searched for modules, or has the jars; "" if there
	// is none.
	Path string
	// Version of the SDK, if it could be told.
	Version string
	// Remedy is the command that installs a missing SDK.
	Remedy string
}

// Inventory is what a machine has for functions to run with.
type Inventory struct {
	Interpreters []Interpreter
	SDKs         []SDK
}

// Runtimes finds the interpreters and SDKs on the machine. What is in its folder
// goes before what PATH has: an interpreter as <dir>/python3.12 or
// <dir>/python3.12/bin/python3 (nodejs20.x and java21 alike), SDKs as Install puts
// them.
type Runtimes struct {
	dir string

	mu    sync.Mutex
	probe map[string]probeResult // by the path that was tried
}

type probeResult struct {
	interpreter Interpreter
	version     version
	err         error
}

const probeTimeout = 10 * time.Second

// NewRuntimes returns the runtimes of a machine with overrides in dir, which
// need not exist.
func NewRuntimes(dir string) *Runtimes {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return &Runtimes{dir: dir, probe: map[string]probeResult{}}
}

// interpreter returns the one that fits a runtime best: of its own release, else
// the nearest newer one, else the newest.
func (r *Runtimes) interpreter(ctx context.Context, rt runtimeSpec) (Interpreter, error) {
	for _, path := range r.exactCandidates(rt) {
		if p := r.examine(ctx, rt.family, path); p.err == nil && p.version.release(rt.family) == rt.version {
			return p.interpreter, nil
		}
	}
	var best probeResult
	for _, path := range r.otherCandidates(rt.family) {
		p := r.examine(ctx, rt.family, path)
		if p.err == nil && better(p.version, best.version, rt) {
			best = p
		}
	}
	if rt.family == familyJava && best.version[0] < rt.version {
		// Classes for a newer virtual machine cannot be loaded by an older one.
		return Interpreter{}, fmt.Errorf("no Java %d or newer was found on this machine (looked in %s, JAVA_HOME, PATH, /usr/lib/jvm and ~/.sdkman); install one or put it there as %s",
			rt.version, r.dir, filepath.Join(r.dir, rt.name))
	}
	if best.interpreter.Path == "" {
		return Interpreter{}, fmt.Errorf("no %s interpreter was found on this machine (looked in %s and PATH); install one or put it there as %s",
			rt.family, r.dir, filepath.Join(r.dir, rt.name))
	}
	return best.interpreter, nil
}

// better reports whether v serves rt better than w, which is zero if there is
// none yet.
func better(v, w version, rt runtimeSpec) bool {
	if w == (version{}) {
		return true
	}
	vNewer, wNewer := v.release(rt.family) >= rt.version, w.release(rt.family) >= rt.version
	if vNewer != wNewer {
		return vNewer
	}
	if vNewer && v.release(rt.family) != w.release(rt.family) {
		return v.compare(w) < 0
	}
	return v.compare(w) > 0
}

// exactCandidates are the paths where the very release would be.
func (r *Runtimes) exactCandidates(rt runtimeSpec) []string {
	own := filepath.Join(r.dir, rt.name)
	if rt.family == familyPython {
		return slices.Concat(
			[]string{own, filepath.Join(own, "bin", "python3")},
			onPath(rt.name), onPath("python3", "python"))
	}
	if rt.family == familyJava {
		return append([]string{own, filepath.Join(own, "bin", "java")}, installedJava()...)
	}
	major := strconv.Itoa(rt.version)
	return slices.Concat(
		[]string{own, filepath.Join(own, "bin", "node")},
		onPath("node", "nodejs", "node"+major, "node-"+major))
}

// otherCandidates are the paths where any release may be.
func (r *Runtimes) otherCandidates(f family) []string {
	pattern, binary := "python3*", "python3"
	switch f {
	case familyNode:
		pattern, binary = "nodejs*", "node"
	case familyJava:
		pattern, binary = "java[0-9]*", "java"
	}
	own, _ := filepath.Glob(filepath.Join(r.dir, pattern)) // the pattern is well-formed
	var paths []string
	for _, path := range own {
		paths = append(paths, path, filepath.Join(path, "bin", binary))
	}
	switch f {
	case familyNode:
		return append(paths, onPath("node", "nodejs")...)
	case familyJava:
		return append(paths, installedJava()...)
	}
	paths = append(paths, onPath("python3", "python")...)
	for minor := 20; minor >= 8; minor-- {
		paths = append(paths, onPath("python3."+strconv.Itoa(minor))...)
	}
	return paths
}

// installedJava returns the programs of Java virtual machines on the machine, the
// one that is meant for programs first.
func installedJava() []string {
	var paths []string
	if home := os.Getenv("JAVA_HOME"); home != "" {
		paths = append(paths, filepath.Join(home, "bin", "java"))
	}
	paths = append(paths, onPath("java")...)
	patterns := []string{"/usr/lib/jvm/*/bin/java", "/opt/java/*/bin/java"}
	if home, err := os.UserHomeDir(); err == nil {
		patterns = append(patterns, filepath.Join(home, ".sdkman", "candidates", "java", "*", "bin", "java"))
	}
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		paths = append(paths, found...)
	}
	return paths
}

func onPath(names ...string) []string {
	var paths []string
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// examine asks a program what it is. The answer tells the real executable too:
// what is on PATH may be a script that looks for it, at each start.
func (r *Runtimes) examine(ctx context.Context, f family, path string) probeResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.probe[path]; ok {
		return p
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return probeResult{err: fmt.Errorf("%s is not executable", path)}
	}
	p := ask(ctx, f, path)
	if ctx.Err() == nil {
		r.probe[path] = p
	}
	return p
}

func ask(ctx context.Context, f family, path string) probeResult {
	if f == familyJava {
		return askJava(ctx, path)
	}
	args := []string{"-c", "import sys; print(sys.executable); print(sys.version.split()[0])"}
	if f == familyNode {
		args = []string{"-e", "console.log(process.execPath); console.log(process.version)"}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		return probeResult{err: fmt.Errorf("run %s: %w", path, err)}
	}
	real, text, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	v, ok := parseVersion(text)
	if !ok || f == familyPython && v[0] != 3 {
		return probeResult{err: fmt.Errorf("%s has version %q", path, text)}
	}
	return probeResult{version: v, interpreter: Interpreter{Language: string(f), Version: v.String(), Path: strings.TrimSpace(real)}}
}

// askJava runs a Java virtual machine for its properties.
func askJava(ctx context.Context, path string) probeResult {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-XshowSettings:properties", "-version").CombinedOutput()
	if err != nil {
		return probeResult{err: fmt.Errorf("run %s: %w", path, err)}
	}
	properties := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, value, ok := strings.Cut(line, " = "); ok {
			properties[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	text := strings.TrimPrefix(properties["java.version"], "1.") // 1.8.0_412
	v, ok := parseVersion(text)
	if !ok || properties["java.home"] == "" {
		return probeResult{err: fmt.Errorf("%s has version %q", path, text)}
	}
	real := filepath.Join(properties["java.home"], "bin", "java")
	return probeResult{version: v, interpreter: Interpreter{Language: string(familyJava), Version: v.String(), Path: real}}
}

// List returns the interpreters and SDKs that functions would use now.
func (r *Runtimes) List(ctx context.Context) Inventory {
	r.mu.Lock()
	clear(r.probe)
	r.mu.Unlock()
	var inv Inventory
	for _, f := range []family{familyPython, familyNode, familyJava} {
		for _, path := range r.otherCandidates(f) {
			p := r.examine(ctx, f, path)
			// python3 and python3.12 of one folder are the same program.
			known := slices.ContainsFunc(inv.Interpreters, func(i Interpreter) bool {
				return i.Version == p.interpreter.Version && filepath.Dir(i.Path) == filepath.Dir(p.interpreter.Path)
			})
			if p.err == nil && !known {
				inv.Interpreters = append(inv.Interpreters, p.interpreter)
			}
		}
	}
	for _, kind := range []sdkKind{sdkBoto3, sdkJavaScriptV3, sdkJavaScriptV2, sdkJavaClient} {
		inv.SDKs = append(inv.SDKs, r.sdk(ctx, kind))
	}
	return inv
}

// sdk looks for an SDK: in the folder of the runtimes, then where the
// interpreters keep what was installed for all.
func (r *Runtimes) sdk(ctx context.Context, kind sdkKind) SDK {
	sdk := SDK{Name: string(kind), Remedy: "weir runtimes install python"}
	marker := "boto3"
	switch kind {
	case sdkJavaScriptV3:
		sdk.Remedy, marker = "weir runtimes install node", "@aws-sdk/client-dynamodb"
	case sdkJavaScriptV2:
		sdk.Remedy, marker = "weir runtimes install node", "aws-sdk"
	case sdkJavaClient:
		sdk.Remedy, marker = javaRemedy, javaClient+"-"+javaClientVersion+".jar"
	}
	for _, dir := range r.sdkDirs(ctx, kind) {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(marker))); err != nil {
			continue
		}
		sdk.Path = dir
		sdk.Version = sdkVersion(dir, kind, marker)
		return sdk
	}
	return sdk
}

func (r *Runtimes) installDir(kind sdkKind) string {
	switch kind {
	case sdkBoto3:
		return filepath.Join(r.dir, "python")
	case sdkJavaClient:
		return filepath.Join(r.dir, "java", javaClientVersion)
	}
	return filepath.Join(r.dir, "node", string(kind), "node_modules")
}

func (r *Runtimes) sdkDirs(ctx context.Context, kind sdkKind) []string {
	dirs := []string{r.installDir(kind)}
	if kind == sdkJavaClient {
		return dirs
	}
	if kind == sdkBoto3 {
		interpreter, err := r.interpreter(ctx, runtimeSpec{name: "python3.13", family: familyPython, version: 13})
		if err != nil {
			return dirs
		}
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		out, err := exec.CommandContext(ctx, interpreter.Path, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").Output()
		if err != nil {
			return dirs
		}
		return append(dirs, strings.TrimSpace(string(out)))
	}
	interpreter, err := r.interpreter(ctx, runtimeSpec{name: "nodejs22.x", family: familyNode, version: 22})
	if err != nil {
		return dirs
	}
	// npm's global folder, beside the executable's.
	return append(dirs, filepath.Join(filepath.Dir(filepath.Dir(interpreter.Path)), "lib", "node_modules"))
}

func sdkVersion(dir string, kind sdkKind, marker string) string {
	if kind == sdkJavaClient {
		return javaClientVersion
	}
	if kind == sdkBoto3 {
		found, _ := filepath.Glob(filepath.Join(dir, "boto3-*.dist-info")) // the pattern is well-formed
		if len(found) == 0 {
			return ""
		}
		return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), "boto3-"), ".dist-info")
	}
	return packageVersion(filepath.Join(dir, filepath.FromSlash(marker), "package.json"))
}
