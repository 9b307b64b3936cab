package function

import (
	"net"
	"slices"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/transaction"
)

// invocation is one run of a function: one attempt, one event.
type invocation struct {
	id            string
	arn           string // as it was invoked, with its qualifier
	traceID       string
	clientContext string
	payload       []byte
	wantTail      bool
	begins        func()       // may be nil
	done          chan outcome // of capacity 1; gets exactly one value
	place         admission
	// effects is the transaction of the invocation of an exactly-once function,
	// nil before it runs and for any other function.
	effects *transaction.Tx
	turn    *transaction.Turn // nil if it needs none
	// withinTurn tells that another invocation, which has a turn, waits for this one.
	withinTurn bool

	started  time.Time
	deadline time.Time
}

// end gives the invocation its outcome. Its place is free before anyone knows.
func (inv *invocation) end(o outcome) {
	inv.place.end()
	inv.done <- o
}

// begin tells who has asked for the invocation that it begins.
func (inv *invocation) begin() {
	if inv.begins != nil {
		inv.begins()
	}
}

// outcome is how an invocation ended.
type outcome struct {
	payload   []byte
	failed    bool
	errorType string
	status    string // for the REPORT line
	tail      []byte
	duration  time.Duration
	requestID string
	meters    *meters // of the qualifier that was asked for, nil without one
	err       error   // it never ran
}

// envState is where an environment stands. It moves only forward in this
// order, except that responded goes back to idle.
type envState int

const (
	envStarting  envState = iota // the process has not asked for its first event
	envIdle                      // a connection waits with "next"
	envRunning                   // an invocation is in flight
	envResponded                 // answered, and nothing asks for more
	envEnded
)

// environment is an execution environment: one process, the Runtime API that it
// talks to, its log stream and its credentials. It runs one invocation at a
// time.
//
// Lock order: pool.mu, then environment.mu.
type environment struct {
	def         Definition
	host        host
	timeout     time.Duration
	stream      string
	credentials Credentials
	// transactions is where those of an exactly-once function come from.
	transactions *transaction.Transactions
	listener     net.Listener
	output       *output

	conns  sync.WaitGroup
	timer  *time.Timer // of the initialization, of each invocation, and of the return from it
	memory peak
	// These two are guarded by the mutex of the pool: first, that it is counted as
	// starting, and replaced, that another one is started in its place.
	first, replaced bool

	mu          sync.Mutex
	created     time.Time // when the process was started
	proc        program   // nil until it has been started
	state       envState
	waiting     []waiter // in the order in which they have asked
	open        map[*apiConn]struct{}
	current     *invocation
	finishing   bool // the log of the invocation that was answered is being completed
	undelivered bool // current has not reached the process
	initTime    time.Duration
	initFailure *failure
	killedFor   killReason
	respondedAt time.Time
	idleSince   time.Time
}

// killReason says why the environment itself ended its process.
type killReason int

const (
	notKilled killReason = iota
	killedStopped
	killedTimeout
	killedMemory
)

// program is what an environment runs: a process, but for tests of the pool.
type program interface {
	// kill ends it; once is enough, more does no harm.
	kill()
	// wait returns when it has ended, with the reason.
	wait() string
	memory(family bool) memory
}

// host is what an environment tells its progress to: its pool.
type host interface {
	// ready: the environment can take an invocation.
	ready(*environment)
	// unready: it cannot, after all.
	unready(*environment)
	// ended: it is gone. starting tells that it never became ready, with the
	// reason for the invocation that it was started for.
	ended(e *environment, starting bool, why func(requestID string) failure)
	// observe: an invocation has ended.
	observe(outcome)
}

// accept serves the Runtime API until the environment ends.
func (e *environment) accept() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return
		}
		c := newAPIConn(conn)
		e.mu.Lock()
		if e.state == envEnded {
			e.mu.Unlock()
			_ = conn.Close()
			return
		}
		e.open[c] = struct{}{}
		e.conns.Add(1)
		e.mu.Unlock()
		go func() {
			defer e.conns.Done()
			c.serve(e)
		}()
	}
}

// dropConn forgets a connection that has ended.
func (e *environment) dropConn(c *apiConn) {
	_ = c.conn.Close()
	e.mu.Lock()
	delete(e.open, c)
	e.waiting = slices.DeleteFunc(e.waiting, func(w waiter) bool { return w.apiConn == c })
	lost := e.state == envIdle && len(e.waiting) == 0
	if lost {
		e.awaitReturn()
	}
	e.mu.Unlock()
	if lost {
		e.host.unready(e)
	}
}

