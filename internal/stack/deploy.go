package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/stack/template"
)

// DeployRequest asks for a stack to be created or updated.
type DeployRequest struct {
	StackName string
	Template  []byte
	// Parameters are values for parameters of the template. One that is not given, but
	// was in an earlier deployment of the stack, keeps that value.
	Parameters map[string]string
	Tags       map[string]string // nil: as they are
	// Code holds zips of code by the logical id of the function, for functions whose
	// code is local to who deploys.
	Code map[string][]byte
}

// Result is what became of a deployment.
type Result struct {
	Description
	// Changed is false when the stack already was as the template says.
	Changed bool
}

var stackName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

func checkStackName(name string) error {
	if !stackName.MatchString(name) {
		return template.Problems{{Message: fmt.Sprintf("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: "+
			`Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*`, name)}}
	}
	return nil
}

// Limits of tags and code.
const maxTags = 50

func (r DeployRequest) check() error {
	if err := checkStackName(r.StackName); err != nil {
		return err
	}
	if len(r.Tags) > maxTags {
		return template.Problems{{Message: fmt.Sprintf("a stack has at most %d tags", maxTags)}}
	}
	for _, id := range slices.Sorted(maps.Keys(r.Code)) {
		if n := len(r.Code[id]); n == 0 || n > maxPackage {
			return template.Problems{{LogicalID: id, Message: fmt.Sprintf("a code package has 1 to %d bytes", maxPackage)}}
		}
	}
	return nil
}

// Validate finds out what a deployment would do, without doing any of it. Code may
// be missing from the request. The error is a template.Problems that lists
// everything that is wrong.
func (s *Stacks) Validate(ctx context.Context, req DeployRequest) (Plan, error) {
	if err := ctx.Err(); err != nil {
		return Plan{}, err
	}
	if err := req.check(); err != nil {
		return Plan{}, err
	}
	rec, err := s.subject(req.StackName)
	if err != nil {
		return Plan{}, err
	}
	p, err := s.plan(rec, req.on(rec), false)
	if err != nil {
		return Plan{}, err
	}
	return p.plan, nil
}

// subject returns the stack that a deployment by that name is about: the live one,
// or a new one. One whose creation was rolled back has nothing left in it, so it
// makes room for a new one.
func (s *Stacks) subject(name string) (record, error) {
	rec, err := s.lookup(name)
	if err == nil && rec.Status != RollbackComplete {
		return rec, nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return record{}, err
	}
	id, err := s.newUUID()
	if err != nil {
		return record{}, err
	}
	return record{ID: s.cfg.Identity.ARN("cloudformation", "stack/"+name+"/"+id), Name: name, Created: time.Now().UTC()}, nil
}

// fresh reports whether the stack is yet to be created.
func (r record) fresh() bool { return r.Status == "" }

// plan goes through the template of a deployment as if it were done.
func (s *Stacks) plan(rec record, req DeployRequest, needPackages bool) (*planner, error) {
	states, err := s.states(rec.ID)
	if err != nil {
		return nil, err
	}
	sent, packages := map[string]string{}, map[string]string{}
	for id, st := range states {
		if sha256 := st.packageOf(); sha256 != "" {
			packages[id] = sha256
		}
	}
	for id, zip := range req.Code {
		sum := sha256.Sum256(zip)
		sent[id] = hex.EncodeToString(sum[:])
	}
	maps.Copy(packages, sent)
	setting := template.Setting{Identity: s.cfg.Identity, StackName: rec.Name, StackID: rec.ID}
	kept := rec.kept(req)
	chosen := map[string]string{}
	maps.Copy(chosen, req.Parameters)
	for _, parameter := range kept {
		chosen[parameter.Key] = rec.Current.Parameters[parameter.Key]
	}
	bound, err := Parse(req.Template, chosen, packages, setting)
	if err != nil {
		return nil, err
	}
	p := &planner{bound: bound, states: states, packages: sent, used: map[string]string{},
		needPackages: needPackages, stackTags: stackTags(rec, req.Tags), chosen: slices.Sorted(maps.Keys(chosen)),
		offered: s.offered(rec)}
	p.plan.Kept = kept
	err = p.run(rec.Outputs, rec.fresh())
	if refused := s.refusedExports(rec, p.outputs); len(refused) > 0 {
		err = append(p.problems, refused...).Err()
	}
	return p, err
}

// on is the request with what it leaves as it is in a stack.
func (r DeployRequest) on(rec record) DeployRequest {
	if r.Tags == nil && rec.Current != nil {
		r.Tags = rec.Current.Tags
	}
	return r
}

// kept are the parameters that a deployment does not give, but an earlier one did.
// A template that cannot be read has none.
func (r record) kept(req DeployRequest) []Parameter {
	if r.Current == nil || len(r.Current.Chosen) == 0 {
		return nil
	}
	t, _ := template.Parse(req.Template)
	if t == nil {
		return nil
	}
	var kept []Parameter
	for _, name := range r.Current.Chosen {
		if _, given := req.Parameters[name]; !given && t.Parameter(name) != nil {
			kept = append(kept, r.Current.parameter(name))
		}
	}
	return kept
}

