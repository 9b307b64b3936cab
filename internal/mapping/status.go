package mapping

import (
	"cmp"
	"slices"
	"time"
)

// Activity is what a lane does at the moment, and so why records wait.
type Activity string

// The activities.
const (
	Waiting   Activity = "waiting"   // for records
	Gathering Activity = "gathering" // a batch: its batching window is open
	Invoking  Activity = "invoking"  // the function
	Retrying  Activity = "retrying"  // pausing after a failure
	Throttled Activity = "throttled" // pausing as the function may not run now
	Done      Activity = "done"      // the shard is closed and processed
	Stopped   Activity = "stopped"   // the mapping is disabled or is being changed
)

// ShardStatus tells how a mapping stands in one shard or, where it processes
// several batches of a shard at a time, in one lane of it. The counts go from the
// start of processing.
type ShardStatus struct {
	Shard    string
	Lane     int // from 0
	Activity Activity
	Next     uint64 // position of the first record that is not processed
	Attempts int    // of the records in hand that failed
	Problem  string // why the last attempt failed, in one line; empty when it did not
	// Behind is how long ago the oldest record arrived that was read and is not
	// processed yet; 0 when there is none.
	Behind time.Duration

	Invocations  uint64
	Records      uint64 // handed to the function, again on every retry
	LastBatch    int    // records of the last invocation
	LastDuration time.Duration
	Busy         time.Duration // of all invocations
	Retries      uint64        // pauses after failures and throttles
	Conflicts    uint64        // invocations repeated because what they read had changed
	Discarded    uint64        // records given up
	Lost         uint64        // records that left the source first
	// Window is the open tumbling window, nil when there is none.
	Window *WindowStatus

	oldest int64 // arrival of that record, epoch milliseconds; 0 when there is none
}

// WindowStatus is an open tumbling window.
type WindowStatus struct {
	Start, End time.Time
	StateBytes int
}

func (s *ShardStatus) invoked(records int, d time.Duration) {
	s.Invocations++
	s.Records += uint64(records)
	s.LastBatch, s.LastDuration = records, d
	s.Busy += d
}

type laneID struct {
	shard string
	lane  int
}

// Status returns how a mapping stands in each shard that it reads or has read.
func (m *Mappings) Status(uuid string) ([]ShardStatus, error) {
	mp, err := m.get(uuid)
	if err != nil {
		return nil, err
	}
	mp.mu.Lock()
	defer mp.mu.Unlock()
	all := make([]ShardStatus, 0, len(mp.shards))
	for _, s := range mp.shards {
		if mp.run == nil && s.Activity != Done {
			s.Activity = Stopped
		}
		if s.oldest > 0 {
			s.Behind = since(s.oldest)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b ShardStatus) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Lane, b.Lane))
	})
	return all, nil
}

// since returns how long ago a record arrived, nothing when the clock was set back
// since then.
func since(arrival int64) time.Duration { return max(0, time.Since(time.UnixMilli(arrival))) }

// activity shows what the lane does from now on.
func (ln *lane) activity(a Activity) {
	ln.status.Activity = a
	ln.status.Window = nil
	if w := ln.window; w != nil {
		ln.status.Window = &WindowStatus{Start: time.Unix(w.start, 0).UTC(), End: time.Unix(w.end, 0).UTC(), StateBytes: len(w.state)}
	}
	mp := ln.run.mp
	mp.mu.Lock()
	defer mp.mu.Unlock()
	mp.shards[laneID{ln.status.Shard, ln.status.Lane}] = ln.status
}
