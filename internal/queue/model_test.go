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
// the front, and in a FIFO queue the groups that can be received, in turn.
type model struct {
	fifo     bool
	messages []*modelMessage
	turns    []string
}

type modelMessage struct {
	body, group string
	visible     time.Time
	receives    int
	handle      string // of the last receive
}

// settle lets the groups queue up whose first message has become visible.
func (m *model) settle() {
	var heads []*modelMessage
	seen := map[string]bool{}
	for _, msg := range m.messages {
		if !seen[msg.group] && !msg.visible.After(time.Now()) && !slices.Contains(m.turns, msg.group) {
			heads = append(heads, msg)
		}
		seen[msg.group] = true
	}
	slices.SortStableFunc(heads, func(a, b *modelMessage) int { return a.visible.Compare(b.visible) })
	for _, head := range heads {
		m.turns = append(m.turns, head.group)
	}
}

// candidates are the visible messages in the order in which they are handed out.
func (m *model) candidates() (all []*modelMessage) {
	m.settle()
	visible := func(group string) (part []*modelMessage) {
		for _, msg := range m.messages {
			switch {
			case m.fifo && msg.group != group:
			case !msg.visible.After(time.Now()):
				part = append(part, msg)
			case m.fifo:
				return part
			}
		}
		return part
	}
	if !m.fifo {
		return visible("")
	}
	for _, group := range m.turns {
		all = append(all, visible(group)...)
	}
	return all
}

func (m *model) receive(most int, hide time.Duration) []*modelMessage {
	got := m.candidates()
	got = got[:min(most, len(got))]
	for _, g := range got {
		g.receives++
		g.visible = time.Now().Add(hide)
		m.turns = slices.DeleteFunc(m.turns, func(group string) bool { return group == g.group })
	}
	return got
}

// restart forgets whose turn it is: groups queue up by their first messages.
func (m *model) restart() {
	m.turns = nil
	for _, msg := range m.messages {
		if m.fifo && !slices.Contains(m.turns, msg.group) {
			m.turns = append(m.turns, msg.group)
		}
	}
	m.turns = slices.DeleteFunc(m.turns, func(group string) bool {
		head := slices.IndexFunc(m.messages, func(msg *modelMessage) bool { return msg.group == group })
		return m.messages[head].visible.After(time.Now())
	})
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
			m.settle()
			m.messages = append(m.messages, msg)
			m.settle()
		case 2, 3, 4:
			receiveBoth(t, q, m, 1+random.IntN(10), random.IntN(30), step)
		case 5:
			m.settle()
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
				m.settle()
			}
		case 6:
			time.Sleep(time.Duration(random.IntN(15)) * time.Second)
		case 7:
			if random.IntN(10) == 0 {
				s.close()
				s.open()
				m.restart()
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
