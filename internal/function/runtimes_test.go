package function

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"3.11.7": "3.11.7", "v20.20.2\n": "20.20.2", "3.14.0rc1": "3.14.0", "3.9": "3.9.0", "3.13.0+": "3.13.0", "x": "", "": "",
	} {
		v, ok := parseVersion(text)
		if got := v.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s %v", text, got, ok)
		}
	}
}

func TestChoiceOfInterpreter(t *testing.T) {
	t.Parallel()
	python := runtimeSpec{family: familyPython, version: 11}
	for _, c := range []struct {
		found []string
		want  string
	}{
		{[]string{"3.9.1", "3.11.2", "3.13.0"}, "3.11.2"},
		{[]string{"3.9.1", "3.13.0", "3.12.4"}, "3.12.4"},
		{[]string{"3.8.1", "3.10.0", "3.9.9"}, "3.10.0"},
		{[]string{"3.12.1", "3.12.9", "3.12.3"}, "3.12.9"},
	} {
		var best version
		for _, text := range c.found {
			if v, _ := parseVersion(text); better(v, best, python) {
				best = v
			}
		}
		if best.String() != c.want {
			t.Errorf("of %v: %v, want %s", c.found, best, c.want)
		}
	}
}

// TestOwnFolderGoesFirst puts programs that claim to be interpreters into the
// folder of the runtimes.
func TestOwnFolderGoesFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fake := func(path, version string) string {
		path = filepath.Join(dir, path)
		script := "#!/bin/sh\necho " + path + "\necho " + version + "\n"
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	python := fake("python3.12", "3.12.99")
	node := fake("nodejs20.x/bin/node", "v20.99.0")
	r := NewRuntimes(dir)
	for runtime, want := range map[string]string{"python3.12": python, "nodejs20.x": node} {
		rt, err := runtimeNamed(runtime)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.interpreter(t.Context(), rt); err != nil || got.Path != want {
			t.Errorf("%s: %+v %v", runtime, got, err)
		}
	}
	inv := r.List(t.Context())
	var found []string
	for _, i := range inv.Interpreters {
		found = append(found, i.Path)
	}
	if list := strings.Join(found, " "); !strings.Contains(list, python) || !strings.Contains(list, node) || len(inv.SDKs) != 4 {
		t.Errorf("inventory %+v", inv)
	}
}

func TestInstallRefusesOtherLanguages(t *testing.T) {
	t.Parallel()
	if err := NewRuntimes(t.TempDir()).Install(t.Context(), "cobol", &bytes.Buffer{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
