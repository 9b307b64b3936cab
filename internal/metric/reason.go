package metric

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	maxReason     = 1023
	maxReasonData = 4000
	// listed is the number of datapoints that a reason names when it does not
	// name all, and the number from which on it does not.
	listed = 5
	// timeFormat is how times are written in the JSON of alarms.
	timeFormat = "2006-01-02T15:04:05.000-0700"
)

func jsonTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// reason tells why a verdict came out as it did, in the service's words.
func (a *Alarm) reason(v verdict) string {
	if v.state == StateInsufficientData {
		return fmt.Sprintf("Insufficient Data: %s unknown.", count(int(a.EvaluationPeriods), "datapoint"))
	}
	if len(v.used) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s.",
			quantity(v.filled, "period"), a.fillers(v))
	}
	deciding := a.deciding(v)
	parts := ""
	switch {
	case len(deciding) == 0:
		parts = a.fillers(v)
	default:
		parts = a.crossing(v, deciding)
		if v.filled > 0 {
			parts += " and " + a.fillers(v)
		}
	}
	recent := ""
	if len(deciding) >= listed {
		recent = " The most recent datapoints" + a.crossed(v) + ": " + list(deciding[:listed])
	}
	transition := ""
	if a.DatapointsToAlarm > 0 {
		transition = " " + a.transition(v)
	}
	if recent == "" {
		return "Threshold Crossed: " + parts + transition + "."
	}
	return "Threshold Crossed: " + parts + "." + recent + transition + "."
}

func (a *Alarm) crossed(v verdict) string {
	if v.state == StateAlarm {
		return " which crossed the threshold"
	}
	return ""
}

// deciding are the samples that speak for the verdict's state.
func (a *Alarm) deciding(v verdict) []sample {
	var all []sample
	for _, s := range v.used {
		if a.breaches(s.value) == (v.state == StateAlarm) {
			all = append(all, s)
		}
	}
	return all
}

// crossing is the part that compares datapoints with the threshold.
func (a *Alarm) crossing(v verdict, deciding []sample) string {
	subject := quantity(len(deciding), "datapoint")
	if a.DatapointsToAlarm > 0 {
		subject = fmt.Sprintf("%d out of the last %d datapoints", len(deciding), len(v.used)+v.filled)
	}
	if len(deciding) < listed {
		subject += " " + list(deciding)
	}
	not := ""
	if v.state == StateOK {
		not = "not "
	}
	return fmt.Sprintf("%s %s %s%s the threshold (%v)", subject, wasWere(len(deciding)), not, comparisons[a.Comparison].words, decimal(a.Threshold))
}

func (a *Alarm) fillers(v verdict) string {
	as := "NonBreaching"
	if a.treat() == treatBreaching {
		as = "Breaching"
	}
	return fmt.Sprintf("%s treated as [%s]", count(v.filled, "missing datapoint"), as)
}

func (a *Alarm) transition(v verdict) string {
	minimum := quantity(a.deciders(v.state), "datapoint")
	if v.state == StateAlarm {
		return fmt.Sprintf("(minimum %s for OK -> ALARM transition)", minimum)
	}
	return fmt.Sprintf("(minimum %s for ALARM -> OK transition)", minimum)
}

// deciders is the number of periods on one side of the threshold that make a
// state.
func (a *Alarm) deciders(state string) int {
	if state == StateAlarm {
		return a.needed()
	}
	return int(a.EvaluationPeriods) - a.needed() + 1
}

func list(samples []sample) string {
	parts := make([]string, len(samples))
	for i, s := range samples {
		parts[i] = fmt.Sprintf("%v (%s)", decimal(s.value), time.Unix(s.start, 0).UTC().Format("02/01/06 15:04:05"))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func quantity(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func count(n int, noun string) string { return quantity(n, noun) + " " + wasWere(n) }

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// reasonData is what a reason is made of, as JSON; members in the service's
// order.
type reasonData struct {
	Version             string               `json:"version"`
	QueryDate           string               `json:"queryDate"`
	StartDate           string               `json:"startDate,omitempty"`
	Unit                string               `json:"unit,omitempty"`
	Statistic           string               `json:"statistic"`
	Period              int64                `json:"period"`
	RecentDatapoints    []decimal            `json:"recentDatapoints"` // oldest first
	Threshold           decimal              `json:"threshold"`
	EvaluatedDatapoints []evaluatedDatapoint `json:"evaluatedDatapoints,omitempty"` // newest first
}

type evaluatedDatapoint struct {
	Timestamp   string   `json:"timestamp"`
	SampleCount *decimal `json:"sampleCount,omitempty"`
	Value       *decimal `json:"value,omitempty"`
}

// reasonData describes the verdict, with as many datapoints as there is room for.
func (a *Alarm) reasonData(v verdict, now time.Time) (string, error) {
	d := reasonData{
		Version: "1.0", QueryDate: jsonTime(now), Unit: a.Unit, Statistic: a.stat().name, Period: a.Period,
		RecentDatapoints: []decimal{}, Threshold: decimal(a.Threshold),
	}
	if n := len(v.used); n > 0 {
		d.StartDate = jsonTime(time.Unix(v.used[n-1].start, 0))
		for i := n - 1; i >= 0; i-- {
			d.RecentDatapoints = append(d.RecentDatapoints, decimal(v.used[i].value))
		}
	}
	d.EvaluatedDatapoints = a.evaluated(v)
	for {
		doc, err := json.Marshal(d)
		if err != nil || len(doc) <= maxReasonData {
			return string(doc), err
		}
		d.EvaluatedDatapoints = d.EvaluatedDatapoints[:len(d.EvaluatedDatapoints)/2]
		if len(d.EvaluatedDatapoints) == 0 {
			d.RecentDatapoints = d.RecentDatapoints[(len(d.RecentDatapoints)+1)/2:]
		}
	}
}

// evaluated lists the periods from the newest that was used to the one that
// decided, those without data in between too. Without any data it lists all.
func (a *Alarm) evaluated(v verdict) []evaluatedDatapoint {
	var all []evaluatedDatapoint
	if len(v.used) == 0 {
		for i := range a.EvaluationPeriods {
			all = append(all, evaluatedDatapoint{Timestamp: jsonTime(time.Unix(v.newest-i*a.Period, 0))})
		}
		return all
	}
	next, undecided := v.used[0].start, a.deciders(v.state)
	for _, s := range v.used {
		for ; next > s.start; next -= a.Period {
			all = append(all, evaluatedDatapoint{Timestamp: jsonTime(time.Unix(next, 0))})
		}
		sampleCount, value := decimal(s.count), decimal(s.value)
		all = append(all, evaluatedDatapoint{jsonTime(time.Unix(s.start, 0)), &sampleCount, &value})
		if a.breaches(s.value) == (v.state == StateAlarm) {
			undecided--
		}
		if undecided == 0 {
			break
		}
		next = s.start - a.Period
	}
	return all
}

// clip shortens a text to at most n bytes without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
