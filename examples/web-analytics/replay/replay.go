// Package replay plays recorded web events as if they happened now, and checks what
// comes out of the application that counts them.
//
// Time is shifted by whole hours, so that counters of shifted events are the shifted
// counters of the events, and so that the newest event is less than an hour old:
// metrics may not be older than two weeks.
package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// layout is how events and counters write times, in UTC.
const layout = "2006-01-02T15:04:05"

// Event is a recorded event.
type Event struct {
	// Name is the kind of event.
	Name string
	Time time.Time
	// Visitor tells visitors apart; it makes a partition key.
	Visitor string

	head, tail []byte // the line before and after its time
}

var timeField = []byte(`"utc_timestamp":"`)

// Read reads events, one JSON object per line.
func Read(lines []byte) ([]Event, error) {
	var list []Event
	number := 0
	for line := range bytes.Lines(lines) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		e, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("event in line %d: %w", number, err)
		}
		list = append(list, e)
	}
	return list, nil
}

func parse(line []byte) (Event, error) {
	var fields struct {
		Event   string `json:"event"`
		Time    string `json:"utc_timestamp"`
		Visitor string `json:"visitor"`
	}
	if err := json.Unmarshal(line, &fields); err != nil {
		return Event{}, err
	}
	t, err := time.Parse(layout, fields.Time)
	if err != nil {
		return Event{}, err
	}
	at := bytes.Index(line, timeField)
	if at < 0 {
		return Event{}, fmt.Errorf("no %s in %s", timeField, line)
	}
	at += len(timeField)
	return Event{Name: fields.Event, Time: t, Visitor: fields.Visitor, head: line[:at], tail: line[at+len(layout):]}, nil
}

// Data is the event as JSON, as if it had happened later by shift.
func (e Event) Data(shift time.Duration) []byte {
	data := make([]byte, 0, len(e.head)+len(layout)+len(e.tail))
	data = append(data, e.head...)
	data = e.Time.Add(shift).AppendFormat(data, layout)
	return append(data, e.tail...)
}

// Shift is the whole number of hours by which events move so that the newest one
// is less than an hour before now, and not after it.
func Shift(events []Event, now time.Time) time.Duration {
	var newest time.Time
	for _, e := range events {
		if e.Time.After(newest) {
			newest = e.Time
		}
	}
	shift := now.Sub(newest)
	hours := shift / time.Hour
	if shift < 0 && shift%time.Hour != 0 {
		hours-- // division of negative numbers rounds up
	}
	return hours * time.Hour
}

// Span is the time from the oldest to the newest event.
func Span(events []Event) time.Duration {
	if len(events) == 0 {
		return 0
	}
	oldest, newest := events[0].Time, events[0].Time
	for _, e := range events {
		if e.Time.Before(oldest) {
			oldest = e.Time
		}
		if e.Time.After(newest) {
			newest = e.Time
		}
	}
	return newest.Sub(oldest)
}

// Limits of a call of PutRecords that batches keep far below or at.
const (
	maxBatch      = 500
	maxBatchBytes = 1 << 20
)

// Record is what is put in the stream.
type Record struct {
	Data         []byte
	PartitionKey string
}

// Options say how Play plays.
type Options struct {
	Shift time.Duration
	// Speed is how many times faster than they happened events are played; 0 means
	// as fast as they are taken.
	Speed float64
	// Put takes a batch; it is called by one goroutine.
	Put func(context.Context, []Record) error
	// Progress, when set, is told how many events were put.
	Progress func(done int)
}

// Play puts the events in their order, each when its time has come, those that are
// due in batches. It stops when Put fails or ctx ends.
func Play(ctx context.Context, events []Event, opts Options) error {
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := schedule(events, opts.Speed)
	for done := 0; done < len(events); {
		if err := sleep(ctx, timer, due[done]-time.Since(began)); err != nil {
			return err
		}
		batch, size := []Record{}, 0
		passed := time.Since(began)
		for _, e := range events[done:min(done+maxBatch, len(events))] {
			if due[done+len(batch)] > passed || size > maxBatchBytes {
				break
			}
			r := Record{Data: e.Data(opts.Shift), PartitionKey: e.Visitor}
			size += len(r.Data)
			batch = append(batch, r)
		}
		if err := opts.Put(ctx, batch); err != nil {
			return fmt.Errorf("put events %d to %d: %w", done+1, done+len(batch), err)
		}
		done += len(batch)
		if opts.Progress != nil {
			opts.Progress(done)
		}
	}
	return nil
}

// schedule says for each event how long after the start it is due. Events that are
// out of order are due with the one before them.
func schedule(events []Event, speed float64) []time.Duration {
	due := make([]time.Duration, len(events))
	if speed <= 0 || len(events) == 0 {
		return due
	}
	first := events[0].Time
	for i, e := range events {
		due[i] = time.Duration(float64(e.Time.Sub(first)) / speed)
		if i > 0 {
			due[i] = max(due[i], due[i-1])
		}
	}
	return due
}

func sleep(ctx context.Context, timer *time.Timer, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer.Reset(d)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
