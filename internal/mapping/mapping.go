package mapping

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// State is the life cycle state of a mapping.
type State string

// The states, as Lambda names them.
const (
	Creating  State = "Creating"
	Enabling  State = "Enabling"
	Enabled   State = "Enabled"
	Disabling State = "Disabling"
	Disabled  State = "Disabled"
	Updating  State = "Updating"
	Deleting  State = "Deleting"
)

// The processing results that a mapping shows.
const (
	resultNone    = "No records processed"
	resultOK      = "OK"
	resultFailed  = "PROBLEM: Function call failed"
	resultNoShard = "PROBLEM: Event source not found"
	// resultBadFilter needs a definition that another version has accepted.
	resultBadFilter = "PROBLEM: Invalid filter pattern definition."
)

// View is a mapping as its users see it.
type View struct {
	Definition
	ARN                  string
	State                State
	LastProcessingResult string
	// Delivered counts the records of successful invocations since the start of
	// the process.
	Delivered uint64
}

// Mapping is one event source mapping.
type Mapping struct {
	owner     *Mappings
	uuid      string
	delivered atomic.Uint64

	mu         sync.Mutex
	def        Definition
	stored     Definition    // in the catalog; def when no update is under way
	transition State         // empty when the mapping is in a final state
	settled    chan struct{} // closed when the transition ends
	result     string
	shards     map[laneID]ShardStatus
	run        *run // nil while nothing is processed
}

func (m *Mappings) load(def Definition) (*Mapping, error) {
	mp := &Mapping{owner: m, uuid: def.UUID, def: def, stored: def, result: resultNone, shards: map[laneID]ShardStatus{}}
	v, ok, err := m.cfg.DB.Get(resultKey(def.UUID))
	if err != nil {
		return nil, fmt.Errorf("load mapping %s: %w", def.UUID, err)
	}
	if ok {
		mp.result = string(v)
	}
	return mp, nil
}

// View returns what the mapping shows now.
func (mp *Mapping) View() View {
	mp.mu.Lock()
	defer mp.mu.Unlock()
	return mp.viewLocked()
}

func (mp *Mapping) viewLocked() View {
	v := View{Definition: mp.def, ARN: mp.owner.ARN(mp.uuid), State: mp.transition, LastProcessingResult: mp.result, Delivered: mp.delivered.Load()}
	if v.State == "" {
		v.State = Disabled
		if mp.def.Enabled {
			v.State = Enabled
		}
	}
	return v
}

// begin enters a transition and returns the view with the old values.
func (mp *Mapping) begin(to func(Definition) State) (View, error) {
	mp.mu.Lock()
	defer mp.mu.Unlock()
	next := to(mp.def)
	if mp.transition != "" {
		verb := "update"
		if next == Deleting {
			verb = "delete"
		}
		return View{}, errorf(InUse, "Cannot %s the event source mapping because it is in use.", verb)
	}
	mp.transition, mp.settled = next, make(chan struct{})
	return mp.viewLocked(), nil
}

// end leaves a transition with the definition that is kept.
func (mp *Mapping) end() {
	mp.mu.Lock()
	defer mp.mu.Unlock()
	mp.def, mp.transition = mp.stored, ""
	close(mp.settled)
}

// kept returns the definition that the catalog has, which an update that is under
// way puts into effect.
func (mp *Mapping) kept() Definition {
	mp.mu.Lock()
	defer mp.mu.Unlock()
	return mp.stored
}

func (mp *Mapping) keep(def Definition) {
	mp.mu.Lock()
	defer mp.mu.Unlock()
	mp.stored = def
}

// Settle returns when a change of a mapping that is under way, if any, has taken
// effect: after Delete, when its last invocation has ended.
func (m *Mappings) Settle(ctx context.Context, uuid string) error {
	mp, err := m.get(uuid)
	if err != nil {
		return nil // it is gone
	}
	mp.mu.Lock()
	settled, transition := mp.settled, mp.transition
	mp.mu.Unlock()
	if transition == "" {
		return nil
	}
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start begins to process when the mapping is enabled.
func (mp *Mapping) start() {
	if mp.owner.isClosed() {
		return
	}
	mp.mu.Lock()
	defer mp.mu.Unlock()
	if mp.run == nil && mp.def.Enabled && mp.transition != Deleting {
		clear(mp.shards)
		mp.run = startRun(mp, mp.def)
	}
}

// stop ends processing and returns when invocations in flight have ended.
func (mp *Mapping) stop() {
	mp.mu.Lock()
	r := mp.run
	mp.mu.Unlock()
	if r == nil {
		return
	}
	r.stop()
	mp.mu.Lock()
	defer mp.mu.Unlock()
	if mp.run == r {
		mp.run = nil
	}
}

// setResult records how the last batch went. It is kept in the store because a
// restart is not news about the batch.
func (mp *Mapping) setResult(result string) {
	mp.mu.Lock()
	changed := mp.result != result
	mp.result = result
	mp.mu.Unlock()
	if !changed {
		return
	}
	tx := mp.owner.cfg.DB.Begin()
	tx.Set(resultKey(mp.uuid), []byte(result))
	if err := tx.Commit(); err != nil {
		mp.owner.cfg.Log.Error("keep processing result", "mapping", mp.uuid, "error", err)
	}
}

func (mp *Mapping) setTags(tags map[string]string) {
	mp.mu.Lock()
	defer mp.mu.Unlock()
	mp.def.Tags = tags
}
