package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/weirstream/weir/internal/store"
)

// process is one life of a story's server as its mappings see the world.
type process struct {
	*story
	life   int
	killed chan struct{}
}

func (p process) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life != p.story.life
}

// Open implements Sources.
func (p process) Open(arn string) (Source, error) {
	if p.src.isGone() || arn != sourceARN && arn != tableARN {
		return nil, ErrSourceGone
	}
	return &fakeView{p.src, arn == tableARN}, nil
}

// Lookup implements Invoker.
func (p process) Lookup(ref string) (Function, error) {
	name, _ := strings.CutPrefix(ref, "arn:aws:lambda:us-east-1:000000000000:function:")
	name, qualifier, qualified := strings.Cut(name, ":")
	if name != "f" && name != "g" {
		return Function{}, ErrFunctionNotFound
	}
	arn := "arn:aws:lambda:us-east-1:000000000000:function:" + name
	if qualified {
		arn += ":" + qualifier
	}
	return Function{Name: name, ARN: arn, Role: "arn:aws:iam::000000000000:role/r"}, nil
}

// fakeEvent is what the function reads of its event.
type fakeEvent struct {
	Records []struct {
		Shard, Data, Number string
		Kinesis             struct{ PartitionKey string }
	}
	ShardID      string
	Window       *struct{ Start, End time.Time }
	State        json.RawMessage
	IsFinal      bool `json:"isFinalInvokeForWindow"`
	IsTerminated bool `json:"isWindowTerminatedEarly"`
}

// String is how stories show an invocation.
func (e fakeEvent) String() string {
	var datas []string
	for _, r := range e.Records {
		if len(r.Data) > 40 {
			r.Data = fmt.Sprintf("%d bytes", len(r.Data))
		}
		if key := r.Kinesis.PartitionKey; len(key) == 1 && key != r.Data {
			r.Data = key + "/" + r.Data
		}
		datas = append(datas, r.Data)
	}
	if len(datas) > 12 {
		datas = []string{datas[0], "...", datas[len(datas)-1], fmt.Sprintf("(%d)", len(datas))}
	}
	shard := e.ShardID
	if len(e.Records) > 0 {
		shard = e.Records[0].Shard
	}
	out := fmt.Sprintf("%s [%s]", shard, strings.Join(datas, " "))
	if e.Window == nil {
		return out
	}
	out += fmt.Sprintf(" in %s-%s", e.Window.Start.Format("04:05"), e.Window.End.Format("04:05"))
	if len(e.State) > 60 {
		out += fmt.Sprintf(" state of %d bytes", len(e.State))
	} else {
		out += " state " + string(e.State)
	}
	if e.IsFinal {
		out += " final"
	}
	if e.IsTerminated {
		out += " early"
	}
	return out
}

// Invoke implements Invoker.
func (p process) Invoke(ctx context.Context, arn string, payload []byte, _ func()) (Outcome, error) {
	if p.dead() {
		return Outcome{}, context.Canceled
	}
	var event fakeEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		p.t.Error("event is not JSON:", err)
	}
	result := p.fn.next()
	if result.takes > 0 {
		p.logf("invoke %s", event)
		if err := sleepOr(ctx, result.takes, p.killed); err != nil {
			if p.dead() {
				return Outcome{}, err
			}
			p.logf("cut off %s", event)
			return Outcome{}, err
		}
	}
	if result.kind == "throttled" || result.kind == "missing" || result.kind == "refused" {
		p.logf("%s %s", result.kind, event)
		return Outcome{}, map[string]error{
			"throttled": fmt.Errorf("too many: %w", ErrThrottled), "missing": ErrFunctionNotFound, "refused": errors.New("no permission"),
		}[result.kind]
	}
	outcome, verb := result.answer(event)
	p.logf("%s %s", verb, event)
	outcome.RequestID, outcome.ExecutedVersion = p.fn.nextRequest(), "$LATEST"
	if strings.HasSuffix(arn, ":live") {
		outcome.ExecutedVersion = "1"
	}
	if p.countsEffects() {
		outcome.Effects = &fakeEffects{p, event}
	}
	return outcome, nil
}

func (p process) countsEffects() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.effects != nil
}

// fakeEffects count the data of an invocation's records.
type fakeEffects struct {
	p     process
	event fakeEvent
}

// Commit implements Effects.
func (e *fakeEffects) Commit(add func(*store.Tx)) error {
	st := e.p.story
	st.mu.Lock()
	clash := st.clashes > 0
	if clash {
		st.clashes--
	}
	st.mu.Unlock()
	if clash {
		st.logf("conflict %s", e.event)
		return ErrConflict
	}
	tx := st.db.Begin()
	add(tx)
	st.mu.Lock()
	for _, r := range e.event.Records {
		st.effects[r.Data]++
	}
	st.mu.Unlock()
	return tx.CommitLazily()
}

// Discard implements Effects.
func (e *fakeEffects) Discard() {}

// fakeFunction answers as scripted for the next times calls, then as before.
type fakeFunction struct {
	mu      sync.Mutex
	current fakeResult
	usual   fakeResult
	times   int
	calls   int
}

