package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/store"
)

const (
	randomVisibility = 10 // seconds
	randomReceives   = 4  // then a message goes to the dead-letter queue
	randomMost       = 3  // batches at a time
)

// queueWorld is a queue, a mapping and a function that starts slowly, fails, reports
// and is throttled at random, and what is known of each message.
type queueWorld struct {
	queueStory

	random   *rand.Rand
	messages map[string]*sentMessage // by body
	groups   map[string]int          // how many invocations have messages of a group
}

type sentMessage struct {
	group string
	given int       // how often the function got it
	begun time.Time // when it did so last
	busy  bool      // it is in an invocation
	done  bool      // the function succeeded with it
}

// TestQueueAtRandom checks that whatever a function does, and when the server stops,
// each message ends processed or in the dead-letter queue, its receives are those in
// which the function got it, nobody gets it twice at a time or too early, and groups
// keep their order.
func TestQueueAtRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		for _, fifo := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", seed, fifo), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { queueAtRandom(t, rand.New(rand.NewPCG(seed, 2)), fifo) }) //nolint:gosec // a test
			})
		}
	}
}

func queueAtRandom(t *testing.T, random *rand.Rand, fifo bool) {
	w := &queueWorld{
		queueStory: queueStory{t: t, fs: vfs.NewCrashableMem(), name: "jobs"}, random: random,
		messages: map[string]*sentMessage{}, groups: map[string]int{},
	}
	w.openWorld()
	ctx, dead, attributes := t.Context(), "dead", map[string]string{"VisibilityTimeout": fmt.Sprint(randomVisibility)}
	spec := Spec{Function: "f", BatchSize: new(1 + random.IntN(10)), MaximumConcurrency: new(randomMost), ResponseTypes: &[]string{reportItemFailures}}
	if fifo {
		w.name, dead, attributes["FifoQueue"], attributes["ContentBasedDeduplication"] = "jobs.fifo", "dead.fifo", "true", "true"
	} else {
		spec.BatchingWindow = new(random.IntN(4) * 5)
	}
	_, err := w.queues.Create(ctx, dead, attributes, nil)
	attributes["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, catalog.DefaultIdentity.ARN("sqs", dead), randomReceives)
	_, err2 := w.queues.Create(ctx, w.name, attributes, nil)
	spec.SourceARN = catalog.DefaultIdentity.ARN("sqs", w.name)
	v, err3 := w.m.Create(ctx, spec)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	w.uuid = v.UUID
	for range 40 {
		w.step()
	}
	time.Sleep(2 * time.Hour)
	w.settled(dead)
	w.close()
}

func (w *queueWorld) openWorld() {
	var err, err2, err3 error
	w.db, err = store.Open("data", store.Options{FS: w.fs})
	w.queues, err2 = queue.Open(queue.Config{DB: w.db, Identity: catalog.DefaultIdentity})
	w.m, err3 = Open(Config{DB: w.db, Identity: catalog.DefaultIdentity, Queues: w, Sources: w, Invoker: w})
	if err := errors.Join(err, err2, err3); err != nil {
		w.t.Fatal(err)
	}
	w.m.Start()
}

func (w *queueWorld) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n)
}

func (w *queueWorld) step() {
	switch w.roll(20) {
	case 0:
		w.close()
		w.openWorld()
	case 1:
		if _, err := w.m.Update(w.t.Context(), w.uuid, Spec{BatchSize: new(1 + w.roll(10))}); err != nil && !errors.As(err, new(*Error)) {
			w.t.Error(err)
		}
	default:
		w.sendSome()
	}
	time.Sleep(time.Duration(w.roll(8000)) * time.Millisecond)
}

func (w *queueWorld) sendSome() {
	q, err := w.queues.Get(w.name)
	if err != nil {
		w.t.Fatal(err)
	}
	for range 1 + w.roll(5) {
		w.mu.Lock()
		body, group := fmt.Sprint(len(w.messages)), fmt.Sprint(w.random.IntN(3))
		w.messages[body] = &sentMessage{group: group}
		w.mu.Unlock()
		if _, err := q.Send(w.t.Context(), queue.Message{Body: body, Group: &group}); err != nil {
			w.t.Fatal(err)
		}
	}
}

