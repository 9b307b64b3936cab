package function

import (
	"context"
	"time"
)

const (
	// watchEvery is how often the memory of busy processes is looked at.
	watchEvery = 100 * time.Millisecond
	// familyEvery is how many looks pass until one includes child processes,
	// which costs more.
	familyEvery = 5
)

// watcher ends processes that use more memory than their function has. There is
// no limit of the operating system that fits: garbage collected runtimes reserve
// far more address space than they use.
type watcher struct {
	environments func() []*environment
	wake         chan struct{}
}

func newWatcher(environments func() []*environment) *watcher {
	return &watcher{environments: environments, wake: make(chan struct{}, 1)}
}

// look says that there is something to look at.
func (w *watcher) look() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run looks while environments are busy, and sleeps otherwise.
func (w *watcher) run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		ticker.Stop()
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		ticker.Reset(watchEvery)
		for busy, n := true, 1; busy; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			busy = false
			for _, e := range w.environments() {
				busy = e.checkMemory(n%familyEvery == 0) || busy
			}
		}
	}
}

// checkMemory measures an environment that is busy, and ends it when it uses
// too much; false if it is not busy.
func (e *environment) checkMemory(family bool) bool {
	e.mu.Lock()
	proc, busy := e.proc, e.state == envRunning || e.state == envStarting
	e.mu.Unlock()
	if !busy || proc == nil {
		return busy
	}
	m := proc.memory(family)
	e.memory.note(m.peak)
	if m.anonymous > int64(e.def.MemoryMB)<<20 {
		e.kill(killedMemory)
	}
	return true
}
