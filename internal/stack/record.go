package stack

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/stack/template"
	"github.com/weirstream/weir/internal/store"
)

// record is the durable definition of a stack.
type record struct {
	ID      string // ARN
	Name    string
	Status  Status
	Reason  string `json:",omitempty"`
	Created time.Time
	Updated time.Time `json:",omitzero"`
	Deleted time.Time `json:",omitzero"`
	// Current is what the stack is, nil until its creation has succeeded.
	Current *deployment `json:",omitempty"`
	// Target is what the operation under way makes of it, nil outside one.
	Target    *deployment `json:",omitempty"`
	Outputs   []Output    `json:",omitempty"`
	NextEvent uint64
}

// deployment is what was asked for: a template and what goes with it.
type deployment struct {
	TemplateSHA256 string
	Description    string            `json:",omitempty"`
	Parameters     map[string]string `json:",omitempty"`
	Chosen         []string          `json:",omitempty"` // parameters that do not have their default
	Hidden         []string          `json:",omitempty"` // parameters with NoEcho
	Tags           map[string]string `json:",omitempty"`
	Imports        []string          `json:",omitempty"` // names of exports of other stacks
	// Packages are the code packages of functions by logical id, by their SHA-256.
	Packages map[string]string `json:",omitempty"`
}

// state is the durable state of one logical id of a stack.
type state struct {
	LogicalID string
	Type      string
	Status    Status
	Reason    string `json:",omitempty"`
	Changed   time.Time
	// Current is the resource, nil when there is none (any more).
	Current *physical `json:",omitempty"`
	// Touched says that the operation under way has changed Current; Previous is
	// what it was before, nil when the operation has created it.
	Touched  bool      `json:",omitempty"`
	Previous *physical `json:",omitempty"`
	// Doomed are resources that are to be deleted.
	Doomed []doomed `json:",omitempty"`
}

// physical is a resource that exists or, while Pending, may exist.
type physical struct {
	Name                string `json:",omitempty"`
	PhysicalID          string `json:",omitempty"`
	Pending             bool   `json:",omitempty"`
	Properties          *template.Node
	Attributes          map[string]string `json:",omitempty"`
	DependsOn           []string          `json:",omitempty"`
	StackTags           map[string]string `json:",omitempty"`
	DeletionPolicy      string            `json:",omitempty"`
	UpdateReplacePolicy string            `json:",omitempty"`
}

// doomed is a resource to delete, or to let go when Keep is set.
type doomed struct {
	physical
	Keep bool `json:",omitempty"`
}

// id is what identifies the resource for people.
func (p *physical) id() string {
	if p == nil {
		return ""
	}
	if p.PhysicalID == "" {
		return p.Name
	}
	return p.PhysicalID
}

// empty reports whether there is no resource (any more).
func (st *state) empty() bool { return st.Current == nil && len(st.Doomed) == 0 }

// id is what identifies the resource of a logical id, the one to be deleted when
// there is no other.
func (st *state) id() string {
	if st.Current == nil && len(st.Doomed) > 0 {
		return st.Doomed[0].id()
	}
	return st.Current.id()
}

func key(what, stackID string) []byte {
	k := store.AppendString(store.Key(store.DomainStack, len(what)+len(stackID)+80), what)
	return store.AppendString(k, stackID)
}

func stateKey(stackID, logicalID string) []byte {
	return store.AppendString(key("resource", stackID), logicalID)
}

func templateKey(stackID, sha256 string) []byte {
	return store.AppendString(key("template", stackID), sha256)
}

func eventKey(stackID string, number uint64) []byte {
	return store.AppendUint64(key("event", stackID), number)
}

// scanJSON reads the JSON values under a prefix in key order.
func scanJSON[T any](r store.Reader, prefix []byte) ([]T, error) {
	it, err := r.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var values []T
	for ok := it.First(); ok; ok = it.Next() {
		var v T
		if err := json.Unmarshal(it.Value(), &v); err != nil {
			return nil, fmt.Errorf("stack: read %T: %w", v, err)
		}
		values = append(values, v)
	}
	return values, it.Close()
}

// states reads the resources of a stack by logical id.
func (s *Stacks) states(stackID string) (map[string]*state, error) {
	list, err := scanJSON[*state](s.cfg.DB, key("resource", stackID))
	if err != nil {
		return nil, err
	}
	states := make(map[string]*state, len(list))
	for _, st := range list {
		states[st.LogicalID] = st
	}
	return states, nil
}
