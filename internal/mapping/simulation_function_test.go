package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// moods says how often the function does what: in one of so many invocations, 0
// for never.
type moods struct {
	fails, refuses, throttled, lies, partly, stateless, bloats, conflicts int
	slow                                                                  time.Duration // at most
	hangs                                                                 int
	undeliverable, unreachable                                            int // of the destination
	slowSource                                                            int
}

func newMoods(rng *rand.Rand) moods {
	some := func(often int) int {
		if rng.IntN(2) == 0 {
			return 0
		}
		return 2 + rng.IntN(often)
	}
	return moods{
		fails: some(6), refuses: some(20), throttled: some(8), lies: some(10), partly: some(4), stateless: some(12),
		bloats: some(60), conflicts: some(4), slow: turn * time.Duration(1+rng.Int64N(int64(3*time.Second/turn))), hangs: some(40),
		undeliverable: some(6), unreachable: some(4), slowSource: some(6),
	}
}

// simEvent is what the function reads of its event.
type simEvent struct {
	Records []struct{ ID int }
	Shard   string `json:"shardId"`
	Source  string `json:"eventSourceARN"`
	Window  *struct{ Start, End time.Time }
	State   json.RawMessage
	Final   bool `json:"isFinalInvokeForWindow"`
	Early   bool `json:"isWindowTerminatedEarly"`
}

// simInvocation is an invocation under way.
type simInvocation struct {
	w     *world
	e     *epoch
	run   int // number of the run, from 1
	def   Definition
	shard *simShard
	recs  []*simRecord
	event simEvent
	try   int // how often the same records were sent
}

// Invoke implements Invoker.
func (e *epoch) Invoke(ctx context.Context, arn string, payload []byte, _ func()) (Outcome, error) {
	w := e.w
	in := &simInvocation{w: w, e: e}
	if err := json.Unmarshal(payload, &in.event); err != nil {
		w.t.Errorf("event %.100s: %v", payload, err)
	}
	if arn != functionARN || len(payload) > simMaxEvent {
		w.t.Errorf("%d bytes to %s", len(payload), arn)
	}
	if err := in.begin(); err != nil {
		return Outcome{}, err
	}
	w.mu.Lock()
	takes := turn * time.Duration(1+in.roll("takes")%uint64(w.moods.slow/turn))
	if in.chance(w.moods.hangs, "hangs") {
		takes *= 10
	}
	w.mu.Unlock()
	cut := sleepOr(ctx, takes, e.killed)
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.dead {
		return Outcome{}, context.Canceled
	}
	in.leave()
	if cut != nil {
		w.logf("%s: cut off", in)
		return Outcome{}, cut
	}
	return in.answer()
}

func (in *simInvocation) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s", in.shard.id)
	for _, r := range in.recs {
		fmt.Fprintf(&out, " %d", r.id)
	}
	if w := in.event.Window; w != nil {
		fmt.Fprintf(&out, " [%d,%d) %.40s", w.Start.Unix()%10000, w.End.Unix()%10000, in.event.State)
	}
	if in.event.Final {
		out.WriteString(" final")
	}
	return out.String()
}

func (in *simInvocation) first() int {
	if len(in.recs) == 0 {
		return -1
	}
	return in.recs[0].id
}

func (in *simInvocation) roll(about string) uint64 {
	return in.w.roll(about+in.shard.id, in.first(), len(in.recs), in.try)
}

func (in *simInvocation) chance(n int, about string) bool {
	return n > 0 && in.roll(about)%uint64(n) == 0
}

// answer decides how the invocation goes and tells the model.
func (in *simInvocation) answer() (Outcome, error) {
	w := in.w
	switch {
	case in.chance(w.moods.throttled, "throttled"):
		w.logf("%s: throttled", in)
		return Outcome{}, fmt.Errorf("busy: %w", ErrThrottled)
	case in.chance(w.moods.refuses, "refuses"):
		w.logf("%s: not run", in)
		return Outcome{}, errors.New("no permission")
	case in.chance(w.moods.fails, "fails"):
		w.logf("%s: failed", in)
		in.failedWhole()
		return in.outcome(Outcome{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}, nil), nil
	}
	if o, ok := in.poisoned(); ok {
		return o, nil
	}
	switch {
	case in.chance(w.moods.lies, "lies"):
		return in.lie(), nil
	case in.chance(w.moods.partly, "partly") && len(in.recs) > 0:
		return in.partial(int(in.roll("which") % uint64(len(in.recs)))), nil
	}
	return in.success("null", in.state()), nil
}

// outcome completes an answer; apply tells the model what it means when it counts.
func (in *simInvocation) outcome(o Outcome, apply func()) Outcome {
	w := in.w
	o.RequestID, o.ExecutedVersion = fmt.Sprintf("request-%d-%d", in.first(), in.try), "$LATEST"
	if !w.exactlyOnce {
		if apply != nil {
			apply()
		}
		return o
	}
	x := &simEffects{e: in.e, apply: func() {}}
	for _, r := range in.recs {
		x.ids = append(x.ids, r.id)
	}
	if apply != nil {
		x.apply = apply
		if x.clash = in.chance(w.moods.conflicts, "conflicts"); x.clash {
			w.logf("%s: will conflict", in)
		}
	}
	o.Effects = x
	return o
}

