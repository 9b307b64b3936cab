package function

import (
	"slices"

	"github.com/google/uuid"
)

// AddPermission adds a statement to the resource policy of a function. revision,
// if not "", must be the policy's current one.
func (f *Functions) AddPermission(ref string, statement Statement, revision string) (Statement, error) {
	_, err := f.change(ref, "", func(def *Definition) error {
		if revision != "" && revision != def.PolicyRevisionID {
			return errPolicyRevision
		}
		if slices.ContainsFunc(def.Policy, func(s Statement) bool { return s.Sid == statement.Sid }) {
			return errorf(ErrExists, "The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", statement.Sid)
		}
		statement.Resource = ARN(f.identity, def.Name, "")
		def.Policy = append(slices.Clone(def.Policy), statement)
		def.PolicyRevisionID = uuid.NewString()
		return nil
	})
	return statement, err
}

var errPolicyRevision = errorf(ErrRevision, "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id")

// RemovePermission removes a statement from the resource policy of a function.
func (f *Functions) RemovePermission(ref, sid, revision string) error {
	_, err := f.change(ref, "", func(def *Definition) error {
		if len(def.Policy) == 0 {
			return errorf(ErrNotFound, "No policy is associated with the given resource.")
		}
		if revision != "" && revision != def.PolicyRevisionID {
			return errPolicyRevision
		}
		kept := slices.DeleteFunc(slices.Clone(def.Policy), func(s Statement) bool { return s.Sid == sid })
		if len(kept) == len(def.Policy) {
			return errorf(ErrNotFound, "Statement %s is not found in resource policy.", sid)
		}
		def.Policy = kept
		def.PolicyRevisionID = uuid.NewString()
		return nil
	})
	return err
}
