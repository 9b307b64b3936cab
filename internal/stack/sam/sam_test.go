package sam

import (
	"fmt"
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
				text = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      " +
					strings.ReplaceAll(d.Input, "\n", "\n      ") + "\n"
			}
			return expand(t, text, only)
		})
	})
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
