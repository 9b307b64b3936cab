package table

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// TestQueriesAgainstModel writes random items and holds random queries against a
// plain slice that is searched and sorted by comparing values. A failure prints the
// seed.
func TestQueriesAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			kind := []string{"N", "S", "B"}[seed%3]
			m := model{t: t, rand: rand.New(rand.NewPCG(seed, 1)), tables: newTables(t), kind: kind}
			createTable(t, m.tables, "t", "", hashKey, KeyAttribute{"sk", kind})
			for range 200 {
				m.write()
			}
			for range 150 {
				m.query()
			}
		})
	}
}

type model struct {
	t      *testing.T
	rand   *rand.Rand
	tables *Tables
	kind   string
	items  []Item // of the table, in no order
}

// key returns a sort key from a small set, so that keys repeat and are neighbours.
func (m *model) key() Value {
	switch m.kind {
	case "N":
		text := fmt.Sprintf("%de%d", m.rand.IntN(40)-20, m.rand.IntN(7)-3)
		if m.rand.IntN(8) == 0 {
			text = fmt.Sprintf("%d.%020d", m.rand.IntN(3)-1, m.rand.IntN(3))
		}
		v, err := attr.NumberValue(text)
		if err != nil {
			m.t.Fatal(err)
		}
		return v
	case "S":
		return attr.StringValue(m.text())
	}
	return attr.BinaryValue([]byte(m.text()))
}

func (m *model) text() string {
	b := make([]byte, 1+m.rand.IntN(3))
	for i := range b {
		b[i] = "\x00\x01ab\x7f"[m.rand.IntN(5)]
	}
	return string(b)
}

func (m *model) write() {
	it := attr.NewItem(
		attr.Attribute{Name: "pk", Value: attr.StringValue(string("pq"[m.rand.IntN(2)]))},
		attr.Attribute{Name: "sk", Value: m.key()},
	)
	same := func(other Item) bool { return other.Equal(it) }
	if m.rand.IntN(4) == 0 {
		if _, err := m.tables.DeleteItem(&DeleteRequest{Table: "t", Key: it}); err != nil {
			m.t.Fatal(err)
		}
		m.items = slices.DeleteFunc(m.items, same)
		return
	}
	if _, err := m.tables.PutItem(&PutRequest{Table: "t", Item: it}); err != nil {
		m.t.Fatal(err)
	}
	if !slices.ContainsFunc(m.items, same) {
		m.items = append(m.items, it)
	}
}

var keyTexts = []string{
	"pk = :p", "pk = :p AND sk = :a", "pk = :p AND sk < :a", "pk = :p AND sk <= :a", "pk = :p AND sk > :a",
	"pk = :p AND sk >= :a", "pk = :p AND sk BETWEEN :a AND :b", "pk = :p AND begins_with(sk, :a)",
}

// query pages through a random query. The same text as a filter is the model.
func (m *model) query() {
	text := keyTexts[m.rand.IntN(len(keyTexts))]
	if m.kind == "N" && text == keyTexts[7] {
		return
	}
	a, b := m.key(), m.key()
	if order, _ := a.Compare(b); order > 0 {
		a, b = b, a
	}
	all := map[string]Value{":p": attr.StringValue("p"), ":a": a, ":b": b}
	var scope expr.Scope
	for _, name := range []string{":p", ":a", ":b"} {
		if strings.Contains(text, name) {
			scope.Values = append(scope.Values, expr.Value{Placeholder: name, Value: all[name]})
		}
	}
	backward := m.rand.IntN(2) == 0
	want := m.expect(text, scope, backward)
	r := &QueryRequest{
		Table: "t", Backward: backward, Limit: 1 + m.rand.IntN(20),
		Expressions: Expressions{Texts: expr.Texts{KeyCondition: &text}, Scope: scope},
	}
	var got []Item
	for {
		p, err := m.tables.Query(r)
		if err != nil {
			m.t.Fatal(err)
		}
		got = append(got, p.Items...)
		if p.Last.Empty() {
			break
		}
		r.Start, r.HasStart = p.Last, true
	}
	if !slices.EqualFunc(got, want, Item.Equal) {
		m.t.Fatalf("%s with %s and %s, backward %v:\ngot  %s\nwant %s", text, attr.AppendJSON(nil, a), attr.AppendJSON(nil, b), backward, render(got), render(want))
	}
}

func (m *model) expect(text string, scope expr.Scope, backward bool) []Item {
	b, err := expr.NewCache().Bind(expr.Texts{Filter: &text}, scope)
	if err != nil {
		m.t.Fatal(err)
	}
	var want []Item
	for _, it := range m.items {
		if b.Filter.Holds(it) {
			want = append(want, it)
		}
	}
	slices.SortFunc(want, func(x, y Item) int {
		order, _ := x.Get("sk").Compare(y.Get("sk"))
		if backward {
			return -order
		}
		return order
	})
	return want
}

func render(items []Item) string {
	var b []byte
	for _, it := range items {
		b = append(AppendItemJSON(b, it), ' ')
	}
	return string(b)
}
