package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/stack/packaging"
)

func TestTemplateOfServerless(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{
		`{"service": {"service": "clicks", "provider": {"stage": "dev"}}}`:                   "clicks-dev",
		`{"service": {"service": "clicks", "provider": {"stage": "dev", "stackName": "s"}}}`: "s",
		`{"service": {}}`: "stack-", // named after the folder, a number
		`{`:               "stack-",
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{packaging.ServerlessTemplate: "{}", "serverless-state.json": state} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		path, err := findTemplate(dir)
		if err != nil || path != filepath.Join(dir, packaging.ServerlessTemplate) {
			t.Errorf("the template of the folder is %s %v", path, err)
		}
		if got, err := stackNameOf(path); got != want && (want != "stack-" || !strings.HasPrefix(got, want)) || err != nil {
			t.Errorf("with %s the stack is %s %v, want %s", state, got, err, want)
		}
	}
}

func TestTemplatesOfCDK(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"App.template.json":   "{}",
		"Named.template.json": "{}",
		"manifest.json": `{"version": "55.0.0", "artifacts": {
			"App.assets": {"type": "cdk:asset-manifest", "properties": {"file": "App.assets.json"}},
			"Tree": {"type": "cdk:tree"},
			"App": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "App.template.json"}},
			"Named": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Named.template.json", "stackName": "prod"}},
			"NamedAgain": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Named.template.json", "stackName": "staging"}}}}`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(path, want string) {
		t.Helper()
		if got, err := stackNameOf(filepath.Join(dir, path)); got != want || err != nil {
			t.Errorf("the stack of %s is %s %v, want %s", path, got, err, want)
		}
	}
	check("App.template.json", "App")
	for range 30 {
		check("Named.template.json", "prod") // the first of those made of it
	}
	check("Unlisted.template.json", "Unlisted")
	check("app/.aws-sam/build/template.yaml", "app")
	if _, err := findTemplate(dir); err == nil || !strings.Contains(err.Error(), "several templates: name one of "+filepath.Join(dir, "App.template.json")) {
		t.Errorf("a folder with several templates: %v", err)
	}
	for _, name := range []string{"Named.template.json", "manifest.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	check("App.template.json", "App")
	if got, err := findTemplate(dir); got != filepath.Join(dir, "App.template.json") || err != nil {
		t.Errorf("the template of a folder is %s %v", got, err)
	}
}
