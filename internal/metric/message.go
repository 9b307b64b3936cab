package metric

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// maxSubject is the length of a topic's subject.
const maxSubject = 100

// notification is what a change publishes to a topic: a subject, and bodies by
// protocol.
func (a *Alarms) notification(c change) (subject string, bodies map[string]string, err error) {
	region := regionName(a.id.Region)
	subject = clip(fmt.Sprintf("%s: %q in %s", c.New.Value, c.Alarm.Name, region), maxSubject-1)
	doc, err := a.messageJSON(c, region)
	if err != nil {
		return "", nil, err
	}
	return subject, map[string]string{"default": string(doc), "sms": subject, "email": a.mailText(c, region)}, nil
}

// message is the JSON that subscribers get, members in the service's order.
type message struct {
	AlarmName                          string
	AlarmDescription                   *string
	Account                            string `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp string
	NewStateValue                      string
	NewStateReason                     string
	StateChangeTime                    string
	Region                             string
	AlarmArn                           string
	OldStateValue                      string
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	ActionExecutedAfterMuteWindow      bool
	Trigger                            trigger
}

type trigger struct {
	MetricName                       string
	Namespace                        string
	StatisticType                    string
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Unit                             *string
	Dimensions                       []nameValue
	Period                           int64
	EvaluationPeriods                int64
	DatapointsToAlarm                int64 `json:",omitempty"`
	ComparisonOperator               string
	Threshold                        decimal
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

// statisticCode is a statistic as messages name it.
func statisticCode(name string) string {
	if name == "SampleCount" {
		return "SAMPLE_COUNT"
	}
	return strings.ToUpper(name)
}

func (a *Alarms) messageJSON(c change, region string) ([]byte, error) {
	def := c.Alarm
	t := trigger{
		MetricName: def.Metric.Name, Namespace: def.Metric.Namespace, StatisticType: "Statistic",
		Statistic: statisticCode(def.Statistic), ExtendedStatistic: def.ExtendedStatistic,
		Unit: orNull(def.Unit), Dimensions: nameValues(def.Metric.Dimensions), Period: def.Period,
		EvaluationPeriods: def.EvaluationPeriods, DatapointsToAlarm: def.DatapointsToAlarm,
		ComparisonOperator: def.Comparison, Threshold: decimal(def.Threshold),
		TreatMissingData: def.treat(), EvaluateLowSampleCountPercentile: def.LowSampleCount,
	}
	if def.ExtendedStatistic != "" {
		t.StatisticType = "ExtendedStatistic"
	}
	return marshal(message{
		AlarmName: def.Name, AlarmDescription: orNull(def.Description), Account: a.id.Account,
		AlarmConfigurationUpdatedTimestamp: jsonTime(def.Updated),
		NewStateValue:                      c.New.Value, NewStateReason: c.New.Reason, StateChangeTime: jsonTime(c.Time),
		Region: region, AlarmArn: a.ARN(def.Name), OldStateValue: c.Old.Value,
		OKActions: orEmpty(def.OKActions), AlarmActions: orEmpty(def.AlarmActions), InsufficientDataActions: orEmpty(def.InsufficientData),
		Trigger: t,
	})
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// mailText is what subscribers by mail get. It is written without text/template,
// which makes the linker keep every method of every type in the program.
func (a *Alarms) mailText(c change, region string) string {
	def, metric := c.Alarm, c.Alarm.Metric
	at := c.Time.UTC().Format("Monday 02 January, 2006 15:04:05 UTC")
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say(`You are receiving this email because your Amazon CloudWatch Alarm "%s" in the %s region has entered the %s state, because "%s" at "%s".`,
		def.Name, region, c.New.Value, c.New.Reason, at)
	if link := a.link(def.Name); link != "" {
		say("\nView this alarm in the console:\n%s", link)
	}
	say("\nAlarm Details:")
	say("- Name:                       %s", def.Name)
	say("- Description:                %s", def.Description)
	say("- State Change:               %s -> %s", c.Old.Value, c.New.Value)
	say("- Reason for State Change:    %s", c.New.Reason)
	say("- Timestamp:                  %s", at)
	say("- AWS Account:                %s", a.id.Account)
	say("- Alarm Arn:                  %s", a.ARN(def.Name))
	say("\nThreshold:")
	say("- The alarm is in the ALARM state when the metric is %s %v %s", def.Comparison, decimal(def.Threshold), def.span())
	say("\nMonitored Metric:")
	say("- MetricNamespace:                     %s", metric.Namespace)
	say("- MetricName:                          %s", metric.Name)
	say("- Dimensions:                         %s", bracketedDimensions(metric.Dimensions))
	say("- Period:                              %d seconds", def.Period)
	say("- Statistic:                           %s", def.stat().name)
	say("- Unit:                                %s", cmp.Or(def.Unit, "not specified"))
	say("- TreatMissingData:                    %s", def.treat())
	say("\n\nState Change Actions:")
	say("- OK: %s", bracketed(def.OKActions))
	say("- ALARM: %s", bracketed(def.AlarmActions))
	say("- INSUFFICIENT_DATA: %s", bracketed(def.InsufficientData))
	return b.String()
}

func bracketed(arns []string) string {
	if len(arns) == 0 {
		return ""
	}
	return "[" + strings.Join(arns, ", ") + "]"
}

func bracketedDimensions(dims []Dimension) string {
	var b strings.Builder
	for _, d := range dims {
		b.WriteString(" [" + d.Name + " = " + d.Value + "]")
	}
	return b.String()
}

// span says for how long a threshold is crossed.
func (a *Alarm) span() string {
	if a.DatapointsToAlarm > 0 {
		return fmt.Sprintf("for at least %d of the last %d period(s) of %d seconds.", a.DatapointsToAlarm, a.EvaluationPeriods, a.Period)
	}
	return fmt.Sprintf("for %d seconds.", a.Period*a.EvaluationPeriods)
}

func (a *Alarms) link(alarm string) string {
	if a.cfg.ConsoleURL == "" {
		return ""
	}
	return strings.TrimSuffix(a.cfg.ConsoleURL, "/") + "/alarms/" + url.PathEscape(alarm)
}

// lambdaEvent is what a function gets as its event.
func (a *Alarms) lambdaEvent(c change) ([]byte, error) {
	type state struct {
		Value      string `json:"value"`
		Reason     string `json:"reason"`
		ReasonData string `json:"reasonData,omitempty"`
		Timestamp  string `json:"timestamp"`
	}
	asState := func(s State, at time.Time) state {
		return state{s.Value, s.Reason, s.ReasonData, jsonTime(at)}
	}
	dims := map[string]string{}
	for _, d := range c.Alarm.Metric.Dimensions {
		dims[d.Name] = d.Value
	}
	stat := map[string]any{
		"metric": map[string]any{"namespace": c.Alarm.Metric.Namespace, "name": c.Alarm.Metric.Name, "dimensions": dims},
		"period": c.Alarm.Period, "stat": c.Alarm.stat().name,
	}
	if c.Alarm.Unit != "" {
		stat["unit"] = c.Alarm.Unit
	}
	configuration := map[string]any{
		"metrics": []any{map[string]any{"id": metricID(a.ARN(c.Alarm.Name)), "metricStat": stat, "returnData": true}},
	}
	if c.Alarm.Description != "" {
		configuration["description"] = c.Alarm.Description
	}
	return marshal(struct {
		Source    string         `json:"source"`
		ARN       string         `json:"alarmArn"`
		Account   string         `json:"accountId"`
		Time      string         `json:"time"`
		Region    string         `json:"region"`
		AlarmData map[string]any `json:"alarmData"`
	}{"aws.cloudwatch", a.ARN(c.Alarm.Name), a.id.Account, jsonTime(c.Time), a.id.Region, map[string]any{
		"alarmName": c.Alarm.Name, "state": asState(c.New, c.Time), "previousState": asState(c.Old, c.Old.Updated),
		"configuration": configuration,
	}})
}

// metricID names the metric of an alarm, which gives it no name itself, in the
// form of a UUID.
func metricID(alarm string) string {
	h := sha256.Sum256([]byte(alarm))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
