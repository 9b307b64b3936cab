package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stack/template"
	"github.com/weirstream/weir/internal/store"
)

// rollback takes back what the operation under way has done.
func (r *run) rollback(ctx context.Context, reason string) error {
	if r.rec.Current == nil {
		return r.rollbackCreate(ctx, reason)
	}
	if err := r.move(UpdateRollbackInProgress, reason); err != nil {
		return err
	}
	return r.undo(ctx)
}

// rollbackCreate deletes everything that the creation of the stack has made.
func (r *run) rollbackCreate(ctx context.Context, reason string) error {
	if err := r.move(RollbackInProgress, reason, r.doomAll(madeHere)...); err != nil {
		return err
	}
	return r.purge(ctx, RollbackComplete)
}

// madeHere keeps, of resources made by the operation that fails, only those whose
// policy says so even then.
func madeHere(p *physical) bool { return p.DeletionPolicy == "Retain" }

// doomAll has every resource deleted but those that keep says to let go.
func (r *run) doomAll(keep func(*physical) bool) []*state {
	var touched []*state
	for _, id := range slices.Sorted(maps.Keys(r.states)) {
		st := r.states[id]
		for _, p := range []*physical{st.Current, st.Previous} {
			if p != nil && (p == st.Current || p.id() != st.Current.id()) {
				st.doom(p, keep(p))
			}
		}
		st.Current, st.Previous, st.Touched = nil, nil, false
		touched = append(touched, st)
	}
	return touched
}

// undo makes every resource that the update touched what it was before, the last
// one first, and has deleted what the update created.
func (r *run) undo(ctx context.Context) error {
	var failed []string
	for _, id := range r.teardownOrder(func(st *state) []string {
		if !st.Touched {
			return nil
		}
		return st.Current.DependsOn
	}) {
		if err := ctx.Err(); err != nil {
			return err
		}
		st := r.states[id]
		if !st.Touched {
			continue
		}
		ok, err := r.undoOne(ctx, st)
		if err != nil {
			return err
		}
		if !ok {
			failed = append(failed, id)
		}
	}
	if len(failed) > 0 {
		return r.move(UpdateRollbackFailed, fmt.Sprintf("The following resource(s) failed to update: [%s]. ", strings.Join(failed, ", ")))
	}
	old := r.rec.Target
	r.rec.Target = nil
	e, err := r.stackEvent(UpdateRollbackCleanupInProgress, "")
	if err != nil {
		return err
	}
	err = r.commit(func(tx *store.Tx) error {
		if old.TemplateSHA256 != r.rec.Current.TemplateSHA256 {
			tx.Delete(templateKey(r.rec.ID, old.TemplateSHA256))
		}
		return nil
	}, []Event{e})
	if err != nil {
		return err
	}
	return r.purge(ctx, UpdateRollbackComplete)
}

// undoOne takes one resource back. It reports false when that has failed.
func (r *run) undoOne(ctx context.Context, st *state) (bool, error) {
	now, before := st.Current, st.Previous
	switch {
	case before == nil, before.id() != now.id():
		st.doom(now, madeHere(now))
		st.Current, st.Previous, st.Touched = before, nil, false
		if before == nil {
			return true, r.commit(nil, nil, st)
		}
		return true, r.note(st, before.id(), UpdateComplete, "")
	case now.Properties.Canonical() != before.Properties.Canonical() || !maps.Equal(now.StackTags, before.StackTags):
		if err := r.note(st, before.id(), UpdateInProgress, ""); err != nil {
			return false, err
		}
		made, err := resource.Named(st.Type).Update(ctx, &r.s.cfg.Providers, r.target(st.LogicalID, before), now.Properties)
		if err != nil && ctx.Err() != nil {
			return false, err
		}
		if err != nil {
			reason, idErr := r.handlerReason(err)
			if idErr != nil {
				return false, idErr
			}
			return false, r.note(st, before.id(), UpdateFailed, reason)
		}
		if made.Attributes != nil {
			before.Attributes = made.Attributes
		}
	}
	st.Current, st.Previous, st.Touched = before, nil, false
	return true, r.note(st, before.id(), UpdateComplete, "")
}

// teardownOrder orders the logical ids so that each comes before those that it
// depends on.
func (r *run) teardownOrder(dependsOn func(*state) []string) []string {
	ids := slices.Sorted(maps.Keys(r.states))
	on := make(map[string][]string, len(ids))
	for _, id := range ids {
		on[id] = dependsOn(r.states[id])
	}
	sorted, _ := template.Sort(ids, on)
	// Updates can leave old and new resources that depend on each other in a circle;
	// their order is as good as any.
	for _, id := range ids {
		if !slices.Contains(sorted, id) {
			sorted = append(sorted, id)
		}
	}
	slices.Reverse(sorted)
	return sorted
}
