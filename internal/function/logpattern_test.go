package function

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestPatterns runs the scripts of testdata/patterns: a pattern, then which of
// the lines before it match.
func TestPatterns(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/patterns", func(t *testing.T, path string) {
		var lines []string
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "lines":
				lines = strings.Split(d.Input, "\n")
				return ""
			case "match":
				p, err := CompilePattern(d.Input)
				if err != nil {
					if !errors.Is(err, ErrInvalid) {
						t.Errorf("%v", err)
					}
					return "error: " + err.Error() + "\n"
				}
				var b strings.Builder
				for _, line := range lines {
					if p.Match(line) {
						b.WriteString(line + "\n")
					}
				}
				return b.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func FuzzCompilePattern(f *testing.F) {
	for _, seed := range []string{
		"", "ERROR", `?a ?b`, `-x "y z"`, `{ $.a = 1 }`, `{ ($.a[0].b != "x*y") && ($.c IS NULL || $.d NOT EXISTS) }`, `[a, b]`, `%re%`, `{ $.a = "`, `{((((`, `{ $[1] > 3.5e2 }`,
	} {
		f.Add(seed, `{"a":1,"b":[{"c":"x"}]}`)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := CompilePattern(pattern)
		if err == nil {
			p.Match(text)
		} else if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	})
}
