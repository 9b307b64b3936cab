package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	"github.com/weirstream/weir/internal/store"
)

// TestStories runs every file of testdata/stories in virtual time. The reader of
// a script stays out of the bubble: it watches commands that take long, which
// virtual hours would trip.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/stories/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			commands, answers := make(chan *datadriven.TestData), make(chan string)
			var reader sync.WaitGroup
			reader.Go(func() {
				defer close(commands)
				datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
					commands <- d
					return <-answers
				})
			})
			synctest.Test(t, func(t *testing.T) {
				s := &story{t: t, fs: vfs.NewCrashableMem(), handles: map[string]string{}}
				s.open()
				for d := range commands {
					answers <- s.run(d)
				}
				s.close()
			})
			reader.Wait()
		})
	}
}

type story struct {
	t       *testing.T
	fs      *vfs.MemFS
	db      *store.DB
	queues  *Queues
	handles map[string]string // by the names that the script gives: h1, h2 ...
}

func (s *story) open() {
	var err error
	if s.db, err = store.Open("data", store.Options{FS: s.fs}); err != nil {
		s.t.Fatal(err)
	}
	if s.queues, err = Open(Config{DB: s.db, Identity: catalog.DefaultIdentity}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) close() {
	if err := errors.Join(s.queues.Close(), s.db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// run performs a command: one line for each thing that it has to say.
func (s *story) run(d *datadriven.TestData) string {
	var b strings.Builder
	lines := strings.Split(d.Input, "\n")
	if d.Input == "" {
		lines = []string{""}
	}
	for _, line := range lines {
		answer, err := s.command(d.Cmd, strings.Fields(line))
		if err != nil {
			answer = err.Error() + "\n"
		}
		b.WriteString(answer)
	}
	if b.Len() == 0 {
		return "ok\n"
	}
	return b.String()
}

func (s *story) command(name string, args []string) (string, error) {
	words, settings := split(args)
	ctx := context.Background()
	switch name {
	case "create":
		_, err := s.queues.Create(ctx, words[0], settings, nil)
		return "", err
	case "restart":
		s.close()
		s.open()
		return "", nil
	case "power-failure": // the disk has only what was synced
		left := s.fs.CrashClone(vfs.CrashCloneCfg{})
		s.close()
		s.fs = left
		s.open()
		return "", nil
	case "sleep":
		d, err := time.ParseDuration(words[0])
		time.Sleep(d)
		synctest.Wait()
		return "", err
	case "delete", "show-for", "give-back", "begin", "hold":
		return s.onHandle(ctx, name, words)
	}
	q, err := s.queues.Get(words[0])
	if err != nil {
		return "", err
	}
	switch name {
	case "send":
		return s.send(ctx, q, words[1:], settings)
	case "receive", "poll":
		return s.receive(ctx, q, name == "poll", settings)
	case "count":
		c := q.Counts()
		return fmt.Sprintf("%d visible, %d in flight, %d delayed\n", c.Visible, c.InFlight, c.Delayed), nil
	case "set":
		return "", q.SetAttributes(ctx, settings)
	case "purge":
		return "", q.Purge(ctx)
	case "drop":
		return "", s.queues.Delete(ctx, q.Name())
	case "move":
		_, err := s.queues.StartMove(ctx, q.Definition().ARN, optional(settings, "to"), number32(settings, "rate"))
		return "", err
	case "moves":
		return s.moves(ctx, q)
	}
	return "", fmt.Errorf("no command %s", name)
}

// split tells words from settings, name=value.
func split(args []string) (words []string, settings map[string]string) {
	settings = map[string]string{}
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok {
			settings[name] = value
		} else {
			words = append(words, arg)
		}
	}
	return words, settings
}

func optional(settings map[string]string, name string) *string {
	if v, ok := settings[name]; ok {
		return &v
	}
	return nil
}

func number32(settings map[string]string, name string) *int {
	v, err := strconv.Atoi(settings[name])
	if err != nil {
		return nil
	}
	return &v
}

// send takes several messages, which are sent one by one unless batch is set.
func (s *story) send(ctx context.Context, q *Queue, bodies []string, settings map[string]string) (string, error) {
	var b strings.Builder
	var entries []Entry
	for _, body := range bodies {
		m := Message{Body: body, Delay: number32(settings, "delay"), Group: optional(settings, "group"), DeduplicationID: optional(settings, "id")}
		if _, ok := settings["batch"]; ok {
			entries = append(entries, Entry{ID: "e" + strconv.Itoa(len(entries)), Message: m})
			continue
		}
		sent, err := q.Send(ctx, m)
		if err != nil {
			return "", err
		}
		if sent.Sequence != "" {
			fmt.Fprintf(&b, "%s %s\n", body, sent.Sequence)
		}
	}
	if entries == nil {
		return b.String(), nil
	}
	results, err := q.SendBatch(ctx, entries)
	for _, r := range results {
		if r.Err != nil {
			fmt.Fprintf(&b, "%s: %v\n", r.ID, r.Err)
		}
	}
	return b.String(), err
}

func (s *story) receive(ctx context.Context, q *Queue, poll bool, settings map[string]string) (string, error) {
	most := number32(settings, "max")
	began := time.Now()
	var got []Received
	var err error
	if poll {
		got, err = q.Poll(ctx, *most, 0, time.Duration(*number32(settings, "for"))*time.Second)
	} else {
		got, err = q.Receive(ctx, ReceiveRequest{
			Max: most, Visibility: number32(settings, "for"), Wait: number32(settings, "wait"), AttemptID: optional(settings, "attempt"),
		})
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if waited := time.Since(began); waited > 0 {
		fmt.Fprintf(&b, "after %s\n", waited.Round(time.Millisecond))
	}
	if len(got) == 0 {
		b.WriteString("nothing\n")
	}
	for _, r := range got {
		name := "h" + strconv.Itoa(len(s.handles)+1)
		s.handles[name] = q.Name() + " " + r.Handle
		fmt.Fprintf(&b, "%s %s count=%d", name, r.Body, r.Receives)
		if r.Group != "" {
			fmt.Fprintf(&b, " group=%s", r.Group)
		}
		if r.Origin != "" {
			fmt.Fprintf(&b, " from=%s", r.Origin[strings.LastIndexByte(r.Origin, ':')+1:])
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func (s *story) onHandle(ctx context.Context, name string, words []string) (string, error) {
	handle, ok := s.handles[words[0]]
	if !ok {
		handle = "jobs " + words[0]
	}
	queueName, handle, _ := strings.Cut(handle, " ")
	q, err := s.queues.Get(queueName)
	if err != nil {
		return "", err
	}
	seconds := 0
	if len(words) > 1 {
		if seconds, err = strconv.Atoi(words[1]); err != nil {
			return "", err
		}
	}
	switch name {
	case "delete":
		err = q.Delete(ctx, handle)
	case "begin":
		err = q.Begin([]string{handle})
	case "hold":
		return fmt.Sprintln(q.Hold([]string{handle}, time.Duration(seconds)*time.Second)), nil
	case "show-for":
		err = q.ChangeVisibility(ctx, handle, seconds)
	default:
		err = q.GiveBack([]string{handle}, time.Duration(seconds)*time.Second)
	}
	if err != nil {
		return strings.ReplaceAll(err.Error(), handle, "HANDLE") + "\n", nil
	}
	return "", nil
}

func (s *story) moves(ctx context.Context, q *Queue) (string, error) {
	tasks, err := s.queues.Moves(ctx, q.Definition().ARN, maxTasks)
	var b strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&b, "%s %d of %d %s\n", t.Status, t.Moved, t.ToMove, t.Failure)
	}
	return b.String(), err
}

// What a queue shows after a restart is what it showed before.
func TestAttributesSurviveRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &story{t: t, fs: vfs.NewMem()}
		s.open()
		ctx := t.Context()
		q, err := s.queues.Create(ctx, "a.fifo", map[string]string{
			"FifoQueue": "true", "DeduplicationScope": "messageGroup", "Policy": `{"Statement":[]}`, "RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`,
		}, map[string]string{"k": "v"})
		if err != nil {
			t.Fatal(err)
		}
		before, err := q.Attributes(ctx, []string{"All"})
		if err != nil {
			t.Fatal(err)
		}
		s.close()
		s.open()
		if q, err = s.queues.Get("a.fifo"); err != nil {
			t.Fatal(err)
		}
		after, err := q.Attributes(ctx, []string{"All"})
		if err != nil || !maps.Equal(before, after) || q.Definition().Tags["k"] != "v" {
			t.Errorf("%v\n%v\n%v", before, after, err)
		}
		if names := slices.Sorted(maps.Keys(after)); len(names) != 18 {
			t.Errorf("%d attributes: %v", len(names), names)
		}
		s.close()
	})
}
