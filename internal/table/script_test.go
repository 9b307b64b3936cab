package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

func openTables(t testing.TB, db *store.DB) *Tables {
	t.Helper()
	logs, err := stream.NewLogs(db)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := Open(Config{DB: db, Identity: catalog.DefaultIdentity, Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func newTables(t testing.TB) *Tables {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	tables := openTables(t, db)
	t.Cleanup(func() {
		if err := errors.Join(tables.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return tables
}

// script runs the operations of a test file. A directive is an operation on a table,
// with its flags; the lines of its input are its parameters: a name, a space and a
// text or JSON.
type script struct {
	tables    *Tables
	iterators map[string]string
}

func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		s := &script{tables: newTables(t), iterators: map[string]string{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := s.run(t, d)
			if err != nil {
				return describeError(err) + "\n"
			}
			return out
		})
	})
}

func describeError(err error) string {
	var failed *ConditionError
	if errors.As(err, &failed) && failed.HasItem {
		return fmt.Sprintf("%T: %v %s", err, err, AppendItemJSON(nil, failed.Item))
	}
	return fmt.Sprintf("%T: %v", err, err)
}

// input is the parameters of a directive.
type input struct {
	t     *testing.T
	d     *datadriven.TestData
	lines map[string][]string
}

func newInput(t *testing.T, d *datadriven.TestData) *input {
	in := &input{t, d, map[string][]string{}}
	for line := range strings.Lines(d.Input) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		in.lines[name] = append(in.lines[name], value)
	}
	return in
}

func (in *input) table() string { return in.d.CmdArgs[0].Key }

func (in *input) text(name string) *string {
	if lines := in.lines[name]; lines != nil {
		return &lines[0]
	}
	return nil
}

func (in *input) items(name string) []Item {
	var items []Item
	for _, line := range in.lines[name] {
		it, err := attr.ParseItemJSON([]byte(line))
		if err != nil {
			in.t.Fatalf("%s: %s: %v", in.d.Pos, line, err)
		}
		items = append(items, it)
	}
	return items
}

func (in *input) item(name string) Item {
	if items := in.items(name); items != nil {
		return items[0]
	}
	return Item{}
}

func (in *input) expressions() Expressions {
	e := Expressions{Texts: expr.Texts{
		Update: in.text("update"), Condition: in.text("condition"), KeyCondition: in.text("keys"),
		Filter: in.text("filter"), Projection: in.text("project"),
	}}
	if doc := in.text("names"); doc != nil {
		var names map[string]string
		if err := json.Unmarshal([]byte(*doc), &names); err != nil {
			in.t.Fatalf("%s: %v", in.d.Pos, err)
		}
		for _, k := range slices.Sorted(maps.Keys(names)) {
			e.Names = append(e.Names, expr.Name{Placeholder: k, Name: names[k]})
		}
	}
	for k, v := range in.item("values").All() {
		e.Values = append(e.Values, expr.Value{Placeholder: string(k), Value: v})
	}
	return e
}

func (in *input) flag(name string) bool { return in.d.HasArg(name) }

func (in *input) arg(name string) string {
	var s string
	in.d.MaybeScanArgs(in.t, name, &s)
	return s
}

func (in *input) number(name string) int {
	n, err := strconv.Atoi("0" + in.arg(name))
	if err != nil {
		in.t.Fatalf("%s: %v", in.d.Pos, err)
	}
	return n
}

var returns = map[string]ReturnValues{
	"all-old": ReturnAllOld, "updated-old": ReturnUpdatedOld, "all-new": ReturnAllNew, "updated-new": ReturnUpdatedNew,
}

func (s *script) run(t *testing.T, d *datadriven.TestData) (string, error) {
	in := newInput(t, d)
	switch d.Cmd {
	case "create":
		return s.create(in)
	case "put":
		r := &PutRequest{Table: in.table(), Item: in.item("item"), Expressions: in.expressions(), Return: returns[in.arg("return")], ReturnOnCondition: in.flag("tell")}
		return wrote(s.tables.PutItem(r))
	case "update":
		r := &UpdateRequest{Table: in.table(), Key: in.item("key"), Expressions: in.expressions(), Return: returns[in.arg("return")], ReturnOnCondition: in.flag("tell")}
		return wrote(s.tables.UpdateItem(r))
	case "delete":
		r := &DeleteRequest{Table: in.table(), Key: in.item("key"), Expressions: in.expressions(), Return: returns[in.arg("return")], ReturnOnCondition: in.flag("tell")}
		return wrote(s.tables.DeleteItem(r))
	case "get":
		res, err := s.tables.GetItem(&GetRequest{Table: in.table(), Key: in.item("key"), Expressions: in.expressions(), Consistent: in.flag("consistent")})
		if err != nil {
			return "", err
		}
		if !res.Exists {
			return fmt.Sprintf("none, %g units\n", res.Units), nil
		}
		return fmt.Sprintf("%s, %g units\n", AppendItemJSON(nil, res.Item), res.Units), nil
	case "query", "scan":
		return s.page(in)
	case "batch-get", "batch-write":
		return s.batch(in)
	case "describe", "drop", "list", "alter":
		return s.control(in)
	case "streams", "stream", "iterator", "records":
		return s.streamOperation(in)
	}
	t.Fatalf("%s: unknown directive %s", d.Pos, d.Cmd)
	return "", nil
}

// wrote renders the answer to a write.
func wrote(res WriteResult, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if res.Attributes.Empty() {
		return fmt.Sprintf("ok, %g units\n", res.Units), nil
	}
	return fmt.Sprintf("%s, %g units\n", AppendItemJSON(nil, res.Attributes), res.Units), nil
}

// create takes key attributes as arguments, such as create t pk:S sk:N.
func (s *script) create(in *input) (string, error) {
	spec := Spec{Name: in.table(), Throughput: &Throughput{5, 5}, DeletionProtection: in.flag("protected")}
	for _, a := range in.d.CmdArgs[1:] {
		name, kind, ok := strings.Cut(a.Key, ":")
		if !ok {
			continue
		}
		role := "HASH"
		if len(spec.Key) > 0 {
			role = "RANGE"
		}
		spec.Attributes = append(spec.Attributes, KeyAttribute{name, kind})
		spec.Key = append(spec.Key, KeyElement{name, role})
	}
	if in.flag("on-demand") {
		spec.BillingMode, spec.Throughput = payPerRequest, nil
	}
	if view := in.arg("stream"); view != "" {
		spec.Stream = &StreamSpec{Enabled: true, View: StreamView(view)}
	}
	d, err := s.tables.CreateTable(spec)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s\n", d.Name, d.Status), nil
}

func (s *script) control(in *input) (string, error) {
	var d Description
	var err error
	switch in.d.Cmd {
	case "list":
		names, more := s.tables.ListTables(in.arg("after"), max(1, in.number("limit")))
		return fmt.Sprintf("%v more=%v\n", names, more), nil
	case "describe":
		d, err = s.tables.DescribeTable(in.table())
	case "drop":
		d, err = s.tables.DeleteTable(in.table())
	case "alter":
		var c Changes
		if view := in.arg("stream"); view != "" {
			c.Stream = &StreamSpec{Enabled: true, View: StreamView(view)}
			if view == "off" {
				c.Stream = &StreamSpec{}
			}
		}
		if in.flag("on-demand") {
			c.BillingMode = payPerRequest
		}
		if n := in.number("units"); n > 0 {
			c.Throughput = &Throughput{int64(n), int64(n)}
		}
		if p := in.arg("protected"); p != "" {
			on := p == "true"
			c.DeletionProtection = &on
		}
		d, err = s.tables.UpdateTable(in.table(), c)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s key=%v on-demand=%v units=%d/%d protected=%v stream=%v %s items=%d bytes=%d\n", d.Name, d.Status, d.Key,
		d.OnDemand, d.Read, d.Write, d.DeletionProtection, d.StreamEnabled, d.View, d.Items, d.Bytes), nil
}

func (s *script) page(in *input) (string, error) {
	var p Page
	var err error
	_, hasStart := in.lines["start"]
	if in.d.Cmd == "query" {
		p, err = s.tables.Query(&QueryRequest{
			Table: in.table(), Index: in.arg("index"), Expressions: in.expressions(), Start: in.item("start"), HasStart: hasStart,
			Limit: in.number("limit"), Backward: in.flag("backward"), Consistent: in.flag("consistent"), CountOnly: in.flag("count"),
		})
	} else {
		p, err = s.tables.Scan(&ScanRequest{
			Table: in.table(), Index: in.arg("index"), Expressions: in.expressions(), Start: in.item("start"), HasStart: hasStart,
			Limit: in.number("limit"), Consistent: in.flag("consistent"), CountOnly: in.flag("count"),
			Segment: in.number("segment"), Segments: in.number("segments"),
		})
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, it := range p.Items {
		fmt.Fprintf(&b, "%s\n", AppendItemJSON(nil, it))
	}
	fmt.Fprintf(&b, "%d of %d, %g units", p.Count, p.Scanned, p.Units)
	if !p.Last.Empty() {
		fmt.Fprintf(&b, ", last %s", AppendItemJSON(nil, p.Last))
	}
	return b.String() + "\n", nil
}

// batch takes several tables, separated by lines that begin with table.
func (s *script) batch(in *input) (string, error) {
	var gets []BatchGetTable
	var writes []BatchWriteTable
	for line := range strings.Lines(in.d.Input) {
		what, doc, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "table" {
			gets = append(gets, BatchGetTable{Table: doc, Consistent: in.flag("consistent")})
			writes = append(writes, BatchWriteTable{Table: doc})
			continue
		}
		get, write := &gets[len(gets)-1], &writes[len(writes)-1]
		if what == "project" {
			get.Projection = &doc
			continue
		}
		it, err := attr.ParseItemJSON([]byte(doc))
		if err != nil {
			in.t.Fatalf("%s: %v", in.d.Pos, err)
		}
		get.Keys = append(get.Keys, it)
		write.Writes = append(write.Writes, BatchWrite{Put: what == "put", Item: it, Key: it})
	}
	if in.d.Cmd == "batch-write" {
		units, err := s.tables.BatchWriteItem(writes)
		return fmt.Sprintf("units %v\n", units), err
	}
	results, err := s.tables.BatchGetItem(gets)
	var b strings.Builder
	for i, r := range results {
		fmt.Fprintf(&b, "%s: %g units, %d unprocessed\n", gets[i].Table, r.Units, len(r.Unprocessed))
		for _, it := range r.Items {
			fmt.Fprintf(&b, "  %s\n", AppendItemJSON(nil, it))
		}
	}
	return b.String(), err
}

// streamOperation works on the latest stream of a table, or on the older one whose
// number is given; iterators have names. Labels, which are times, are not shown.
func (s *script) streamOperation(in *input) (string, error) {
	found, _ := s.tables.ListStreams(in.table(), "", 100)
	if in.d.Cmd == "streams" {
		return fmt.Sprintf("%d streams\n", len(found)), nil
	}
	name := in.arg("name")
	if in.d.Cmd == "records" {
		return s.records(in, name)
	}
	n := len(found) - 1
	if in.flag("number") {
		n = in.number("number")
	}
	d, err := s.tables.DescribeStream(found[n].ARN, "", 100)
	if err != nil {
		return "", err
	}
	if in.d.Cmd == "iterator" {
		it, err := s.tables.GetShardIterator(d.ARN, d.Shards[in.number("shard")].ID, IteratorType(in.arg("type")), in.arg("sequence"))
		s.iterators[name] = it
		return "", err
	}
	out := fmt.Sprintf("enabled=%v %s key=%v\n", d.Enabled, d.View, d.Key)
	for _, sh := range d.Shards {
		out += fmt.Sprintf("shard %d from %s closed=%v %s\n", sh.Index, sh.First, sh.Closed, sh.Last)
	}
	return out, nil
}

func (s *script) records(in *input, name string) (string, error) {
	limit := in.number("limit")
	if limit == 0 {
		limit = 1000
	}
	_, changes, next, err := s.tables.GetRecords(s.iterators[name], limit)
	if err != nil {
		return "", err
	}
	s.iterators[name] = next
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %s %d bytes %s", c.Sequence, c.Kind, c.Size(), AppendItemJSON(nil, c.Keys))
		if c.HasNew {
			fmt.Fprintf(&b, " new %s", AppendItemJSON(nil, c.New))
		}
		if c.HasOld {
			fmt.Fprintf(&b, " old %s", AppendItemJSON(nil, c.Old))
		}
		b.WriteString("\n")
	}
	if next == "" {
		b.WriteString("end of the shard\n")
	}
	return b.String(), nil
}
