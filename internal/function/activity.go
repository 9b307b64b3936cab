package function

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// recentDurations is how many invocations the percentiles of an Activity cover.
const recentDurations = 512

// Activity is what a function has been doing since the start of the process.
type Activity struct {
	Invocations, Errors, Throttles float64
	// P50 and P99 are of the last recentDurations durations, in milliseconds; 0
	// before the first.
	P50, P99    float64
	InFlight    int
	LastFailure *Failure
}

// Failure is an invocation that ended with a function error.
type Failure struct {
	Time      time.Time
	RequestID string
	Message   string
}

// recent keeps the last durations and the last failure of one function.
type recent struct {
	mu        sync.Mutex
	durations []float64 // a ring once it is full
	next      int
	failure   *Failure
}

func (r *recent) note(o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.durations) < recentDurations {
		r.durations = append(r.durations, milliseconds(o.duration))
	} else {
		r.durations[r.next] = milliseconds(o.duration)
		r.next = (r.next + 1) % recentDurations
	}
	if o.failed {
		r.failure = &Failure{Time: time.Now(), RequestID: o.requestID, Message: failureMessage(o.payload)}
	}
}

// failureMessage takes the message out of the document that describes an error.
func failureMessage(payload []byte) string {
	var doc struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(payload, &doc) != nil || doc.ErrorMessage == "" {
		return string(payload[:min(len(payload), 200)])
	}
	if doc.ErrorType == "" {
		return doc.ErrorMessage
	}
	return doc.ErrorType + ": " + doc.ErrorMessage
}

func (r *recent) percentiles() (p50, p99 float64) {
	r.mu.Lock()
	sorted := slices.Clone(r.durations)
	r.mu.Unlock()
	if len(sorted) == 0 {
		return 0, 0
	}
	slices.Sort(sorted)
	return sorted[len(sorted)/2], sorted[len(sorted)*99/100]
}

func (r *recent) lastFailure() *Failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// Activity returns what a function, by its bare name, has been doing.
func (f *Functions) Activity(name string) Activity {
	fl := f.existingFleet(name)
	if fl == nil {
		return Activity{}
	}
	m := fl.meters
	a := Activity{InFlight: int(m.inFlight.Load()), LastFailure: m.recent.lastFailure()}
	a.Invocations, _, _ = m.invocations.Totals()
	_, a.Errors, _ = m.errors.Totals()
	_, a.Throttles, _ = m.throttles.Totals()
	a.P50, a.P99 = m.recent.percentiles()
	return a
}
