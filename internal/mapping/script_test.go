package mapping

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// TestScripts runs the stories in testdata. Each runs in virtual time, with a
// source, a function and a destination that the script controls. Commands:
//
//	create, update, delete, show [of=NAME]
//	    batch window factor tumbling age retries =N, bisect report metrics enabled =BOOL,
//	    destination=ARN, filters (one in each line of the input), start=POSITION,
//	    at=SECONDS of the story, table (the changes of one), disabled
//	tag VALUE
//	put SHARD [at=DURATION] DATA...   append records: DATA*N repeats N times,
//	    KEY/DATA has a key; at moves the source's clock; packed: as one record of the
//	    stream; or the input, a record a line
//	split SHARD CHILD CHILD, merge SHARD SHARD CHILD
//	close SHARD              end it without children
//	remove, restore          take the source away, bring it back
//	retention DURATION
//	function ok|fail|crash|hang|missing|throttled|refused [TIMES] [takes=DURATION]
//	function answers [TIMES]          with the input; $N is the number of record N
//	function poison=DATA,... [reports]  fails, or reports those, while it has any
//	function counts [pad=N]           returns a state with the number of records
//	effects [conflicts=N]    the function's effects are counted once; show them
//	destination ok|gone|unreachable [TIMES]
//	meters                   what was counted since the last time
//	unordered                show what happens at one time in the order of the data,
//	                         as several lanes or mappings have none; so it is with
//	                         any factor
//	restart, crash           end the process in order; at once, losing what was not
//	                         synced
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
	fs    *vfs.MemFS
	db    *store.DB
	m     *Mappings
	meter *meter.Meter
	uuids map[string]string
	start time.Time

	mu      sync.Mutex
	life    int // of the process: what is left of a former one has no effect
	killed  chan struct{}
	src     *fakeSource
	fn      fakeFunction
	dest    fakeDestination
	logs    []string
	effects map[string]int
	clashes int // commits that will conflict
	lanes   bool
}

const (
	sourceARN   = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
	tableARN    = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000"
	functionARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
)

func newStory(t *testing.T) *story {
	st := &story{t: t, fs: vfs.NewCrashableMem(), start: time.Now(), meter: meter.New(), uuids: map[string]string{}}
	st.src = &fakeSource{shards: map[string]*fakeShard{}, retention: 24 * time.Hour}
	st.src.add("s0")
	st.open()
	return st
}

