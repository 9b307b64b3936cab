package sam

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/template"
)

// TestScripts runs testdata: "expand" shows what a template becomes; with "only=T"
// just the resources whose type ends in T.
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			only := ""
			d.MaybeScanArgs(t, "only", &only)
			text := d.Input
			if d.Cmd == "function" {
				text = serverless(d.Input)
			}
			return expand(t, text, only)
		})
	})
}

// serverless is a template with one function.
func serverless(properties string) string {
	return "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      " +
		strings.ReplaceAll(properties, "\n", "\n      ") + "\n"
}

func expand(t *testing.T, text, only string) string {
	parsed, err := template.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Expand(parsed, Inputs{Packages: map[string]string{"Local": "digest"}})
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, r := range out.Resources {
		if !strings.HasSuffix(r.Type, only) {
			continue
		}
		if r.Properties == nil {
			r.Properties = template.Map(0)
		}
		fmt.Fprintf(&b, "%s %s line %d\n", r.LogicalID, r.Type, r.Line)
		for _, e := range r.Properties.Entries {
			value, err := e.Value.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %s: %s\n", e.Key, value)
		}
		if r.Condition != "" || r.DeletionPolicy != "" || len(r.DependsOn) > 0 {
			fmt.Fprintf(&b, "  (condition %q, deletion policy %q, depends on %v)\n", r.Condition, r.DeletionPolicy, r.DependsOn)
		}
	}
	return b.String()
}

// TestEveryPolicyTemplateComputes fills every policy template and computes it.
func TestEveryPolicyTemplateComputes(t *testing.T) {
	t.Parallel()
	if n := len(policyTemplates()); n < 80 {
		t.Errorf("there are %d policy templates", n)
	}
	for name, policy := range policyTemplates() {
		var parameters []string
		for _, p := range policy.parameters {
			parameters = append(parameters, p+": x")
		}
		text := "Transform: " + Transform + "\nResources:\n  F:\n    Type: AWS::Serverless::Function\n" +
			"    Properties: {Runtime: r, Handler: h, Policies: [{" + name + ": {" + strings.Join(parameters, ", ") + "}}]}\n"
		parsed, err := template.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out, err := Expand(parsed, Inputs{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		bound, err := out.Bind(nil, template.Setting{Identity: catalog.DefaultIdentity})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		role, err := bound.Eval("FRole", out.Resource("FRole").Properties, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if document := role.Canonical(); strings.Contains(document, "${") || len(policy.statements) == 0 {
			t.Errorf("%s: %s", name, document)
		}
	}
}

// FuzzExpand expands any template, and evaluates what came of it.
func FuzzExpand(f *testing.F) {
	scripts, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\n\n") {
			command, block, _ := strings.Cut(block, "\nTransform")
			input, _, _ := strings.Cut(block, "\n----")
			f.Add([]byte("Transform"+input), "Key", "value")
			_, input, _ = strings.Cut(command, "function\n")
			input, _, _ = strings.Cut(input, "\n----")
			f.Add([]byte(serverless(input)), "Key", "value")
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, name, value string) {
		setting := template.Setting{Identity: catalog.DefaultIdentity}
		parameters := map[string]string{name: value}
		parsed, _ := template.ParseFor(text, parameters, setting)
		if parsed == nil {
			return
		}
		expanded, err := Expand(parsed, Inputs{Parameters: parameters})
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		bound, err := expanded.Bind(parameters, setting)
		if err != nil {
			return
		}
		for _, r := range bound.Resources {
			value, err := bound.Eval(r.LogicalID, r.Properties, unresolved{})
			if err != nil || value == nil {
				continue
			}
			if document, err := value.MarshalJSON(); err != nil || !json.Valid(document) {
				t.Fatalf("%s: %v: %s", r.LogicalID, err, document)
			}
		}
	})
}

// unresolved is the template.Resolver that knows nothing yet.
type unresolved struct{}

func (unresolved) Ref(_ string, line int) (*template.Node, error) {
	return template.Unknown(line, ""), nil
}

func (unresolved) Attribute(_, _ string, line int) (*template.Node, error) {
	return template.Unknown(line, ""), nil
}

func (unresolved) Import(_ string, line int) (*template.Node, error) {
	return template.Unknown(line, ""), nil
}
