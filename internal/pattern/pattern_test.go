package pattern

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

var dialects = map[string]Dialect{
	"lambda": Lambda, "eventbridge": EventBridge, "body": MessageBody, "attributes": MessageAttributes,
}

// TestScripts runs the scripts in testdata. Commands:
//
//	match dialect=D
//	PATTERN                 one line, or more up to a line "---"
//	EVENT                   each line is one; the answer is + or - for each
//
//	attributes              the same for messages with lines of NAME TYPE VALUE; ...
//
//	error dialect=D         one pattern in each line, or one in all with whole;
//	                        the answer is the message, or ok
//
//	stream | table          filters, one in each line, a line "---", and records:
//	                        events, or DATA | METADATA
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "match":
				return runMatch(t, d)
			case "error":
				return runError(t, d)
			case "stream":
				return runFilters(d, Stream)
			case "table":
				return runFilters(d, Table)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func dialectOf(t *testing.T, d *datadriven.TestData) Dialect {
	name := "eventbridge"
	if d.HasArg("dialect") {
		d.ScanArgs(t, "dialect", &name)
	}
	dialect, ok := dialects[name]
	if !ok {
		t.Fatalf("unknown dialect %s", name)
	}
	return dialect
}

// split returns the pattern and the events of a script's input.
func split(input string) (pattern string, events []string) {
	head, rest, ok := strings.Cut(input, "\n---\n")
	if !ok {
		head, rest, _ = strings.Cut(input, "\n")
	}
	return head, strings.Split(rest, "\n")
}

func sign(ok bool) string {
	if ok {
		return "+"
	}
	return "-"
}

func runMatch(t *testing.T, d *datadriven.TestData) string {
	dialect := dialectOf(t, d)
	text, events := split(d.Input)
	p, err := Compile([]byte(text), dialect)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, event := range events {
		var ok bool
		if dialect == MessageAttributes {
			ok = p.MatchAttributes(parseAttributes(event))
		} else {
			ok = p.Match([]byte(event))
		}
		fmt.Fprintf(&b, "%s %s\n", sign(ok), event)
	}
	return b.String()
}

// parseAttributes reads "name Type value; name Type value".
func parseAttributes(line string) (attributes []Attribute) {
	for part := range strings.SplitSeq(line, "; ") {
		if fields := strings.SplitN(part, " ", 3); len(fields) == 3 {
			attributes = append(attributes, Attribute{Name: fields[0], Type: fields[1], Value: fields[2]})
		}
	}
	return attributes
}

func runError(t *testing.T, d *datadriven.TestData) string {
	texts := strings.Split(d.Input, "\n")
	if d.HasArg("whole") {
		texts = []string{d.Input}
	}
	var b strings.Builder
	for _, text := range texts {
		dialect := dialectOf(t, d)
		p, err := Compile([]byte(text), dialect)
		if err == nil && (dialect == MessageBody || dialect == MessageAttributes) {
			err = p.CheckNumbers()
		}
		if err == nil {
			b.WriteString("ok\n")
			continue
		}
		var typed *Error
		if !errors.As(err, &typed) {
			t.Fatalf("%v is not an Error", err)
		}
		fmt.Fprintln(&b, err)
		if typed.Dialect == Lambda {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(typed.Reason, "\n", "\n  "))
		}
	}
	return b.String()
}

func runFilters(d *datadriven.TestData, s Source) string {
	var texts []string
	head, rest, _ := strings.Cut(d.Input, "---\n")
	if head = strings.TrimSuffix(head, "\n"); head != "" {
		texts = strings.Split(head, "\n")
	}
	f, err := CompileFilters(texts, s)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	if f.NeedsMetadata() {
		b.WriteString("needs metadata\n")
	}
	for record := range strings.SplitSeq(rest, "\n") {
		var ok bool
		if s == Stream {
			data, metadata, _ := strings.Cut(record, " | ")
			if unquoted, err := strconv.Unquote(data); err == nil {
				data = unquoted
			}
			ok = f.MatchData([]byte(data), []byte(metadata))
		} else {
			ok = f.Match([]byte(record))
		}
		fmt.Fprintf(&b, "%s %s\n", sign(ok), record)
	}
	return b.String()
}

func TestTooManyFilters(t *testing.T) {
	t.Parallel()
	texts := make([]string, MaxFilters+1)
	for i := range texts {
		texts[i] = `{"a":[1]}`
	}
	if _, err := CompileFilters(texts, Table); !errors.Is(err, ErrTooManyFilters) {
		t.Errorf("error %v", err)
	}
	if _, err := CompileFilters(texts[1:], Table); err != nil {
		t.Error(err)
	}
	f, err := CompileFilters(nil, Stream)
	if f != nil || err != nil || !f.MatchData([]byte("not JSON"), nil) || !f.Match(nil) || f.NeedsMetadata() {
		t.Error("no filters should let everything pass")
	}
}