// awaitReturn gives the process as much time to ask for an invocation as it has for
// one: a process that does not come back serves nobody, and another one is started
// in its place. e.mu is held.
func (e *environment) awaitReturn() {
	e.state = envResponded
	e.respondedAt = time.Now()
	e.timer.Reset(e.timeout)
}

// next registers a connection that asks for an invocation; false if one is in
// flight, or none will be.
func (e *environment) next(c *apiConn) bool {
	e.mu.Lock()
	switch {
	case e.state == envEnded || e.killedFor != notKilled || e.state == envStarting && e.initFailure != nil:
		e.mu.Unlock()
		return false
	case e.state == envRunning && e.undelivered:
		inv := e.current
		e.undelivered = false
		e.mu.Unlock()
		e.deliver(waiter{c, c.last}, inv)
		return true
	case e.state == envRunning:
		e.mu.Unlock()
		return false
	}
	e.waiting = append(e.waiting, waiter{c, c.last})
	if e.state == envIdle || e.finishing {
		e.mu.Unlock()
		return true
	}
	e.becomeReady()
	return true
}

// becomeReady tells the host that the process waits for an invocation. e.mu is held
// and let go of.
func (e *environment) becomeReady() {
	starting := e.state == envStarting
	if starting {
		e.initTime = time.Since(e.created)
	}
	e.timer.Stop()
	e.state = envIdle
	e.idleSince = time.Now()
	e.mu.Unlock()
	if starting {
		e.output.drain() // what it printed so far belongs before the first START
	}
	e.host.ready(e)
}

// run hands an invocation to the process; false if it cannot take one now.
func (e *environment) run(inv *invocation) bool {
	e.mu.Lock()
	if e.state != envIdle || e.killedFor != notKilled {
		e.mu.Unlock()
		return false
	}
	w := e.takeWaiter()
	e.state, e.current = envRunning, inv
	e.begin(inv)
	inv.started = time.Now()
	inv.deadline = inv.started.Add(e.timeout)
	e.mu.Unlock()

	e.output.startTail(inv.wantTail)
	e.output.note("START RequestId: " + inv.id + " Version: " + e.def.VersionName() + "\n")
	e.timer.Reset(e.timeout)
	inv.begin()
	e.deliver(w, inv)
	return true
}

// deliver hands the invocation in flight to a connection, or to the next one that
// waits if that broke.
func (e *environment) deliver(w waiter, inv *invocation) {
	for w.send(inv) != nil {
		e.mu.Lock()
		if e.current != inv {
			e.mu.Unlock()
			return
		}
		if len(e.waiting) == 0 {
			// The runtime may come back with another connection; if its process has
			// ended, that ends the invocation.
			e.undelivered = true
			e.mu.Unlock()
			return
		}
		w = e.takeWaiter()
		e.mu.Unlock()
	}
}

// takeWaiter returns the connection that has waited longest; e.mu is held.
func (e *environment) takeWaiter() waiter {
	w := e.waiting[0]
	e.waiting = slices.Delete(e.waiting, 0, 1)
	return w
}

// respond ends the invocation in flight if it has the given id.
func (e *environment) respond(id string, result outcome) bool {
	e.mu.Lock()
	inv := e.current
	if inv == nil || inv.id != id {
		e.mu.Unlock()
		return false
	}
	e.current, e.undelivered, e.finishing = nil, false, true
	e.awaitReturn()
	e.mu.Unlock()
	e.finish(inv, result)

	e.mu.Lock()
	e.finishing = false
	if e.state == envResponded && len(e.waiting) > 0 { // on another connection
		e.becomeReady()
		return true
	}
	e.mu.Unlock()
	return true
}

// finish writes what the log says of an invocation and gives it its outcome, in
// this order: who has the outcome finds the log complete. The caller has taken
// the invocation out of flight.
func (e *environment) finish(inv *invocation, result outcome) {
	result.duration, result.requestID, result.meters = time.Since(inv.started), inv.id, inv.place.meters
	if result.status == "timeout" {
		result.duration = min(result.duration, e.timeout) // ending the process is not its own time
	}
	initTime := e.takeInitTime()
	e.host.observe(result)
	e.output.drain()
	if result.status == "timeout" {
		e.output.note(time.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + inv.id +
			" Task timed out after " + seconds(e.timeout) + " seconds\n\n")
	}
	e.output.note("END RequestId: " + inv.id + "\n")
	e.output.note(reportLine(inv.id, result, e.def.MemoryMB, e.memory.report(e.process()), initTime))
	if inv.wantTail {
		result.tail = e.output.takeTail()
	}
	inv.end(result)
}

