package function

import (
	"errors"
	"fmt"
	"slices"
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

// openLogs opens logs on a store in memory; reopen closes and opens them again.
func openLogs(t *testing.T, cfg LogsConfig) (logs *Logs, reopen func() *Logs) {
	t.Helper()
	db, err := store.Open("db", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB, cfg.Identity = db, catalog.DefaultIdentity
	if logs, err = OpenLogs(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(logs.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return logs, func() *Logs {
		if err := logs.Close(); err != nil {
			t.Fatal(err)
		}
		if logs, err = OpenLogs(cfg); err != nil {
			t.Fatal(err)
		}
		return logs
	}
}

func texts(events []LogEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.Text
	}
	return out
}

func TestLogsOutliveTheServer(t *testing.T) {
	t.Parallel()
	l, reopen := openLogs(t, LogsConfig{})
	now := time.Now()
	for i := range 10 {
		l.append("g", fmt.Sprintf("s%d", i%2), now.Add(time.Duration(i)*time.Millisecond), fmt.Appendf(nil, "line %d", i))
	}
	l = reopen()
	l.append("g", "s0", now.Add(time.Second), []byte("later"))
	events, err := l.Get(t.Context(), LogQuery{Group: "g", Stream: "s0"})
	if err != nil || fmt.Sprint(texts(events)) != "[line 0 line 2 line 4 line 6 line 8 later]" {
		t.Errorf("%q %v", texts(events), err)
	}
	all, next, err := l.Filter(t.Context(), LogFilter{Group: "g"})
	if err != nil || next != nil || len(all) != 11 || all[3].Text != "line 3" || all[3].Stream != "s1" {
		t.Errorf("%+v %v %v", all, next, err)
	}
	for i := 1; i < len(all); i++ {
		if !all[i-1].Position.less(all[i].Position) {
			t.Errorf("positions %v, %v", all[i-1].Position, all[i].Position)
		}
	}
	groups, err := l.Groups(t.Context(), "", "")
	if err != nil || len(groups) != 1 || groups[0].StoredBytes != 10*(6+26)+5+26 {
		t.Errorf("%+v %v", groups, err)
	}
}

// A template may have the group of a function that has begun to write; nobody else
// can create it, nor can anybody create one that was declared.
func TestDeclareGroup(t *testing.T) {
	t.Parallel()
	l, reopen := openLogs(t, LogsConfig{})
	l.append("g", "s", time.Now(), []byte("line"))
	if err := l.CreateGroup(t.Context(), "g", nil); !errors.Is(err, ErrExists) {
		t.Errorf("create: %v", err)
	}
	l = reopen()
	if err := l.DeclareGroup(t.Context(), "g", map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	if err := l.DeclareGroup(t.Context(), "g", nil); !errors.Is(err, ErrExists) {
		t.Errorf("declare again: %v", err)
	}
	if err := l.DeclareGroup(t.Context(), "other", nil); err != nil {
		t.Error(err)
	}
	groups, err := l.Groups(t.Context(), "", "")
	if err != nil || len(groups) != 2 || groups[0].Tags["k"] != "v" || groups[0].StoredBytes == 0 {
		t.Errorf("%+v %v", groups, err)
	}
}

func TestGetPages(t *testing.T) {
	t.Parallel()
	l, _ := openLogs(t, LogsConfig{})
	base := time.Now().Truncate(time.Second)
	for i := range 25 {
		at := base.Add(time.Duration(i/2) * time.Millisecond) // two at a time
		l.append("g", "other", at, []byte("noise"))
		l.append("g", "s", at, fmt.Appendf(nil, "%d", i))
	}
	var forward, backward []string
	q := LogQuery{Group: "g", Stream: "s", Limit: 7}
	for {
		events, err := l.Get(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		forward = append(forward, texts(events)...)
		next := events[len(events)-1].Position.Next()
		q.After = &next
	}
	q = LogQuery{Group: "g", Stream: "s", Limit: 7, Newest: true}
	for {
		events, err := l.Get(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		backward = append(texts(events), backward...)
		q.Before = &events[0].Position
	}
	if len(forward) != 25 || !slices.Equal(forward, backward) {
		t.Errorf("forward %v\nbackward %v", forward, backward)
	}
	from, to := base.UnixMilli()+2, base.UnixMilli()+4
	if events, err := l.Get(t.Context(), LogQuery{Group: "g", Stream: "s", From: from, To: to}); err != nil || fmt.Sprint(texts(events)) != "[4 5 6 7]" {
		t.Errorf("%q %v", texts(events), err)
	}
}

func TestFilterPages(t *testing.T) {
	t.Parallel()
	l, _ := openLogs(t, LogsConfig{})
	base := time.Now()
	for i := range 100 {
		l.append("g", fmt.Sprintf("a%d", i%3), base.Add(time.Duration(i)*time.Millisecond), fmt.Appendf(nil, "n=%d", i))
	}
	var got []string
	f := LogFilter{Group: "g", Streams: []string{"a0", "a2"}, Pattern: "-5", Limit: 10}
	for {
		events, next, err := l.Filter(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, texts(events)...)
		if f.After = next; next == nil {
			break
		}
	}
	var want []string
	for i := range 100 {
		if text := fmt.Sprintf("n=%d", i); i%3 != 1 && !strings.Contains(text, "5") {
			want = append(want, text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	t.Parallel()
	const limit = 100 << 10
	l, reopen := openLogs(t, LogsConfig{GroupBytes: limit})
	base := time.Now()
	for i := range 5000 {
		l.append("g", fmt.Sprintf("s%d", i/1000), base.Add(time.Duration(i)*time.Millisecond), fmt.Appendf(nil, "%074d", i))
		if i%100 == 0 {
			if err := l.flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		groups, err := l.Groups(t.Context(), "g", "")
		if err != nil || groups[0].StoredBytes > limit || groups[0].StoredBytes < limit/2 {
			t.Errorf("%+v %v", groups, err)
		}
		events, _, err := l.Filter(t.Context(), LogFilter{Group: "g"})
		if err != nil || int64(len(events)) != groups[0].StoredBytes/100 || !strings.HasSuffix(events[len(events)-1].Text, "4999") {
			t.Errorf("%d events, %v", len(events), err)
		}
		streams, err := l.Streams(t.Context(), "g", "")
		if err != nil || len(streams) != 1 && len(streams) != 2 || streams[len(streams)-1].Name != "s4" {
			t.Errorf("%+v %v", streams, err)
		}
		l = reopen()
	}
}

func TestOldEventsGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _ := openLogs(t, LogsConfig{Retention: 2 * time.Hour})
		l.append("g", "old", time.Now(), []byte("first"))
		l.append("long", "old", time.Now(), []byte("first"))
		if err := l.flush(); err != nil {
			t.Fatal(err)
		}
		if err := l.SetRetention(t.Context(), "long", 1); err != nil {
			t.Fatal(err)
		}
		left := func(group, want string) {
			t.Helper()
			events, _, err := l.Filter(t.Context(), LogFilter{Group: group})
			if got := strings.Join(texts(events), " "); err != nil || got != want {
				t.Errorf("%s: %q %v", group, got, err)
			}
		}
		time.Sleep(90 * time.Minute)
		l.append("g", "new", time.Now(), []byte("second"))
		left("g", "first second")
		time.Sleep(90 * time.Minute)
		left("g", "second")
		if streams, _ := l.Streams(t.Context(), "g", ""); len(streams) != 1 || streams[0].Name != "new" {
			t.Errorf("%+v", streams)
		}
		left("long", "first")
		time.Sleep(22 * time.Hour)
		left("long", "")
	})
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _ := openLogs(t, LogsConfig{})
		var got []LogEvent
		var wg sync.WaitGroup
		wg.Go(func() {
			for e := range l.Follow(t.Context(), "g") {
				got = append(got, e)
			}
		})
		synctest.Wait()
		l.append("other", "s", time.Now(), []byte("not this"))
		for i := range 3 {
			l.append("g", "s", time.Now(), fmt.Appendf(nil, "%d", i))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if fmt.Sprint(texts(got)) != "[0 1 2]" {
			t.Errorf("got %q", texts(got))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		for range l.Follow(t.Context(), "g") {
			t.Error("an event after Close")
		}
	})
}

func TestSlowFollowerIsTold(t *testing.T) {
	t.Parallel()
	f := &follower{wake: make(chan struct{}, 1)}
	for i := range maxFollowing + 5 {
		f.add([]LogEvent{{Time: int64(i)}})
	}
	if events, _ := f.take(); len(events) != maxFollowing || events[0].Skipped != 5 || events[0].Time != 5 || events[1].Skipped != 0 {
		t.Errorf("%d events, %+v", len(events), events[0])
	}
}

// TestMuchOutputWaitsForTheDisk logs more than may wait.
func TestMuchOutputWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	l, _ := openLogs(t, LogsConfig{})
	line := []byte(strings.Repeat("x", 100<<10))
	var most int
	for range 500 {
		l.append("g", "s", time.Now(), line)
		l.mu.Lock()
		most = max(most, l.pending)
		l.mu.Unlock()
	}
	if most > maxPendingBytes+len(line)+eventOverhead {
		t.Errorf("%d bytes were waiting", most)
	}
	groups, err := l.Groups(t.Context(), "", "")
	if err != nil || groups[0].StoredBytes > defaultGroupBytes {
		t.Errorf("%+v %v", groups, err)
	}
}

// TestLogGroups runs the script of testdata/logs.
func TestLogGroups(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/logs", func(t *testing.T, path string) {
		l, _ := openLogs(t, LogsConfig{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := runLogs(t, l, d)
			if err != nil {
				return err.Error() + "\n"
			}
			return out
		})
	})
}

func runLogs(t *testing.T, l *Logs, d *datadriven.TestData) (string, error) {
	ctx := t.Context()
	arg := func(i int) string {
		if i < len(d.CmdArgs) {
			return d.CmdArgs[i].Key
		}
		return ""
	}
	switch d.Cmd {
	case "create-group":
		return "ok\n", l.CreateGroup(ctx, arg(0), nil)
	case "create-stream":
		return "ok\n", l.CreateStream(ctx, arg(0), arg(1))
	case "delete-group":
		return "ok\n", l.DeleteGroup(ctx, arg(0))
	case "delete-stream":
		return "ok\n", l.DeleteStream(ctx, arg(0), arg(1))
	case "put":
		var events []InputEvent
		for line := range strings.Lines(d.Input) {
			age, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			ago, err := time.ParseDuration(age)
			if err != nil {
				return "", err
			}
			events = append(events, InputEvent{Time: time.Now().Add(-ago).UnixMilli(), Text: text})
		}
		rejected, err := l.Put(ctx, arg(0), arg(1), events)
		return fmt.Sprintf("%+v\n", rejected), err
	case "get":
		events, err := l.Get(ctx, LogQuery{Group: arg(0), Stream: arg(1)})
		return strings.Join(append(texts(events), ""), "\n"), err
	case "filter":
		events, _, err := l.Filter(ctx, LogFilter{Group: arg(0), StreamPrefix: arg(1), Pattern: d.Input})
		return strings.Join(append(texts(events), ""), "\n"), err
	case "groups":
		groups, err := l.Groups(ctx, arg(0), arg(1))
		var b strings.Builder
		for _, g := range groups {
			fmt.Fprintf(&b, "%s %d bytes\n", g.Name, g.StoredBytes)
		}
		return b.String(), err
	case "streams":
		streams, err := l.Streams(ctx, arg(0), arg(1))
		var b strings.Builder
		for _, s := range streams {
			fmt.Fprintf(&b, "%s %v\n", s.Name, s.LastEvent > 0)
		}
		return b.String(), err
	}
	return "", fmt.Errorf("unknown command %s", d.Cmd)
}
