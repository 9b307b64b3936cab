package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// TestScripts runs testdata/scripts. Commands:
//
//	deploy NAME [parameters=(K=V,...)] [code=(F=TEXT,...)] [tags=(K=V,...)] [fail=CALL] [hang=CALL] [file=TEMPLATE]
//	validate NAME [...]
//	destroy NAME [fail=CALL] [hang=CALL]
//	restart             close the stacks and open them again, wait until they are idle
//	describe NAME
//	world               what exists
//
// A deployment that hangs is interrupted by a restart. Generated names end in #N,
// counted in the order in which they appear.
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := newScript(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return s.run(t, d) })
	})
}

type script struct {
	db     *store.DB
	world  *world
	random io.Reader
	stacks *Stacks
	names  map[string]string // generated suffix -> #N
}

// counting is a source of random bytes that are not: every read gives bytes of
// another value.
type counting struct {
	mu sync.Mutex
	n  byte
}

func (c *counting) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	for i := range p {
		p[i] = c.n
	}
	return len(p), nil
}

func newScript(t *testing.T) *script {
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	s := &script{db: db, world: newWorld(), random: &counting{}, names: map[string]string{}}
	s.open(t)
	t.Cleanup(func() {
		if err := errors.Join(s.stacks.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *script) open(t *testing.T) {
	var err error
	s.stacks, err = Open(Config{DB: s.db, Identity: catalog.DefaultIdentity, Providers: s.world.providers(), Random: s.random})
	if err != nil {
		t.Fatal(err)
	}
}

func pairs(values []string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, v := range values {
		key, value, _ := strings.Cut(v, "=")
		m[key] = value
	}
	return m
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	name := ""
	req := DeployRequest{Template: []byte(d.Input), Code: map[string][]byte{}}
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "parameters":
			req.Parameters = pairs(arg.Vals)
		case "tags":
			req.Tags = pairs(arg.Vals)
		case "code":
			for id, text := range pairs(arg.Vals) {
				req.Code[id] = []byte(text)
			}
		case "fail":
			for _, call := range arg.Vals {
				s.world.fail[strings.ReplaceAll(call, "/", " ")] = true
			}
		case "hang":
			s.world.hang = arg.Vals[0]
		case "file":
			var err error
			if req.Template, err = os.ReadFile(arg.Vals[0]); err != nil {
				t.Fatal(err)
			}
		default:
			name = arg.Key
		}
	}
	req.StackName = name
	defer func() { s.world.fail, s.world.hang, s.world.calls = map[string]bool{}, "", nil }()
	switch d.Cmd {
	case "deploy":
		return s.clean(s.operate(t, name, func(progress func(Event)) error {
			result, err := s.stacks.Deploy(t.Context(), req, progress)
			if err == nil && !result.Changed {
				return errors.New("nothing changed")
			}
			return err
		}))
	case "destroy":
		return s.clean(s.operate(t, name, func(progress func(Event)) error { return s.stacks.Destroy(t.Context(), name, progress) }))
	case "validate":
		return s.clean(s.validate(t, req))
	case "restart":
		return s.clean(s.restart(t))
	case "describe":
		return s.clean(s.describe(t, name))
	case "world":
		return s.clean(s.exists())
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

// operate runs an operation and renders the calls that it made and its events. One
// that hangs is cut off by closing the stacks.
func (s *script) operate(t *testing.T, name string, work func(progress func(Event)) error) string {
	var events []Event
	if s.world.hang != "" {
		closed, ended := make(chan error), make(chan struct{})
		go func() {
			select {
			case <-s.world.hanging:
				closed <- s.stacks.Close()
			case <-ended:
				closed <- errors.New("the operation ended without having hung")
			}
		}()
		defer func() {
			close(ended)
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}()
	}
	err := work(func(e Event) { events = append(events, e) })
	var b strings.Builder
	for _, call := range s.world.calls {
		fmt.Fprintf(&b, "> %s\n", call)
	}
	writeEvents(&b, events)
	var failed *FailedError
	switch {
	case errors.As(err, &failed):
		fmt.Fprintf(&b, "failed: %s: %s\n", failed.Status, failed.Reason)
	case err != nil:
		fmt.Fprintf(&b, "%v\n", err)
	}
	if d, err := s.stacks.Describe(name); err == nil {
		writeOutputs(&b, d)
	}
	return b.String()
}

func writeOutputs(b *strings.Builder, d Description) {
	for _, o := range d.Outputs {
		fmt.Fprintf(b, "output %s = %s", o.Key, o.Value)
		if o.ExportName != "" {
			fmt.Fprintf(b, " as %s", o.ExportName)
		}
		b.WriteString("\n")
	}
	for _, name := range d.Imports {
		fmt.Fprintf(b, "import %s\n", name)
	}
}

func writeEvents(b *strings.Builder, events []Event) {
	for _, e := range events {
		line := fmt.Sprintf("%s %s %s", e.Status, e.LogicalID, e.Reason)
		if e.ResourceType != stackType {
			line = fmt.Sprintf("  %s %s %s %s", e.Status, e.LogicalID, e.PhysicalID, e.Reason)
		}
		b.WriteString(strings.TrimRight(strings.Join(strings.Fields(line), " "), " "))
		b.WriteString("\n")
	}
}

// restart opens the stacks again and waits until nothing is under way.
func (s *script) restart(t *testing.T) string {
	if err := s.stacks.Close(); err != nil {
		t.Fatal(err)
	}
	before := map[string]int{}
	for _, sum := range s.stacks.List(true) {
		events, err := s.stacks.Events(sum.ID)
		if err != nil {
			t.Fatal(err)
		}
		before[sum.ID] = len(events)
	}
	s.open(t)
	s.stacks.mu.Lock()
	operations := slices.Collect(maps.Values(s.stacks.operations))
	s.stacks.mu.Unlock()
	for _, op := range operations {
		if err := op.wait(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	var b strings.Builder
	for _, call := range s.world.calls {
		fmt.Fprintf(&b, "> %s\n", call)
	}
	for _, sum := range s.stacks.List(true) {
		events, err := s.stacks.Events(sum.ID)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(events)
		writeEvents(&b, events[before[sum.ID]:])
	}
	return b.String()
}

func (s *script) validate(t *testing.T, req DeployRequest) string {
	plan, err := s.stacks.Validate(t.Context(), req)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, c := range plan.Changes {
		fmt.Fprintf(&b, "%s %s %s", c.Action, c.LogicalID, c.Type)
		if c.Replacement != "" {
			fmt.Fprintf(&b, " %v replacement=%s", c.Properties, c.Replacement)
		}
		b.WriteString("\n")
	}
	for _, p := range plan.Kept {
		fmt.Fprintf(&b, "%s = %s is kept\n", p.Key, p.Value)
	}
	fmt.Fprintf(&b, "outputs change: %v\n", plan.OutputsChange)
	if len(s.world.calls) > 0 {
		t.Errorf("validating called %v", s.world.calls)
	}
	return b.String()
}

func (s *script) describe(t *testing.T, name string) string {
	d, err := s.stacks.Describe(name)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", d.Name, d.Status, d.Reason)
	for _, p := range d.Parameters {
		fmt.Fprintf(&b, "parameter %s = %s\n", p.Key, p.Value)
	}
	writeOutputs(&b, d)
	for _, o := range d.Outputs {
		if users := s.stacks.Importers(o.ExportName); o.ExportName != "" && len(users) > 0 {
			fmt.Fprintf(&b, "export %s of %s is imported by %s\n", o.ExportName, s.stacks.Exporter(o.ExportName), strings.Join(users, ", "))
		}
	}
	for _, r := range d.Resources {
		fmt.Fprintf(&b, "%s %s %s %s\n", r.LogicalID, r.PhysicalID, r.Type, r.Status)
	}
	packages, err := scanKeys(s.db, store.AppendString(store.Key(store.DomainStack, 10), "package"))
	if err != nil {
		t.Error(err)
	}
	templates, err := scanKeys(s.db, key("template", d.ID))
	if err != nil {
		t.Error(err)
	}
	fmt.Fprintf(&b, "%d packages, %d templates\n", packages, templates)
	return b.String()
}

func scanKeys(db *store.DB, prefix []byte) (n int, err error) {
	it, err := db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return 0, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n, it.Close()
}

func (s *script) exists() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.world.exists)) {
		fmt.Fprintf(&b, "%s %s\n", name, s.world.exists[name])
	}
	return b.String()
}

var (
	generated = regexp.MustCompile(`-[A-Za-z0-9]{12}\b`)
	uuids     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// clean makes output the same on every run.
func (s *script) clean(out string) string {
	out = uuids.ReplaceAllString(out, "UUID")
	out = generated.ReplaceAllStringFunc(out, func(suffix string) string {
		if strings.Count(suffix, suffix[1:2]) != 12 {
			return suffix
		}
		if s.names[suffix] == "" {
			s.names[suffix] = fmt.Sprintf("-#%d", len(s.names)+1)
		}
		return s.names[suffix]
	})
	if out == "" {
		return "nothing\n"
	}
	return out
}

func TestCloseWhileProviderHangs(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	s.world.hang = "CreateStream"
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.stacks.Deploy(ctx, DeployRequest{StackName: "a", Template: []byte("Resources: {S: {Type: AWS::Kinesis::Stream}}")}, nil)
		left <- err
	}()
	<-s.world.hanging
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who leaves gets %v", err)
	}
	if d, err := s.stacks.Describe("a"); err != nil || d.Status != CreateInProgress {
		t.Errorf("after the caller left: %v %v", d.Status, err)
	}
	if err := s.stacks.Destroy(t.Context(), "a", nil); !errors.Is(err, ErrBusy) {
		t.Errorf("destroy during the creation: %v", err)
	}
	for range 2 {
		if err := s.stacks.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "b", Template: []byte("Resources: {S: {Type: AWS::Kinesis::Stream}}")}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("deploy after close: %v", err)
	}
}

