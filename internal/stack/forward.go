package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stack/template"
	"github.com/weirstream/weir/internal/store"
)

// deploy makes the stack what r.rec.Target says, or takes it back.
func (r *run) deploy(ctx context.Context, bound *template.Bound, text []byte) error {
	status := CreateInProgress
	if !r.rec.fresh() {
		status = UpdateInProgress
		r.rec.Updated = time.Now().UTC()
	}
	e, err := r.stackEvent(status, "User Initiated")
	if err != nil {
		return err
	}
	r.s.exportsMu.Lock()
	offered := r.s.offered(r.rec)
	err = r.commit(func(tx *store.Tx) error {
		tx.Set(templateKey(r.rec.ID, r.rec.Target.TemplateSHA256), text)
		for id, st := range r.states { // what earlier operations failed to create
			if st.empty() {
				delete(r.states, id)
				tx.Delete(stateKey(r.rec.ID, id))
			}
		}
		return r.retireNamesakes(tx)
	}, []Event{e})
	r.s.exportsMu.Unlock()
	if err != nil {
		return err
	}
	err = r.forward(ctx, bound, offered)
	var failed *failure
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failed):
		return err
	}
	return r.rollback(ctx, failed.reason()+" Rollback requested by user.")
}

// retireNamesakes marks as deleted the stacks of the same name whose creation was
// rolled back and whose place this one takes.
func (r *run) retireNamesakes(tx *store.Tx) error {
	for _, rec := range r.s.records.All() {
		if rec.Name != r.rec.Name || rec.ID == r.rec.ID || rec.Status != RollbackComplete {
			continue
		}
		rec.Status, rec.Deleted = DeleteComplete, time.Now().UTC()
		if err := r.s.records.PutIn(tx, rec.ID, rec); err != nil {
			return err
		}
	}
	return nil
}

// forward creates and changes resources one after the other. What the template no
// longer holds is left for the cleanup. offered are the exports of other stacks, of
// which the imported ones cannot change any more.
func (r *run) forward(ctx context.Context, bound *template.Bound, offered map[string]string) error {
	f := forward{run: r, bound: bound, offered: offered}
	for _, name := range bound.Imports {
		if _, ok := offered[name]; !ok {
			return &failure{cause: errors.New(noExport(name)), status: UpdateFailed}
		}
	}
	for _, res := range bound.Resources {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.apply(ctx, res); err != nil {
			return err
		}
	}
	outputs, err := f.outputs()
	if err != nil {
		return &failure{cause: err, status: UpdateFailed}
	}
	return r.succeed(ctx, bound, outputs)
}

// forward is a run with the template that it works off. It resolves references to
// resources that exist by then.
type forward struct {
	*run
	bound   *template.Bound
	offered map[string]string
}

// Ref implements template.Resolver.
func (f forward) Ref(id string, line int) (*template.Node, error) {
	return template.String(line, f.states[id].Current.PhysicalID), nil
}

// Attribute implements template.Resolver.
func (f forward) Attribute(id, name string, line int) (*template.Node, error) {
	value, ok := f.states[id].Current.Attributes[name]
	if !ok {
		return nil, noAttribute(line, name, f.states[id].Type)
	}
	return template.String(line, value), nil
}

func (f forward) outputs() ([]Output, error) {
	var outputs []Output
	for _, o := range f.bound.Outputs {
		value, err := f.bound.Eval(o.Name, o.Value, f)
		if err != nil {
			return nil, err
		}
		if !value.IsScalar() {
			return nil, template.Problems{{Line: o.Line, LogicalID: o.Name, Message: fmt.Sprintf(notAText, o.Name)}}
		}
		outputs = append(outputs, Output{Key: o.Name, Value: value.Text, Description: o.Description, ExportName: f.bound.ExportNames[o.Name]})
	}
	return outputs, nil
}

