package metric

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
)

// The states of an alarm.
const (
	StateOK               = "OK"
	StateAlarm            = "ALARM"
	StateInsufficientData = "INSUFFICIENT_DATA"
)

// The ways to treat a period without data.
const (
	treatMissing      = "missing"
	treatIgnore       = "ignore"
	treatBreaching    = "breaching"
	treatNotBreaching = "notBreaching"
)

// Alarm is the configuration of an alarm on one statistic of one metric.
type Alarm struct {
	Name              string
	Description       string `json:",omitempty"`
	ActionsEnabled    bool
	OKActions         []string `json:",omitempty"` // ARNs of topics and functions
	AlarmActions      []string `json:",omitempty"`
	InsufficientData  []string `json:",omitempty"`
	Metric            ID
	Statistic         string  `json:",omitempty"` // one of Statistic
	ExtendedStatistic string  `json:",omitempty"` // and ExtendedStatistic
	Unit              string  `json:",omitempty"` // "" is any
	Period            int64   // seconds
	EvaluationPeriods int64   // N
	DatapointsToAlarm int64   `json:",omitempty"` // M; 0 is not set and means N
	Threshold         float64 // the right operand of Comparison
	Comparison        string
	TreatMissingData  string            `json:",omitempty"` // "" is not set
	LowSampleCount    string            `json:",omitempty"` // "", evaluate or ignore
	Tags              map[string]string `json:",omitempty"`
	Updated           time.Time         // when the configuration was last put
}

// State is the state of an alarm and why it is in it.
type State struct {
	Value        string
	Reason       string
	ReasonData   string    `json:",omitempty"` // JSON; "" when there is none
	Updated      time.Time // when the state was set
	Transitioned time.Time // when the value last changed
}

// comparison is how a statistic breaches a threshold.
type comparison struct {
	words string // as in "was greater than the threshold"
	above bool   // breaches at high values
	holds func(v, threshold float64) bool
}

var comparisons = map[string]comparison{
	"GreaterThanThreshold":          {"greater than", true, func(v, t float64) bool { return v > t }},
	"GreaterThanOrEqualToThreshold": {"greater than or equal to", true, func(v, t float64) bool { return v >= t }},
	"LessThanThreshold":             {"less than", false, func(v, t float64) bool { return v < t }},
	"LessThanOrEqualToThreshold":    {"less than or equal to", false, func(v, t float64) bool { return v <= t }},
}

const (
	maxAlarmName   = 255
	maxDescription = 1024
	maxActions     = 5
	maxTags        = 50

	day  = 86_400
	week = 7 * day
)

var controlCharacters = regexp.MustCompile(`[[:cntrl:]]`)

func (a *Alarm) check() error {
	if a.Name == "" || len(a.Name) > maxAlarmName || controlCharacters.MatchString(a.Name) {
		return errorf(Validation, "AlarmName must be between 1 and %d characters and contain no control characters", maxAlarmName)
	}
	if len(a.Description) > maxDescription {
		return errorf(Validation, "AlarmDescription must not be longer than %d characters", maxDescription)
	}
	if len(a.Tags) > maxTags {
		return errorf(Validation, "Tags must not be more than %d", maxTags)
	}
	for _, err := range []error{a.checkMetric(), a.checkEvaluation()} {
		if err != nil {
			return err
		}
	}
	for _, actions := range [][]string{a.OKActions, a.AlarmActions, a.InsufficientData} {
		if err := checkActions(actions); err != nil {
			return err
		}
	}
	return nil
}

func (a *Alarm) checkMetric() error {
	for _, err := range []error{
		checkNamespace(a.Metric.Namespace),
		checkText("MetricName", a.Metric.Name, maxNameLength),
		checkDimensions("", a.Metric.Dimensions),
	} {
		if err != nil {
			return err
		}
	}
	if a.Unit != "" && !slices.Contains(Units, a.Unit) {
		return errorf(InvalidValue, "The parameter Unit must be a value in the set [ %s ].", strings.Join(Units, ", "))
	}
	if (a.Statistic == "") == (a.ExtendedStatistic == "") {
		return errorf(Validation, "Exactly one of Statistic and ExtendedStatistic must be specified")
	}
	if _, simple := simpleStats[a.Statistic]; a.Statistic != "" && !simple {
		return errorf(InvalidValue, "The parameter Statistic must be a value in the set [ %s ].", strings.Join(Statistics, ", "))
	}
	if s, ok := ParseStat(a.ExtendedStatistic); a.ExtendedStatistic != "" && (!ok || !s.extended()) {
		return errorf(InvalidValue, "The value %s for parameter ExtendedStatistic is not supported.", a.ExtendedStatistic)
	}
	return nil
}

