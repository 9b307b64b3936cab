//go:build unix && !linux

package function

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownGroup puts a process into a group of its own. There is no way here to tie
// its life to the server's.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// kill ends the process and all others of its group.
func (p *process) kill() { _ = syscall.Kill(-p.pid, syscall.SIGKILL) } // gone already is fine

// endMatching does nothing: the variables of other processes are not known here.
func endMatching(func(variable string) bool) {}

// memory is what a process has in physical memory, in bytes.
type memory struct {
	peak      int64 // what it has now: there is no record of the most it had
	anonymous int64 // the same
}

// memory measures the process and, with family, all others of its group.
func (p *process) memory(family bool) memory {
	flag := "-p"
	if family {
		flag = "-g"
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-o", "rss=", flag, strconv.Itoa(p.pid)).Output()
	if err != nil {
		return memory{} // ended
	}
	var m memory
	for _, field := range strings.Fields(string(out)) {
		if kb, err := strconv.ParseInt(field, 10, 64); err == nil {
			m.peak += kb << 10
			m.anonymous += kb << 10
		}
	}
	return m
}
