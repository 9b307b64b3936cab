package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// poller lets one thread serve many connections: tasks are coroutines that stop
// where they would wait for a socket, and one call of the system tells which of them
// can go on. A request then costs the generator a write, a read and its share of a
// wait. Goroutines with connections of package net pay for a read in vain and for
// waking other threads too, half as much again.
//
// A poller and its sockets are used by one goroutine at a time.
type poller struct {
	fd       int
	timer    int // tells that the first of the sleepers is due
	sockets  map[int32]*socket
	sleepers []sleeper
	current  *coroutine // the one that runs; nil outside of tasks
}

// sleeper is a task that waits for a time.
type sleeper struct {
	until time.Time
	task  *coroutine
}

// coroutine is a task that can be stopped and resumed.
type coroutine struct {
	resume func() (struct{}, bool)
	stop   func() bool // yields; false when the task is to end
}

// connectLightly returns n connections of one poller.
func connectLightly(addr string, n int) (connections, error) {
	p, err := newPoller()
	if err != nil {
		return connections{}, err
	}
	cs := connect(addr, n)
	for _, c := range cs.conns {
		c.poller = p
	}
	disconnect := cs.close
	cs.run, cs.sleep, cs.close = p.run, p.sleep, func() {
		disconnect()
		p.close()
	}
	return cs, nil
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	p := &poller{fd: fd, timer: timer, sockets: make(map[int32]*socket)}
	if err := p.watch(timer, unix.EPOLLIN); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	unix.Close(p.timer)
	unix.Close(p.fd)
}

// watch has events of a descriptor told. Each change is told once, so a task that was
// resumed tries before it waits again.
func (p *poller) watch(fd int, events uint32) error {
	event := unix.EpollEvent{Events: events | unix.EPOLLET, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event))
}

// patience bounds a wait, so that the end of a context is seen.
const patience = 100 // ms

// run runs tasks until all have ended. Those that still wait when ctx ends go on, and
// get its error where they waited for a socket.
func (p *poller) run(ctx context.Context, tasks []func(context.Context)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	left := 0
	for _, task := range tasks {
		c := &coroutine{}
		c.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
			c.stop = func() bool { return yield(struct{}{}) }
			task(ctx)
		})
		if p.goOn(c) {
			left++
		}
	}
	events := make([]unix.EpollEvent, 64)
	for left > 0 {
		n, err := unix.EpollWait(p.fd, events, patience)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(os.NewSyscallError("epoll_wait", err)) // only a mistake of this file
		}
		for _, e := range events[:max(n, 0)] {
			left -= p.wake(p.sockets[e.Fd])
		}
		left -= p.wakeSleepers(ctx.Err() != nil)
		if ctx.Err() == nil {
			continue
		}
		for _, s := range p.sockets {
			s.err = ctx.Err()
			left -= p.wake(s)
		}
	}
}

// sleep stops the running task until a time, or until ctx has ended.
func (p *poller) sleep(_ context.Context, until time.Time) {
	c := p.current
	p.sleepers = append(p.sleepers, sleeper{until, c})
	p.setTimer()
	c.stop()
}

// setTimer has the timer tell when the first sleeper is due.
func (p *poller) setTimer() {
	if len(p.sleepers) == 0 {
		return
	}
	first := slices.MinFunc(p.sleepers, func(a, b sleeper) int { return a.until.Compare(b.until) })
	in := unix.NsecToTimespec(max(1, int64(time.Until(first.until)))) // 0 would turn it off
	if err := unix.TimerfdSettime(p.timer, 0, &unix.ItimerSpec{Value: in}, nil); err != nil {
		panic(os.NewSyscallError("timerfd_settime", err)) // only a mistake of this file
	}
}

// wakeSleepers resumes the sleepers that are due, or all, and returns how many tasks
// that has ended.
func (p *poller) wakeSleepers(all bool) (ended int) {
	now := time.Now()
	var due []sleeper
	p.sleepers = slices.DeleteFunc(p.sleepers, func(s sleeper) bool {
		if !all && s.until.After(now) {
			return false
		}
		due = append(due, s)
		return true
	})
	slices.SortFunc(due, func(a, b sleeper) int { return a.until.Compare(b.until) })
	for _, s := range due {
		if !p.goOn(s.task) {
			ended++
		}
	}
	if len(due) > 0 {
		p.setTimer()
	}
	return ended
}

// wake resumes the task that waits for a socket, if one does, and returns 1 if that
// has ended it.
func (p *poller) wake(s *socket) int {
	if s == nil || s.waiting == nil {
		return 0
	}
	c := s.waiting
	s.waiting = nil
	if p.goOn(c) {
		return 0
	}
	return 1
}

// goOn runs a task until it stops, and returns whether there is more of it.
func (p *poller) goOn(c *coroutine) bool {
	p.current = c
	_, more := c.resume()
	p.current = nil
	return more
}

// dial connects to an address with a numeric host.
func (p *poller) dial(addr string) (*socket, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	family, to := socketAddress(a)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &socket{poller: p, fd: fd}
	if err := s.open(to); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	p.sockets[int32(fd)] = s
	return s, nil
}

func socketAddress(a *net.TCPAddr) (family int, to unix.Sockaddr) {
	if ip := a.IP.To4(); ip != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip)}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}
}

// socket is a connection whose reads and writes stop the task that makes them until
// they can be done.
type socket struct {
	poller  *poller
	fd      int
	waiting *coroutine
	sent    bool  // a write has just been done, without waiting
	err     error // ends all waiting
}

func (s *socket) open(to unix.Sockaddr) error {
	if err := unix.Connect(s.fd, to); err != nil {
		return os.NewSyscallError("connect", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := unix.SetNonblock(s.fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	return s.poller.watch(s.fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP)
}

// Read implements io.Reader.
func (s *socket) Read(b []byte) (int, error) {
	if s.sent { // no answer is there yet, and its coming will be told
		s.sent = false
		if err := s.wait(); err != nil {
			return 0, err
		}
	}
	for {
		n, err := unix.Read(s.fd, b)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EAGAIN):
			return 0, os.NewSyscallError("read", err)
		default:
			if err := s.wait(); err != nil {
				return 0, err
			}
		}
	}
}

// Write implements io.Writer.
func (s *socket) Write(b []byte) (int, error) {
	done, waited := 0, false
	for done < len(b) {
		n, err := unix.Write(s.fd, b[done:])
		switch {
		case n > 0:
			done += n
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EAGAIN):
			return done, os.NewSyscallError("write", err)
		default:
			waited = true
			if err := s.wait(); err != nil {
				return done, err
			}
		}
	}
	s.sent = !waited
	return done, nil
}

// wait stops the running task until something has changed.
func (s *socket) wait() error {
	c := s.poller.current
	if c == nil {
		return errors.New("a polled connection is used outside of a task")
	}
	s.waiting = c
	c.stop()
	return s.err
}

// Close implements io.Closer.
func (s *socket) Close() error {
	delete(s.poller.sockets, int32(s.fd))
	return unix.Close(s.fd)
}
