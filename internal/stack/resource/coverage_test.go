package resource

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of types into the documentation")

const coveragePage = "../../../docs/coverage/templates.md"

// TestCoveragePageListsTheTypes keeps the page equal to the declarations.
func TestCoveragePageListsTheTypes(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(coveragePage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(content), " -update -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatal("the page has no place for the table of types")
	}
	want := head + " -update -->\n" + coverageTable() + "<!-- end -->" + tail
	if *update {
		if err := os.WriteFile(coveragePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(content) != want {
		t.Errorf("%s is out of date: run go test ./internal/stack/resource -update", coveragePage)
	}
}

func coverageTable() string {
	var b strings.Builder
	b.WriteString("| type | implemented properties | Fn::GetAtt | missing properties |\n| --- | --- | --- | --- |\n")
	for _, kind := range All() {
		var properties []string
		for _, name := range kind.Properties {
			switch {
			case slices.Contains(kind.Replace, name), slices.Contains(kind.Replace, "*"):
				name = "*" + name + "*"
			case slices.Contains(kind.Fixed, name):
				name += "†"
			}
			properties = append(properties, name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", kind.Name, strings.Join(properties, ", "),
			strings.Join(kind.Attributes, ", "), strings.Join(kind.Unimplemented, ", "))
	}
	return b.String()
}