// TestExportInUseMeanwhile takes an export away while the stack that imports it is
// being made.
func TestExportInUseMeanwhile(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	base := "Resources: {S: {Type: AWS::Kinesis::Stream}}\nOutputs: {O: {Value: one, Export: {Name: x}}}"
	if _, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "base", Template: []byte(base)}, nil); err != nil {
		t.Fatal(err)
	}
	s.world.hang = "CreateTopic"
	done := make(chan error)
	go func() {
		text := "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue x}}}"
		_, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "use", Template: []byte(text)}, nil)
		done <- err
	}()
	<-s.world.hanging
	if err := s.stacks.Destroy(t.Context(), "base", nil); !errors.Is(err, ErrInUse) {
		t.Errorf("destroy of the exporting stack: %v", err)
	}
	text := strings.Replace(base, "one", "two", 1)
	_, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "base", Template: []byte(text)}, nil)
	if want := "Cannot update export x as it is in use by use."; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("update of the export: %v, want %s", err, want)
	}
	if err := s.stacks.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestExportGoneMeanwhile deletes a stack between the check of a template that
// imports from it and the deployment.
func TestExportGoneMeanwhile(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	base := "Resources: {S: {Type: AWS::Kinesis::Stream}}\nOutputs: {O: {Value: one, Export: {Name: x}}}"
	if _, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "base", Template: []byte(base)}, nil); err != nil {
		t.Fatal(err)
	}
	rec, err := s.stacks.subject("use")
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue x}}}")
	p, err := s.stacks.plan(rec, DeployRequest{StackName: "use", Template: text}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.stacks.Destroy(t.Context(), "base", nil); err != nil {
		t.Fatal(err)
	}
	rec.Target = &deployment{Imports: p.bound.Imports}
	op, err := s.stacks.start(rec, p, func(r *run, ctx context.Context) error { return r.deploy(ctx, p.bound, text) })
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.stacks.await(t.Context(), rec.ID, op, nil)
	var failed *FailedError
	if !errors.As(err, &failed) || failed.Status != RollbackComplete || failed.Reason != "No export named x found. Rollback requested by user." {
		t.Errorf("got %v", err)
	}
}

