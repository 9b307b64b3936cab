package function

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Policy is the resource policy of a function, of a version, or of an alias.
type Policy struct {
	Statements []Statement
	RevisionID string
}

var errPolicyRevision = errorf(ErrRevision, "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id")

// Policy returns the resource policy of what ref names.
func (f *Functions) Policy(ref string) (Policy, error) {
	name, qualifier, err := f.locate(ref)
	if err != nil {
		return Policy{}, err
	}
	if qualifier != "" && qualifier != LatestVersion && !isVersion(qualifier) {
		a, ok := f.aliases.Get(versionKey(name, qualifier))
		if !ok {
			return Policy{}, f.noAlias(name, qualifier)
		}
		return Policy{a.Policy, a.PolicyRevisionID}, nil
	}
	def, ok := f.find(name, qualifier)
	if !ok {
		return Policy{}, f.notFound(name, qualifier)
	}
	return Policy{def.Policy, def.PolicyRevisionID}, nil
}

// AddPermission adds a statement to the resource policy of what ref names.
// revision, if not "", must be the policy's current one.
func (f *Functions) AddPermission(ref string, statement Statement, revision string) (Statement, error) {
	err := f.changePolicy(ref, revision, func(p *Policy, arn string) error {
		if slices.ContainsFunc(p.Statements, func(s Statement) bool { return s.Sid == statement.Sid }) {
			return errorf(ErrExists, "The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", statement.Sid)
		}
		statement.Resource = arn
		p.Statements = append(slices.Clone(p.Statements), statement)
		return nil
	})
	return statement, err
}

// RemovePermission removes a statement from the resource policy of what ref
// names.
func (f *Functions) RemovePermission(ref, sid, revision string) error {
	return f.changePolicy(ref, revision, func(p *Policy, _ string) error {
		if len(p.Statements) == 0 {
			return errorf(ErrNotFound, "No policy is associated with the given resource.")
		}
		kept := slices.DeleteFunc(slices.Clone(p.Statements), func(s Statement) bool { return s.Sid == sid })
		if len(kept) == len(p.Statements) {
			return errorf(ErrNotFound, "Statement %s is not found in resource policy.", sid)
		}
		p.Statements = kept
		return nil
	})
}

// changePolicy edits the policy of what ref names.
func (f *Functions) changePolicy(ref, revision string, edit func(p *Policy, arn string) error) error {
	f.changing.Lock()
	defer f.changing.Unlock()
	name, qualifier, err := f.locate(ref)
	if err != nil {
		return err
	}
	if qualifier == LatestVersion {
		qualifier = ""
	}
	if qualifier != "" && !isVersion(qualifier) {
		return f.changeAliasPolicy(name, qualifier, revision, edit)
	}
	def, ok := f.find(name, qualifier)
	if !ok {
		return f.notFound(name, qualifier)
	}
	p := Policy{def.Policy, def.PolicyRevisionID}
	if err := p.change(revision, def.RevisionID, ARN(f.identity, name, qualifier), edit); err != nil {
		return err
	}
	def.Policy, def.PolicyRevisionID = p.Statements, p.RevisionID
	if qualifier == "" {
		err = f.defs.Put(name, def)
	} else {
		err = f.versions.Put(versionKey(name, qualifier), def)
	}
	if err != nil {
		return fmt.Errorf("policy of function %s: %w", name, err)
	}
	return nil
}

func (f *Functions) changeAliasPolicy(name, alias, revision string, edit func(p *Policy, arn string) error) error {
	a, ok := f.aliases.Get(versionKey(name, alias))
	if !ok {
		return f.noAlias(name, alias)
	}
	p := Policy{a.Policy, a.PolicyRevisionID}
	if err := p.change(revision, a.RevisionID, ARN(f.identity, name, alias), edit); err != nil {
		return err
	}
	a.Policy, a.PolicyRevisionID = p.Statements, p.RevisionID
	if err := f.aliases.Put(versionKey(name, alias), a); err != nil {
		return fmt.Errorf("policy of alias %s of function %s: %w", alias, name, err)
	}
	return nil
}

// change edits a policy and gives it a new revision. The first revision of a
// policy is that of what it belongs to.
func (p *Policy) change(revision, holder, arn string, edit func(p *Policy, arn string) error) error {
	current := p.RevisionID
	if current == "" {
		current = holder
	}
	if revision != "" && revision != current {
		return errPolicyRevision
	}
	if err := edit(p, arn); err != nil {
		return err
	}
	p.RevisionID = uuid.NewString()
	return nil
}
