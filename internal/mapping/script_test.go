package mapping

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// TestScripts runs the stories in testdata. Each runs in virtual time, with a
// source and a function that the script controls. Commands:
//
//	create [batch=N] [window=SECONDS] [start=POSITION] [disabled]
//	update [batch=N] [window=SECONDS] [enabled=BOOL]
//	delete, show, restart
//	put SHARD DATA...        append records; DATA*N repeats N times
//	split SHARD CHILD CHILD  close a shard and open two
//	remove, restore          take the source away, bring it back
//	function ok|fail|missing [TIMES] [takes=DURATION]
//	advance DURATION
//
// The answer to a command is what happened until nothing more could happen.
func TestScripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.story")
	if err != nil || len(paths) == 0 {
		t.Fatal("no stories", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := newStory(t)
				defer st.close()
				datadriven.RunTest(t, path, st.command)
			})
		})
	}
}

type story struct {
	t     *testing.T
	fs    vfs.FS
	db    *store.DB
	m     *Mappings
	uuid  string
	start time.Time

	mu   sync.Mutex
	src  *fakeSource
	fn   fakeFunction
	logs []string
}

const (
	sourceARN   = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
	functionARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
)

func newStory(t *testing.T) *story {
	st := &story{t: t, fs: vfs.NewMem(), start: time.Now()}
	st.src = &fakeSource{shards: map[string]*fakeShard{}}
	st.src.add("s0")
	st.open()
	return st
}

func (st *story) open() {
	var err error
	if st.db, err = store.Open("data", store.Options{FS: st.fs}); err != nil {
		st.t.Fatal(err)
	}
	if st.m, err = Open(Config{DB: st.db, Identity: catalog.DefaultIdentity, Sources: st, Invoker: st}); err != nil {
		st.t.Fatal(err)
	}
	st.m.jitter = func(time.Duration) time.Duration { return 0 }
	st.m.Start()
}

func (st *story) close() {
	if err := errors.Join(st.m.Close(), st.db.Close()); err != nil {
		st.t.Error(err)
	}
}