// takeInitTime returns how long the initialization took, once.
func (e *environment) takeInitTime() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.initTime
	e.initTime = 0
	return d
}

func (e *environment) process() program {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.proc
}

// beginInit begins the time of the initialization. What went before, as unpacking the
// code and looking for the runtime, is not the function's doing, and may take long just
// after the server was started.
func (e *environment) beginInit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.created = time.Now()
	e.timer.Reset(initTimeout + e.timeout)
}

// idle reports whether the environment can take an invocation.
func (e *environment) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state == envIdle
}

// idleBefore reports whether the environment has been idle since before t.
func (e *environment) idleBefore(t time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state == envIdle && e.idleSince.Before(t)
}

// initFailed takes the runtime's word that it could not start; false if it had
// started.
func (e *environment) initFailed(f failure) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != envStarting || e.initFailure != nil {
		return false
	}
	e.initFailure = &f
	e.timer.Reset(lastWords)
	return true
}

// lastWords is how long a process may go on that has said that it could not start.
const lastWords = 3 * time.Second

// expire is called by the timer: it ends the process when the invocation, the
// initialization, or the return from an invocation has taken too long.
func (e *environment) expire() { e.killIf(e.late, killedTimeout) }

// late reports whether the time is over that the timer stands for; e.mu is held.
func (e *environment) late() bool {
	switch e.state {
	case envStarting:
		return true
	case envRunning:
		return !time.Now().Before(e.current.deadline)
	case envResponded:
		return time.Since(e.respondedAt) >= e.timeout
	}
	return false
}

// stop ends the process. The environment is gone when its host is told so.
func (e *environment) stop() { e.kill(killedStopped) }

func (e *environment) kill(why killReason) {
	e.killIf(func() bool { return true }, why)
}

// killIf ends the process if a condition holds, for which it holds e.mu. From then on
// the process is given no invocation.
func (e *environment) killIf(condition func() bool, why killReason) {
	e.mu.Lock()
	if !condition() {
		e.mu.Unlock()
		return
	}
	if e.killedFor == notKilled {
		e.killedFor = why
	}
	proc := e.proc
	e.mu.Unlock()
	if proc != nil {
		proc.kill()
	}
}

// supervise waits for the process to end, then ends everything else of the
// environment and tells the host.
func (e *environment) supervise() {
	reason := e.process().wait()
	e.mu.Lock()
	before, inv := e.state, e.current
	e.state, e.current, e.waiting = envEnded, nil, nil
	killedFor, initFailure := e.killedFor, e.initFailure
	open := e.open
	e.open = nil
	e.mu.Unlock()

	e.timer.Stop()
	_ = e.listener.Close()
	for c := range open {
		_ = c.conn.Close()
	}
	why := func(requestID string) failure {
		switch {
		case initFailure != nil:
			return *initFailure
		case killedFor == killedTimeout:
			return timedOut(requestID, e.timeout)
		case killedFor == killedMemory:
			return exited(requestID, "signal: killed")
		}
		return exited(requestID, reason)
	}
	switch {
	case inv != nil && killedFor == killedStopped:
		inv.end(outcome{err: ErrClosed})
	case inv != nil:
		e.finish(inv, why(inv.id).outcome())
	default:
		e.output.drain()
	}
	e.host.ended(e, before == envStarting, why)
	e.conns.Wait()
	e.output.close()
}

// reportFailedStart writes what the log says of an invocation that never
// reached a process, and gives it its outcome.
func (e *environment) reportFailedStart(inv *invocation, f failure) {
	inv.begin()
	e.mu.Lock()
	inv.started = e.created
	e.mu.Unlock()
	e.output.startTail(inv.wantTail)
	e.output.note("START RequestId: " + inv.id + " Version: " + e.def.VersionName() + "\n")
	if f.status == "" {
		f.status = "error"
	}
	e.finish(inv, f.outcome())
}
