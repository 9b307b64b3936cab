package notify

import (
	"context"
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
	"github.com/weirstream/weir/internal/meter"
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
			identity := testIdentity()
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t, identity)
				for d := range commands {
					answers <- s.named(s.run(d))
				}
			})
			reader.Wait()
		})
	}
}

type story struct {
	t       *testing.T
	fs      vfs.FS
	network *network
	web     *subscriber // at http://sub.example
	post    *postOffice // at mail.example:25
	invoker *invoker
	smtp    string
	meter   *meter.Meter

	db     *store.DB
	topics *Topics
	names  map[string]string // of ids and tokens
	kinds  map[string]int    // how many names of each kind there are
}

// invoker keeps the events of functions.
type invoker struct {
	mu     sync.Mutex
	fail   []error
	events []string
}

func (i *invoker) InvokeAsync(_ context.Context, functionARN string, event []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.fail) > 0 {
		err := i.fail[0]
		i.fail = i.fail[1:]
		return err
	}
	i.events = append(i.events, fmt.Sprintf("%s %s %s\n", time.Now().UTC().Format("15:04:05"), functionARN, event))
	return nil
}

// SendToQueue fails as functions do.
func (i *invoker) SendToQueue(_ context.Context, queueARN string, m Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.fail) > 0 {
		err := i.fail[0]
		i.fail = i.fail[1:]
		return err
	}
	var more string
	if m.Group != "" || m.Trace != "" {
		more = fmt.Sprintf(" group %q, trace %q", m.Group, m.Trace)
	}
	i.events = append(i.events, fmt.Sprintf("%s %s %v%s\n%s\n", time.Now().UTC().Format("15:04:05"), queueARN, m.Attributes, more, m.Body))
	return nil
}

// testIdentity is the signing key of all stories: making one takes long.
var testIdentity = sync.OnceValue(func() []byte {
	doc, err := newIdentity()
	if err != nil {
		panic(err)
	}
	return doc
})

