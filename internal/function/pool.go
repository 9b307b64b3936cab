package function

import (
	"slices"
	"sync"
	"time"
)

// returnGrace is how long an environment that has answered is expected to be
// back at any moment; while there is one, no new process is started for a
// waiting invocation.
const returnGrace = 50 * time.Millisecond

// recently is how long ago an environment was used that is replaced at once when
// its function changes.
const recently = 10 * time.Second

// pool holds the environments of one function and hands invocations to them.
//
// Invocations that find no environment wait in order; an environment is
// started for each of them unless one is about to come free, and whichever is
// ready first takes the longest waiting one. Environments are also started
// ahead of need, when somebody says that there will be one, and in the place of
// those in use that a change of the function ends. Idle environments are used last in,
// first out, so that those that are not needed any more stay idle until they are
// reaped.
type pool struct {
	// launch starts an environment in the background. It ends in a call of
	// ready or ended on the pool, or of notStarted.
	launch func(Definition)
	// note takes what an invocation that ended tells about itself.
	note func(outcome)
	// most bounds the environments.
	most int

	mu       sync.Mutex
	def      Definition
	queue    []*invocation
	idle     []*environment // least recently used first
	live     map[*environment]struct{}
	starting int
	unasked  int // of those starting, how many have not yet asked whether they are wanted
	ahead    int // of those, how many are wanted without an invocation
	closed   bool
	late     *time.Timer // runs grow when an environment has not come back
}

func newPool(def Definition, most int, launch func(Definition), note func(outcome)) *pool {
	return &pool{def: def, most: most, launch: launch, note: note, live: map[*environment]struct{}{}}
}

// submit hands an invocation to an environment, now or as soon as there is one.
func (p *pool) submit(inv *invocation) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			inv.end(outcome{err: ErrClosed})
			return
		}
		n := len(p.idle)
		if n == 0 {
			p.queue = append(p.queue, inv)
			p.grow()
			p.mu.Unlock()
			return
		}
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if e.run(inv) {
			return
		}
	}
}

// cancel takes an invocation out of the queue; false if it is not there, that
// is, if it has been handed out.
func (p *pool) cancel(inv *invocation) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.queue, inv)
	if i < 0 {
		return false
	}
	p.queue = slices.Delete(p.queue, i, i+1)
	return true
}

// grow starts what the queue needs; p.mu is held.
func (p *pool) grow() {
	need := len(p.queue) - p.starting
	if need <= 0 || p.closed {
		return
	}
	if returning := p.returning(); returning > 0 {
		need -= returning
		p.lookAgain()
	}
	for ; need > 0 && p.size() < p.most; need-- {
		p.launchOne()
	}
}

// launchOne starts an environment; p.mu is held.
func (p *pool) launchOne() {
	p.starting++
	p.unasked++
	p.launch(p.def)
}

// size counts the environments, those that are starting among them; p.mu is held.
func (p *pool) size() int {
	n := p.starting
	for e := range p.live {
		if !e.first {
			n++
		}
	}
	return n
}

// prepare starts environments ahead of need so that there are n.
func (p *pool) prepare(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.launchAhead(min(n, p.most) - p.size())
}

// launchAhead starts n environments that no invocation waits for; p.mu is held.
func (p *pool) launchAhead(n int) {
	if p.closed {
		return
	}
	for range n {
		p.ahead++
		p.launchOne()
	}
}

// returning counts the environments that are about to be ready again.
func (p *pool) returning() int {
	n := 0
	for e := range p.live {
		e.mu.Lock()
		if e.state == envResponded && time.Since(e.respondedAt) < returnGrace {
			n++
		}
		e.mu.Unlock()
	}
	return n
}

func (p *pool) lookAgain() {
	if p.late != nil {
		p.late.Reset(returnGrace)
		return
	}
	p.late = time.AfterFunc(returnGrace, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.grow()
	})
}

// wanted reports whether an environment that is about to be started is still
// needed. If not, it is not counted any more and must not be started.
func (p *pool) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unasked--
	switch {
	case p.closed:
	case len(p.queue) > 0:
		p.ahead = min(p.ahead, p.unasked)
		return true
	case p.ahead > 0:
		p.ahead--
		return true
	}
	p.starting--
	return false
}

// adopt takes in an environment whose process runs; false if the pool has
// closed meanwhile.
func (p *pool) adopt(e *environment) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.live[e] = struct{}{}
	return true
}

// abandon forgets an environment whose process did not start.
func (p *pool) abandon(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.live, e)
}

