package function

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// maxLineBytes is where a line without an end is cut, as the service limits
	// the size of a log event.
	maxLineBytes = 256 << 10
	// tailBytes is how much of an invocation's log its caller can ask for.
	tailBytes = 4 << 10
	// lineJoint stands for a line break within one log event: the bootstraps of
	// the managed runtimes write stack traces with it (ASCII record separator).
	lineJoint = 0x1e
)

// output turns what a process prints into log events, a line each. Standard
// output and error share one pipe, so that their order is kept.
type output struct {
	pipe *os.File
	raw  syscall.RawConn
	emit func(at time.Time, line []byte) // must copy line

	mu      sync.Mutex // held while bytes go from the pipe into events
	buf     []byte
	partial []byte
	tail    []byte
	keep    bool
}

// newOutput returns an output and the end of the pipe for the process.
func newOutput(emit func(time.Time, []byte)) (*output, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, r.Close(), w.Close())
	}
	return &output{pipe: r, raw: raw, emit: emit, buf: make([]byte, 32<<10)}, w, nil
}

// follow reads until every holder of the pipe's other end is gone or close is
// called.
func (o *output) follow() {
	for {
		ended := false
		err := o.raw.Read(func(fd uintptr) bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			n, err := o.readSome(fd)
			ended = err == nil && n == 0
			return !errors.Is(err, syscall.EAGAIN)
		})
		if err != nil || ended {
			return
		}
	}
}

// readSome takes what is in the pipe, up to a buffer's size; o.mu is held.
func (o *output) readSome(fd uintptr) (int, error) {
	for {
		n, err := syscall.Read(int(fd), o.buf)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if n > 0 {
			o.split(o.buf[:n])
		}
		return n, err
	}
}

// drain takes what the process has printed so far. A process that prints and
// then reports its result has printed into the pipe before, so that after
// drain the lines of an invocation are complete. It ends also with a process
// that prints without pause: what it prints from now on belongs to later.
func (o *output) drain() {
	const maxReads = 64                  // more than a pipe holds
	_ = o.raw.Control(func(fd uintptr) { // fails only when closed
		o.mu.Lock()
		defer o.mu.Unlock()
		for range maxReads {
			if n, err := o.readSome(fd); n <= 0 || err != nil {
				break
			}
		}
		o.flushPartial()
	})
}

func (o *output) split(p []byte) {
	now := time.Now()
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			o.partial = append(o.partial, p...)
			for len(o.partial) >= maxLineBytes {
				o.line(now, o.partial[:maxLineBytes])
				o.partial = append(o.partial[:0], o.partial[maxLineBytes:]...)
			}
			return
		}
		line := p[:end+1]
		p = p[end+1:]
		if len(o.partial) > 0 {
			o.partial = append(o.partial, line...)
			line = o.partial
		}
		for len(line) > maxLineBytes {
			o.line(now, line[:maxLineBytes])
			line = line[maxLineBytes:]
		}
		o.line(now, line)
		o.partial = o.partial[:0]
	}
}

func (o *output) flushPartial() {
	if len(o.partial) > 0 {
		o.line(time.Now(), o.partial)
		o.partial = o.partial[:0]
	}
}

func (o *output) line(now time.Time, line []byte) {
	for i := bytes.IndexByte(line, lineJoint); i >= 0; i = bytes.IndexByte(line, lineJoint) {
		line[i] = '\n'
	}
	o.emit(now, line)
	o.keepTail(line)
}

// note adds a line of the environment's own, such as START.
func (o *output) note(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.emit(time.Now(), []byte(line))
	o.keepTail([]byte(line))
}

// startTail begins to keep the end of what is logged, and forgets what was kept.
func (o *output) startTail(keep bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep, o.tail = keep, o.tail[:0]
}

func (o *output) keepTail(line []byte) {
	if !o.keep {
		return
	}
	o.tail = append(o.tail, line...)
	if extra := len(o.tail) - tailBytes; extra > 4*tailBytes {
		o.tail = append(o.tail[:0], o.tail[extra:]...)
	}
}

// takeTail returns the last tailBytes of what was logged since startTail.
func (o *output) takeTail() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.tail[max(0, len(o.tail)-tailBytes):])
}

func (o *output) close() { _ = o.pipe.Close() } // reading only, nothing to lose
