package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// machine is what figures depend on and the report therefore says.
type machine struct {
	CPUs     int
	CPUModel string
	MemoryGB float64
	System   string
	Go       string
	Commit   string
	Dir      string        // where servers keep their data
	Fsync    time.Duration // median of a 4 KiB write and fsync in Dir
}

func describeMachine(ctx context.Context, dir string) (machine, error) {
	m := machine{
		CPUs: runtime.NumCPU(), Go: runtime.Version(), Dir: dir,
		System: runtime.GOOS + "/" + runtime.GOARCH,
		Commit: commit(ctx),
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPUModel, _ = procField(text, "model name")
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		kb, _ := procField(text, "MemTotal")
		m.MemoryGB = float64(kilobytes(kb)) / (1 << 20)
	}
	var err error
	m.Fsync, err = fsyncTime(dir)
	return m, err
}

// commit names the state of the source, with a mark if it has been changed.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// fsyncTime returns the median time of writing 4 KiB to a file in dir and fsync.
func fsyncTime(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	took := make([]time.Duration, 200)
	for i := range took {
		start := time.Now()
		if _, err := f.Write(make([]byte, 4<<10)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return percentile(took, 0.5), nil
}

// procField returns a field of a file of /proc with lines "name: value".
func procField(text []byte, name string) (string, bool) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		field, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(field) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// kilobytes reads "1234 kB", 0 if it is something else.
func kilobytes(s string) int {
	digits, _ := strings.CutSuffix(s, " kB")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// residentMB is the resident memory of a process in MB (2^20 bytes).
func residentMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	rss, ok := procField(text, "VmRSS")
	if !ok {
		return 0, fmt.Errorf("process %d has no VmRSS", pid)
	}
	return float64(kilobytes(rss)) / (1 << 10), nil
}

// processCPU is the CPU time that this process has used, 0 where the system has
// no /proc.
func processCPU() time.Duration {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	return parseCPU(text)
}

// parseCPU adds up user and system time, fields 14 and 15 of /proc/PID/stat, in
// ticks of 10 ms. Field 2, in parentheses, is the name and may contain anything.
func parseCPU(stat []byte) time.Duration {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