func newStory(t *testing.T, identity []byte) *story {
	n := newNetwork()
	s := &story{
		t: t, fs: vfs.NewMem(), network: n, names: map[string]string{}, kinds: map[string]int{}, invoker: &invoker{}, meter: meter.New(),
		web: newSubscriber(n, "sub.example:80"), post: newPostOffice(n, "mail.example:25"),
	}
	s.open()
	tx := s.db.Begin()
	tx.Set(append(store.Key(store.DomainNotify, 1), whatIdentity), identity)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.close()
		s.post.close()
		if err := s.web.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *story) open() {
	var err error
	if s.db, err = store.Open("data", store.Options{FS: s.fs}); err != nil {
		s.t.Fatal(err)
	}
	s.topics, err = Open(Config{
		DB: s.db, Identity: catalog.DefaultIdentity, Endpoint: "http://127.0.0.1:4566/",
		Invoker: s.invoker, Queues: s.invoker, SMTP: s.smtp, Dial: s.network.dial, Meter: s.meter,
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) close() {
	if err := errors.Join(s.topics.Close(), s.db.Close()); err != nil {
		s.t.Error(err)
	}
}

var randomText = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{192}|SimpleNotificationService-[0-9a-f]{32}`)

// named replaces what is random by names in the order of appearance.
func (s *story) named(text string) string {
	text = randomText.ReplaceAllStringFunc(text, func(random string) string {
		kind := "id"
		switch {
		case len(random) == 2*tokenBytes:
			kind = "token"
		case random[0] == 'S':
			return "<cert>"
		}
		if s.names[random] == "" {
			s.kinds[kind]++
			s.names[random] = fmt.Sprintf("<%s%d>", kind, s.kinds[kind])
		}
		return s.names[random]
	})
	return text
}

// unnamed is the inverse of named.
func (s *story) unnamed(text string) string {
	for random, name := range s.names {
		text = strings.ReplaceAll(text, name, random)
	}
	return text
}

func (s *story) arg(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return s.unnamed(strings.Join(a.Vals, ","))
		}
	}
	return ""
}

func (s *story) topicARN(d *datadriven.TestData) string {
	name := s.arg(d, "topic")
	if name == "" {
		name = "ops"
	}
	if strings.Contains(name, ":") || strings.HasPrefix(name, "bad") {
		return name
	}
	return catalog.DefaultIdentity.ARN("sns", name)
}

func (s *story) attributes(d *datadriven.TestData) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(d.Input) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			all[name] = value
		}
	}
	return all
}

func showError(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s: %s\n", e.Code, e.Message)
	}
	return fmt.Sprintf("failed: %v\n", err)
}

func (s *story) run(d *datadriven.TestData) string {
	out, err := s.call(d)
	if err != nil {
		return showError(err)
	}
	synctest.Wait()
	return out
}

func (s *story) call(d *datadriven.TestData) (string, error) {
	ctx := s.t.Context()
	switch d.Cmd {
	case "topic":
		return "", second(s.topics.CreateTopic(ctx, s.arg(d, "name"), s.attributes(d), nil))
	case "topics":
		return strings.Join(s.topics.Topics(), "\n"), nil
	case "delete-topic":
		return "", s.topics.DeleteTopic(ctx, s.topicARN(d))
	case "topic-attributes":
		return showMap(s.topics.TopicAttributes(ctx, s.topicARN(d)))
	case "set-topic":
		return "", s.topics.SetTopicAttribute(ctx, s.topicARN(d), s.arg(d, "name"), strings.TrimSpace(d.Input))
	case "policy":
		all, err := s.topics.TopicAttributes(ctx, s.topicARN(d))
		return all[attributePolicy], err
	case "permit":
		list := func(key string) []string { return strings.Split(s.arg(d, key), ",") }
		return "", s.topics.AddPermission(ctx, s.topicARN(d), s.arg(d, "label"), list("accounts"), list("actions"))
	case "revoke":
		return "", s.topics.RemovePermission(ctx, s.topicARN(d), s.arg(d, "label"))
	case "subscribe":
		return s.topics.Subscribe(ctx, SubscribeRequest{
			TopicARN: s.topicARN(d), Protocol: s.arg(d, "protocol"), Endpoint: s.arg(d, "endpoint"),
			Attributes: s.attributes(d), ReturnARN: d.HasArg("arn"),
		})
	case "confirm":
		return s.topics.Confirm(ctx, s.topicARN(d), s.arg(d, "token"), d.HasArg("signed"), d.HasArg("protect"))
	case "unsubscribe":
		return "", s.topics.Unsubscribe(ctx, s.arg(d, "arn"), d.HasArg("signed"))
	case "subscriptions":
		return s.subscriptions(ctx, d)
	case "attributes":
		return showMap(s.topics.SubscriptionAttributes(ctx, s.arg(d, "arn")))
	case "set":
		return "", s.topics.SetSubscriptionAttributes(ctx, s.arg(d, "arn"), map[string]string{s.arg(d, "name"): strings.TrimSpace(d.Input)})
	case "publish":
		return s.publish(ctx, d)
	case "batch":
		return s.batch(ctx, d)
	default:
		return s.world(d)
	}
}

// world runs the commands that are not of the package under test.
func (s *story) world(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "statuses":
		s.web.mu.Lock()
		defer s.web.mu.Unlock()
		for _, a := range d.CmdArgs {
			status, err := strconv.Atoi(a.Key)
			if err != nil {
				return "", err
			}
			s.web.statuses = append(s.web.statuses, status)
		}
	case "requests":
		return s.requests(), nil
	case "events":
		s.invoker.mu.Lock()
		defer s.invoker.mu.Unlock()
		if d.HasArg("sorted") { // subscribers do not wait for each other
			slices.Sort(s.invoker.events)
		}
		events := strings.Join(s.invoker.events, "")
		s.invoker.events = nil
		return signatures.ReplaceAllString(events, `"Signature":"..."`), nil
	case "fail-function":
		s.invoker.mu.Lock()
		defer s.invoker.mu.Unlock()
		for _, a := range d.CmdArgs {
			err := errors.New("busy")
			if a.Key == "gone" {
				err = fmt.Errorf("no such function: %w", ErrUndeliverable)
			}
			s.invoker.fail = append(s.invoker.fail, err)
		}
	case "refuse":
		s.post.mu.Lock()
		defer s.post.mu.Unlock()
		for line := range strings.Lines(d.Input) {
			s.post.refuse = append(s.post.refuse, strings.TrimSpace(line))
		}
	case "letters":
		return s.letters(d), nil
	case "mails":
		return s.mails(d)
	case "filtered":
		return s.filtered(), nil
	case "smtp":
		s.smtp = s.arg(d, "server")
		s.close()
		s.open()
	case "restart":
		s.close()
		s.open()
	case "sleep":
		delay, err := time.ParseDuration(d.CmdArgs[0].Key)
		time.Sleep(delay)
		return "", err
	default:
		return "", fmt.Errorf("unknown command %s", d.Cmd)
	}
	return "", nil
}

// filtered returns how many notifications filters held back, by reason.
func (s *story) filtered() string {
	var lines []string
	s.meter.Each(func(series *meter.Series) {
		if reason, ok := strings.CutPrefix(series.Name, filteredOut); ok {
			_, sum, _ := series.Totals()
			lines = append(lines, fmt.Sprintf("all%s %v\n", reason, sum))
		}
	})
	slices.Sort(lines)
	return strings.Join(lines, "")
}

var signatures = regexp.MustCompile(`"Signature" ?: ?"[^"]*"`)

func second(_ string, err error) error { return err }

func showMap(m map[string]string, err error) (string, error) {
	var b strings.Builder
	for name, value := range m {
		if name != "Policy" {
			fmt.Fprintf(&b, "%s=%s\n", name, value)
		}
	}
	lines := strings.SplitAfter(b.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, ""), err
}

func (s *story) subscriptions(ctx context.Context, d *datadriven.TestData) (string, error) {
	topic := ""
	if d.HasArg("topic") {
		topic = s.topicARN(d)
	}
	subs, err := s.topics.Subscriptions(ctx, topic)
	var lines []string
	for _, sub := range subs {
		lines = append(lines, fmt.Sprintf("%s %s %s\n", sub.Protocol, sub.Endpoint, sub.ListedARN()))
	}
	slices.Sort(lines)
	return strings.Join(lines, ""), err
}

// publish takes the body as input, and attributes as name:type:value.
func (s *story) publish(ctx context.Context, d *datadriven.TestData) (string, error) {
	m := Message{
		Subject: strings.ReplaceAll(s.arg(d, "subject"), "_", " "), Body: strings.TrimSuffix(d.Input, "\n"),
		Group: s.arg(d, "group"), Trace: s.arg(d, "trace"),
	}
	if n := s.arg(d, "size"); n != "" {
		size, err := strconv.Atoi(n)
		if err != nil {
			return "", err
		}
		m.Body = strings.Repeat("x", size)
	}
	if d.HasArg("json") {
		var err error
		if m.Body, m.Bodies, err = ParseStructure(m.Body); err != nil {
			return "", err
		}
	}
	if text := s.arg(d, "attributes"); text != "" {
		m.Attributes = map[string]Attribute{}
		for _, part := range strings.Split(text, ",") {
			f := strings.SplitN(part, ":", 3)
			a := Attribute{Type: f[1], String: f[2]}
			if f[1] == "Binary" {
				a = Attribute{Type: f[1], Binary: []byte(f[2])}
			}
			m.Attributes[f[0]] = a
		}
	}
	return s.topics.Publish(ctx, s.topicARN(d), m)
}

// batch takes an entry a line: id body.
func (s *story) batch(ctx context.Context, d *datadriven.TestData) (string, error) {
	var entries []Entry
	for line := range strings.Lines(d.Input) {
		id, body, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if id == "long" {
			id = strings.Repeat("x", 81)
		}
		entries = append(entries, Entry{ID: id, Message: Message{Body: body}})
	}
	ids, err := s.topics.PublishBatch(ctx, s.topicARN(d), entries)
	var b strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&b, "%s %s\n", entries[i].ID, id)
	}
	return b.String(), err
}