func (st *story) open() {
	var err error
	if st.db, err = store.Open("data", store.Options{FS: st.fs}); err != nil {
		st.t.Fatal(err)
	}
	st.killed = make(chan struct{})
	p := process{st, st.life, st.killed}
	if st.m, err = Open(Config{DB: st.db, Identity: catalog.DefaultIdentity, Sources: p, Invoker: p, Destinations: p, Meter: st.meter}); err != nil {
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

// crash ends the process as a power cut would.
func (st *story) crash() {
	st.fs = st.fs.CrashClone(vfs.CrashCloneCfg{})
	st.mu.Lock()
	st.life++
	st.mu.Unlock()
	close(st.killed)
	st.m.cancelHard()
	st.close()
	st.open()
}

func (st *story) command(t *testing.T, d *datadriven.TestData) string {
	out := st.do(t, d)
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	out += summary(st.logs, st.lanes)
	st.logs = nil
	if out == "" {
		return "nothing\n"
	}
	return out
}

func (st *story) do(t *testing.T, d *datadriven.TestData) string {
	arg := func(i int) string { return d.CmdArgs[i].Key }
	switch d.Cmd {
	case "create", "update", "delete", "show", "tag":
		return st.request(d)
	case "restart":
		st.close()
		st.open()
	case "crash":
		st.crash()
	case "put":
		st.put(d)
	case "split":
		st.src.reshard([]string{arg(0)}, arg(1), arg(2))
	case "merge":
		st.src.reshard([]string{arg(0), arg(1)}, arg(2))
	case "close":
		st.src.change(func() { st.src.shards[arg(0)].closed = true })
	case "remove", "restore":
		st.src.change(func() { st.src.gone = d.Cmd == "remove" })
	case "retention":
		st.src.change(func() { st.src.retention = duration(t, arg(0)) })
	case "function":
		st.fn.set(t, d)
	case "unordered":
		st.lanes = true
	case "effects":
		return st.showEffects(d)
	case "destination":
		st.dest.set(d)
	case "meters":
		return st.showMeters()
	case "advance":
		time.Sleep(duration(t, arg(0)))
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	return ""
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (st *story) request(d *datadriven.TestData) string {
	ctx, name := context.Background(), ""
	d.MaybeScanArgs(st.t, "of", &name)
	switch d.Cmd {
	case "create":
		v, err := st.m.Create(ctx, st.spec(d))
		if err == nil {
			st.uuids[name] = v.UUID
		}
		return describe(v, err)
	case "update":
		return describe(st.m.Update(ctx, st.uuids[name], st.spec(d)))
	case "delete":
		return describe(st.m.Delete(ctx, st.uuids[name]))
	case "tag":
		if err := st.m.ChangeTags(ctx, st.uuids[name], func(tags map[string]string) { tags["tag"] = d.CmdArgs[0].Key }); err != nil {
			return describe(View{}, err)
		}
		return ""
	}
	return st.show(st.uuids[name])
}

// summary shortens long runs of the same event to the first and the last two.
//
// What happens in two shards at one time has no order, so it is put in that of the
// shards; with lanes, in that of the first records.
func summary(logs []string, lanes bool) string {
	slices.SortStableFunc(logs, func(a, b string) int {
		x, y := strings.Fields(a), strings.Fields(b)
		order := cmp.Or(strings.Compare(a[:9], b[:9]), strings.Compare(x[2], y[2])) // times are padded
		if order == 0 && lanes {
			order = strings.Compare(x[3], y[3])
		}
		return order
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

var uuidText = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func describe(v View, err error) string {
	if err != nil {
		return "error: " + uuidText.ReplaceAllString(err.Error(), "UUID") + "\n"
	}
	return fmt.Sprintf("%s batch=%d window=%d %q\n", v.State, v.BatchSize, v.BatchingWindow, v.LastProcessingResult)
}

// spec reads a request from the arguments of a command.
func (st *story) spec(d *datadriven.TestData) Spec {
	spec := Spec{}
	if d.Cmd == "create" {
		spec = Spec{SourceARN: sourceARN, Function: "f", Starting: &StartingPosition{Type: TrimHorizon}}
	}
	numbers := map[string]**int{
		"batch": &spec.BatchSize, "window": &spec.BatchingWindow, "factor": &spec.Factor, "tumbling": &spec.TumblingWindow,
		"age": &spec.MaximumRecordAge, "retries": &spec.RetryLimit,
	}
	for _, arg := range d.CmdArgs {
		value := strings.Join(arg.Vals, "")
		number, _ := strconv.Atoi(value)
		if field, ok := numbers[arg.Key]; ok {
			*field = &number
			st.lanes = st.lanes || arg.Key == "factor"
			continue
		}
		on := value != "false"
		switch arg.Key {
		case "start":
			spec.Starting = &StartingPosition{Type: value}
		case "at":
			spec.Starting.Timestamp = st.start.Add(time.Duration(number) * time.Second)
		case "table":
			spec.SourceARN = tableARN
		case "source":
			spec.SourceARN = value
		case "function":
			spec.Function = value
		case "enabled":
			spec.Enabled = &on
		case "disabled":
			on = false
			spec.Enabled = &on
		case "bisect":
			spec.Bisect = &on
		case "report":
			spec.ResponseTypes = choice(on, reportItemFailures)
		case "responses":
			spec.ResponseTypes = &arg.Vals
		case "metrics":
			spec.Metrics = choice(on, eventCount)
		case "destination":
			spec.OnFailure = &value
		case "success":
			spec.OnSuccess = value
		case "filters":
			lines := strings.Fields(d.Input)
			spec.Filters = &lines
		case "unsupported":
			spec.Unsupported = arg.Vals
		}
	}
	return spec
}

func choice(on bool, value string) *[]string {
	if !on {
		return &[]string{}
	}
	return &[]string{value}
}

func (st *story) show(uuid string) string {
	v, err := st.m.Get(uuid)
	if err != nil {
		return describe(v, err)
	}
	out := describe(v, nil)
	if len(v.Tags) > 0 {
		out += fmt.Sprintln(v.Tags)
	}
	shards, _ := st.m.Status(uuid)
	for _, s := range shards {
		out += fmt.Sprintf("%s %s next=%d attempts=%d %s", s.Shard, s.Activity, s.Next, s.Attempts, s.Problem)
		if s.Discarded+s.Lost > 0 {
			out += fmt.Sprintf(" discarded=%d lost=%d", s.Discarded, s.Lost)
		}
		out += "\n"
	}
	return out
}

// showMeters lists the metrics that have data, with their sums.
func (st *story) showMeters() string {
	var lines []string
	st.meter.Each(func(s *meter.Series) {
		if stats, ok := s.Drain(); ok {
			name := uuidText.ReplaceAllString(s.Dimensions[0].Value, "UUID")
			lines = append(lines, fmt.Sprintf("%s %s=%s sum=%g max=%g %s\n", s.Name, s.Dimensions[0].Name, name, stats.Sum, stats.Max, s.Unit))
		}
	})
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func (st *story) showEffects(d *datadriven.TestData) string {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.effects == nil || d.HasArg("conflicts") {
		st.effects = map[string]int{}
		d.MaybeScanArgs(st.t, "conflicts", &st.clashes)
		return ""
	}
	out := ""
	for _, data := range slices.Sorted(maps.Keys(st.effects)) {
		out += fmt.Sprintf("%s=%d ", data, st.effects[data])
	}
	return out + "\n"
}

// put appends all records at once, so that it does not depend on chance how many a
// reader finds.
func (st *story) put(d *datadriven.TestData) {
	clock := time.Now()
	var recs []Record
	pack := uint32(0)
	add := func(key, data string) {
		r := Record{Arrival: clock.UnixMilli(), Key: key, Data: []byte(data)}
		if pack > 0 {
			r.Sub = pack - 1
			pack++
		}
		recs = append(recs, r)
	}
	for _, arg := range d.CmdArgs[1:] {
		if arg.Key == "at" {
			clock = clock.Add(duration(st.t, arg.Vals[0]))
			continue
		}
		if arg.Key == "packed" {
			pack = 1
			continue
		}
		data, times, found := strings.Cut(arg.Key, "*")
		n := 1
		if found {
			n, _ = strconv.Atoi(times)
		}
		key, rest, found := strings.Cut(data, "/")
		if found {
			data = rest
		}
		if size, ok := strings.CutPrefix(data, "bytes:"); ok {
			length, _ := strconv.Atoi(size)
			data = strings.Repeat("x", length)
		}
		for range n {
			add(key, data)
		}
	}
	for line := range strings.Lines(d.Input) {
		add("k", strings.TrimSpace(line))
	}
	st.src.put(d.CmdArgs[0].Key, recs)
}

func (st *story) logf(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.logs = append(st.logs, fmt.Sprintf("%8.1fs ", time.Since(st.start).Seconds())+fmt.Sprintf(format, args...)+"\n")
}
