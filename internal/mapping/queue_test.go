package mapping

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
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
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/store"
)

// TestQueueScripts runs the stories about queues, testdata/*.queue, in virtual time,
// with real queues and a function that the script controls. Commands:
//
//	queue NAME [ATTRIBUTE=VALUE]...
//	send BODY... [group=GROUP]
//	map [batch=N] [window=SECONDS] [report] [most=N] [filter=PATTERN] [retries=N] [start=POSITION] [disabled]
//	update, with what map takes; delete; show; restart
//	power-failure       a restart with what had been synced
//	function [starts=DURATION] [takes=DURATION] [raise=BODY] [fail=BODY] [answer=RESULT] [throttle=N] [missing]
//	         [effects] [conflicts=N]
//	retime SECONDS      the visibility timeout of the queue
//	purge
//	polled MOST         whether so many messages at most were handed out to the mapping so far
//	advance DURATION
//	messages [NAME]     how many there are
//	limit BYTES         of an event
func TestQueueScripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.queue")
	if err != nil || len(paths) == 0 {
		t.Fatal("no stories", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := &queueStory{t: t, fs: vfs.NewCrashableMem(), start: time.Now(), name: "jobs"}
				st.open()
				defer st.close()
				datadriven.RunTest(t, path, st.command)
			})
		})
	}
}

type queueStory struct {
	t      *testing.T
	fs     *vfs.MemFS
	db     *store.DB
	queues *queue.Queues
	m      *Mappings
	uuid   string
	start  time.Time
	name   string // of the queue

	mu       sync.Mutex
	starts   time.Duration
	takes    time.Duration
	missing  bool
	raise    string
	fail     string
	answer   string
	throttle int
	effects  bool
	conflict int
	polled   int
	event    []byte // the last one
	running  int
	most     int
	logs     []string
}

func (st *queueStory) open() {
	var err error
	if st.db, err = store.Open("data", store.Options{FS: st.fs}); err != nil {
		st.t.Fatal(err)
	}
	if st.queues, err = queue.Open(queue.Config{DB: st.db, Identity: catalog.DefaultIdentity}); err != nil {
		st.t.Fatal(err)
	}
	if st.m, err = Open(Config{DB: st.db, Identity: catalog.DefaultIdentity, Queues: st, Sources: st, Invoker: st}); err != nil {
		st.t.Fatal(err)
	}
	st.m.Start()
}

func (st *queueStory) close() {
	if err := errors.Join(st.m.Close(), st.queues.Close(), st.db.Close()); err != nil {
		st.t.Error(err)
	}
}

func (st *queueStory) command(t *testing.T, d *datadriven.TestData) string {
	ctx := context.Background()
	var out string
	switch d.Cmd {
	case "queue":
		st.name = d.CmdArgs[0].Key
		attributes := map[string]string{}
		for _, a := range d.CmdArgs[1:] {
			attributes[a.Key] = strings.Join(a.Vals, ",")
		}
		if _, err := st.queues.Create(ctx, st.name, attributes, nil); err != nil {
			out = err.Error() + "\n"
		}
	case "send":
		st.send(d)
	case "map":
		v, err := st.m.Create(ctx, st.spec(d))
		st.uuid = cmp.Or(v.UUID, st.uuid)
		out = describeQueueMapping(v, err)
		if st.uuid != "" {
			out = strings.ReplaceAll(out, st.uuid, "UUID")
		}
	case "update":
		out = describeQueueMapping(st.m.Update(ctx, st.uuid, st.spec(d)))
	case "delete":
		out = describeQueueMapping(st.m.Delete(ctx, st.uuid))
	case "show":
		out = st.show()
	case "restart":
		st.close()
		st.open()
	case "power-failure":
		left := st.fs.CrashClone(vfs.CrashCloneCfg{})
		st.close()
		st.fs = left
		st.open()
	case "retime", "purge":
		if err := st.change(ctx, d); err != nil {
			t.Fatal(err)
		}
	case "function":
		st.function(d)
	case "advance":
		pause, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
	case "messages":
		out = st.messages(d)
	case "polled":
		most, _ := strconv.Atoi(d.CmdArgs[0].Key)
		st.mu.Lock()
		out = fmt.Sprintln(st.polled <= most)
		st.mu.Unlock()
	case "limit":
		n, err := strconv.Atoi(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		st.m.maxEvent = n
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, line := range inOrder(st.logs) {
		out += line + "\n"
	}
	st.logs = nil
	if out == "" {
		return "nothing\n"
	}
	return out
}

// inOrder sorts invocations that began at the same time.
func inOrder(logs []string) []string {
	const head = len("     0.0s invoke")
	for i := 0; i < len(logs); {
		j := i + 1
		for j < len(logs) && logs[i][:head] == logs[j][:head] && strings.Contains(logs[i], " invoke ") {
			j++
		}
		slices.Sort(logs[i:j])
		i = j
	}
	return logs
}

func (st *queueStory) change(ctx context.Context, d *datadriven.TestData) error {
	q, err := st.queues.Get(st.name)
	if err != nil {
		return err
	}
	if d.Cmd == "purge" {
		return q.Purge(ctx)
	}
	return q.SetAttributes(ctx, map[string]string{"VisibilityTimeout": d.CmdArgs[0].Key})
}

func (st *queueStory) send(d *datadriven.TestData) {
	q, err := st.queues.Get(st.name)
	if err != nil {
		st.t.Fatal(err)
	}
	var group *string
	for _, a := range d.CmdArgs {
		if a.Key == "group" {
			group = &a.Vals[0]
		}
	}
	var entries []queue.Entry
	bodies := strings.Fields(d.Input)
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			bodies = append(bodies, a.Key)
		}
	}
	for i, body := range bodies {
		entries = append(entries, queue.Entry{ID: strconv.Itoa(i), Message: queue.Message{Body: body, Group: group}})
	}
	for chunk := range slices.Chunk(entries, 10) {
		if results, err := q.SendBatch(context.Background(), chunk); err != nil || results[0].Err != nil {
			st.t.Fatal(err, results)
		}
	}
}

