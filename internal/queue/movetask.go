package queue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// The states of a move task.
const (
	TaskRunning    = "RUNNING"
	TaskCompleted  = "COMPLETED"
	TaskCancelling = "CANCELLING"
	TaskCancelled  = "CANCELLED"
	TaskFailed     = "FAILED"
)

// Task is what is known of a move task: messages of a dead-letter queue on their
// way back. Tasks are not kept across restarts, which end them; what they have not
// moved is still in the dead-letter queue.
type Task struct {
	Handle      string // "" once it has ended
	Source      string // ARN
	Destination string // ARN, "" for the queues that messages came from
	Rate        int    // messages a second, 0 for as many as possible
	Started     time.Time
	Status      string
	Failure     string // why it failed
	Moved       int
	ToMove      int // messages that were there when it began
}

const (
	maxTasks     = 10 // that are remembered for each source
	maxMoveRate  = 500
	moveAtOnce   = 10
	noSource     = "The resource that you specified for the SourceArn parameter doesn't exist."
	noTarget     = "The resource that you specified for the DestinationArn parameter doesn't exist."
	noMoreOrigin = "CouldNotDetermineMessageSource"
)

// tasks are the move tasks by source ARN, the newest first.
type tasks struct {
	mu       sync.Mutex
	bySource map[string][]*task
	closed   bool
}

type task struct {
	Task
	id   string
	stop context.CancelFunc
}

func (ts *tasks) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for _, list := range ts.bySource {
		for _, t := range list {
			t.stop()
		}
	}
}

// StartMove begins to move the messages of a dead-letter queue to a queue, or back
// to where each came from if destination is nil.
func (qs *Queues) StartMove(ctx context.Context, source string, destination *string, rate *int) (Task, error) {
	if err := ctx.Err(); err != nil {
		return Task{}, err
	}
	q, err := qs.ByARN(source)
	if err != nil {
		return Task{}, errorf(ResourceNotFound, noSource)
	}
	if len(q.Sources()) == 0 {
		return Task{}, errorf(InvalidValue, "Source queue must be configured as a Dead Letter Queue.")
	}
	if rate != nil && (*rate < 1 || *rate > maxMoveRate) {
		return Task{}, invalid("MaxNumberOfMessagesPerSecond", *rate, "Must be between 1 and 500, if provided.")
	}
	t := &task{id: uuid.NewString(), Task: Task{
		Source: source, Rate: or(rate, 0), Started: time.Now(), Status: TaskRunning, ToMove: q.Counts().Visible,
	}}
	if destination != nil {
		if _, err := qs.ByARN(*destination); err != nil {
			return Task{}, errorf(ResourceNotFound, noTarget)
		}
		t.Destination = *destination
	}
	t.Handle = taskHandle(t.id, source)
	begun := t.Task
	return begun, qs.run(q, t)
}

