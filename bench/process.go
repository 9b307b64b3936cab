package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a server under test that the runner has started.
type process struct {
	cmd     *exec.Cmd
	started time.Time
	out     firstLine
	errs    tail
	ended   chan struct{}
}

// stopTimeout is how long a server may take to end when asked, before it is killed.
const stopTimeout = 10 * time.Second

// startProcess starts a program in a working directory. The caller stops it.
func startProcess(dir string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.out.seen = make(chan struct{})
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errs
	p.cmd.WaitDelay = time.Second // grandchildren may keep the pipes open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended says the tail of its standard error
	}()
	return p, nil
}

// ready waits for the first line on standard output and returns it with the time
// from the start of the process to it.
func (p *process) ready(ctx context.Context) (string, time.Duration, error) {
	select {
	case <-p.out.seen:
		line, at := p.out.first()
		return line, at.Sub(p.started), nil
	case <-p.ended:
		return "", 0, p.failure()
	case <-ctx.Done():
		return "", 0, context.Cause(ctx)
	}
}

// explain adds to an error that the process has ended, if it has.
func (p *process) explain(err error) error {
	select {
	case <-p.ended:
		return fmt.Errorf("%w: %w", err, p.failure())
	default:
		return err
	}
}

// failure describes a process that has ended when it should not.
func (p *process) failure() error {
	return fmt.Errorf("%s ended: %s\n%s", p.cmd.Path, p.cmd.ProcessState, p.errs.text())
}

// stop ends the process, waits until it has ended, and ends what it has left
// running: some servers leave the functions behind.
func (p *process) stop() {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.kill()
	}
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		p.kill()
		<-p.ended
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // fails when nothing is left
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when the process has ended
}

// firstLine keeps the first line that is written, and when.
type firstLine struct {
	mu   sync.Mutex
	line []byte
	at   time.Time
	seen chan struct{}
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.at.IsZero() {
		return len(p), nil
	}
	line, _, ok := bytes.Cut(p, []byte{'\n'})
	f.line = append(f.line, line...)
	if ok {
		f.at = time.Now()
		close(f.seen)
	}
	return len(p), nil
}

func (f *firstLine) first() (string, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.line), f.at
}

// tail keeps the last bytes that are written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if cut := len(t.buf) - tailSize; cut > 0 {
		t.buf = append(t.buf[:0], t.buf[cut:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
