package resource

import (
	"slices"
	"testing"

	"github.com/weirstream/weir/internal/stack/template"
)

// TestDeclaredPropertiesAreRead holds the list of properties of a type against what
// its decoder looks at, so that none is accepted and then ignored.
func TestDeclaredPropertiesAreRead(t *testing.T) {
	t.Parallel()
	for _, kind := range All() {
		properties := template.Map(1)
		for _, name := range kind.Properties {
			properties.Set(name, template.Unknown(1, "?"))
		}
		var problems template.Problems
		o := newObject("R", properties, 1, &problems)
		kind.check(o)
		for _, name := range kind.Properties {
			if !o.used[name] {
				t.Errorf("%s accepts %s and does not read it", kind.Name, name)
			}
		}
		if len(problems) > 0 {
			t.Errorf("%s: %v", kind.Name, problems)
		}
	}
}

func TestTypesAreConsistent(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(All(), func(a, b *Type) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}) {
		t.Error("types are not in the order of their names")
	}
	for _, kind := range All() {
		for list, names := range map[string][]string{"Replace": kind.Replace, "Fixed": kind.Fixed} {
			for _, name := range names {
				if name != "*" && !slices.Contains(kind.Properties, name) {
					t.Errorf("%s: %s holds %s, which is no property", kind.Name, list, name)
				}
			}
		}
		for _, name := range kind.Unimplemented {
			if slices.Contains(kind.Properties, name) {
				t.Errorf("%s: %s is implemented and is not", kind.Name, name)
			}
		}
		if kind.NameProperty != "" && !slices.Contains(kind.Replace, kind.NameProperty) {
			t.Errorf("%s can change its name in place", kind.Name)
		}
		if !slices.IsSorted(kind.Properties) || !slices.IsSorted(kind.Unimplemented) || !slices.IsSorted(kind.Attributes) {
			t.Errorf("%s: names are not sorted", kind.Name)
		}
		if Named(kind.Name) != kind {
			t.Errorf("%s is not found by its name", kind.Name)
		}
	}
}

func TestCompareTakesScalarsByTheirText(t *testing.T) {
	t.Parallel()
	before := template.Map(1).Set("ShardCount", template.String(1, "2")).Set("Name", template.String(1, "a"))
	after := template.Map(1).Set("ShardCount", &template.Node{Kind: template.KindNumber, Text: "2"}).Set("Tags", template.List(1))
	change := kinesisStream.Compare(before, after)
	if !slices.Equal(change.Names, []string{"Name", "Tags"}) || !slices.Equal(change.Replace, []string{"Name"}) || change.Fixed != nil {
		t.Errorf("got %+v", change)
	}
}