func (st *story) command(t *testing.T, d *datadriven.TestData) string {
	var out string
	switch d.Cmd {
	case "create":
		v, err := st.m.Create(context.Background(), st.spec(d))
		st.uuid = cmpOr(v.UUID, st.uuid)
		out = describe(v, err)
	case "update":
		out = describe(st.m.Update(context.Background(), st.uuid, st.spec(d)))
	case "delete":
		out = describe(st.m.Delete(context.Background(), st.uuid))
	case "show":
		out = st.show()
	case "restart":
		st.close()
		st.open()
	case "put":
		st.put(d)
	case "split":
		st.src.split(d.CmdArgs[0].Key, d.CmdArgs[1].Key, d.CmdArgs[2].Key)
	case "remove", "restore":
		st.src.remove(d.Cmd == "remove")
	case "function":
		st.fn.set(t, d)
	case "advance":
		pause, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	out += summary(st.logs)
	st.logs = nil
	if out == "" {
		return "nothing\n"
	}
	return out
}

// summary shortens long runs of the same event to the first and the last two.
//
// What happens in two shards at one time has no order, so it is put in that of the
// shards.
func summary(logs []string) string {
	slices.SortStableFunc(logs, func(a, b string) int {
		x, y := strings.Fields(a), strings.Fields(b)
		return cmp.Or(strings.Compare(a[:9], b[:9]), strings.Compare(x[2], y[2])) // times are padded
	})
	var out strings.Builder
	for i := 0; i < len(logs); {
		end := i + 1
		for end < len(logs) && logs[end][9:] == logs[i][9:] {
			end++
		}
		for j := i; j < end; j++ {
			if end-i > 12 && j == i+8 {
				fmt.Fprintf(&out, "          ... %d more\n", end-i-10)
				j = end - 2
			}
			out.WriteString(logs[j])
		}
		i = end
	}
	return out.String()
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var uuidText = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func describe(v View, err error) string {
	if err != nil {
		return "error: " + uuidText.ReplaceAllString(err.Error(), "UUID") + "\n"
	}
	return fmt.Sprintf("%s batch=%d window=%d %q\n", v.State, v.BatchSize, v.BatchingWindow, v.LastProcessingResult)
}

func (st *story) spec(d *datadriven.TestData) Spec {
	spec := Spec{SourceARN: sourceARN, Starting: &StartingPosition{Type: TrimHorizon}}
	if d.Cmd == "create" {
		spec.Function = "f"
	}
	for _, arg := range d.CmdArgs {
		value := strings.Join(arg.Vals, "")
		number, _ := strconv.Atoi(value)
		switch arg.Key {
		case "batch":
			spec.BatchSize = &number
		case "window":
			spec.BatchingWindow = &number
		case "start":
			spec.Starting = &StartingPosition{Type: value}
		case "source":
			spec.SourceARN = value
		case "function":
			spec.Function = value
		case "enabled":
			on := value == "true"
			spec.Enabled = &on
		case "disabled":
			off := false
			spec.Enabled = &off
		case "unsupported":
			spec.Unsupported = arg.Vals
		}
	}
	return spec
}

func (st *story) show() string {
	v, err := st.m.Get(st.uuid)
	if err != nil {
		return describe(v, err)
	}
	out := describe(v, nil)
	shards, _ := st.m.Status(st.uuid)
	for _, s := range shards {
		out += fmt.Sprintf("%s %s next=%d attempts=%d %s\n", s.Shard, s.Activity, s.Next, s.Attempts, s.Problem)
	}
	return out
}

func (st *story) put(d *datadriven.TestData) {
	for _, arg := range d.CmdArgs[1:] {
		data, times, found := strings.Cut(arg.Key, "*")
		n := 1
		if found {
			n, _ = strconv.Atoi(times)
		}
		if size, ok := strings.CutPrefix(data, "bytes:"); ok {
			length, _ := strconv.Atoi(size)
			data = strings.Repeat("x", length)
		}
		for range n {
			st.src.put(d.CmdArgs[0].Key, data)
		}
	}
}

func (st *story) logf(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.logs = append(st.logs, fmt.Sprintf("%8.1fs ", time.Since(st.start).Seconds())+fmt.Sprintf(format, args...)+"\n")
}

// Open implements Sources.
func (st *story) Open(arn string) (Source, error) {
	if st.src.isGone() || arn != sourceARN {
		return nil, ErrSourceGone
	}
	return st.src, nil
}

// Lookup implements Invoker.
func (st *story) Lookup(ref string) (Function, error) {
	if ref != "f" && ref != functionARN {
		return Function{}, ErrFunctionNotFound
	}
	return Function{Name: "f", ARN: functionARN, Role: "arn:aws:iam::000000000000:role/r"}, nil
}

// Invoke implements Invoker.
func (st *story) Invoke(ctx context.Context, _ string, payload []byte) (Outcome, error) {
	var event struct {
		Records []struct{ Shard, Data string }
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		st.t.Error("event is not JSON:", err)
	}
	var datas []string
	for _, r := range event.Records {
		if len(r.Data) > 40 {
			r.Data = fmt.Sprintf("%d bytes", len(r.Data))
		}
		datas = append(datas, r.Data)
	}
	if len(datas) > 12 {
		datas = []string{datas[0], "...", datas[len(datas)-1], fmt.Sprintf("(%d)", len(datas))}
	}
	what := fmt.Sprintf("%s [%s]", event.Records[0].Shard, strings.Join(datas, " "))
	result, takes := st.fn.next()
	if takes > 0 {
		st.logf("invoke %s", what)
		if err := sleep(ctx, takes); err != nil {
			st.logf("cut off %s", what)
			return Outcome{}, err
		}
	}
	st.logf("%s %s", result, what)
	switch result {
	case "missing":
		return Outcome{}, ErrFunctionNotFound
	case "fail":
		return Outcome{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}, nil
	}
	return Outcome{Payload: []byte("null")}, nil
}

// fakeFunction answers as scripted: result for the next times calls, then ok.
type fakeFunction struct {
	mu     sync.Mutex
	result string
	times  int
	takes  time.Duration
}

func (f *fakeFunction) set(t *testing.T, d *datadriven.TestData) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.result, f.times, f.takes = d.CmdArgs[0].Key, 1<<30, 0
	for _, arg := range d.CmdArgs[1:] {
		if arg.Key == "takes" {
			takes, err := time.ParseDuration(arg.Vals[0])
			if err != nil {
				t.Fatal(err)
			}
			f.takes = takes
			continue
		}
		f.times, _ = strconv.Atoi(arg.Key)
	}
}

func (f *fakeFunction) next() (string, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.result == "" || f.times == 0 {
		return "ok", f.takes
	}
	f.times--
	return f.result, f.takes
}

// fakeSource is a source in memory.
type fakeSource struct {
	mu     sync.Mutex
	gone   bool
	order  []string
	shards map[string]*fakeShard
	wake   chan struct{}
}

type fakeShard struct {
	parents []string
	recs    []Record
	closed  bool
}

const fakeRetention = 24 * time.Hour

func (f *fakeSource) add(id string, parents ...string) {
	f.order = append(f.order, id)
	f.shards[id] = &fakeShard{parents: parents}
}

func (f *fakeSource) change(edit func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

func (f *fakeSource) put(shard, data string) {
	f.change(func() {
		s := f.shards[shard]
		s.recs = append(s.recs, Record{Position: uint64(len(s.recs) + 1), Arrival: time.Now().UnixMilli(), Key: data, Data: []byte(data)})
	})
}

func (f *fakeSource) split(parent, a, b string) {
	f.change(func() {
		f.shards[parent].closed = true
		f.add(a, parent)
		f.add(b, parent)
	})
}

func (f *fakeSource) remove(gone bool) { f.change(func() { f.gone = gone }) }

func (f *fakeSource) isGone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gone
}

func (f *fakeSource) Shards() ([]Shard, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Shard
	for _, id := range f.order {
		out = append(out, Shard{Key: id, ID: id, Parents: f.shards[id].parents})
	}
	return out, nil
}

func (f *fakeSource) Open(shard string) (ShardSource, error) { return &fakeReader{f, shard}, nil }

// fakeReader reads one shard of a fakeSource.
type fakeReader struct {
	*fakeSource
	shard string
}

func (f *fakeReader) Start(at StartingPosition) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at.Type == Latest {
		return uint64(len(f.shards[f.shard].recs) + 1), nil
	}
	return 1, nil
}

