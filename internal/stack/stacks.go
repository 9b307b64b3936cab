package stack

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/store"
)

// Config is what Open needs.
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	// Log may be nil.
	Log *slog.Logger
	// Providers make the resources. All but Package must be set.
	Providers resource.Providers
	// Random is where ids and the ends of generated names come from, safe for
	// concurrent use; nil means crypto/rand.
	Random io.Reader
}

// Stacks is the set of stacks.
type Stacks struct {
	cfg     Config
	records *catalog.Collection[record] // by ARN

	mu         sync.Mutex
	byName     map[string]string     // ARN of the live stack of a name
	operations map[string]*operation // by ARN, those under way
	closed     bool

	packagesMu sync.Mutex // held from storing a package until a record refers to it
	exportsMu  sync.Mutex // held from a look at exports until a record depends on it

	running sync.WaitGroup // the goroutines of operations
}

// keepDeleted is how long a deleted stack can still be described by its ARN.
const keepDeleted = 90 * 24 * time.Hour

// Open loads the stacks of a store and starts to finish what a previous server
// left undone.
func Open(cfg Config) (*Stacks, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	records, err := catalog.Load[record](cfg.DB, "stack")
	if err != nil {
		return nil, err
	}
	s := &Stacks{cfg: cfg, records: records, byName: map[string]string{}, operations: map[string]*operation{}}
	s.cfg.Providers.Package = s.loadPackage
	for _, rec := range records.All() {
		switch {
		case rec.Status != DeleteComplete:
			s.byName[rec.Name] = rec.ID
		case time.Since(rec.Deleted) > keepDeleted:
			if err := s.forget(rec); err != nil {
				return nil, err
			}
		}
	}
	for _, rec := range records.All() {
		if !rec.Status.InProgress() {
			continue
		}
		if _, err := s.start(rec, nil, (*run).resume); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Close stops the operations under way where they are, and waits for them; the
// next Open ends them.
func (s *Stacks) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, op := range s.operations {
		op.cancel()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

// forget removes what is left of a deleted stack.
func (s *Stacks) forget(rec record) error {
	tx := s.cfg.DB.Begin()
	for _, what := range []string{"event", "resource", "template"} {
		prefix := key(what, rec.ID)
		tx.DeleteRange(prefix, store.PrefixEnd(prefix))
	}
	s.records.DeleteIn(tx, rec.ID)
	return tx.Commit()
}

// lookup finds a live stack by name, or any by ARN.
func (s *Stacks) lookup(stack string) (record, error) {
	id := stack
	if !strings.HasPrefix(stack, "arn:") {
		s.mu.Lock()
		id = s.byName[stack]
		s.mu.Unlock()
	}
	rec, ok := s.records.Get(id)
	if !ok {
		return record{}, errorf(ErrNotFound, "Stack with id %s does not exist", stack)
	}
	return rec, nil
}

// Parameter is a parameter of a stack with its value, "****" when it is hidden.
type Parameter struct {
	Key, Value string
	Hidden     bool `json:",omitempty"` // by NoEcho
}

// Output is an output of a stack.
type Output struct {
	Key, Value  string
	Description string `json:",omitempty"`
	// ExportName is the name under which other stacks can import the value, "" when
	// they cannot.
	ExportName string `json:",omitempty"`
}

// Summary is what List tells of a stack.
type Summary struct {
	ID, Name    string
	Status      Status
	Reason      string `json:",omitempty"`
	Description string `json:",omitempty"`
	Created     time.Time
	Updated     time.Time `json:",omitzero"`
	Deleted     time.Time `json:",omitzero"`
}

// Description is all that is known of a stack.
type Description struct {
	Summary
	Parameters []Parameter `json:",omitempty"`
	Outputs    []Output    `json:",omitempty"`
	// Imports are the names of the exports of other stacks that the stack uses.
	Imports   []string          `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
	Resources []Resource        `json:",omitempty"`
}

// Resource is a resource of a stack.
type Resource struct {
	LogicalID  string
	PhysicalID string `json:",omitempty"`
	Type       string
	Status     Status
	Reason     string `json:",omitempty"`
	Changed    time.Time
}

// List returns the stacks, by name; deleted ones too when asked for.
func (s *Stacks) List(deleted bool) []Summary {
	var list []Summary
	for _, rec := range s.records.All() {
		if deleted || rec.Status != DeleteComplete {
			list = append(list, rec.summary())
		}
	}
	slices.SortStableFunc(list, func(a, b Summary) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (r record) summary() Summary {
	sum := Summary{ID: r.ID, Name: r.Name, Status: r.Status, Reason: r.Reason, Created: r.Created, Updated: r.Updated, Deleted: r.Deleted}
	if d := r.deployment(); d != nil {
		sum.Description = d.Description
	}
	return sum
}

// deployment is what the stack is or is becoming.
func (r record) deployment() *deployment {
	if r.Target != nil {
		return r.Target
	}
	return r.Current
}

// parameter is what may be shown of a parameter.
func (d *deployment) parameter(name string) Parameter {
	if slices.Contains(d.Hidden, name) {
		return Parameter{Key: name, Value: "****", Hidden: true}
	}
	return Parameter{Key: name, Value: d.Parameters[name]}
}

// Describe returns what is known of a stack, by name or ARN.
func (s *Stacks) Describe(stack string) (Description, error) {
	rec, err := s.lookup(stack)
	if err != nil {
		return Description{}, err
	}
	d := Description{Summary: rec.summary(), Outputs: rec.Outputs, Imports: rec.imports()}
	if dep := rec.deployment(); dep != nil {
		d.Tags = dep.Tags
		for _, name := range slices.Sorted(maps.Keys(dep.Parameters)) {
			d.Parameters = append(d.Parameters, dep.parameter(name))
		}
	}
	states, err := s.states(rec.ID)
	if err != nil {
		return Description{}, err
	}
	for _, id := range slices.Sorted(maps.Keys(states)) {
		st := states[id]
		d.Resources = append(d.Resources, Resource{LogicalID: id, PhysicalID: st.id(), Type: st.Type,
			Status: st.Status, Reason: st.Reason, Changed: st.Changed})
	}
	return d, nil
}

// Template returns the text of the template of a stack, by name or ARN.
func (s *Stacks) Template(stack string) ([]byte, error) {
	rec, err := s.lookup(stack)
	if err != nil {
		return nil, err
	}
	d := rec.deployment()
	if d == nil {
		return nil, errorf(ErrNotFound, "Stack with id %s has no template", stack)
	}
	text, ok, err := s.cfg.DB.Get(templateKey(rec.ID, d.TemplateSHA256))
	if err == nil && !ok {
		err = errorf(ErrNotFound, "Stack with id %s has no template", stack)
	}
	return text, err
}
