package metric

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// The kinds of configuration history items.
const (
	configurationCreate = "Create"
	configurationUpdate = "Update"
	configurationDelete = "Delete"
)

// marshal writes JSON without escaping <, > and &, which stand in names and
// reasons.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

type historyState struct {
	Value  string          `json:"stateValue"`
	Reason string          `json:"stateReason"`
	Data   json.RawMessage `json:"stateReasonData,omitempty"`
}

func (a *Alarms) recordTransition(tx *store.Tx, def Alarm, old, next State, now time.Time) error {
	type states struct {
		Version string       `json:"version"`
		Old     historyState `json:"oldState"`
		New     historyState `json:"newState"`
	}
	doc := states{"1.0",
		historyState{old.Value, old.Reason, json.RawMessage(old.ReasonData)},
		historyState{next.Value, next.Reason, json.RawMessage(next.ReasonData)}}
	data, err := marshal(doc)
	if err == nil && len(data) > maxHistoryData {
		doc.Old.Data, doc.New.Data = nil, nil // cut in half it would be no JSON
		data, err = marshal(doc)
	}
	if err != nil {
		return fmt.Errorf("history of alarm %s: %w", def.Name, err)
	}
	return a.record(tx, HistoryItem{
		Alarm: def.Name, Time: now, Type: HistoryState, Data: string(data),
		Summary: fmt.Sprintf("Alarm updated from %s to %s", old.Value, next.Value),
	})
}

// nameValue is a dimension in the JSON of alarms, in the service's order and
// spelling.
type nameValue struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

func nameValues(dims []Dimension) []nameValue {
	all := make([]nameValue, len(dims))
	for i, d := range dims {
		all[i] = nameValue{d.Value, d.Name}
	}
	return all
}

// configuration is an alarm in the data of its configuration history.
type configuration struct {
	Name               string      `json:"alarmName"`
	Description        string      `json:"alarmDescription,omitempty"`
	ARN                string      `json:"alarmArn"`
	Updated            string      `json:"alarmConfigurationUpdatedTimestamp"`
	Namespace          string      `json:"namespace"`
	MetricName         string      `json:"metricName"`
	Statistic          string      `json:"statistic,omitempty"`
	ExtendedStatistic  string      `json:"extendedStatistic,omitempty"`
	Unit               string      `json:"unit,omitempty"`
	Period             int64       `json:"period"`
	Dimensions         []nameValue `json:"dimensions"`
	Threshold          decimal     `json:"threshold"`
	ComparisonOperator string      `json:"comparisonOperator"`
	EvaluationPeriods  int64       `json:"evaluationPeriods"`
	DatapointsToAlarm  int64       `json:"datapointsToAlarm,omitempty"`
	TreatMissingData   string      `json:"treatMissingData,omitempty"`
	LowSampleCount     string      `json:"evaluateLowSampleCountPercentile,omitempty"`
	StateValue         string      `json:"stateValue"`
	StateUpdated       string      `json:"stateUpdatedTimestamp"`
	ActionsEnabled     bool        `json:"actionsEnabled"`
	AlarmActions       []string    `json:"alarmActions"`
	InsufficientData   []string    `json:"insufficientDataActions"`
	OKActions          []string    `json:"okactions"`
}

func (a *Alarms) recordConfiguration(tx *store.Tx, kind string, def Alarm, state State, now time.Time) error {
	member, verb := "createdAlarm", "created"
	switch kind {
	case configurationUpdate:
		member, verb = "updatedAlarm", "updated"
	case configurationDelete:
		member, verb = "deletedAlarm", "deleted"
	}
	alarm, err := marshal(configuration{
		Name: def.Name, Description: def.Description, ARN: a.ARN(def.Name), Updated: jsonTime(def.Updated),
		Namespace: def.Metric.Namespace, MetricName: def.Metric.Name, Dimensions: nameValues(def.Metric.Dimensions),
		Statistic: def.Statistic, ExtendedStatistic: def.ExtendedStatistic, Unit: def.Unit, Period: def.Period,
		Threshold: decimal(def.Threshold), ComparisonOperator: def.Comparison,
		EvaluationPeriods: def.EvaluationPeriods, DatapointsToAlarm: def.DatapointsToAlarm,
		TreatMissingData: def.TreatMissingData, LowSampleCount: def.LowSampleCount,
		StateValue: state.Value, StateUpdated: jsonTime(state.Updated), ActionsEnabled: def.ActionsEnabled,
		AlarmActions: orEmpty(def.AlarmActions), InsufficientData: orEmpty(def.InsufficientData), OKActions: orEmpty(def.OKActions),
	})
	if err != nil {
		return fmt.Errorf("history of alarm %s: %w", def.Name, err)
	}
	data := fmt.Sprintf(`{"version":"1.0","type":"%s","%s":%s}`, kind, member, alarm)
	if len(data) > maxHistoryData {
		data = fmt.Sprintf(`{"version":"1.0","type":"%s"}`, kind)
	}
	return a.record(tx, HistoryItem{
		Alarm: def.Name, Time: now, Type: HistoryConfiguration, Data: data,
		Summary: fmt.Sprintf("Alarm %q %s", def.Name, verb),
	})
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
