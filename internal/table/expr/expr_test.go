package expr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/weirstream/weir/internal/table/attr"
)

// script runs the expressions of a test file. In the input of a directive, lines
// that begin with item, names or values set what the following lines use; every
// other line is an expression. Without the argument strict, placeholders that an
// expression does not mention are left out.
type script struct {
	item  attr.Item
	names []Name
	vals  []Value
	cache *Cache
}

func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		s := &script{cache: NewCache()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			for line := range strings.Lines(d.Input) {
				line = strings.TrimSuffix(line, "\n")
				if s.set(t, line) {
					continue
				}
				out, err := s.run(d.Cmd, line, d.HasArg("strict"))
				if err != nil {
					out = "error: " + err.Error()
				}
				fmt.Fprintf(&b, "%s\n  %s\n", line, out)
			}
			return b.String()
		})
	})
}

// set handles the lines that are no expressions.
func (s *script) set(t *testing.T, line string) bool {
	what, doc, _ := strings.Cut(line, " ")
	switch what {
	case "item":
		it, err := attr.ParseItemJSON([]byte(doc))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		s.item = it
	case "names":
		var names map[string]string
		if err := json.Unmarshal([]byte(doc), &names); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		s.names = []Name{}
		for k, v := range names {
			s.names = append(s.names, Name{k, v})
		}
		slices.SortFunc(s.names, func(a, b Name) int { return strings.Compare(a.Placeholder, b.Placeholder) })
	case "values":
		it, err := attr.ParseItemJSON([]byte(doc))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		s.vals = []Value{}
		for k, v := range it.All() {
			s.vals = append(s.vals, Value{Placeholder: string(k), Value: v})
		}
	default:
		return false
	}
	return true
}

func (s *script) scope(text string, strict bool) Scope {
	if strict {
		return Scope{Names: s.names, Values: s.vals}
	}
	var scope Scope
	for _, n := range s.names {
		if mentions(text, n.Placeholder) {
			scope.Names = append(scope.Names, n)
		}
	}
	for _, v := range s.vals {
		if mentions(text, v.Placeholder) {
			scope.Values = append(scope.Values, v)
		}
	}
	return scope
}

func mentions(text, placeholder string) bool {
	for t := scan(text, 0); t.kind != tokenEnd; t = scan(text, t.end) {
		if t.text == placeholder {
			return true
		}
	}
	return false
}

func (s *script) run(cmd, text string, strict bool) (string, error) {
	scope := s.scope(text, strict)
	switch cmd {
	case "condition":
		b, err := s.cache.Bind(Texts{Condition: &text}, scope)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(b.Condition.Holds(s.item)), nil
	case "update":
		b, err := s.cache.Bind(Texts{Update: &text}, scope)
		if err != nil {
			return "", err
		}
		it, err := b.Update.Apply(s.item)
		return changes(s.item, it), err
	case "projection":
		b, err := s.cache.Bind(Texts{Projection: &text}, scope)
		if err != nil {
			return "", err
		}
		return string(attr.AppendItemJSON(nil, b.Projection.Apply(s.item))), nil
	case "key":
		b, err := s.cache.Bind(Texts{KeyCondition: &text}, scope)
		if err != nil {
			return "", err
		}
		var out []string
		for _, t := range b.KeyTerms {
			line := fmt.Sprintf("%s op%d", t.Name, t.Operator)
			for _, v := range t.Values {
				line += " " + Describe(v)
			}
			out = append(out, line)
		}
		return strings.Join(out, "; "), nil
	}
	return "", fmt.Errorf("unknown command %s", cmd)
}

