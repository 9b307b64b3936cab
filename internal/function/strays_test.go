package function

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestProcessesInSessionsOfTheirOwnEnd starts some that no end of a group reaches.
func TestProcessesInSessionsOfTheirOwnEnd(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the variables of other processes are known on Linux only")
	}
	w := newWorld(t)
	w.create("f")
	w.create("g")
	ended, kept := pidOf(t, w.invoke("f", "child", 1)), pidOf(t, w.invoke("g", "child", 1))
	w.invoke("f", "exit", 3)
	until(t, "what the process that exited had started is gone", func() bool { return !alive(ended) })
	if !alive(kept) {
		t.Error("what another process has started is gone")
	}
	if err := w.Functions.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "what the other process had started is gone", func() bool { return !alive(kept) })

	left := exec.Command("sleep", "3600")
	left.Env = []string{taskRootVariable + "=" + filepath.Join(w.codeDir, "plain", "x")}
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = left.Process.Kill() }() // if it has not been
	again, err := Open(Config{DB: w.db, Identity: w.identity, Logs: w.logs, Runtimes: w.runtimes, CodeDir: w.codeDir})
	if err != nil {
		t.Fatal(err)
	}
	if err := left.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("what a killed server left behind: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