func (a *Alarm) checkEvaluation() error {
	if _, ok := comparisons[a.Comparison]; !ok {
		return errorf(Validation, "ComparisonOperator %s is not implemented for alarms on a static threshold", a.Comparison)
	}
	if math.IsNaN(a.Threshold) || math.Abs(a.Threshold) > maxValue {
		return errorf(InvalidValue, "The value %v for parameter Threshold is invalid.", a.Threshold)
	}
	if !slices.Contains([]int64{10, 20, 30}, a.Period) && (a.Period <= 0 || a.Period%60 != 0) {
		return errorf(Validation, "Period must be 10, 20, 30 or a multiple of 60")
	}
	switch {
	case a.EvaluationPeriods < 1:
		return errorf(Validation, "EvaluationPeriods must be greater than or equal to 1")
	case a.DatapointsToAlarm < 0:
		return errorf(Validation, "DatapointsToAlarm must be greater than or equal to 1")
	case a.DatapointsToAlarm > a.EvaluationPeriods:
		return errorf(Validation, "DatapointsToAlarm must be less than or equal to EvaluationPeriods")
	case a.Period < 3600 && a.EvaluationPeriods > day/a.Period:
		return errorf(Validation, "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) for alarms using period < 3600")
	case a.EvaluationPeriods > week/a.Period:
		return errorf(Validation, "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) for alarms using period >= 3600")
	}
	if !slices.Contains([]string{"", treatMissing, treatIgnore, treatBreaching, treatNotBreaching}, a.TreatMissingData) {
		return errorf(Validation, "TreatMissingData must be one of missing, ignore, breaching and notBreaching")
	}
	if a.LowSampleCount == "" {
		return nil
	}
	if a.LowSampleCount != "evaluate" && a.LowSampleCount != "ignore" {
		return errorf(Validation, "Option %s is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.", a.LowSampleCount)
	}
	if _, percentile := a.stat().percentile(); !percentile {
		return errorf(Validation, "EvaluateLowSampleCountPercentile must only be given for an alarm on a percentile")
	}
	return nil
}

// checkActions refuses what cannot be executed. Whether the target exists is
// seen when the action is executed.
func checkActions(actions []string) error {
	if len(actions) > maxActions {
		return errorf(Validation, "An alarm must not have more than %d actions for a state", maxActions)
	}
	for _, action := range actions {
		arn, err := catalog.ParseARN(action)
		if err != nil {
			return errorf(Validation, "Invalid arn syntax: %s", action)
		}
		if arn.Service != "sns" && arn.Service != "lambda" {
			return errorf(Validation, "Alarm actions of the service %s are not implemented: %s", arn.Service, action)
		}
	}
	return nil
}

func (a *Alarm) stat() Stat {
	s, _ := ParseStat(a.Statistic + a.ExtendedStatistic) // one of them is empty
	return s
}

func (a *Alarm) breaches(v float64) bool { return comparisons[a.Comparison].holds(v, a.Threshold) }

// needed is M, the number of breaching periods that make the alarm go off.
func (a *Alarm) needed() int {
	if a.DatapointsToAlarm > 0 {
		return int(a.DatapointsToAlarm)
	}
	return int(a.EvaluationPeriods)
}

// treat is how periods without data are treated. A table without traffic
// publishes nothing, so its alarms keep their state by default.
func (a *Alarm) treat() string {
	switch {
	case a.TreatMissingData != "":
		return a.TreatMissingData
	case a.Metric.Namespace == "AWS/DynamoDB":
		return treatIgnore
	default:
		return treatMissing
	}
}

// grain is how many seconds lie between two evaluations.
func (a *Alarm) grain() int64 {
	if a.Period < 60 {
		return 10
	}
	return 60
}

// interval is the time between two evaluations.
func (a *Alarm) interval() time.Duration { return time.Duration(a.grain()) * time.Second }

func (a *Alarm) actions(state string) []string {
	switch state {
	case StateOK:
		return a.OKActions
	case StateAlarm:
		return a.AlarmActions
	default:
		return a.InsufficientData
	}
}
