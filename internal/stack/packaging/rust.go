package packaging

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// rust compiles the Cargo package in the folder and packs the executable that it makes,
// of several the one that BuildProperties name.
func (b builder) rust(ctx context.Context) ([]byte, error) {
	if _, err := exec.LookPath("cargo"); err != nil {
		return nil, fmt.Errorf("its code in %s is Rust source and the cargo command is not found: install Rust from https://rustup.rs, "+
			"or put an executable named %s there: %w", b.Path, b.executable(), err)
	}
	args := []string{"build", "--release", "--message-format=json-render-diagnostics"}
	if b.Binary != "" {
		args = append(args, "--bin="+b.Binary)
	}
	b.progress("cargo build %s", b.Path)
	var messages bytes.Buffer
	// Names of functions in traces need no debugging information, which is most of the size.
	err := commandTo(ctx, &messages, b.dir, []string{"CARGO_PROFILE_RELEASE_STRIP=debuginfo"}, "cargo", args...)
	if err != nil {
		return nil, fmt.Errorf("its code in %s does not compile: %w", b.Path, err)
	}
	programs := executables(messages.Bytes())
	if len(programs) != 1 {
		return nil, fmt.Errorf("its code in %s makes %d programs (%s): let Binary in the BuildProperties of the function's Metadata name one of them",
			b.Path, len(programs), strings.Join(programs, ", "))
	}
	out, err := os.MkdirTemp("", "weir-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	program, err := os.ReadFile(programs[0])
	if err != nil {
		return nil, fmt.Errorf("read what cargo has built: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, b.executable()), program, 0o755); err != nil { //nolint:gosec // it is to be run
		return nil, err
	}
	return b.pack(out)
}

// executables returns the paths of the programs that messages of cargo tell of.
func executables(messages []byte) []string {
	var programs []string
	for line := range bytes.Lines(messages) {
		var m struct {
			Reason     string `json:"reason"`
			Executable string `json:"executable"`
			Target     struct {
				Kind []string `json:"kind"`
			} `json:"target"`
		}
		// Build scripts may print lines of their own.
		if json.Unmarshal(line, &m) == nil && m.Reason == "compiler-artifact" && m.Executable != "" && slices.Contains(m.Target.Kind, "bin") {
			programs = append(programs, m.Executable)
		}
	}
	return programs
}
