package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// model is a queue as simple as can be: a list of messages, looked through from
// the front.
type model struct {
	fifo     bool
	messages []*modelMessage
}

type modelMessage struct {
	body, group string
	visible     time.Time
	receives    int
	handle      string // of the last receive
}

func (m *model) receive(most int, hide time.Duration) (got []*modelMessage) {
	now := time.Now()
	taken := map[*modelMessage]bool{}
	blocked := map[string]bool{}
	for i, first := range m.messages {
		if len(got) == most {
			break
		}
		if taken[first] || m.fifo && blocked[first.group] {
			continue
		}
		if first.visible.After(now) {
			blocked[first.group] = true
			continue
		}
		got, taken[first] = append(got, first), true
		if !m.fifo {
			continue
		}
		blocked[first.group] = true
		for _, next := range m.messages[i+1:] {
			if next.group != first.group || len(got) == most {
				continue
			}
			if next.visible.After(now) {
				break
			}
			got, taken[next] = append(got, next), true
		}
	}
	for _, g := range got {
		g.receives++
		g.visible = now.Add(hide)
	}
	return got
}

func (m *model) remove(msg *modelMessage) {
	m.messages = slices.DeleteFunc(m.messages, func(o *modelMessage) bool { return o == msg })
}

func (m *model) inFlight() (all []*modelMessage) {
	for _, msg := range m.messages {
		if msg.receives > 0 && msg.visible.After(time.Now()) {
			all = append(all, msg)
		}
	}
	return all
}

// Queues do what the model does, whatever happens in whatever order, also across
// restarts.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		for _, fifo := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", seed, fifo), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { againstModel(t, rand.New(rand.NewPCG(seed, 1)), fifo) }) //nolint:gosec // a test
			})
		}
	}
}

func againstModel(t *testing.T, random *rand.Rand, fifo bool) {
	s := &story{t: t, fs: vfs.NewMem()}
	s.open()
	name, attributes := "q", map[string]string{}
	if fifo {
		name, attributes = "q.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	}
	q, err := s.queues.Create(t.Context(), name, attributes, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{fifo: fifo}
	for step := range 300 {
		switch random.IntN(8) {
		case 0, 1:
			msg := &modelMessage{body: fmt.Sprint(step), group: fmt.Sprint(random.IntN(3)), visible: time.Now()}
			send := Message{Body: msg.body, Group: &msg.group}
			if !fifo && random.IntN(3) == 0 {
				send.Delay = new(random.IntN(20))
				msg.visible = msg.visible.Add(time.Duration(*send.Delay) * time.Second)
			}
			if _, err := q.Send(t.Context(), send); err != nil {
				t.Fatal(err)
			}
			m.messages = append(m.messages, msg)
		case 2, 3, 4:
			receiveBoth(t, q, m, 1+random.IntN(10), random.IntN(30), step)
		case 5:
			if flying := m.inFlight(); len(flying) > 0 {
				msg := flying[random.IntN(len(flying))]
				if random.IntN(2) == 0 {
					m.remove(msg)
					err = q.Delete(t.Context(), msg.handle)
				} else {
					seconds := random.IntN(3) * 10
					msg.visible = time.Now().Add(time.Duration(seconds) * time.Second)
					err = q.ChangeVisibility(t.Context(), msg.handle, seconds)
				}
				if err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
			}
		case 6:
			time.Sleep(time.Duration(random.IntN(15)) * time.Second)
		case 7:
			if random.IntN(10) == 0 {
				s.close()
				s.open()
				if q, err = s.queues.Get(name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	s.close()
}

func receiveBoth(t *testing.T, q *Queue, m *model, most, hide, step int) {
	t.Helper()
	got, err := q.Receive(t.Context(), ReceiveRequest{Max: &most, Visibility: &hide})
	if err != nil {
		t.Fatal(err)
	}
	want := m.receive(most, time.Duration(hide)*time.Second)
	if len(got) != len(want) {
		t.Fatalf("step %d: %d messages, want %d", step, len(got), len(want))
	}
	for i, w := range want {
		if got[i].Body != w.body || got[i].Receives != w.receives {
			t.Fatalf("step %d: message %d is %s, received %d times; want %s, %d times", step, i, got[i].Body, got[i].Receives, w.body, w.receives)
		}
		w.handle = got[i].Handle
	}
}