// apply makes one resource what the template says.
func (f forward) apply(ctx context.Context, res *template.Resource) error {
	id, kind := res.LogicalID, resource.Named(res.Type)
	st := f.states[id]
	if st == nil {
		st = &state{LogicalID: id, Type: res.Type}
		f.states[id] = st
	}
	properties, err := f.bound.Eval(id, res.Properties, f)
	if err != nil {
		return f.fail(st, err)
	}
	if properties == nil {
		properties = template.Map(res.Line)
	}
	if sha256, sent := f.rec.Target.Packages[id]; sent && res.Type == functionType {
		properties = resource.WithPackage(properties, sha256)
	}
	if problems := kind.Check(id, properties, res.Line); len(problems) > 0 {
		return f.fail(st, problems)
	}
	next := &physical{Properties: properties, DependsOn: f.bound.DependsOn[id], StackTags: stackTags(f.rec, f.rec.Target.Tags),
		DeletionPolicy: res.DeletionPolicy, UpdateReplacePolicy: res.UpdateReplacePolicy}
	if st.Current == nil {
		return f.create(ctx, kind, st, next, CreateInProgress, "")
	}
	change := kind.Compare(st.Current.Properties, properties)
	tagsChange := kind.Tagged() && !maps.Equal(st.Current.StackTags, next.StackTags)
	switch {
	case len(change.Replace) > 0:
		return f.replace(ctx, kind, st, next)
	case len(change.Fixed) > 0:
		return f.fail(st, fmt.Errorf(cannotChange, strings.Join(change.Fixed, ", "), res.Type))
	case len(change.Names) > 0 || tagsChange:
		return f.update(ctx, kind, st, next)
	default:
		return f.keep(st, next)
	}
}

// fail notes that a resource could not be made what it should be.
func (f forward) fail(st *state, cause error) error {
	status := UpdateFailed
	if st.Current == nil || st.Touched && st.Previous == nil {
		status = CreateFailed
	}
	reason := cause.Error()
	var problems template.Problems
	if !errors.As(cause, &problems) {
		var err error
		if reason, err = f.handlerReason(cause); err != nil {
			return err
		}
	}
	if err := f.note(st, st.Current.id(), status, reason); err != nil {
		return err
	}
	return &failure{st.LogicalID, status, cause}
}

// keep records what the template changes about a resource without changing the
// resource: policies and dependencies.
func (f forward) keep(st *state, next *physical) error {
	same := *st.Current
	same.DependsOn, same.DeletionPolicy, same.UpdateReplacePolicy = next.DependsOn, next.DeletionPolicy, next.UpdateReplacePolicy
	same.StackTags = next.StackTags
	if slices.Equal(same.DependsOn, st.Current.DependsOn) && same.DeletionPolicy == st.Current.DeletionPolicy &&
		same.UpdateReplacePolicy == st.Current.UpdateReplacePolicy {
		return nil
	}
	st.change(&same)
	return f.commit(nil, nil, st)
}

// change makes next the current resource and remembers the way back.
func (st *state) change(next *physical) {
	if !st.Touched {
		st.Previous = st.Current
	}
	st.Touched, st.Current = true, next
}

// create makes a resource. What may exist is on disk before it is asked for.
func (f forward) create(ctx context.Context, kind *resource.Type, st *state, next *physical, status Status, reason string) error {
	chosen, err := f.name(ctx, kind, st, next)
	if err != nil {
		return f.fail(st, err)
	}
	before := st.Current
	next.Name, next.Pending = chosen, true
	st.change(next)
	if err := f.note(st, before.id(), status, reason); err != nil {
		return err
	}
	made, err := kind.Create(ctx, &f.s.cfg.Providers, f.target(st.LogicalID, next))
	next.PhysicalID, next.Attributes = made.PhysicalID, made.Attributes
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return err
	case errors.Is(err, resource.ErrAlreadyExists):
		// Somebody else's, so there is nothing to take back.
		st.Current, st.Touched, st.Previous = before, false, nil
		return f.fail(st, err)
	default:
		return f.fail(st, err)
	}
	next.Pending = false
	if err := f.note(st, next.id(), status, "Resource creation Initiated"); err != nil {
		return err
	}
	return f.note(st, next.id(), complete(status), "")
}

func complete(inProgress Status) Status {
	return Status(strings.TrimSuffix(string(inProgress), "IN_PROGRESS") + "COMPLETE")
}

// name is the name of a resource to be made: the one that its template chooses,
// which must be free, or a generated one.
func (f forward) name(ctx context.Context, kind *resource.Type, st *state, next *physical) (string, error) {
	if kind.NameLimit == 0 {
		return "", nil
	}
	chosen := next.Properties.Get(kind.NameProperty)
	if kind.NameProperty == "" || chosen == nil {
		suffix := ""
		if kind.NameSuffix != nil {
			suffix = kind.NameSuffix(next.Properties)
		}
		name, err := f.s.generatedName(f.rec.Name, st.LogicalID, kind.NameLimit-len(suffix))
		if kind.LowerCase {
			name = strings.ToLower(name)
		}
		return name + suffix, err
	}
	taken, err := f.s.cfg.Providers.Exists(ctx, kind.Name, chosen.Text)
	if err == nil && taken {
		err = errorf(resource.ErrAlreadyExists, "Resource of type '%s' with identifier '%s' already exists.", kind.Name, chosen.Text)
	}
	return chosen.Text, err
}

