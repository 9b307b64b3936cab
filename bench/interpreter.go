package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// systemPython is the distribution's interpreter. It is built with profile-guided
// optimisation, like the one of Lambda's own runtimes; those that version managers
// compile mostly are not, and take a quarter longer for the same function.
const systemPython = "/usr/bin/python3"

// interpreter is the Python that runs functions, and the peers written in it.
type interpreter struct {
	Path    string
	Version string // "3.11.2", "" when there is none
}

// findPython asks the interpreter at path what it is. Without a path it is the
// distribution's or, where there is none, the first on PATH.
func findPython(ctx context.Context, path string) (interpreter, error) {
	given := path != ""
	if !given {
		path = systemPython
		if _, err := os.Stat(path); err != nil {
			path = "python3"
		}
	}
	out, err := exec.CommandContext(ctx, path, "-c", "import sys; print(sys.executable); print(sys.version.split()[0])").Output()
	if err != nil {
		if !given {
			return interpreter{}, nil // what needs it says so
		}
		return interpreter{}, fmt.Errorf("-python %s: %w", path, err)
	}
	real, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return interpreter{Path: real, Version: version}, nil
}

// release is the version up to its second number, "3.11".
func (i interpreter) release() string {
	major, rest, _ := strings.Cut(i.Version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	return major + "." + minor
}

// putFirst makes an interpreter the first on this process's PATH, by links in
// dir, and so that of all servers.
func (i interpreter) putFirst(dir string) error {
	if i.Path == "" {
		return nil
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"python3", "python" + i.release()} {
		if err := os.Symlink(i.Path, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// interpreterOnPath returns the file of the first python3 on PATH, which is that of
// putFirst.
func interpreterOnPath() (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(python)
}
