package metric

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// alarmModel evaluates an alarm as its documentation tells, on all observations
// there ever were.
type alarmModel struct {
	alarm  Alarm
	values map[int64][]float64 // by the second that they carry
	state  string
}

// evaluate moves the model to a Unix second at which a period ends.
func (m *alarmModel) evaluate(end int64) {
	n, needed := int(m.alarm.EvaluationPeriods), int(m.alarm.DatapointsToAlarm)
	var real []bool // of the newest n periods with data, whether they breach
	oldest := 0     // position of the oldest of them that breaches, from 1
	for i := range n + extraPeriods {
		v, ok := m.statistic(end-int64(i+1)*m.alarm.Period, end-int64(i)*m.alarm.Period)
		if !ok || len(real) == n {
			continue
		}
		real = append(real, m.breaches(v))
		if m.breaches(v) {
			oldest = i + 1
		}
	}
	breaching := 0
	for _, b := range real {
		if b {
			breaching++
		}
	}
	if len(real) < n && m.alarm.TreatMissingData == treatBreaching {
		breaching += n - len(real)
	}
	filled := slices.Contains([]string{treatBreaching, treatNotBreaching}, m.alarm.TreatMissingData)
	switch {
	case len(real) == 0 && m.alarm.TreatMissingData == treatMissing:
		m.state = StateInsufficientData
	case len(real) == 0 && !filled:
	case breaching >= needed:
		m.state = StateAlarm
	case len(real) == n || filled || slices.Contains(real, false):
		m.state = StateOK
	case m.alarm.TreatMissingData == treatMissing && oldest >= needed:
		m.state = StateAlarm
	}
}

func (m *alarmModel) breaches(v float64) bool {
	switch m.alarm.Comparison {
	case "GreaterThanThreshold":
		return v > m.alarm.Threshold
	case "GreaterThanOrEqualToThreshold":
		return v >= m.alarm.Threshold
	case "LessThanThreshold":
		return v < m.alarm.Threshold
	default:
		return v <= m.alarm.Threshold
	}
}

func (m *alarmModel) statistic(from, to int64) (v float64, ok bool) {
	var all []float64
	for t := from; t < to; t++ {
		all = append(all, m.values[t]...)
	}
	if len(all) == 0 {
		return 0, false
	}
	switch m.alarm.Statistic {
	case "SampleCount":
		return float64(len(all)), true
	case "Minimum":
		return slices.Min(all), true
	case "Maximum":
		return slices.Max(all), true
	case "Average":
		return sum(all) / float64(len(all)), true
	default:
		return sum(all), true
	}
}

// An alarm is in the state of the model after each period, and each change of
// state executes the actions of the new state once.
func TestAlarmsAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runAgainstModel(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func randomAlarm(rng *rand.Rand) Alarm {
	n := 1 + rng.Int64N(5)
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	return Alarm{
		Name: "a", ActionsEnabled: true, Metric: ID{Namespace: "App", Name: "Requests"},
		AlarmActions: []string{"arn:aws:sns:eu-west-1:1:ALARM"}, OKActions: []string{"arn:aws:sns:eu-west-1:1:OK"},
		InsufficientData: []string{"arn:aws:sns:eu-west-1:1:INSUFFICIENT_DATA"},
		Statistic:        pick(Statistics...), Comparison: pick("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo") + "Threshold",
		Period: []int64{10, 30, 60, 60, 300}[rng.IntN(5)], EvaluationPeriods: n, DatapointsToAlarm: 1 + rng.Int64N(n),
		Threshold: float64(1 + rng.IntN(3)), TreatMissingData: pick(treatMissing, treatIgnore, treatBreaching, treatNotBreaching),
	}
}

func runAgainstModel(t *testing.T, rng *rand.Rand) {
	s := newAlarmStory(t, vfs.NewMem())
	a := randomAlarm(rng)
	if err := s.alarms.Put(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	m := &alarmModel{alarm: a, values: map[int64][]float64{}, state: StateInsufficientData}
	grain := a.interval()
	time.Sleep(grace + time.Second) // it is judged on what there was before it
	m.evaluate(time.Now().Truncate(grain).Unix())
	s.out.take()
	density := rng.Float64()
	for i := range 60 {
		puts := 1
		if a.Statistic != "Average" { // which could turn around within a step
			puts += rng.IntN(3)
		}
		for range puts {
			if rng.Float64() > density {
				continue
			}
			v := float64(rng.IntN(5))
			if err := s.metrics.Put(t.Context(), "App", []Datum{{Name: "Requests", Value: &v, Resolution: 1}}); err != nil {
				t.Fatal(err)
			}
			m.values[time.Now().Unix()] = append(m.values[time.Now().Unix()], v)
			time.Sleep(2 * time.Second)
		}
		before := m.state
		end := time.Now().Truncate(grain).Add(grain)
		time.Sleep(time.Until(end.Add(3 * time.Second)))
		m.evaluate(end.Unix())
		found, _, err := s.alarms.Describe(t.Context(), AlarmFilter{})
		if err != nil || len(found) != 1 || found[0].Value != m.state {
			t.Fatalf("step %d: %+v, %v, want state %s of %+v", i, found, err, m.state, a)
		}
		want := ""
		if m.state != before {
			want = "arn:aws:sns:eu-west-1:1:" + m.state
		}
		if sent := s.out.take(); strings.Count(sent, "\n") != min(len(want), 1) || !strings.HasPrefix(sent, want) {
			t.Fatalf("step %d: sent %q, want %q", i, sent, want)
		}
	}
}
