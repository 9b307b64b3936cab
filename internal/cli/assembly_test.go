package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
			"Named": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Named.template.json", "stackName": "prod"}}}}`,
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
	check("Named.template.json", "prod")
	check("Unlisted.template.json", "Unlisted")
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