// stackTags are the tags that a stack puts on its resources.
func stackTags(rec record, tags map[string]string) map[string]string {
	all := map[string]string{"aws:cloudformation:stack-name": rec.Name, "aws:cloudformation:stack-id": rec.ID}
	maps.Copy(all, tags)
	return all
}

// Deploy creates or updates a stack and returns when that has ended, handing
// progress (which may be nil) every event on the way. Nothing is touched when the
// template is not good; the error is a template.Problems then. A *FailedError says
// that the stack was rolled back, or worse. When ctx ends, Deploy returns and the
// operation goes on.
//
// A stack whose last update could neither be made nor taken back is taken back
// first.
func (s *Stacks) Deploy(ctx context.Context, req DeployRequest, progress func(Event)) (Result, error) {
	if err := s.settle(ctx, req.StackName, progress); err != nil {
		return Result{}, err
	}
	id, op, err := s.begin(req)
	if errors.Is(err, ErrNoUpdates) {
		d, err := s.Describe(req.StackName)
		return Result{Description: d}, err
	}
	if err != nil {
		return Result{}, err
	}
	d, err := s.await(ctx, id, op, progress)
	return Result{Description: d, Changed: true}, err
}

// settle takes back an update whose rollback has failed.
func (s *Stacks) settle(ctx context.Context, name string, progress func(Event)) error {
	rec, err := s.lookup(name)
	if err != nil || rec.Status != UpdateRollbackFailed {
		return nil // begin judges the rest
	}
	op, err := s.start(rec, nil, func(r *run, ctx context.Context) error {
		return r.rollback(ctx, "User Initiated")
	})
	if err != nil {
		return err
	}
	d, err := s.await(ctx, rec.ID, op, progress)
	if err != nil && !d.Status.updatable() {
		return err
	}
	return nil
}

// begin checks a deployment and starts it.
func (s *Stacks) begin(req DeployRequest) (stackID string, _ *operation, err error) {
	if err := req.check(); err != nil {
		return "", nil, err
	}
	rec, err := s.subject(req.StackName)
	if err != nil {
		return "", nil, err
	}
	if !rec.fresh() && !rec.Status.updatable() {
		return "", nil, busy(rec.ID, rec.Status)
	}
	req = req.on(rec)
	p, err := s.plan(rec, req, true)
	if err != nil {
		return "", nil, err
	}
	if !rec.fresh() && p.plan.Empty() && maps.Equal(rec.Current.Tags, req.Tags) {
		return "", nil, errorf(ErrNoUpdates, "No updates are to be performed.")
	}
	s.packagesMu.Lock()
	defer s.packagesMu.Unlock()
	for id := range p.used {
		if err := s.storePackage(p.used[id], req.Code[id]); err != nil {
			return "", nil, err
		}
	}
	sum := sha256.Sum256(req.Template)
	target := &deployment{
		TemplateSHA256: hex.EncodeToString(sum[:]), Description: p.plan.Description,
		Parameters: p.bound.Values(), Chosen: p.chosen, Tags: req.Tags, Packages: p.used, Imports: p.bound.Imports,
	}
	for _, parameter := range p.bound.Template.Parameters {
		if parameter.NoEcho {
			target.Hidden = append(target.Hidden, parameter.Name)
		}
	}
	rec.Target = target
	op, err := s.start(rec, p, func(r *run, ctx context.Context) error { return r.deploy(ctx, p.bound, req.Template) })
	return rec.ID, op, err
}

// await hands on the events of an operation and judges how it ended.
func (s *Stacks) await(ctx context.Context, id string, op *operation, progress func(Event)) (Description, error) {
	var failed []Event
	cause := ""
	err := op.wait(ctx, func(e Event) {
		if strings.HasSuffix(string(e.Status), "_FAILED") && e.LogicalID != e.StackName {
			failed = append(failed, e)
		}
		if e.Status == RollbackInProgress || e.Status == UpdateRollbackInProgress {
			cause = e.Reason
		}
		if progress != nil {
			progress(e)
		}
	})
	if err != nil {
		return Description{}, fmt.Errorf("wait for stack %s: %w", id, err)
	}
	d, err := s.Describe(id)
	if err == nil && d.Status.Failed() {
		if d.Reason != "" {
			cause = d.Reason
		}
		err = &FailedError{Stack: d.Name, Status: d.Status, Reason: cause, Failed: failed}
	}
	return d, err
}

// Destroy deletes a stack, by name or ARN, and returns when its resources are gone,
// handing progress (which may be nil) every event on the way. A stack that does not
// exist is an ErrNotFound. A *FailedError lists the resources that could not be
// deleted; Destroy can be asked for again. A stack whose exports another one imports
// stays as it is: ErrInUse.
func (s *Stacks) Destroy(ctx context.Context, stack string, progress func(Event)) error {
	rec, err := s.lookup(stack)
	if err != nil {
		return err
	}
	if rec.Status == DeleteComplete {
		return nil
	}
	if rec.Status.InProgress() {
		return busy(rec.ID, rec.Status)
	}
	op, err := s.start(rec, nil, (*run).destroy)
	if err != nil {
		return err
	}
	d, err := s.await(ctx, rec.ID, op, progress)
	if d.ID != "" && !strings.HasPrefix(string(d.Status), "DELETE_") {
		return errorf(ErrInUse, "%s", d.Reason)
	}
	return err
}