func (st *queueStory) spec(d *datadriven.TestData) Spec {
	s := Spec{SourceARN: catalog.DefaultIdentity.ARN("sqs", st.name), Function: "f"}
	for _, a := range d.CmdArgs {
		text := strings.Join(a.Vals, ",")
		n, _ := strconv.Atoi(text)
		switch a.Key {
		case "batch":
			s.BatchSize = &n
		case "window":
			s.BatchingWindow = &n
		case "most":
			s.MaximumConcurrency = &n
		case "retries":
			s.RetryLimit = &n
		case "report":
			s.ResponseTypes = &[]string{reportItemFailures}
		case "start":
			s.Starting = &StartingPosition{Type: text}
		case "source":
			s.SourceARN = text
		case "disabled":
			s.Enabled = ptr(false)
		case "filter":
			s.Filters = &[]string{strings.TrimSpace(d.Input)}
		}
	}
	if d.Cmd == "update" {
		s.SourceARN, s.Function = "", ""
	}
	return s
}

func describeQueueMapping(v View, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	return fmt.Sprintf("%s batch=%d window=%d most=%d\n", v.State, v.BatchSize, v.BatchingWindow, v.MaximumConcurrency)
}

func (st *queueStory) show() string {
	v, err := st.m.Get(st.uuid)
	out := describeQueueMapping(v, err)
	status, err := st.m.Status(st.uuid)
	for _, s := range status {
		out += fmt.Sprintf("%s %s invocations=%d last=%d conflicts=%d %s\n", s.Shard, s.Activity, s.Invocations, s.LastBatch, s.Conflicts, s.Problem)
	}
	if err != nil {
		out += err.Error() + "\n"
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return out + fmt.Sprintf("at most %d at a time\n", st.most)
}

func (st *queueStory) function(d *datadriven.TestData) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.starts, st.takes, st.raise, st.fail, st.answer, st.throttle, st.effects, st.conflict, st.missing = 0, 0, "", "", "", 0, false, 0, false
	for _, a := range d.CmdArgs {
		text := strings.Join(a.Vals, ",")
		n, _ := strconv.Atoi(text)
		switch a.Key {
		case "starts":
			st.starts, _ = time.ParseDuration(text)
		case "missing":
			st.missing = true
		case "takes":
			st.takes, _ = time.ParseDuration(text)
		case "raise":
			st.raise = text
		case "fail":
			st.fail = text
		case "answer":
			st.answer = strings.TrimSpace(d.Input)
		case "throttle":
			st.throttle = n
		case "effects":
			st.effects = true
		case "conflicts":
			st.effects, st.conflict = true, n
		}
	}
}