func (f *fakeReader) Read(from uint64, maxRecords, maxBytes int) ([]Record, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return nil, 0, ErrSourceGone
	}
	var out []Record
	size := 0
	for _, r := range f.shards[f.shard].recs {
		if r.Position < from || f.Expired(r) {
			continue
		}
		if size += len(r.Data); len(out) == maxRecords || size > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, r)
		from = r.Position + 1
	}
	return out, from, nil
}

func (f *fakeReader) Wait(ctx context.Context, from uint64) error {
	for {
		f.mu.Lock()
		s := f.shards[f.shard]
		if f.gone {
			f.mu.Unlock()
			return ErrSourceGone
		}
		if s.closed || uint64(len(s.recs)) >= from {
			f.mu.Unlock()
			return nil
		}
		if f.wake == nil {
			f.wake = make(chan struct{})
		}
		wake := f.wake
		f.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fakeReader) Done(from uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shards[f.shard]
	return s.closed && uint64(len(s.recs)) < from
}

func (f *fakeReader) Expired(r Record) bool {
	return time.Since(time.UnixMilli(r.Arrival)) > fakeRetention
}

func (f *fakeReader) SequenceNumber(r Record) string { return strconv.FormatUint(r.Position, 10) }

func (f *fakeReader) AppendEvent(dst []byte, _ string, r Record) ([]byte, error) {
	return fmt.Appendf(dst, `{"shard":%q,"data":%q}`, f.shard, r.Data), nil
}
