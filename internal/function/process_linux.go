package function

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownGroup puts a process into a group of its own and has it killed when the
// thread that started it ends, so that a killed server leaves none behind.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// kill ends the process and all others of its group.
func (p *process) kill() { _ = syscall.Kill(-p.pid, syscall.SIGKILL) } // gone already is fine

// endMatching ends all processes of which a variable that they were started with
// matches. A process that forks meanwhile is found in another round.
func endMatching(match func(variable string) bool) {
	const maxRounds = 10
	seen := map[int]bool{os.Getpid(): true}
	for range maxRounds {
		before := len(seen)
		all, _ := os.ReadDir("/proc") // what is readable
		for _, entry := range all {
			pid, err := strconv.Atoi(entry.Name())
			if err == nil && !seen[pid] && endIfStartedWith(pid, match) {
				seen[pid] = true
			}
		}
		if len(seen) == before {
			return
		}
	}
}

func endIfStartedWith(pid int, match func(variable string) bool) bool {
	if !startedWith(pid, match) {
		return false
	}
	p, err := os.FindProcess(pid) // from here on the id is not another's
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }() // of a process that was found
	return startedWith(pid, match) && p.Kill() == nil
}

// startedWith reports whether a process was started with a variable that matches, as
// far as that can be known.
func startedWith(pid int, match func(variable string) bool) bool {
	variables, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false // ended, or somebody else's
	}
	for variable := range bytes.SplitSeq(variables, []byte{0}) {
		if match(string(variable)) {
			return true
		}
	}
	return false
}

// memory is what a process has in physical memory, in bytes.
type memory struct {
	peak      int64 // the most that it ever had, files that it maps included
	anonymous int64 // what only it has: the part that cannot be dropped
}

// memory measures the process and, with family, those that it started.
func (p *process) memory(family bool) memory {
	m := readMemory(p.pid)
	if !family {
		return m
	}
	const maxDescendants = 256
	queue := children(p.pid)
	for i := 0; i < len(queue) && i < maxDescendants; i++ {
		child := readMemory(queue[i])
		m.peak += child.peak
		m.anonymous += child.anonymous
		queue = append(queue, children(queue[i])...)
	}
	return m
}

func readMemory(pid int) memory {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return memory{} // ended
	}
	return memory{
		peak:      statusField(status, "VmHWM:"),
		anonymous: statusField(status, "RssAnon:") + statusField(status, "RssShmem:"),
	}
}

// statusField reads a field of /proc/<pid>/status in kB and returns bytes.
func statusField(status []byte, name string) int64 {
	i := bytes.Index(status, []byte("\n"+name))
	if i < 0 {
		return 0
	}
	line := status[i+1+len(name):]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	kb, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(line, []byte("kB")))), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}

func children(pid int) []int {
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return nil
	}
	var pids []int
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, field := range bytes.Fields(content) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}