// changes renders what an update changed: removed attributes with a minus sign,
// others with their new value.
func changes(before, after attr.Item) string {
	var out []string
	for name := range before.All() {
		if !after.Get(string(name)).Exists() {
			out = append(out, "-"+string(name))
		}
	}
	for name, v := range after.All() {
		if !v.Equal(before.Get(string(name))) {
			out = append(out, fmt.Sprintf("%s=%s", name, attr.AppendJSON(nil, v)))
		}
	}
	return strings.Join(out, " ")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	cache := NewCache()
	bind := func(text string, values ...Value) error {
		_, err := cache.Bind(Texts{Filter: &text}, Scope{Values: values})
		return err
	}
	one := Value{Placeholder: ":v", Value: attr.IntValue(1)}
	long := "a = :v OR " + strings.Repeat("b", maxTextBytes)
	for want, err := range map[string]error{
		"Invalid FilterExpression: Expression size has exceeded the maximum allowed size; expression size: 4106": bind(long, one),
		"Invalid FilterExpression: The expression contains too many operators; operator count: 301":              bind("a=:v"+strings.Repeat(" or a=:v", 150), one),
		"Invalid FilterExpression: The IN operator is provided with too many operands; number of operands: 101":  bind("a IN (:v"+strings.Repeat(",:v", 100)+")", one),
		"Invalid FilterExpression: The expression can not be empty;":                                             bind(""),
		`ExpressionAttributeValues contains invalid key: Syntax error; key: "v"`:                                 bind("a = b", Value{Placeholder: "v"}),
		"ExpressionAttributeValues contains invalid value: bad for key :v":                                       bind("a = b", Value{Placeholder: ":v", Invalid: attr.Invalidf("bad")}),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := bind("a=:v"+strings.Repeat(" or a=:v", 149), one); err != nil {
		t.Error(err)
	}
	text := "a = b"
	if _, err := cache.Bind(Texts{Filter: &text}, Scope{Values: []Value{}}); err == nil || err.Error() != "ExpressionAttributeValues must not be empty" {
		t.Error(err)
	}
	if _, err := cache.Bind(Texts{Filter: &text}, Scope{Names: []Name{}}); err == nil || err.Error() != "ExpressionAttributeNames must not be empty" {
		t.Error(err)
	}
	if _, err := cache.Bind(Texts{Filter: &text}, Scope{Names: []Name{{"a", "b"}}}); err == nil || err.Error() != `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"` {
		t.Error(err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	cache := NewCache()
	for i := range 2 * cacheSize {
		text := fmt.Sprintf("a%d", i)
		if _, err := cache.Bind(Texts{Projection: &text}, Scope{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(cache.entries) != cacheSize || cache.recent.Len() != cacheSize {
		t.Errorf("%d entries, %d in order", len(cache.entries), cache.recent.Len())
	}
}

func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{
		"attribute_exists(a) AND NOT (b = :v OR size(#a) > :n)", "a BETWEEN :n AND :n", "a IN (:v, :n)", "((a = :v))",
		"SET a = if_not_exists(a, :n) + :n, b[3].c = list_append(:l, b) REMOVE d ADD e :n DELETE f :s", "a, b[1].#a, c.d[0][1]",
		"contains(a, :v) and begins_with(b, :v)", "a = ", "(a).b = :v", "SET a = (b + (c))",
	} {
		f.Add(seed)
	}
	it, err := attr.ParseItemJSON([]byte(`{"a":{"S":"x"},"b":{"L":[{"N":"1"},{"M":{"c":{"L":[]}}}]},"d":{"M":{"e":{"S":"y"}}},"f":{"NS":["1","2"]}}`))
	if err != nil {
		f.Fatal(err)
	}
	names := []Name{{"#a", "a"}}
	values := []Value{
		{Placeholder: ":v", Value: attr.StringValue("x")},
		{Placeholder: ":n", Value: attr.IntValue(1)},
		{Placeholder: ":l", Value: attr.ListValue(attr.IntValue(1))},
		{Placeholder: ":s", Value: attr.SetValue(attr.IntValue(1))},
	}
	cache := NewCache()
	f.Fuzz(func(t *testing.T, text string) {
		s := script{names: names, vals: values}
		scope := s.scope(text, false)
		if b, err := cache.Bind(Texts{Condition: &text}, scope); err == nil {
			b.Condition.Holds(it)
			_, _ = b.Condition.allKeyTerms()
		}
		if b, err := cache.Bind(Texts{Update: &text}, scope); err == nil {
			if changed, err := b.Update.Apply(it); err == nil {
				checkItem(t, text, changed)
				NewProjection(b.Update.Targets()).Apply(changed)
			}
		}
		if b, err := cache.Bind(Texts{Projection: &text}, scope); err == nil {
			checkItem(t, text, b.Projection.Apply(it))
		}
	})
}

func checkItem(t *testing.T, text string, it attr.Item) {
	t.Helper()
	if _, err := attr.DecodeItem(it.Encoded()); err != nil {
		t.Fatalf("%s makes a malformed item: %v", text, err)
	}
}

func BenchmarkBindUpdate(b *testing.B) {
	cache := NewCache()
	text := "ADD #c :n"
	b.ReportAllocs()
	for b.Loop() {
		scope := Scope{Names: []Name{{"#c", "EventCount"}}, Values: []Value{{Placeholder: ":n", Value: attr.IntValue(1)}}}
		if _, err := cache.Bind(Texts{Update: &text}, scope); err != nil {
			b.Fatal(err)
		}
	}
}
