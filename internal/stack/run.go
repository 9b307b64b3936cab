package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/store"
)

// run is an operation at work. It alone changes its stack.
type run struct {
	s      *Stacks
	rec    record
	states map[string]*state
	op     *operation
}

// start begins an operation on a stack unless there is one already. The stack is
// written by work only.
func (s *Stacks) start(rec record, p *planner, work func(*run, context.Context) error) (*operation, error) {
	var states map[string]*state
	if p != nil {
		states = p.states
	} else {
		var err error
		if states, err = s.states(rec.ID); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	op := newOperation(cancel)
	if err := s.claim(rec, op); err != nil {
		cancel()
		return nil, err
	}
	r := &run{s: s, rec: rec, states: states, op: op}
	s.running.Go(func() {
		defer cancel()
		err := work(r, ctx)
		if err == nil {
			err = s.dropPackages()
		}
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("stack operation", "stack", rec.ID, "error", err)
		}
		if ctx.Err() != nil {
			err = ErrClosed
		}
		s.release(rec)
		op.end(err)
	})
	return op, nil
}

// claim makes op the one operation on the stack.
func (s *Stacks) claim(rec record, op *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	// Between the look at the record and now another operation may have begun, or
	// even ended.
	now, ok := s.records.Get(rec.ID)
	if s.operations[rec.ID] != nil || ok && (now.Status != rec.Status || now.NextEvent != rec.NextEvent) {
		return busy(rec.ID, now.Status)
	}
	if id, taken := s.byName[rec.Name]; taken && id != rec.ID {
		other, _ := s.records.Get(id)
		if s.operations[id] != nil || other.Status != RollbackComplete {
			return busy(id, other.Status)
		}
	}
	s.operations[rec.ID] = op
	s.byName[rec.Name] = rec.ID
	return nil
}

func (s *Stacks) release(rec record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.operations, rec.ID)
	if now, ok := s.records.Get(rec.ID); (!ok || now.Status == DeleteComplete) && s.byName[rec.Name] == rec.ID {
		delete(s.byName, rec.Name)
	}
}

// commit writes the stack, the given states and an event for each, and returns when
// they are on disk. With extra, more can be written along.
func (r *run) commit(extra func(*store.Tx) error, events []Event, touched ...*state) error {
	tx := r.s.cfg.DB.Begin()
	defer tx.Discard()
	for i := range events {
		events[i].Number = r.rec.NextEvent
		r.rec.NextEvent++
		doc, err := json.Marshal(events[i])
		if err != nil {
			return fmt.Errorf("stack event: %w", err)
		}
		tx.Set(eventKey(r.rec.ID, events[i].Number), doc)
		trimEvents(tx, r.rec.ID, r.rec.NextEvent)
	}
	for _, st := range touched {
		if st.empty() && strings.HasPrefix(string(st.Status), "DELETE_") {
			delete(r.states, st.LogicalID)
			if r.rec.Status != DeleteInProgress { // a deleted stack keeps them to tell of
				tx.Delete(stateKey(r.rec.ID, st.LogicalID))
				continue
			}
		}
		doc, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("stack resource %s: %w", st.LogicalID, err)
		}
		tx.Set(stateKey(r.rec.ID, st.LogicalID), doc)
	}
	if extra != nil {
		if err := extra(tx); err != nil {
			return err
		}
	}
	if err := r.s.records.PutIn(tx, r.rec.ID, r.rec); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, e := range events {
		r.op.publish(e)
	}
	return nil
}

// stackEvent sets the status of the stack and returns the event that tells of it.
func (r *run) stackEvent(status Status, reason string) (Event, error) {
	r.rec.Status, r.rec.Reason = status, reason
	id, err := r.s.newUUID()
	return Event{ID: id, Time: time.Now().UTC(), StackID: r.rec.ID, StackName: r.rec.Name, LogicalID: r.rec.Name,
		PhysicalID: r.rec.ID, ResourceType: stackType, Status: status, Reason: reason}, err
}

// note sets the status of a resource and commits it with an event.
func (r *run) note(st *state, physicalID string, status Status, reason string) error {
	st.Status, st.Reason, st.Changed = status, reason, time.Now().UTC()
	return r.commit(nil, []Event{r.event(st, physicalID)}, st)
}

func (r *run) event(st *state, physicalID string) Event {
	return Event{ID: st.LogicalID + "-" + string(st.Status) + "-" + st.Changed.Format("2006-01-02T15:04:05.000Z"),
		Time: st.Changed, StackID: r.rec.ID, StackName: r.rec.Name, LogicalID: st.LogicalID, PhysicalID: physicalID,
		ResourceType: st.Type, Status: st.Status, Reason: st.Reason}
}

// move sets the status of the stack and commits that with an event and the given
// states.
func (r *run) move(status Status, reason string, touched ...*state) error {
	e, err := r.stackEvent(status, reason)
	if err != nil {
		return err
	}
	return r.commit(nil, []Event{e}, touched...)
}

// target describes a resource to its type.
func (r *run) target(logicalID string, p *physical) resource.Target {
	tags := maps.Clone(p.StackTags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags["aws:cloudformation:logical-id"] = logicalID
	return resource.Target{Identity: r.s.cfg.Identity, LogicalID: logicalID, Name: p.Name, PhysicalID: p.PhysicalID,
		Properties: p.Properties, StackTags: tags}
}

// failure says that a resource could not be made or changed.
type failure struct {
	logicalID string // "" when it was the outputs
	status    Status
	cause     error
}

// reason is what the stack says about it.
func (f *failure) reason() string {
	verb := "update"
	if f.status == CreateFailed {
		verb = "create"
	}
	if f.logicalID == "" {
		return f.cause.Error() + "."
	}
	return fmt.Sprintf("The following resource(s) failed to %s: [%s].", verb, f.logicalID)
}

func (f *failure) Error() string { return f.logicalID + ": " + f.cause.Error() }

func (f *failure) Unwrap() error { return f.cause }

// handlerReason is the status reason of a failed call of a provider.
func (r *run) handlerReason(err error) (string, error) {
	code := "GeneralServiceException"
	switch {
	case errors.Is(err, resource.ErrAlreadyExists):
		code = "AlreadyExists"
	case errors.Is(err, resource.ErrNotFound):
		code = "NotFound"
	case errors.Is(err, resource.ErrInvalid):
		code = "InvalidRequest"
	}
	token, idErr := r.s.newUUID()
	return fmt.Sprintf("Resource handler returned message: \"%s\" (RequestToken: %s, HandlerErrorCode: %s)", err.Error(), token, code), idErr
}

// resume ends what a previous server has begun.
func (r *run) resume(ctx context.Context) error {
	r.s.cfg.Log.Info("finish the operation that a restart interrupted", "stack", r.rec.ID, "status", r.rec.Status)
	const reason = "The server was restarted. Rollback requested by user."
	switch r.rec.Status {
	case CreateInProgress, UpdateInProgress:
		return r.rollback(ctx, reason)
	case RollbackInProgress:
		return r.purge(ctx, RollbackComplete)
	case UpdateRollbackInProgress:
		return r.undo(ctx)
	case UpdateCleanupInProgress:
		return r.purge(ctx, UpdateComplete)
	case UpdateRollbackCleanupInProgress:
		return r.purge(ctx, UpdateRollbackComplete)
	case DeleteInProgress:
		return r.purge(ctx, DeleteComplete)
	default:
		return fmt.Errorf("stack %s is in status %s, which nothing leads out of", r.rec.ID, r.rec.Status)
	}
}