// notStarted gives the longest waiting invocation the reason why there is no
// environment for it.
func (p *pool) notStarted(report func(*invocation)) {
	p.mu.Lock()
	p.starting--
	inv := p.pop()
	p.grow()
	p.mu.Unlock()
	if inv != nil {
		report(inv)
	}
}

func (p *pool) pop() *invocation {
	if len(p.queue) == 0 {
		return nil
	}
	inv := p.queue[0]
	p.queue = slices.Delete(p.queue, 0, 1)
	return inv
}

// ready implements host.
func (p *pool) ready(e *environment) {
	p.mu.Lock()
	p.dropIdle(e) // it may have lost its connection, and found another one, before unready came
	stale := e.def.Generation != p.def.Generation
	if e.first {
		e.first = false
		p.starting--
		if stale { // the function changed while it was starting
			p.launchAhead(1)
		}
	}
	if p.closed || stale {
		p.mu.Unlock()
		e.stop()
		return
	}
	inv := p.pop()
	if inv == nil {
		p.idle = append(p.idle, e)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	if !e.run(inv) {
		p.putBack(inv)
	}
}

// putBack returns an invocation that could not be handed out to the front.
func (p *pool) putBack(inv *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		inv.end(outcome{err: ErrClosed})
		return
	}
	p.queue = slices.Insert(p.queue, 0, inv)
	p.grow()
}

// unready implements host.
func (p *pool) unready(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !e.idle() { // it may be ready again
		p.dropIdle(e)
	}
}

func (p *pool) dropIdle(e *environment) {
	if i := slices.Index(p.idle, e); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
}

// ended implements host.
func (p *pool) ended(e *environment, starting bool, why func(string) failure) {
	p.mu.Lock()
	delete(p.live, e)
	p.dropIdle(e)
	var inv *invocation
	if starting {
		p.starting--
		inv = p.pop()
	}
	p.grow()
	p.mu.Unlock()
	if inv != nil {
		e.reportFailedStart(inv, why(inv.id))
	}
}

// observe implements host.
func (p *pool) observe(o outcome) { p.note(o) }

// define makes the pool use another definition: what is idle ends now, what is
// busy when it has answered.
func (p *pool) define(def Definition) {
	p.mu.Lock()
	p.def = def
	used := p.replaceUsed(time.Now().Add(-recently))
	stale := p.takeIdle(func(e *environment) bool { return e.def.Generation != def.Generation })
	p.launchAhead(used)
	p.mu.Unlock()
	stop(stale)
}

// retag is define for a published version: nothing but the tags of its function
// can change.
func (p *pool) retag(tags map[string]string) {
	p.mu.Lock()
	def := p.def
	p.mu.Unlock()
	def.Tags = tags
	def.Generation++
	p.define(def)
}

// replaceUsed tells how many environments are busy or have been since a time, and
// marks them as replaced, so that they are counted once; p.mu is held.
func (p *pool) replaceUsed(since time.Time) int {
	n := 0
	for e := range p.live {
		if !e.first && !e.replaced && !e.idleBefore(since) {
			e.replaced = true
			n++
		}
	}
	return n
}

// reap ends the environments that have been idle since before a time.
func (p *pool) reap(before time.Time) {
	p.mu.Lock()
	idle := p.takeIdle(func(e *environment) bool { return e.idleBefore(before) })
	p.mu.Unlock()
	stop(idle)
}

func (p *pool) takeIdle(which func(*environment) bool) []*environment {
	var taken []*environment
	p.idle = slices.DeleteFunc(p.idle, func(e *environment) bool {
		if which(e) {
			taken = append(taken, e)
			return true
		}
		return false
	})
	return taken
}

// close refuses what waits and ends all environments. It does not wait for
// them.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	waiting := p.queue
	p.queue = nil
	all := make([]*environment, 0, len(p.live))
	for e := range p.live {
		all = append(all, e)
	}
	if p.late != nil {
		p.late.Stop()
	}
	p.mu.Unlock()
	for _, inv := range waiting {
		inv.end(outcome{err: ErrClosed})
	}
	stop(all)
}

// retire is close for a function that is deleted: what runs may end.
func (p *pool) retire() {
	p.mu.Lock()
	p.closed = true
	waiting, idle := p.queue, p.idle
	p.queue, p.idle = nil, nil
	p.mu.Unlock()
	for _, inv := range waiting {
		inv.end(outcome{err: errorf(ErrNotFound, "The function was deleted while the invocation waited")})
	}
	stop(idle)
}

func stop(all []*environment) {
	for _, e := range all {
		e.stop()
	}
}