func (st *queueStory) messages(d *datadriven.TestData) string {
	name := st.name
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	q, err := st.queues.Get(name)
	if err != nil {
		return err.Error() + "\n"
	}
	c := q.Counts()
	return fmt.Sprintf("%d visible, %d in flight\n", c.Visible, c.InFlight)
}

func (st *queueStory) logf(format string, args ...any) {
	st.logs = append(st.logs, fmt.Sprintf("%8.1fs ", time.Since(st.start).Seconds())+fmt.Sprintf(format, args...))
}

// Queue implements Queues.
func (st *queueStory) Queue(arn string) (Queue, error) {
	q, err := st.queues.ByARN(arn)
	if err != nil {
		return nil, ErrSourceGone
	}
	return realQueue{q, arn, st}, nil
}

// Open implements Sources.
func (st *queueStory) Open(string) (Source, error) { return emptySource{}, nil }

// emptySource is a stream without shards.
type emptySource struct{}

func (emptySource) Shards() ([]Shard, error)         { return nil, nil }
func (emptySource) Open(string) (ShardSource, error) { return nil, ErrSourceGone }

// Lookup implements Invoker.
func (st *queueStory) Lookup(ref string) (Function, error) {
	if ref == "missing" {
		return Function{}, ErrFunctionNotFound
	}
	return Function{Name: "f", ARN: functionARN, Timeout: 10 * time.Second}, nil
}

// Invoke implements Invoker.
func (st *queueStory) Invoke(ctx context.Context, _ string, payload []byte, begins func()) (Outcome, error) {
	var event struct {
		Records []struct {
			MessageID  string `json:"messageId"`
			Body       string
			Attributes struct{ ApproximateReceiveCount string }
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		st.t.Errorf("event %s: %v", payload, err)
	}
	var bodies []string
	failed := []map[string]string{}
	st.mu.Lock()
	raise := false
	for _, r := range event.Records {
		body := r.Body
		if n := r.Attributes.ApproximateReceiveCount; n != "1" {
			body += "#" + n
		}
		bodies = append(bodies, body)
		raise = raise || r.Body == st.raise
		if r.Body == st.fail {
			failed = append(failed, map[string]string{"itemIdentifier": r.MessageID})
		}
	}
	if len(bodies) > 12 {
		bodies = []string{fmt.Sprintf("%d messages", len(bodies))}
	}
	if st.throttle > 0 {
		st.throttle--
		st.logf("throttled %v", bodies)
		st.mu.Unlock()
		return Outcome{}, fmt.Errorf("busy: %w", ErrThrottled)
	}
	if st.missing {
		st.logf("missing %v", bodies)
		st.mu.Unlock()
		return Outcome{}, ErrFunctionNotFound
	}
	if st.starts > 0 {
		starts := st.starts
		st.mu.Unlock()
		if err := sleep(ctx, starts); err != nil {
			return Outcome{}, err
		}
		st.mu.Lock()
	}
	if begins != nil {
		begins()
	}
	if bytes.Equal(payload, st.event) {
		st.logf("repeat %v", bodies)
	} else {
		st.logf("invoke %v", bodies)
	}
	st.event = bytes.Clone(payload)
	st.running++
	st.most = max(st.most, st.running)
	takes, answer, effects := st.takes, st.answer, st.effects
	st.mu.Unlock()
	if err := sleep(ctx, takes); err != nil {
		return Outcome{}, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.running--
	out := Outcome{Payload: []byte(answer)}
	if answer == "" {
		out.Payload, _ = json.Marshal(map[string]any{"batchItemFailures": failed})
	}
	if raise {
		out.FunctionError = "Unhandled"
	}
	if effects {
		out.Effects = storyEffects{st, bodies}
	}
	return out, nil
}

// storyEffects logs whether the effects of an invocation count.
type storyEffects struct {
	st     *queueStory
	bodies []string
}

func (e storyEffects) Commit(add func(*store.Tx)) error {
	e.st.mu.Lock()
	conflict := e.st.conflict > 0
	if conflict {
		e.st.conflict--
		e.st.logf("conflict %v", e.bodies)
	} else {
		e.st.logf("commit %v", e.bodies)
	}
	e.st.mu.Unlock()
	if conflict {
		return ErrConflict
	}
	tx := e.st.db.Begin()
	add(tx)
	return tx.Commit()
}

func (e storyEffects) Discard() {
	e.st.mu.Lock()
	defer e.st.mu.Unlock()
	e.st.logf("discard %v", e.bodies)
}