// poisoned lets the invocation fail because of a record that the function cannot
// take.
func (in *simInvocation) poisoned() (Outcome, bool) {
	for i, r := range in.recs {
		if r.poisoned >= r.poison {
			continue
		}
		r.poisoned++
		if in.def.ReportItemFailures && in.roll("poison")%2 == 0 {
			return in.partial(i), true
		}
		in.w.logf("%s: failed because of %d", in, r.id)
		in.failedWhole()
		return in.outcome(Outcome{FunctionError: "Unhandled", Payload: []byte(`{}`)}, nil), true
	}
	return Outcome{}, false
}

// partial reports that records failed, the first one with the given index.
func (in *simInvocation) partial(first int) Outcome {
	for first > 0 && in.recs[first-1].Position == in.recs[first].Position {
		first-- // records that were packed into one have its sequence number
	}
	in.w.logf("%s: from number %d on failed", in, first)
	state := in.stateAfter(in.recs[:first])
	if !in.def.ReportItemFailures { // then nobody listens
		state = in.state()
	}
	reader := &simReader{sh: in.shard}
	failed := fmt.Sprintf(`{"itemIdentifier":%q}`, reader.SequenceNumber(in.recs[first].Record))
	last := fmt.Sprintf(`{"itemIdentifier":%q}`, reader.SequenceNumber(in.recs[len(in.recs)-1].Record))
	switch in.roll("several") % 3 {
	case 0:
		failed += "," + last
	case 1:
		failed = last + "," + failed
	}
	payload := fmt.Appendf(nil, `{"batchItemFailures":[%s],"state":%s}`, failed, state)
	if !in.def.ReportItemFailures {
		return in.outcome(Outcome{Payload: payload}, func() { in.succeeded(state) })
	}
	switch {
	case first == 0:
		in.failedWhole()
	case in.w.exactlyOnce: // nothing of it counts
		in.cutShort(in.recs)
	default:
		in.settle(in.recs[:first], state)
		in.cutShort(in.recs[first:])
	}
	return in.outcome(Outcome{Payload: payload}, nil)
}

// lie answers with what makes no sense. Whether it matters depends on whether the
// mapping reads the answer.
func (in *simInvocation) lie() Outcome {
	state := in.state()
	lies := []struct {
		text string
		hurt bool
	}{
		{"oops", in.def.ReportItemFailures || in.event.Window != nil},
		{`{"state":` + state, in.def.ReportItemFailures || in.event.Window != nil},
		{`{"batchItemFailures":[{"itemIdentifier":"nobody"}],"state":` + state + `}`, in.def.ReportItemFailures},
		{`{"batchItemFailures":[{"itemIdentifier":""}],"state":` + state + `}`, in.def.ReportItemFailures},
		{`{"batchItemFailures":[{"itemIdentifier":null}],"state":` + state + `}`, in.def.ReportItemFailures},
		{`{"batchItemFailures":[7],"state":` + state + `}`, in.def.ReportItemFailures},
		{`{"batchItemFailures":7,"state":` + state + `}`, in.def.ReportItemFailures},
		{`{"state":null}`, in.event.Window != nil && !in.event.Final},
		{`[]`, in.event.Window != nil && !in.event.Final},
		{``, in.event.Window != nil && !in.event.Final},
		{`7`, in.event.Window != nil && !in.event.Final},
	}
	lie := lies[in.roll("which lie")%uint64(len(lies))]
	in.w.logf("%s: answered %.60s", in, lie.text)
	if lie.hurt {
		in.failedWhole()
		return in.outcome(Outcome{Payload: []byte(lie.text)}, nil)
	}
	return in.outcome(Outcome{Payload: []byte(lie.text)}, func() { in.succeeded(state) })
}

// success answers well, in a window with the new state.
func (in *simInvocation) success(answer, state string) Outcome {
	in.w.logf("%s: ok", in)
	if in.event.Window != nil {
		answer = fmt.Sprintf(`{"state":%s}`, state)
	}
	return in.outcome(Outcome{Payload: []byte(answer)}, func() { in.succeeded(state) })
}

func (in *simInvocation) state() string { return in.stateAfter(in.recs) }

// stateAfter is the state that the function returns when it has seen some records:
// their number and a hash of all of them and their order. Sometimes it is too large.
func (in *simInvocation) stateAfter(recs []*simRecord) string {
	var s struct {
		N    int
		Hash uint64
		Pad  string
	}
	if err := json.Unmarshal(in.event.State, &s); err != nil && in.event.Window != nil {
		in.w.t.Error(err)
	}
	for _, r := range recs {
		s.N++
		s.Hash = (s.Hash*31 + uint64(r.id) + 1) % (1 << 40)
	}
	pad := 0
	if in.chance(in.w.moods.bloats, "bloats") && in.event.Window != nil {
		pad = simMaxState + int(in.roll("bloat")%40)
	}
	return fmt.Sprintf(`{"n":%d,"hash":%d,"pad":"%s"}`, s.N, s.Hash, strings.Repeat("x", pad))
}
