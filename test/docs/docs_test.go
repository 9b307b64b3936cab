// Package docs runs the commands of the documentation against a server.
package docs

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCommandsOfTheDocumentation runs the blocks of shell commands that the pages
// mark with "sh run", all those of a page in one shell and in order. It needs what
// the pages need, the AWS CLI among it, and the path of the program in WEIR_BIN.
func TestCommandsOfTheDocumentation(t *testing.T) {
	t.Parallel()
	bin := os.Getenv("WEIR_BIN")
	if bin == "" {
		t.Skip("WEIR_BIN is not set; 'make acceptance' runs this test")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, filepath.Join(root, "README.md"))
	ran := 0
	for _, page := range pages {
		script := commands(t, page)
		if script == "" {
			continue
		}
		ran++
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			endpoint := startServer(t, bin)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script) // #nosec G204 -- our own pages
			cmd.Dir = root
			cmd.Env = append(os.Environ(),
				"PATH="+filepath.Dir(bin)+string(os.PathListSeparator)+os.Getenv("PATH"),
				"WEIR_ENDPOINT="+endpoint, "AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
				"AWS_ACCESS_KEY_ID=weir", "AWS_SECRET_ACCESS_KEY=weir", "AWS_PAGER=")
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	if ran == 0 {
		t.Error("no page has a block of commands to run")
	}
}

// commands returns the marked blocks of a page, one after the other.
func commands(t *testing.T, page string) string {
	t.Helper()
	f, err := os.Open(page) // #nosec G304 -- our own pages
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var script strings.Builder
	inside := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh run"
		case inside:
			script.WriteString(line + "\n")
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return script.String()
}

func startServer(t *testing.T, bin string) (endpoint string) {
	t.Helper()
	cmd := exec.Command(bin, "up", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--log-level", "warn") // #nosec G204 -- the program under test
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("the server did not end cleanly: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	endpoint, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		t.Fatalf("the server said %q, %v", line, err)
	}
	return endpoint
}