func (f forward) replace(ctx context.Context, kind *resource.Type, st *state, next *physical) error {
	if kind.NameProperty != "" {
		before, after := st.Current.Properties.Get(kind.NameProperty), next.Properties.Get(kind.NameProperty)
		if before != nil && after != nil && before.Text == after.Text {
			return f.fail(st, template.Problems{{Message: fmt.Sprintf("CloudFormation cannot update a stack when a custom-named resource requires replacing. "+
				"Rename %s and update the stack again.", after.Text)}})
		}
	}
	return f.create(ctx, kind, st, next, UpdateInProgress,
		"Requested update requires the creation of a new physical resource; hence creating one.")
}

func (f forward) update(ctx context.Context, kind *resource.Type, st *state, next *physical) error {
	before := st.Current
	next.Name, next.PhysicalID, next.Attributes = before.Name, before.PhysicalID, before.Attributes
	st.change(next)
	if err := f.note(st, next.id(), UpdateInProgress, ""); err != nil {
		return err
	}
	made, err := kind.Update(ctx, &f.s.cfg.Providers, f.target(st.LogicalID, next), before.Properties)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return f.fail(st, err)
	}
	if made.Attributes != nil {
		next.Attributes = made.Attributes
	}
	return f.note(st, next.id(), UpdateComplete, "")
}

// succeed makes the target the current deployment, and has what is not in it any
// more deleted.
func (r *run) succeed(ctx context.Context, bound *template.Bound, outputs []Output) error {
	if err := r.conclude(bound, outputs); err != nil || r.rec.Status == CreateComplete {
		return err
	}
	return r.purge(ctx, UpdateComplete)
}

// conclude commits that the target is reached, unless exports stand against it.
func (r *run) conclude(bound *template.Bound, outputs []Output) error {
	r.s.exportsMu.Lock()
	defer r.s.exportsMu.Unlock()
	planned := make([]plannedOutput, len(outputs))
	for i, o := range outputs {
		planned[i].Output = o
	}
	if refused := r.s.refusedExports(r.rec, planned); len(refused) > 0 {
		return &failure{cause: errors.New(strings.TrimSuffix(refused[0].Message, ".")), status: UpdateFailed}
	}
	return r.reached(bound, outputs)
}

// reached commits that the target is the current deployment.
func (r *run) reached(bound *template.Bound, outputs []Output) error {
	var touched []*state
	for _, id := range slices.Sorted(maps.Keys(r.states)) {
		st := r.states[id]
		switch {
		case st.Current == nil:
			continue
		case !slices.ContainsFunc(bound.Resources, func(res *template.Resource) bool { return res.LogicalID == id }):
			st.doom(st.Current, keeps(st.Current.DeletionPolicy))
			st.Current = nil
		case st.Previous != nil && st.Previous.id() != st.Current.id():
			st.doom(st.Previous, st.Current.UpdateReplacePolicy == "Retain")
		case !st.Touched:
			continue
		}
		st.Touched, st.Previous = false, nil
		touched = append(touched, st)
	}
	created, old := r.rec.Current == nil, r.rec.Current
	r.rec.Outputs, r.rec.Current, r.rec.Target = outputs, r.rec.Target, nil
	status := UpdateCleanupInProgress
	if created {
		status = CreateComplete
	}
	e, err := r.stackEvent(status, "")
	if err != nil {
		return err
	}
	return r.commit(func(tx *store.Tx) error {
		if old != nil && old.TemplateSHA256 != r.rec.Current.TemplateSHA256 {
			tx.Delete(templateKey(r.rec.ID, old.TemplateSHA256))
		}
		return nil
	}, []Event{e}, touched...)
}

// keeps reports whether a policy keeps a resource that leaves the stack.
func keeps(deletionPolicy string) bool {
	return deletionPolicy == "Retain" || deletionPolicy == "RetainExceptOnCreate"
}

func (st *state) doom(p *physical, keep bool) {
	st.Doomed = append(st.Doomed, doomed{physical: *p, Keep: keep})
}
