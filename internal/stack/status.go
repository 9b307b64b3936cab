package stack

import "strings"

// Status is the status of a stack or of a resource in it, as CloudFormation names
// them.
type Status string

// The statuses. Resources have the CREATE, UPDATE and DELETE ones.
const (
	CreateInProgress                Status = "CREATE_IN_PROGRESS"
	CreateFailed                    Status = "CREATE_FAILED"
	CreateComplete                  Status = "CREATE_COMPLETE"
	RollbackInProgress              Status = "ROLLBACK_IN_PROGRESS"
	RollbackFailed                  Status = "ROLLBACK_FAILED"
	RollbackComplete                Status = "ROLLBACK_COMPLETE"
	UpdateInProgress                Status = "UPDATE_IN_PROGRESS"
	UpdateFailed                    Status = "UPDATE_FAILED"
	UpdateCleanupInProgress         Status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
	UpdateComplete                  Status = "UPDATE_COMPLETE"
	UpdateRollbackInProgress        Status = "UPDATE_ROLLBACK_IN_PROGRESS"
	UpdateRollbackFailed            Status = "UPDATE_ROLLBACK_FAILED"
	UpdateRollbackCleanupInProgress Status = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
	UpdateRollbackComplete          Status = "UPDATE_ROLLBACK_COMPLETE"
	DeleteInProgress                Status = "DELETE_IN_PROGRESS"
	DeleteFailed                    Status = "DELETE_FAILED"
	DeleteComplete                  Status = "DELETE_COMPLETE"
	DeleteSkipped                   Status = "DELETE_SKIPPED"
)

// InProgress reports whether an operation is under way.
func (s Status) InProgress() bool { return strings.HasSuffix(string(s), "_IN_PROGRESS") }

// Failed reports whether something did not go as asked for, also when going back
// worked.
func (s Status) Failed() bool {
	return strings.HasSuffix(string(s), "_FAILED") || strings.Contains(string(s), "ROLLBACK")
}

// updatable reports whether a stack in this status can be updated.
func (s Status) updatable() bool {
	return s == CreateComplete || s == UpdateComplete || s == UpdateRollbackComplete
}
