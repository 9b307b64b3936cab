package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/stack/resource"
)

// destroy deletes the stack and everything in it, unless another stack imports what
// it exports.
func (r *run) destroy(ctx context.Context) error {
	if err := r.beginDestroy(); err != nil || r.rec.Status != DeleteInProgress {
		return err
	}
	return r.purge(ctx, DeleteComplete)
}

func (r *run) beginDestroy() error {
	r.s.exportsMu.Lock()
	defer r.s.exportsMu.Unlock()
	if reason := r.s.lockedIn(r.rec); reason != "" {
		return r.move(r.rec.Status, reason)
	}
	return r.move(DeleteInProgress, "User Initiated", r.doomAll(func(p *physical) bool { return keeps(p.DeletionPolicy) })...)
}

// purge deletes every doomed resource, dependents first, and ends the operation in
// the final status. After an update a resource that cannot be deleted is let go, as
// everything else has succeeded; otherwise it makes the operation fail, and what it
// depends on stays too.
func (r *run) purge(ctx context.Context, final Status) error {
	lenient := final == UpdateComplete || final == UpdateRollbackComplete
	var failed []string
	blocked := map[string]bool{}
	order := r.teardownOrder(func(st *state) []string {
		var on []string
		for _, d := range st.Doomed {
			on = append(on, d.DependsOn...)
		}
		return on
	})
	for _, id := range order {
		st := r.states[id]
		if blocked[id] {
			r.block(blocked, st)
			continue
		}
		ok, err := r.purgeOne(ctx, st, lenient)
		if err != nil {
			return err
		}
		if !ok {
			failed = append(failed, id)
			r.block(blocked, st)
		}
	}
	if len(failed) > 0 {
		slices.Sort(failed)
		return r.move(failedStatus(final), fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(failed, ", ")))
	}
	if final == DeleteComplete {
		r.rec.Deleted = time.Now().UTC()
	}
	if final == DeleteComplete || final == RollbackComplete {
		r.rec.Outputs = nil
	}
	return r.move(final, "")
}

// block keeps what a resource depends on from being deleted.
func (r *run) block(blocked map[string]bool, st *state) {
	for _, d := range st.Doomed {
		for _, on := range d.DependsOn {
			blocked[on] = true
		}
	}
}

func failedStatus(final Status) Status {
	return Status(strings.TrimSuffix(string(final), "COMPLETE") + "FAILED")
}

// purgeOne deletes the doomed resources of one logical id. It reports false when
// one could not be deleted.
func (r *run) purgeOne(ctx context.Context, st *state, lenient bool) (bool, error) {
	kind := resource.Named(st.Type)
	for len(st.Doomed) > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		d := st.Doomed[0]
		if d.Keep {
			st.Doomed = st.Doomed[1:]
			if err := r.noteGone(st, d, DeleteSkipped, ""); err != nil {
				return false, err
			}
			continue
		}
		if err := r.noteGone(st, d, DeleteInProgress, ""); err != nil {
			return false, err
		}
		err := r.remove(ctx, kind, st.LogicalID, d)
		switch {
		case err == nil:
			st.Doomed = st.Doomed[1:]
			if err := r.noteGone(st, d, DeleteComplete, ""); err != nil {
				return false, err
			}
			continue
		case ctx.Err() != nil:
			return false, err
		}
		reason, err := r.handlerReason(err)
		if err != nil {
			return false, err
		}
		if lenient {
			st.Doomed = st.Doomed[1:]
		}
		if err := r.noteGone(st, d, DeleteFailed, reason); err != nil || !lenient {
			return false, err
		}
	}
	return true, nil
}

// remove deletes a resource, which need not exist.
func (r *run) remove(ctx context.Context, kind *resource.Type, logicalID string, d doomed) error {
	target := r.target(logicalID, &d.physical)
	if d.Pending && d.PhysicalID == "" {
		id, ok, err := kind.Find(ctx, &r.s.cfg.Providers, target)
		if err != nil {
			return err
		}
		if !ok && d.Name == "" {
			return nil
		}
		target.PhysicalID = id
	}
	if err := kind.Delete(ctx, &r.s.cfg.Providers, target); err != nil && !errors.Is(err, resource.ErrNotFound) {
		return err
	}
	return nil
}

// noteGone tells of the deletion of a doomed resource. While its logical id has
// another resource, the status of that one stays.
func (r *run) noteGone(st *state, d doomed, status Status, reason string) error {
	if st.Current == nil {
		return r.note(st, d.id(), status, reason)
	}
	shown := *st
	shown.Status, shown.Reason, shown.Changed = status, reason, time.Now().UTC()
	return r.commit(nil, []Event{r.event(&shown, d.id())}, st)
}
