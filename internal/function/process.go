package function

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

// processSpec says what to start.
type processSpec struct {
	argv   []string
	dir    string
	env    []string
	output *os.File // standard output and error
}

// process is a running program in a process group of its own.
type process struct {
	cmd *exec.Cmd
	pid int
}

// spawner starts processes from one operating system thread that lives as long
// as the spawner. On Linux a child asks to be killed when its parent ends, and
// "parent" means the thread that started it.
type spawner struct {
	starts chan func()
	ended  chan struct{}
	once   sync.Once
}

func newSpawner() *spawner {
	s := &spawner{starts: make(chan func()), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		runtime.LockOSThread()
		for start := range s.starts {
			start()
		}
	}()
	return s
}

// start starts a process. The caller must call wait on it.
func (s *spawner) start(spec processSpec) (*process, error) {
	cmd := &exec.Cmd{
		Path:        spec.argv[0],
		Args:        spec.argv,
		Dir:         spec.dir,
		Env:         spec.env,
		Stdout:      spec.output,
		Stderr:      spec.output,
		SysProcAttr: ownGroup(),
	}
	result := make(chan error, 1)
	s.starts <- func() { result <- cmd.Start() }
	if err := <-result; err != nil {
		return nil, err
	}
	return &process{cmd: cmd, pid: cmd.Process.Pid}, nil
}

// close ends the spawner, and on Linux with it every process that it started.
// No start may be under way or follow.
func (s *spawner) close() {
	s.once.Do(func() { close(s.starts) })
	<-s.ended
}

// wait returns when the process has ended, with the reason as AWS words it: "" if
// it exited with status 0.
func (p *process) wait() string {
	err := p.cmd.Wait()
	p.kill() // what the process left behind in its group
	var exit *exec.ExitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exit):
		return exit.String()
	default:
		return fmt.Sprintf("wait: %v", err)
	}
}
