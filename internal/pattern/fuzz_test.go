package pattern

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// seeds returns the patterns and events of the scripts.
func seeds(f *testing.F) (patterns, events []string) {
	files, err := filepath.Glob("testdata/scripts/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		command := ""
		for line := range strings.SplitSeq(string(text), "\n") {
			switch {
			case strings.HasPrefix(line, "match"), strings.HasPrefix(line, "error"):
				command = line[:5]
			case line == "----":
				command = ""
			case command == "match":
				patterns, events = append(patterns, line), append(events, "{}")
				command = "events"
			case command == "error":
				patterns, events = append(patterns, line), append(events, "{}")
			case command == "events":
				patterns, events = append(patterns, patterns[len(patterns)-1]), append(events, line)
			}
		}
	}
	if len(patterns) == 0 {
		f.Fatal("no seeds")
	}
	return patterns, events
}

func FuzzCompile(f *testing.F) {
	patterns, events := seeds(f)
	for i := range patterns {
		f.Add([]byte(patterns[i]), []byte(events[i]), byte(i))
	}
	f.Fuzz(func(t *testing.T, text, event []byte, dialect byte) {
		d := Dialect(dialect % byte(len(grammars)))
		p, err := Compile(text, d)
		if err != nil {
			if err.Error() == "" || p != nil {
				t.Fatal("an error without a message, or with a pattern")
			}
			return
		}
		if !json.Valid(text) || !strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{") {
			t.Fatalf("%q was taken for a pattern", text)
		}
		matched := p.Match(event)
		if matched && !json.Valid(event) {
			t.Fatalf("%q matched %q", text, event)
		}
		if p.Match(event) != matched {
			t.Fatal("the second answer is another")
		}
		p.MatchAttributes([]Attribute{
			{Name: "a", Type: "String.Array", Value: string(event)}, {Name: "b", Type: "Number", Value: string(event)},
		})
		filters, err := CompileFilters([]string{string(text)}, Stream)
		if d == Lambda && err == nil {
			filters.MatchData(event, event)
		}
	})
}

// largeExponent is too much for the reference.
var largeExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

func FuzzMatch(f *testing.F) {
	patterns, events := seeds(f)
	for i := range patterns {
		f.Add(patterns[i], events[i], byte(i))
	}
	f.Fuzz(func(t *testing.T, text, event string, dialect byte) {
		d := Dialect(dialect % byte(MessageBody+1))
		if len(text) > 300 || len(event) > 300 || !utf8.ValidString(event) || largeExponent.MatchString(text+event) {
			return
		}
		p, err := Compile([]byte(text), d)
		if err != nil {
			return
		}
		want, ambiguous := refMatch([]byte(text), []byte(event), d)
		if got := p.Match([]byte(event)); got != want && !ambiguous {
			t.Fatalf("%v, not %v: %s on %s", got, want, text, event)
		}
	})
}
