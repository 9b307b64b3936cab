package packaging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxOutput is how much of a failed command's output an error shows, in bytes.
const maxOutput = 8 << 10

// interruptPatience is how long an interrupted build may take to end.
const interruptPatience = 5 * time.Second

// command runs a program in a folder. Its output is in the error.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	return commandTo(ctx, nil, dir, env, name, args...)
}

// commandTo is command, but keeps the standard output apart, for programs that are to
// be understood. stdout may be nil.
func commandTo(ctx context.Context, stdout *bytes.Buffer, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if stdout != nil {
		cmd.Stdout = stdout
	}
	// A build that is asked to end removes its temporary files.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptPatience
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	text := strings.TrimSpace(output.String())
	if len(text) > maxOutput {
		text = text[:maxOutput] + "\n..."
	}
	return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, text)
}

// goBuild compiles the Go package in the folder into the function's executable. It
// is built for the machine it is built on, unless GOOS and GOARCH say otherwise, as
// that is where Weir runs functions.
func (b builder) goBuild(ctx context.Context) ([]byte, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("its code in %s is Go source and the go command is not found: install Go from https://go.dev/dl, "+
			"or put an executable named %s there: %w", b.Path, b.executable(), err)
	}
	out, err := os.MkdirTemp("", "weir-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	b.progress("go build %s", b.Path)
	err = command(ctx, b.dir, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-tags=lambda.norpc", "-o", filepath.Join(out, b.executable()), ".")
	if err != nil {
		return nil, fmt.Errorf("its code in %s does not compile: %w", b.Path, err)
	}
	return b.pack(out)
}

// make runs the target build-ID of the folder's Makefile, which leaves what is to
// be packed in $ARTIFACTS_DIR.
func (b builder) make(ctx context.Context) ([]byte, error) {
	if _, err := exec.LookPath("make"); err != nil {
		return nil, fmt.Errorf("its code in %s has a Makefile and the make command is not found: install it: %w", b.Path, err)
	}
	out, err := os.MkdirTemp("", "weir-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	b.progress("make build-%s", b.LogicalID)
	if err := command(ctx, b.dir, []string{"ARTIFACTS_DIR=" + out}, "make", "build-"+b.LogicalID); err != nil {
		return nil, err
	}
	return b.pack(out)
}

// python packs the folder with what its requirements.txt asks for.
func (b builder) python(ctx context.Context) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(b.dir, "requirements.txt"))
	if errors.Is(err, os.ErrNotExist) || err == nil && !needsPip(string(text)) {
		return b.pack(b.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read requirements.txt: %w", err)
	}
	interpreter := b.Runtime
	// Version managers leave names of interpreters that they do not have.
	if err := command(ctx, b.dir, nil, interpreter, "-m", "pip", "--version"); err != nil {
		interpreter = "python3"
	}
	if err := command(ctx, b.dir, nil, interpreter, "-m", "pip", "--version"); err != nil {
		return nil, fmt.Errorf("its requirements.txt needs pip, which neither %s nor python3 has: install Python with pip: %w", b.Runtime, err)
	}
	staged, err := b.stage()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(staged)
	b.progress("pip install -r %s", filepath.Join(b.Path, "requirements.txt"))
	err = command(ctx, staged, nil, interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-compile", "--requirement", "requirements.txt", "--target", staged)
	if err != nil {
		return nil, fmt.Errorf("its requirements cannot be installed: %w", err)
	}
	return b.pack(staged)
}

var requirementName = regexp.MustCompile(`^[A-Za-z0-9._-]+`)

// needsPip reports whether requirements list anything that Lambda's runtimes, and
// so Weir's, do not bring along.
func needsPip(requirements string) bool {
	for line := range strings.Lines(requirements) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		name := strings.ToLower(requirementName.FindString(line))
		if line != "" && !slices.Contains([]string{"boto3", "botocore", "s3transfer", "jmespath"}, name) {
			return true
		}
	}
	return false
}

// node packs the folder with the dependencies of its package.json.
func (b builder) node(ctx context.Context) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(b.dir, "package.json"))
	if errors.Is(err, os.ErrNotExist) {
		return b.pack(b.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read package.json: %w", err)
	}
	var manifest struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("its package.json is not valid JSON: %w", err)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "node_modules")); err == nil || len(manifest.Dependencies) == 0 {
		return b.pack(b.dir)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return nil, fmt.Errorf("its package.json lists dependencies and the npm command is not found: install Node.js: %w", err)
	}
	staged, err := b.stage()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(staged)
	verb := "install"
	if _, err := os.Stat(filepath.Join(staged, "package-lock.json")); err == nil {
		verb = "ci"
	}
	b.progress("npm %s in %s", verb, b.Path)
	if err := command(ctx, staged, nil, "npm", verb, "--omit=dev", "--no-audit", "--no-fund"); err != nil {
		return nil, fmt.Errorf("its dependencies cannot be installed: %w", err)
	}
	return b.pack(staged)
}

// stage copies the folder, so that installing leaves the user's as it is.
func (b builder) stage() (string, error) {
	staged, err := os.MkdirTemp("", "weir-build-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(staged, os.DirFS(b.dir)); err != nil {
		return "", errors.Join(fmt.Errorf("copy %s: %w", b.Path, err), os.RemoveAll(staged))
	}
	return staged, nil
}