type queueEvent struct {
	Records []struct {
		MessageID  string `json:"messageId"`
		Body       string
		Attributes struct {
			ApproximateReceiveCount int `json:",string"`
			SequenceNumber          string
		}
	}
}

// Invoke implements Invoker.
func (w *queueWorld) Invoke(ctx context.Context, _ string, payload []byte, begins func()) (Outcome, error) {
	var event queueEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		w.t.Error(err)
	}
	if w.roll(8) == 0 {
		return Outcome{}, ErrThrottled
	}
	if err := sleep(ctx, time.Duration(w.roll(2)*w.roll(60))*time.Second); err != nil {
		return Outcome{}, err
	}
	begins()
	w.begin(event)
	err := sleep(ctx, time.Duration(w.roll(1000*(randomVisibility-1)))*time.Millisecond)
	return w.end(event, err), err
}

// begin checks that the function may get the messages now.
func (w *queueWorld) begin(event queueEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running++
	if w.running > randomMost {
		w.t.Errorf("%d invocations at a time", w.running)
	}
	mine := map[string]bool{}
	for _, r := range event.Records {
		m := w.messages[r.Body]
		m.given++
		switch {
		case m.busy || m.done:
			w.t.Errorf("message %s again: %+v", r.Body, m)
		case m.given != r.Attributes.ApproximateReceiveCount:
			w.t.Errorf("message %s was received %d times and given %d times", r.Body, r.Attributes.ApproximateReceiveCount, m.given)
		case m.given > 1 && time.Since(m.begun) < randomVisibility*time.Second:
			w.t.Errorf("message %s again after %v", r.Body, time.Since(m.begun))
		case r.Attributes.SequenceNumber != "" && !mine[m.group] && w.groups[m.group] > 0:
			w.t.Errorf("group %s is processed twice at a time", m.group)
		case r.Attributes.SequenceNumber != "":
			w.inOrder(r.Body, m)
		}
		if !mine[m.group] {
			w.groups[m.group]++
		}
		mine[m.group], m.busy, m.begun = true, true, time.Now()
	}
}

// inOrder checks that those before a message of a group are in hand or done with.
func (w *queueWorld) inOrder(body string, m *sentMessage) {
	for other, o := range w.messages {
		before := len(other) < len(body) || len(other) == len(body) && other < body
		if before && o.group == m.group && !o.busy && !o.done && o.given < randomReceives {
			w.t.Errorf("message %s before %s", body, other)
		}
	}
}

// end decides how the function has done, unless it was cut off.
func (w *queueWorld) end(event queueEvent, cutOff error) Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	raised := cutOff == nil && w.random.IntN(6) == 0
	mine := map[string]bool{}
	failed := []map[string]string{}
	for _, r := range event.Records {
		m := w.messages[r.Body]
		m.busy = false
		if !mine[m.group] {
			mine[m.group] = true
			w.groups[m.group]--
		}
		if w.random.IntN(8) == 0 || len(failed) > 0 {
			failed = append(failed, map[string]string{"itemIdentifier": r.MessageID})
		} else {
			m.done = cutOff == nil && !raised
		}
	}
	if raised {
		return Outcome{FunctionError: "Unhandled"}
	}
	answer, _ := json.Marshal(map[string]any{"batchItemFailures": failed})
	return Outcome{Payload: answer}
}

// settled checks that each message is done with or in the dead-letter queue.
func (w *queueWorld) settled(dead string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	buried := 0
	for body, m := range w.messages {
		if m.done {
			continue
		}
		buried++
		if m.given != randomReceives {
			w.t.Errorf("message %s is not done: %+v", body, m)
		}
	}
	q, err := w.queues.Get(dead)
	if err != nil {
		w.t.Fatal(err)
	}
	if c := q.Counts(); c.Visible != buried || c.InFlight > 0 {
		w.t.Errorf("%d dead letters, want %d", c.Visible, buried)
	}
	if q, err = w.queues.Get(w.name); err != nil {
		w.t.Fatal(err)
	}
	if c := q.Counts(); c != (queue.Counts{}) {
		w.t.Errorf("left in the queue: %+v", c)
	}
}
