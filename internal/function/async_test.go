package function

import (
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
)

// TestAsyncStories runs the stories in testdata. Each runs in virtual time, with a
// function f whose answers the story controls. Commands:
//
//	publish               a version; then alias NAME VERSION, delete-alias NAME
//	config [qualifier=Q] [retries=N] [age=SECONDS] [on-success=ARN] [on-failure=ARN]   put it
//	update, get, list, delete-config                                     likewise
//	dead-letter ARN
//	reserve N
//	answers ANSWER...     ok, error, throttled or a time to run, then ok; the
//	                      last one is for all that follow
//	target ARN ok|down|dead|refuses   dead is down without a line for each try
//	invoke [qualifier=Q] [PAYLOAD]      after which the line says what it was refused with
//	delete
//	advance DURATION
//	restart               the server, after which the function answers as before
//	metrics
//
// The answer to a command is what happened until nothing more could happen.
func TestAsyncStories(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/async/*.story")
	if err != nil || len(paths) == 0 {
		t.Fatal("no stories", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			inBubble(t, &fakes{}, func(t *testing.T, w *world) {
				st := &asyncStory{t: t, w: w, begin: time.Now(), targets: map[string]error{}, answers: []string{"ok"}}
				st.attach(w.Functions)
				datadriven.RunTest(t, path, st.command)
				if st.reopened {
					if err := st.w.Functions.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

type asyncStory struct {
	t        *testing.T
	w        *world
	begin    time.Time
	reopened bool

	mu      sync.Mutex
	lines   []string
	answers []string
	targets map[string]error
}

// attach makes functions run and report as the story says.
func (st *asyncStory) attach(f *Functions) {
	f.start = func(p *pool, _ Definition) {
		f.background.Go(func() {
			p.notStarted(func(inv *invocation) { st.run(f, inv) })
		})
	}
	f.async.destinations = st
}

func (st *asyncStory) note(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	at := time.Since(st.begin).Truncate(time.Second).String()
	st.lines = append(st.lines, "+"+at+" "+fmt.Sprintf(format, args...))
	// What happens at one instant has no order.
	first := slices.IndexFunc(st.lines, func(s string) bool { return strings.HasPrefix(s, "+"+at+" ") })
	slices.Sort(st.lines[first:])
}

// run answers an invocation.
func (st *asyncStory) run(f *Functions, inv *invocation) {
	st.mu.Lock()
	answer := st.answers[0]
	if len(st.answers) > 1 {
		st.answers = st.answers[1:]
	}
	st.mu.Unlock()
	st.note("run %s: %s", brief(inv.payload), answer)
	switch d, err := time.ParseDuration(answer); {
	case answer == "error":
		inv.end(outcome{failed: true, payload: []byte(`{"errorMessage":"no luck","errorType":"Exception"}`)})
	case answer == "throttled":
		inv.end(outcome{err: errorf(ErrThrottled, "Rate Exceeded.")})
	case err == nil:
		if !sleep(f.lifetime, d) {
			inv.end(outcome{err: ErrClosed})
			return
		}
		fallthrough
	default:
		inv.end(outcome{payload: []byte(`{"done":"<all>"}`)})
	}
}

var errSilent = errors.New("out of order, as is known")

// Send implements Destinations.
func (st *asyncStory) Send(_ context.Context, arn string, body []byte, attributes map[string]string, key string) error {
	st.mu.Lock()
	err := st.targets[arn]
	st.mu.Unlock()
	if errors.Is(err, errSilent) {
		return err
	}
	if err != nil {
		st.note("send to %s: %v", arn, err)
		return err
	}
	more := ""
	if len(attributes) > 0 {
		doc, err := json.Marshal(attributes)
		if err != nil {
			return err
		}
		more = "\n  attributes " + string(doc)
	}
	if strings.Contains(arn, ":s3:") {
		more = "\n  key " + key
	}
	st.note("send to %s: %s%s", arn, brief(body), more)
	return nil
}

func brief(doc []byte) string {
	if len(doc) > 1000 {
		return strconv.Itoa(len(doc)) + " bytes"
	}
	return string(doc)
}

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (st *asyncStory) command(t *testing.T, td *datadriven.TestData) string {
	t.Helper()
	if err := st.do(td); err != nil {
		return err.Error() + "\n"
	}
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	lines := st.lines
	st.lines = nil
	if len(lines) == 0 {
		return "ok\n"
	}
	return uuidPattern.ReplaceAllString(strings.Join(lines, "\n")+"\n", "UUID")
}

func (st *asyncStory) do(td *datadriven.TestData) error {
	ctx := st.t.Context()
	word := func(i int) string { return td.CmdArgs[i].Key }
	switch td.Cmd {
	case "config", "update":
		u, err := asyncUpdate(td)
		if err != nil {
			return err
		}
		put := st.w.PutEventInvokeConfig
		if td.Cmd == "update" {
			put = st.w.UpdateEventInvokeConfig
		}
		c, err := put(ctx, "f"+qualifierOf(td), u)
		return errors.Join(err, st.show(err, c))
	case "get":
		c, err := st.w.EventInvokeConfig("f")
		return errors.Join(err, st.show(err, c))
	case "list":
		all, err := st.w.EventInvokeConfigs("f")
		return errors.Join(err, st.show(err, all...))
	case "delete-config":
		return st.w.DeleteEventInvokeConfig(ctx, "f")
	case "dead-letter":
		arn := word(0)
		_, err := st.w.UpdateConfiguration(ctx, "f", ConfigurationUpdate{DeadLetterARN: &arn})
		return err
	case "reserve":
		n, err := strconv.Atoi(word(0))
		if err == nil {
			err = st.w.ReserveConcurrency("f", n)
		}
		return err
	case "answers", "target":
		st.set(td)
		return nil
	case "delete":
		return st.w.Delete(ctx, "f")
	}
	return st.doMore(td)
}

func (st *asyncStory) doMore(td *datadriven.TestData) error {
	switch td.Cmd {
	case "invoke":
		payload := td.Input
		if n := strings.TrimPrefix(payload, "bytes "); n != payload {
			size, err := strconv.Atoi(n)
			if err != nil {
				return err
			}
			payload = `"` + strings.Repeat("x", size-2) + `"`
		}
		return st.w.InvokeAsync(st.t.Context(), Invocation{Function: "f" + qualifierOf(td), Payload: []byte(payload)})
	case "publish":
		_, err := st.w.Publish(st.t.Context(), "f", Publishing{})
		return err
	case "alias":
		_, err := st.w.CreateAlias(st.t.Context(), "f", Alias{Name: td.CmdArgs[0].Key, Version: td.CmdArgs[1].Key})
		return err
	case "delete-alias":
		return st.w.DeleteAlias(st.t.Context(), "f", td.CmdArgs[0].Key)
	case "advance":
		d, err := time.ParseDuration(td.CmdArgs[0].Key)
		if err != nil {
			return err
		}
		time.Sleep(d)
		return nil
	case "restart":
		return st.restart()
	case "metrics":
		for _, name := range []string{"AsyncEventsReceived", "AsyncEventAge", "AsyncEventsDropped", "DestinationDeliveryFailures", "DeadLetterErrors"} {
			n, sum, _ := st.w.meter.Series(metricNamespace, name, asyncUnit(name)).Totals()
			st.note("%s: %v values, sum %v", name, n, sum)
		}
		return nil
	}
	return fmt.Errorf("unknown command %s", td.Cmd)
}

// qualifierOf returns the version or alias that a command names, with its colon.
func qualifierOf(td *datadriven.TestData) string {
	for _, arg := range td.CmdArgs {
		if arg.Key == "qualifier" {
			return ":" + arg.Vals[0]
		}
	}
	return ""
}

func asyncUnit(metric string) string {
	if metric == "AsyncEventAge" {
		return "Milliseconds"
	}
	return "Count"
}

func (st *asyncStory) set(td *datadriven.TestData) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if td.Cmd == "answers" {
		st.answers = nil
		for _, arg := range td.CmdArgs {
			st.answers = append(st.answers, arg.Key)
		}
		return
	}
	st.targets[td.CmdArgs[0].Key] = map[string]error{
		"ok": nil, "down": errors.New("out of order"), "dead": errSilent, "refuses": fmt.Errorf("no such target: %w", ErrUndeliverable),
	}[td.CmdArgs[1].Key]
}

func asyncUpdate(td *datadriven.TestData) (u EventInvokeUpdate, err error) {
	number := func(text string) *int {
		n, bad := strconv.Atoi(text)
		err = errors.Join(err, bad)
		return &n
	}
	for _, arg := range td.CmdArgs {
		switch arg.Key {
		case "retries":
			u.RetryAttempts = number(arg.Vals[0])
		case "age":
			u.EventAgeSeconds = number(arg.Vals[0])
		case "on-success", "on-failure":
			if u.Destinations == nil {
				u.Destinations = &EventDestinations{}
			}
			target := &u.Destinations.OnFailure
			if arg.Key == "on-success" {
				target = &u.Destinations.OnSuccess
			}
			if len(arg.Vals) > 0 {
				*target = arg.Vals[0]
			}
		}
	}
	return u, err
}

func (st *asyncStory) show(err error, all ...EventInvokeConfig) error {
	if err != nil {
		return nil
	}
	number := func(n *int) string {
		if n == nil {
			return "default"
		}
		return strconv.Itoa(*n)
	}
	for _, c := range all {
		st.note("%s retries=%s age=%s on-success=%q on-failure=%q", c.key(), number(c.RetryAttempts), number(c.EventAgeSeconds),
			c.Destinations.OnSuccess, c.Destinations.OnFailure)
	}
	return nil
}

// restart closes the functions and opens those of the store again.
func (st *asyncStory) restart() error {
	old := st.w.Functions
	if err := old.Close(); err != nil {
		return err
	}
	f, err := Open(Config{
		DB: st.w.db, Identity: old.identity, Meter: st.w.meter, Logs: st.w.logs,
		Runtimes: old.runtimes, CodeDir: old.codeDir, Endpoint: old.endpoint,
	})
	if err != nil {
		return err
	}
	st.reopened = true
	st.w.Functions = f
	st.attach(f)
	f.Start(st)
	return nil
}

func TestAsynchronousQueueIsBounded(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		const events = 10 * asyncConcurrency
		w.async.mu.Lock()
		w.async.events = maxAsyncEvents - events // as if others waited
		w.async.mu.Unlock()
		for range events {
			if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); !errors.Is(err, ErrThrottled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if _, running := f.counts(); running != asyncConcurrency {
			t.Errorf("%d environments", running)
		}
		time.Sleep(events / asyncConcurrency * time.Second * 2)
		if n, _, _ := w.total.invocations.Totals(); n != events {
			t.Errorf("%v invocations", n)
		}
	})
}

func TestThrottledAsynchronousEventWaits(t *testing.T) {
	f := &fakes{workTime: 2500 * time.Millisecond}
	inBubble(t, f, func(t *testing.T, w *world) {
		if err := w.ReserveConcurrency("f", 1); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.InvokeAsync(t.Context(), Invocation{Function: "f"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if n, _, _ := w.total.invocations.Totals(); n != 2 {
			t.Errorf("%v invocations", n)
		}
		if n, _, _ := w.total.throttles.Totals(); n != 2 { // at 0 s and 1 s, then it ran at 3 s
			t.Errorf("%v throttles", n)
		}
	})
}

// What is stored of an event comes back as it was.
func TestAsyncEventsInTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := asyncEvent{
		Function: "f", Qualifier: "live", RequestID: "id", ClientContext: `{"a":1}`, Received: time.Unix(1000, 5).UTC(),
		Due: time.Unix(2000, 0).UTC(), Attempts: 2, Bytes: 3,
		Delivery: &delivery{Target: "arn:x", DeadLetter: true, Attributes: map[string]string{"a": "b"}, Key: "k"},
	}
	tx := w.db.Begin()
	for _, number := range []uint64{300, 7} {
		if err := putEventIn(tx, number, want); err != nil {
			t.Fatal(err)
		}
		tx.Set(asyncKey(asyncPayload, number), []byte("abc"))
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	got, payload, err := loadEvent(w.db, 300)
	if err != nil || fmt.Sprint(got.Delivery, got.Received, got.Due) != fmt.Sprint(want.Delivery, want.Received, want.Due) || string(payload) != "abc" {
		t.Errorf("got %+v %q %v", got, payload, err)
	}
	if got.reference() != "f:live" || got.Attempts != 2 || got.ClientContext != want.ClientContext {
		t.Errorf("got %+v", got)
	}
	var numbers []uint64
	if err := scanEvents(w.db, func(number uint64, _ asyncEvent) { numbers = append(numbers, number) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers, []uint64{7, 300}) {
		t.Errorf("numbers %v", numbers)
	}
	if _, _, err := loadEvent(w.db, 8); err == nil {
		t.Error("an event that is not there was found")
	}
}

func TestErrorMessagesAreCutAtCharacters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"ab\u00e4", 3, "ab"}, {"\u00e4", 1, ""}} {
		if got := cut(c.text, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q", c.text, c.n, got)
		}
	}
}
