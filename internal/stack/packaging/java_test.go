package packaging

import (
	"strings"
	"testing"
)

func TestJavaCode(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"fat.jar": "the jar", "plain/p/C.class": "", "plain/lib/a.jar": "",
		"one/maven-archiver/pom.properties": "", "one/f-1.jar": "shaded", "one/original-f-1.jar": "", "one/f-1-sources.jar": "", "one/classes/p/C.class": "",
		"copied/maven-status/x": "", "copied/classes/p/C.class": "", "copied/dependency/a.jar": "", "copied/f.jar": "",
		"two/maven-status/x": "", "two/a.jar": "", "two/b.jar": "",
		"gradle/build.gradle.kts": "",
	})
	for path, want := range map[string]string{
		"fat.jar": "the jar",
		"one":     "shaded",
		"plain":   "-rw-r--r-- lib/a.jar\n-rw-r--r-- p/C.class",
		"copied":  "-rw-r--r-- p/C.class\n-rw-r--r-- lib/a.jar",
		"two":     "function F (line 5): two has 2 jars that may be the function: let the path name one of them",
		"gradle":  "function F (line 5): gradle is a Gradle project",
	} {
		zips, err := Package(t.Context(), function("Runtime: java21, Handler: p.C, CodeUri: "+path), Options{Dir: dir})
		got := string(zips["F"])
		if err != nil {
			got = err.Error()
		} else if strings.HasPrefix(got, "PK") {
			got = list(t, zips["F"])
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s", path, got)
		}
	}
}
