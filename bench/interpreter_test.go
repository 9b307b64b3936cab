package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// fakePython makes a program that answers like an interpreter.
func fakePython(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python3")
	script := fmt.Sprintf("#!/bin/sh\necho %s\necho %s\n", path, version)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPythonThatIsGivenComesFirst(t *testing.T) {
	path := fakePython(t, "3.12.1")
	python, err := findPython(t.Context(), path)
	if want := (interpreter{Path: path, Version: "3.12.1"}); err != nil || python != want {
		t.Fatalf("%+v, %v; want %+v", python, err, want)
	}
	t.Setenv("PATH", os.Getenv("PATH"))
	if err := python.putFirst(filepath.Join(t.TempDir(), "bin")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"python3", "python3.12"} {
		found, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if real, err := os.Readlink(found); err != nil || real != path {
			t.Errorf("%s is %s, a link to %q (%v), want %s", name, found, real, err, path)
		}
	}
	want, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	if file, err := interpreterOnPath(); err != nil || file != want {
		t.Errorf("python3 on PATH is %s, %v; want %s", file, err, want)
	}
}

func TestPythonThatIsNotThere(t *testing.T) {
	if _, err := findPython(t.Context(), filepath.Join(t.TempDir(), "python3")); err == nil {
		t.Error("no error")
	}
	if err := (interpreter{}).putFirst("/nowhere"); err != nil {
		t.Errorf("no interpreter: %v", err)
	}
}
