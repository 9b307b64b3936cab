package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/template"
)

// FuzzPlan takes texts the whole way to a plan: parsing, expansion of serverless
// resources, evaluation, and the checks of every resource type.
func FuzzPlan(f *testing.F) {
	paths, err := filepath.Glob("testdata/scripts/*")
	if err != nil {
		f.Fatal(err)
	}
	paths = append(paths, "../../examples/web-analytics/template.yaml")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\n\n") {
			_, block, _ = strings.Cut(block, "\n")
			input, _, _ := strings.Cut(block, "\n----")
			f.Add([]byte(input))
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		bound, err := Parse(text, nil, nil, template.Setting{Identity: catalog.DefaultIdentity, StackName: "s", StackID: "arn:s"})
		if err != nil {
			return
		}
		p := planner{bound: bound, states: map[string]*state{}, packages: map[string]string{}, used: map[string]string{}}
		if err := p.run(nil, true); err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		if len(p.plan.Changes) != len(bound.Resources) {
			t.Errorf("%d resources, but %d changes", len(bound.Resources), len(p.plan.Changes))
		}
	})
}