// TestExportNameIsTakenOnce creates stacks at the same time that export the same name.
func TestExportNameIsTakenOnce(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	errs := make(chan error)
	for i := range 8 {
		go func() {
			text := "Resources: {S: {Type: AWS::Kinesis::Stream}}\nOutputs: {O: {Value: one, Export: {Name: x}}}"
			_, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: fmt.Sprintf("s%d", i), Template: []byte(text)}, nil)
			errs <- err
		}()
	}
	done := 0
	for range 8 {
		err := <-errs
		if err == nil {
			done++
		} else if !strings.Contains(err.Error(), "Export with name x is already exported by stack s") {
			t.Error(err)
		}
	}
	if done != 1 || len(s.world.exists) != 1 {
		t.Errorf("%d stacks export the name, and left %v", done, s.world.exists)
	}
}

func TestOneOperationAtATime(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	errs := make(chan error)
	for i := range 8 {
		go func() {
			text := fmt.Sprintf("Resources: {S: {Type: AWS::Kinesis::Stream, Properties: {Name: s%d}}}", i)
			_, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "a", Template: []byte(text)}, nil)
			errs <- err
		}()
	}
	done := 0
	for range 8 {
		if err := <-errs; err == nil {
			done++
		} else if !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
	}
	if done == 0 || len(s.world.exists) != 1 || len(s.stacks.List(false)) != 1 {
		t.Errorf("%d deployments succeeded, and left %v in %d stacks", done, s.world.exists, len(s.stacks.List(false)))
	}
}

func TestLargePackage(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	zip := []byte(strings.Repeat("0123456789", packageChunk/4))
	text := "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Runtime: provided, Handler: h, Role: r, Code: ./f}}}"
	_, err := s.stacks.Deploy(t.Context(), DeployRequest{StackName: "a", Template: []byte(text), Code: map[string][]byte{"F": zip, "G": zip[1:]}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("zip=%d", len(zip)); !strings.Contains(s.world.calls[0], want) {
		t.Errorf("%s has no %s", s.world.calls[0], want)
	}
	if n, err := scanKeys(s.db, store.AppendString(store.Key(store.DomainStack, 10), "package")); n != 3 || err != nil {
		t.Errorf("%d chunks are stored: %v", n, err)
	}
}