func (qs *Queues) run(q *Queue, t *task) error {
	ts := &qs.tasks
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closed {
		return context.Canceled
	}
	list := ts.bySource[t.Source]
	if len(list) > 0 && (list[0].Status == TaskRunning || list[0].Status == TaskCancelling) {
		return errorf(InvalidValue, "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	if ts.bySource == nil {
		ts.bySource = map[string][]*task{}
	}
	ts.bySource[t.Source] = slices.Insert(list, 0, t)[:min(len(list)+1, maxTasks)]
	var moving context.Context
	moving, t.stop = context.WithCancel(context.Background())
	qs.done.Go(func() {
		defer t.stop()
		err := qs.moveAll(moving, q, t)
		ts.mu.Lock()
		defer ts.mu.Unlock()
		t.Handle = ""
		switch {
		case moving.Err() != nil:
			t.Status = TaskCancelled
		case err != nil:
			t.Status, t.Failure = TaskFailed, err.Error()
		default:
			t.Status = TaskCompleted
		}
	})
	return nil
}

// moveAll moves what is visible until nothing is left.
func (qs *Queues) moveAll(ctx context.Context, q *Queue, t *task) error {
	atOnce := moveAtOnce
	if t.Rate > 0 {
		atOnce = min(atOnce, t.Rate)
	}
	for {
		began := time.Now()
		n, err := q.moveSome(atOnce, t.Destination)
		qs.tasks.mu.Lock()
		t.Moved += n
		qs.tasks.mu.Unlock()
		if err != nil || n == 0 {
			return err
		}
		pause := time.Duration(0)
		if t.Rate > 0 {
			pause = time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(t.Rate)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// moveSome moves up to most messages and returns how many it has moved.
func (q *Queue) moveSome(most int, destination string) (moved int, err error) {
	s := q.state
	s.mu.Lock()
	if s.removed {
		s.mu.Unlock()
		return 0, notFound()
	}
	s.advance(nowMillis())
	entries := s.take(most)
	for _, e := range entries {
		e.place = leaving
	}
	s.mu.Unlock()
	for _, e := range entries {
		if err == nil {
			if err = q.moveOne(e, destination); err == nil {
				moved++
				continue
			}
		}
		s.mu.Lock()
		if e.place == leaving {
			s.show(e)
		}
		s.mu.Unlock()
	}
	return moved, err
}

func (q *Queue) moveOne(e *entry, destination string) error {
	if destination == "" {
		m, ok, err := q.fetch(e.number)
		if err != nil {
			return err
		}
		if destination = m.Origin; ok && destination == "" {
			return errors.New(noMoreOrigin)
		}
	}
	target, err := q.queues.ByARN(destination)
	if err != nil {
		return fmt.Errorf("AWS.SimpleQueueService.NonExistentQueue: %w", err)
	}
	return q.move([]*entry{e}, target, func(m *stored, _ *entry) {
		// To the destination it is a new message.
		m.ID, m.Sent = uuid.New(), nowMillis()
		m.Receives, m.FirstTime, m.VisibleFrom, m.Origin = 0, 0, 0, ""
	})
}

// Moves returns the newest move tasks of a source, the newest first.
func (qs *Queues) Moves(ctx context.Context, source string, most int) ([]Task, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := qs.ByARN(source); err != nil {
		return nil, errorf(ResourceNotFound, noSource)
	}
	qs.tasks.mu.Lock()
	defer qs.tasks.mu.Unlock()
	var out []Task
	for _, t := range qs.tasks.bySource[source] {
		if len(out) < most {
			out = append(out, t.Task)
		}
	}
	return out, nil
}

// CancelMove stops a move task and returns how many messages it has moved.
func (qs *Queues) CancelMove(ctx context.Context, handle string) (moved int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	id, source, ok := parseTaskHandle(handle)
	if !ok {
		return 0, errorf(InvalidValue, "Value for parameter TaskHandle is invalid.")
	}
	if _, err := qs.ByARN(source); err != nil {
		return 0, errorf(ResourceNotFound, noSource)
	}
	qs.tasks.mu.Lock()
	defer qs.tasks.mu.Unlock()
	for _, t := range qs.tasks.bySource[source] {
		if t.id == id && t.Status == TaskRunning {
			t.Status = TaskCancelling
			t.stop()
			return t.Moved, nil
		}
	}
	return 0, errorf(ResourceNotFound, "Task does not exist.")
}

type taskName struct {
	ID     string `json:"taskId"`
	Source string `json:"sourceArn"`
}

func taskHandle(id, source string) string {
	b, _ := json.Marshal(taskName{id, source}) //nolint:errchkjson // strings
	return base64.StdEncoding.EncodeToString(b)
}

func parseTaskHandle(text string) (id, source string, ok bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	var name taskName
	if err != nil || json.Unmarshal(b, &name) != nil || name.ID == "" || name.Source == "" {
		return "", "", false
	}
	return name.ID, name.Source, true
}