type fakeResult struct {
	kind    string
	takes   time.Duration
	text    string   // to answer with
	poison  []string // data that makes it fail
	reports bool     // those, instead of failing
	counts  bool     // the records, in a state
	pad     int      // of the state
}

func (f *fakeFunction) set(t *testing.T, d *datadriven.TestData) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current, f.times = fakeResult{kind: "ok"}, 0
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "takes":
			f.current.takes = duration(t, arg.Vals[0])
		case "poison":
			f.current.poison = arg.Vals
		case "reports":
			f.current.reports = true
		case "counts":
			f.current.counts = true
		case "pad":
			f.current.pad, _ = strconv.Atoi(arg.Vals[0])
		case "answers":
			f.current.kind, f.current.text = arg.Key, d.Input
		default:
			if n, err := strconv.Atoi(arg.Key); err == nil {
				f.times = n
			} else {
				f.current.kind = arg.Key
			}
		}
	}
	if f.times == 0 {
		f.usual = f.current
	}
}

func (f *fakeFunction) next() fakeResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times == 0 {
		return f.usual
	}
	f.times--
	return f.current
}

func (f *fakeFunction) nextRequest() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return fmt.Sprintf("request-%d", f.calls)
}

var recordNumber = regexp.MustCompile(`\$\d+`)

// answer returns what the function says to an event, and one word for it.
func (r fakeResult) answer(e fakeEvent) (Outcome, string) {
	switch r.kind {
	case "fail":
		return Outcome{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}, "fail"
	case "crash":
		return Outcome{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}`)}, "crash"
	case "hang":
		return Outcome{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 3.00 seconds"}`)}, "hang"
	case "answers":
		text := recordNumber.ReplaceAllStringFunc(r.text, func(n string) string {
			i, _ := strconv.Atoi(n[1:])
			if i > len(e.Records) {
				return "0"
			}
			return e.Records[i-1].Number
		})
		return Outcome{Payload: []byte(strings.TrimSpace(text))}, "answer"
	}
	var failed []string
	for _, rec := range e.Records {
		for _, bad := range r.poison {
			if rec.Data == bad {
				failed = append(failed, fmt.Sprintf(`{"itemIdentifier":%q}`, rec.Number))
			}
		}
	}
	if len(failed) > 0 && !r.reports {
		return Outcome{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"poison"}`)}, "fail"
	}
	members := []string{}
	if len(failed) > 0 {
		members = append(members, `"batchItemFailures":[`+strings.Join(failed, ",")+`]`)
	}
	if r.counts {
		members = append(members, `"state":`+r.count(e))
	}
	if len(members) == 0 {
		return Outcome{Payload: []byte("null")}, "ok"
	}
	verb := "ok"
	if len(failed) > 0 {
		verb = fmt.Sprintf("partly(%d)", len(failed))
	}
	return Outcome{Payload: []byte("{" + strings.Join(members, ",") + "}")}, verb
}

// count adds the records of an event that did not fail to the number in its state.
func (r fakeResult) count(e fakeEvent) string {
	var state struct{ N int }
	if len(e.State) > 0 {
		_ = json.Unmarshal(e.State, &state) // what is no number counts as none
	}
	for _, rec := range e.Records {
		if r.reports && len(r.poison) > 0 && rec.Data == r.poison[0] {
			break
		}
		state.N++
	}
	if r.pad > 0 {
		return fmt.Sprintf(`{"n":%d,"pad":"%s"}`, state.N, strings.Repeat("x", r.pad))
	}
	return fmt.Sprintf(`{"n":%d}`, state.N)
}

// fakeDestination takes reports or does not.
type fakeDestination struct {
	mu    sync.Mutex
	kind  string
	times int
}

func (f *fakeDestination) set(d *datadriven.TestData) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kind, f.times = d.CmdArgs[0].Key, 1<<30
	if len(d.CmdArgs) > 1 {
		f.times, _ = strconv.Atoi(d.CmdArgs[1].Key)
	}
}

// Send implements Destinations.
func (p process) Send(ctx context.Context, arn string, body []byte, _ map[string]string, key string) error {
	if p.dead() {
		return context.Canceled
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.dest.mu.Lock()
	kind := p.dest.kind
	if p.dest.times > 0 {
		p.dest.times--
	} else {
		kind = "ok"
	}
	p.dest.mu.Unlock()
	name := shardOfReport.FindStringSubmatch(string(body))[1] + " to " + arn[strings.LastIndexByte(arn, ':')+1:]
	switch kind {
	case "gone":
		p.logf("refused %s", name)
		return fmt.Errorf("no such queue: %w", ErrUndeliverable)
	case "unreachable":
		p.logf("unreachable %s", name)
		return errors.New("connection refused")
	}
	p.logf("report %s\n%s", name, masked(string(body)))
	if strings.HasPrefix(arn, "arn:aws:s3:") {
		p.logf("object %s as %s", name, masked(key))
	}
	return nil
}

var shardOfReport = regexp.MustCompile(`"shardId":"([^"]*)"`)

func masked(s string) string { return uuidText.ReplaceAllString(s, "UUID") }
