package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestState runs the stories in testdata/state:
//
//	read at=<duration since the start> [partial]
//	<kind> <name> <first total> <second total> [level]
//
// applies a reading of all kinds that were ever named, or with partial only of
// those that are named here, and
//
//	viewer <name>
//
// prints what that viewer is told now.
func TestState(t *testing.T) {
	t.Parallel()
	var s story
	datadriven.RunTest(t, "testdata/state", s.run)
}

type story struct {
	start time.Time
	state *state
	kinds map[string]bool
	at    map[string]position
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	switch d.Cmd {
	case "new":
		start := time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)
		*s = story{start: start, state: newState(start), kinds: map[string]bool{}, at: map[string]position{}}
		return ""
	case "read":
		return s.read(t, d)
	case "viewer":
		name := d.CmdArgs[0].Key
		u, next, _ := s.state.since(s.at[name])
		s.at[name] = next
		return describeUpdate(u)
	}
	t.Fatalf("unknown command %q", d.Cmd)
	return ""
}

func (s *story) read(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var at string
	d.ScanArgs(t, "at", &at)
	since, err := time.ParseDuration(at)
	if err != nil {
		t.Fatal(err)
	}
	reading := map[string][]observed{}
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		s.kinds[f[0]] = true
		o := observed{id: f[1], totals: [2]float64{number(t, f[2]), number(t, f[3])}}
		if len(f) > 4 {
			level := number(t, f[4])
			o.level = &level
		}
		o.view = func(rates [2]float64) any { return rates }
		reading[f[0]] = append(reading[f[0]], o)
	}
	for kind := range s.kinds {
		if reading[kind] == nil && !d.HasArg("partial") {
			reading[kind] = []observed{}
		}
	}
	_, _, more := s.state.since(position{1, 0})
	if err := s.state.apply(s.start.Add(since), reading); err != nil {
		return err.Error()
	}
	select {
	case <-more:
		return "changed\n"
	default:
		return "nothing new\n"
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func describeUpdate(u Update) string {
	var b strings.Builder
	fmt.Fprintf(&b, "step %d", u.Step)
	if u.Full {
		b.WriteString(" full")
	}
	b.WriteByte('\n')
	for _, kind := range slices.Sorted(maps.Keys(u.Put)) {
		for _, id := range slices.Sorted(maps.Keys(u.Put[kind])) {
			fmt.Fprintf(&b, "put %s %s %s\n", kind, id, u.Put[kind][id])
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(u.Gone)) {
		fmt.Fprintf(&b, "gone %s %s\n", kind, strings.Join(u.Gone[kind], " "))
	}
	for _, kind := range slices.Sorted(maps.Keys(u.Points)) {
		for _, id := range slices.Sorted(maps.Keys(u.Points[kind])) {
			points, err := json.Marshal(u.Points[kind][id])
			if err != nil {
				return err.Error()
			}
			fmt.Fprintf(&b, "points %s %s %s\n", kind, id, points)
		}
	}
	return b.String()
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	start := time.Now()
	s := newState(start)
	for i := range 3 * historyLength {
		reading := map[string][]observed{"streams": {{
			id: "a", totals: [2]float64{float64(i), 0}, view: func(r [2]float64) any { return r }}}}
		if err := s.apply(start.Add(time.Duration(i)*stepLength), reading); err != nil {
			t.Fatal(err)
		}
	}
	u, _, _ := s.since(position{})
	if n := len(u.Points["streams"]["a"]); n != historyLength {
		t.Errorf("history of %d points, want %d", n, historyLength)
	}
	if n := len(s.kinds["streams"]["a"].samples); n > 5 {
		t.Errorf("%d samples are kept for the rates", n)
	}
}

func TestForgottenRemovalsMakeAFullUpdate(t *testing.T) {
	t.Parallel()
	start := time.Now()
	s := newState(start)
	read := func(names ...string) {
		var list []observed
		for _, name := range names {
			list = append(list, still(name, name))
		}
		if err := s.apply(start, map[string][]observed{"topics": list}); err != nil {
			t.Fatal(err)
		}
	}
	read("a", "keep")
	_, at, _ := s.since(position{})
	for i := range maxRemovals + 1 {
		read("keep", strconv.Itoa(i))
	}
	u, _, _ := s.since(at)
	if !u.Full || u.Put["topics"]["a"] != nil || len(u.Put["topics"]) != 2 {
		t.Errorf("a viewer that missed %d removals was told %+v", maxRemovals+1, u)
	}
}

func TestRound3(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]float64{0: 0, 1234.5: 1230, 0.012345: 0.0123, 99.95: 100, -1.2345: -1.23} {
		if got := round3(in); got != want {
			t.Errorf("round3(%v) = %v, want %v", in, got, want)
		}
	}
}

// BenchmarkApply reads a thousand resources of which one in ten has changed.
func BenchmarkApply(b *testing.B) {
	now := time.Now()
	s := newState(now)
	for i := 0; b.Loop(); i++ {
		list := make([]observed, 1000)
		for n := range list {
			f := Function{Name: strconv.Itoa(n), Runtime: "provided.al2023", State: "Active"}
			if n%10 == 0 {
				f.Invocations = float64(i)
			}
			list[n] = observeFunction(f)
		}
		now = now.Add(liveInterval)
		if err := s.apply(now, map[string][]observed{"functions": list}); err != nil {
			b.Fatal(err)
		}
	}
}
