package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/stack/template"
)

// Stacks hand values to each other by exports: outputs with a name of their own. A
// stack that imports one says so in its deployment before it uses the value, and
// from then on until it no longer does, the export stays as it is. Whoever looks
// whether an export is there, free or unused holds exportsMu until the record that
// depends on the answer is committed.

// offered are the values that a stack can import from others, by name.
func (s *Stacks) offered(to record) map[string]string {
	values := map[string]string{}
	for _, rec := range s.records.All() {
		if rec.ID == to.ID || strings.HasPrefix(string(rec.Status), "DELETE_") {
			continue
		}
		for _, o := range rec.Outputs {
			if o.ExportName != "" {
				values[o.ExportName] = o.Value
			}
		}
	}
	return values
}

// Exporter names the stack that exports a name, "" when there is none.
func (s *Stacks) Exporter(name string) string { return s.exporter(name, record{}) }

// Importers names the stacks that import what is exported under a name.
func (s *Stacks) Importers(name string) []string { return s.importers(name, record{}) }

// exporter names the stack beside rec that exports a name, "" when there is none.
func (s *Stacks) exporter(name string, rec record) string {
	for _, other := range s.records.All() {
		exports := func(o Output) bool { return o.ExportName == name }
		if other.ID != rec.ID && slices.ContainsFunc(other.Outputs, exports) {
			return other.Name
		}
	}
	return ""
}

// users names the stacks that import what rec exports under a name.
func (s *Stacks) users(name string, rec record) string {
	return strings.Join(s.importers(name, rec), ", ")
}

// importers are the names of the stacks beside rec that import a name.
func (s *Stacks) importers(name string, rec record) []string {
	var names []string
	for _, other := range s.records.All() {
		if other.ID != rec.ID && slices.Contains(other.imports(), name) {
			names = append(names, other.Name)
		}
	}
	slices.Sort(names)
	return names
}

// imports are the names of the exports that the stack uses, or may use again when
// the operation under way is taken back.
func (r record) imports() []string {
	if r.Status == RollbackComplete || r.Status == DeleteComplete {
		return nil
	}
	var names []string
	for _, d := range []*deployment{r.Current, r.Target} {
		if d != nil {
			names = append(names, d.Imports...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// refusedExports says what of other stacks keeps the outputs of rec from becoming
// the given ones.
func (s *Stacks) refusedExports(rec record, outputs []plannedOutput) template.Problems {
	var refused template.Problems
	for _, o := range outputs {
		if other := s.exporter(o.ExportName, rec); o.ExportName != "" && other != "" {
			refused.Add(o.line, o.Key, "Export with name %s is already exported by stack %s.", o.ExportName, other)
		}
	}
	for _, old := range rec.Outputs {
		users := s.users(old.ExportName, rec)
		if old.ExportName == "" || users == "" {
			continue
		}
		i := slices.IndexFunc(outputs, func(o plannedOutput) bool { return o.ExportName == old.ExportName })
		if i < 0 {
			refused.Add(0, old.Key, cannotDelete, old.ExportName, users)
		} else if o := outputs[i]; o.Value != old.Value && !o.unknown {
			refused.Add(o.line, o.Key, "Cannot update export %s as it is in use by %s.", old.ExportName, users)
		}
	}
	return refused
}

const cannotDelete = "Cannot delete export %s as it is in use by %s."

// lockedIn says why the stack cannot be deleted, "" when it can.
func (s *Stacks) lockedIn(rec record) string {
	for _, o := range rec.Outputs {
		if users := s.users(o.ExportName, rec); o.ExportName != "" && users != "" {
			return fmt.Sprintf("Delete canceled. "+cannotDelete, o.ExportName, users)
		}
	}
	return ""
}

// Import implements template.Resolver.
func (p *planner) Import(name string, line int) (*template.Node, error) {
	return imported(p.offered, name, line)
}

// Import implements template.Resolver.
func (f forward) Import(name string, line int) (*template.Node, error) {
	return imported(f.offered, name, line)
}

func imported(offered map[string]string, name string, line int) (*template.Node, error) {
	value, ok := offered[name]
	if !ok {
		return nil, template.Problems{{Line: line, Message: noExport(name) + "."}}
	}
	return template.String(line, value), nil
}

func noExport(name string) string { return "No export named " + name + " found" }
