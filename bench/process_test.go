package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestStopEndsWhatAServerLeavesBehind(t *testing.T) {
	t.Parallel()
	p, err := startProcess(t.TempDir(), "sh", "-c", `sleep 600 >/dev/null 2>&1 & echo $!; wait`)
	if err != nil {
		t.Fatal(err)
	}
	line, _, err := p.ready(t.Context())
	if err != nil {
		p.stop()
		t.Fatal(err)
	}
	child, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	if alive(child) {
		t.Errorf("process %d is still there", child)
	}
}

// alive tells whether a process runs, once what has been killed had a second to end.
func alive(pid int) bool {
	for range 100 {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.Contains(state, []byte(") Z ")) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}
