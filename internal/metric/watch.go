package metric

import (
	"context"
	"time"
)

const (
	// debounce is how long data that arrive are gathered before the alarms on them
	// are evaluated.
	debounce = time.Second
	// grace is how long after the end of a period it is evaluated, so that data
	// under way at the end of the period are in.
	grace = 2 * time.Second
	// forgetEvery is how often old history is dropped.
	forgetEvery = time.Hour
)

// arrived marks the alarms on metrics for evaluation.
func (a *Alarms) arrived(metrics []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range metrics {
		for name := range a.byMetric[key] {
			a.markDue(name)
		}
	}
}

// markDue has an alarm evaluated soon; the caller holds mu.
func (a *Alarms) markDue(name string) {
	if len(a.due) == 0 {
		a.dueAt = time.Now().Add(debounce)
		signal(a.wake)
	}
	a.due[name] = struct{}{}
}

// watchForever evaluates the alarms that are due. Without alarms and without data
// it sleeps.
func (a *Alarms) watchForever(ctx context.Context) {
	timer := time.NewTimer(time.Hour) // set or stopped before each use
	defer timer.Stop()
	last := time.Now() // when periodic evaluation was last done
	forgotten := last
	for {
		if at, ok := a.nextEvaluation(last); ok {
			timer.Reset(time.Until(at))
		} else {
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-a.wake:
			continue
		case <-ctx.Done():
			return
		}
		now := time.Now()
		a.evaluatePeriodic(last, now)
		a.evaluateDue(now)
		last = now
		if now.Sub(forgotten) >= forgetEvery {
			forgotten = now
			if err := a.forgetHistory(); err != nil {
				a.log.Error("drop old alarm history", "error", err)
			}
		}
	}
}

// nextEvaluation returns when there is something to evaluate next.
func (a *Alarms) nextEvaluation(last time.Time) (at time.Time, ok bool) {
	for _, def := range a.defs.All() {
		if next := nextPeriodic(def, last); !ok || next.Before(at) {
			at, ok = next, true
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) > 0 && (!ok || a.dueAt.Before(at)) {
		at, ok = a.dueAt, true
	}
	return at, ok
}

// nextPeriodic is the first time after last at which an alarm is evaluated.
func nextPeriodic(def Alarm, last time.Time) time.Time {
	return last.Add(-grace).Truncate(def.interval()).Add(def.interval() + grace)
}

func (a *Alarms) evaluateDue(now time.Time) {
	a.mu.Lock()
	if len(a.due) == 0 || now.Before(a.dueAt) {
		a.mu.Unlock()
		return
	}
	due := a.due
	a.due = map[string]struct{}{}
	a.mu.Unlock()
	for name := range due {
		def, ok := a.defs.Get(name)
		if !ok {
			continue
		}
		// A running period must not decide before the one that just ended did: it
		// would hide what only that one shows.
		if settled := now.Truncate(def.interval()).Add(grace); now.Before(settled) {
			a.postpone(name, settled)
			continue
		}
		a.evaluate(def, now, a.metrics.evaluate)
	}
}

// postpone has an alarm that is due evaluated at a time.
func (a *Alarms) postpone(name string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) == 0 || at.Before(a.dueAt) {
		a.dueAt = at
	}
	a.due[name] = struct{}{}
}

func (a *Alarms) evaluatePeriodic(last, now time.Time) {
	for _, def := range a.defs.All() {
		if !nextPeriodic(def, last).After(now) {
			a.evaluate(def, now, a.metrics.evaluateFull)
		}
	}
}

// evaluate judges an alarm and carries the verdict out.
func (a *Alarms) evaluate(def Alarm, now time.Time, judge func(*Alarm, time.Time) (verdict, error)) {
	v, err := judge(&def, now)
	if err != nil {
		a.log.Error("evaluate alarm", "alarm", def.Name, "error", err)
		return
	}
	old, ok := a.state(def.Name)
	if !ok || v.state == "" || v.state == old.Value {
		return
	}
	if err := a.settle(def, old, v, now); err != nil {
		a.log.Error("change alarm", "alarm", def.Name, "state", v.state, "error", err)
	}
}

// settle moves an alarm to the state of a verdict unless it changed while it was
// evaluated.
func (a *Alarms) settle(def Alarm, old State, v verdict, now time.Time) error {
	data, err := def.reasonData(v, now)
	if err != nil {
		return err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	current, ok := a.defs.Get(def.Name)
	state, _ := a.state(def.Name)
	if !ok || !current.Updated.Equal(def.Updated) || !state.Updated.Equal(old.Updated) {
		return nil
	}
	next := State{Value: v.state, Reason: clip(def.reason(v), maxReason), ReasonData: data, Updated: now}
	return a.transition(def, old, next, now)
}
