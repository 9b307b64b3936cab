package function

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// family is what a runtime needs to run.
type family string

const (
	familyProvided family = "provided" // an executable in the package
	familyPython   family = "python"
	familyNode     family = "nodejs"
	familyJava     family = "java" // and all that compiles to the same: Scala, Kotlin, Clojure
)

// runtimeSpec is one value of the Runtime parameter.
type runtimeSpec struct {
	name    string
	family  family
	version int  // minor of python3, major of nodejs and java
	goExec  bool // go1.x: the executable is named by the handler
}

var (
	pythonRuntime = regexp.MustCompile(`^python3\.(\d{1,2})$`)
	nodeRuntime   = regexp.MustCompile(`^nodejs(\d{1,2})\.x$`)
	javaRuntime   = regexp.MustCompile(`^java(8|11|17|21|25)(?:\.al2)?$`)
	// foreignRuntime matches what AWS has, or had, and this program does not run.
	foreignRuntime = regexp.MustCompile(`^(?:ruby\d\.\d|dotnet(?:core)?\d+(?:\.\d)?|python2\.7|nodejs(?:\d\.\d+(?:-edge)?)?)$`)
)

// currentRuntimes are the values that AWS lists when it refuses one.
const currentRuntimes = "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, " +
	"ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2"

// runtimeNamed returns the runtime of a name, or an error of kind ErrInvalid.
// Runtimes that AWS has retired still run here.
func runtimeNamed(name string) (runtimeSpec, error) {
	switch name {
	case "provided", "provided.al2", "provided.al2023":
		return runtimeSpec{name: name, family: familyProvided}, nil
	case "go1.x":
		return runtimeSpec{name: name, family: familyProvided, goExec: true}, nil
	case "":
		return runtimeSpec{}, invalidf("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if m := pythonRuntime.FindStringSubmatch(name); m != nil {
		minor, _ := strconv.Atoi(m[1])
		if minor >= 6 {
			return runtimeSpec{name: name, family: familyPython, version: minor}, nil
		}
	}
	if m := nodeRuntime.FindStringSubmatch(name); m != nil {
		major, _ := strconv.Atoi(m[1])
		if major >= 10 && major%2 == 0 {
			return runtimeSpec{name: name, family: familyNode, version: major}, nil
		}
	}
	if m := javaRuntime.FindStringSubmatch(name); m != nil && (m[1] == "8" || !strings.HasSuffix(name, ".al2")) {
		major, _ := strconv.Atoi(m[1])
		return runtimeSpec{name: name, family: familyJava, version: major}, nil
	}
	if foreignRuntime.MatchString(name) {
		return runtimeSpec{}, invalidf("Weir does not run the runtime %s yet. It runs provided.al2023, provided.al2, python3.x, nodejs*.x and java*.", name)
	}
	return runtimeSpec{}, invalidf("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", name, currentRuntimes)
}

// sdk returns which SDK a managed runtime brings along on AWS.
func (r runtimeSpec) sdk() sdkKind {
	switch {
	case r.family == familyPython:
		return sdkBoto3
	case r.family == familyNode && r.version < 18:
		return sdkJavaScriptV2
	case r.family == familyNode:
		return sdkJavaScriptV3
	case r.family == familyJava:
		return sdkJavaClient
	}
	return ""
}

// unpackGroup is the folder, within the code cache, whose packages see the same
// SDK: Node finds modules by walking up from the file that asks for them.
func (r runtimeSpec) unpackGroup() string {
	if sdk := r.sdk(); sdk == sdkJavaScriptV2 || sdk == sdkJavaScriptV3 {
		return string(sdk)
	}
	return "plain"
}

// version is a dotted version of an interpreter; missing parts are 0.
type version [3]int

func parseVersion(s string) (v version, ok bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "v")
	for i, part := range strings.SplitN(s, ".", 3) {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(part)
		}
		n, err := strconv.Atoi(part[:end])
		if err != nil {
			return v, i > 0
		}
		v[i] = n
	}
	return v, true
}

func (v version) String() string {
	return strconv.Itoa(v[0]) + "." + strconv.Itoa(v[1]) + "." + strconv.Itoa(v[2])
}

func (v version) compare(w version) int { return slices.Compare(v[:], w[:]) }

// release is the part of a version that a runtime's name tells.
func (v version) release(f family) int {
	if f == familyPython {
		return v[1]
	}
	return v[0]
}
