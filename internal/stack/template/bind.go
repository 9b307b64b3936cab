package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
)

// Setting is what the pseudo parameters stand for.
type Setting struct {
	Identity  catalog.Identity
	StackName string
	StackID   string
}

// Bound is a template with its parameters fixed and its conditions decided.
type Bound struct {
	Template *Template
	// Resources are those whose condition holds, each after those it depends on,
	// otherwise in the order of the text.
	Resources []*Resource
	// Outputs are those whose condition holds.
	Outputs []*Output
	// DependsOn lists for each logical id what it depends on, directly, sorted.
	DependsOn map[string][]string
	// Imports are the names of the exports of other stacks that are used.
	Imports []string
	// ExportNames are the names under which outputs are exported, by output.
	ExportNames map[string]string

	setting    Setting
	parameters map[string]*Node
	texts      map[string]string // of the parameters
	conditions map[string]bool
}

// Bind fixes the parameters, decides the conditions, and checks every reference.
// The error is a Problems.
func (t *Template) Bind(parameters map[string]string, setting Setting) (*Bound, error) {
	b := &Bound{Template: t, setting: setting, conditions: map[string]bool{},
		DependsOn: map[string][]string{}, ExportNames: map[string]string{}}
	var problems Problems
	b.parameters, b.texts, problems = t.values(parameters)
	if !t.partial {
		problems = append(problems, t.checkNames()...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b.checkRules(&problems)
	b.decideConditions(&problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b.findDependencies(&problems)
	b.nameExports(&problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if b.order(&problems); len(problems) > 0 {
		return nil, problems.Err()
	}
	return b, nil
}

// CheckParameters reports what is wrong with values for the parameters, for a
// template that cannot be bound.
func (t *Template) CheckParameters(given map[string]string) Problems {
	_, _, problems := t.values(given)
	return problems
}

// Values returns the texts of all parameters, given or by default.
func (b *Bound) Values() map[string]string { return maps.Clone(b.texts) }

// Holds reports whether a condition is true; no condition always is.
func (b *Bound) Holds(condition string) bool { return condition == "" || b.conditions[condition] }

// Decided returns which conditions hold, as far as that can be known of a template that
// cannot be bound: nil when it cannot.
func (t *Template) Decided(parameters map[string]string, setting Setting) map[string]bool {
	b := &Bound{Template: t, setting: setting, conditions: map[string]bool{}}
	var problems Problems
	b.parameters, b.texts, _ = t.values(parameters)
	if b.decideConditions(&problems); len(problems) > 0 {
		return nil
	}
	return b.conditions
}

func (b *Bound) decideConditions(problems *Problems) {
	e := evaluator{b: b, problems: problems, deciding: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(b.Template.Conditions)) {
		e.condition(b.Template.Conditions[name].Line, name)
	}
}

// findDependencies evaluates everything that is in the stack with resources as
// unknowns. Only the chosen arms of Fn::If are looked at, so what an arm that is
// not taken refers to is no dependency.
func (b *Bound) findDependencies(problems *Problems) {
	active := map[string]bool{}
	for _, r := range b.Template.Resources {
		if b.Holds(r.Condition) {
			b.Resources = append(b.Resources, r)
			active[r.LogicalID] = true
		}
	}
	for _, r := range b.Resources {
		refs := &recorder{bound: b, active: active, seen: map[string]bool{}, unresolved: unresolvedInResources}
		e := evaluator{b: b, refs: refs, problems: problems, id: r.LogicalID}
		e.eval(r.Properties)
		e.eval(r.Metadata)
		for _, name := range r.DependsOn {
			if !active[name.Text] {
				*problems = append(*problems, refs.problem(name.Line, r.LogicalID, name.Text))
			}
			refs.seen[name.Text] = true
		}
		b.DependsOn[r.LogicalID] = slices.Sorted(maps.Keys(refs.seen))
	}
	for _, o := range b.Template.Outputs {
		if !b.Holds(o.Condition) {
			continue
		}
		b.Outputs = append(b.Outputs, o)
		refs := &recorder{bound: b, active: active, seen: map[string]bool{}, unresolved: unresolvedInOutputs}
		e := evaluator{b: b, refs: refs, problems: problems, id: o.Name}
		e.eval(o.Value)
	}
}

// recorder is the Resolver that only notes who is referred to.
type recorder struct {
	bound        *Bound
	active, seen map[string]bool
	unresolved   string
}

// problem says that there is no resource id, and why when the template has one.
func (r *recorder) problem(line int, logicalID, id string) Problem {
	p := Problem{Line: line, LogicalID: logicalID, Message: fmt.Sprintf(r.unresolved, id)}
	if declared := r.bound.Template.Resource(id); declared != nil {
		p.Hint = "its condition " + declared.Condition + " is false"
	}
	return p
}

func (r *recorder) Ref(id string, line int) (*Node, error) { return r.note(id, line, id) }

func (r *recorder) Attribute(id, name string, line int) (*Node, error) {
	return r.note(id, line, id+"."+name)
}

func (r *recorder) note(id string, line int, text string) (*Node, error) {
	if !r.active[id] {
		return nil, Problems{r.problem(line, "", id)}
	}
	r.seen[id] = true
	return Unknown(line, "{{"+text+"}}"), nil
}

// order sorts the resources so that each comes after what it depends on.
func (b *Bound) order(problems *Problems) {
	byID := make(map[string]*Resource, len(b.Resources))
	ids := make([]string, len(b.Resources))
	for i, r := range b.Resources {
		byID[r.LogicalID], ids[i] = r, r.LogicalID
	}
	sorted, cycle := Sort(ids, b.DependsOn)
	if len(cycle) > 0 {
		slices.Sort(cycle)
		problems.Add(byID[cycle[0]].Line, "", "Circular dependency between resources: [%s]", strings.Join(cycle, ", "))
		return
	}
	for i, id := range sorted {
		b.Resources[i] = byID[id]
	}
}

// Sort orders ids so that each comes after those it depends on, keeping the given
// order otherwise. What depends on itself, directly or not, is left out of sorted
// and returned in cycle. Dependencies that are not among ids are ignored.
func Sort(ids []string, dependsOn map[string][]string) (sorted, cycle []string) {
	waiting := make(map[string]int, len(ids))
	for _, id := range ids {
		waiting[id] = 0
	}
	dependents := map[string][]string{}
	for _, id := range ids {
		for _, on := range dependsOn[id] {
			if _, ok := waiting[on]; ok {
				waiting[id]++
				dependents[on] = append(dependents[on], id)
			}
		}
	}
	done := make(map[string]bool, len(ids))
	for progress := true; progress; {
		progress = false
		for _, id := range ids {
			if done[id] || waiting[id] > 0 {
				continue
			}
			done[id], progress = true, true
			sorted = append(sorted, id)
			for _, d := range dependents[id] {
				waiting[d]--
			}
		}
	}
	for _, id := range ids {
		if !done[id] && inCycle(id, ids, dependsOn, done) {
			cycle = append(cycle, id)
		}
	}
	return sorted, cycle
}

// inCycle reports whether id is reachable from itself through what is not done;
// the others only wait for a cycle.
func inCycle(id string, ids []string, dependsOn map[string][]string, done map[string]bool) bool {
	seen := map[string]bool{}
	next := slices.Clone(dependsOn[id])
	for len(next) > 0 {
		on := next[0]
		next = next[1:]
		if on == id {
			return true
		}
		if seen[on] || done[on] || !slices.Contains(ids, on) {
			continue
		}
		seen[on] = true
		next = append(next, dependsOn[on]...)
	}
	return false
}
