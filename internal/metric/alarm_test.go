package metric

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
)

// TestJudge runs the decision over patterns of periods, oldest first: 0 is within
// the threshold, X breaches, - is missing.
func TestJudge(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/judge/rows", func(t *testing.T, d *datadriven.TestData) string {
		a := Alarm{Comparison: "GreaterThanThreshold", Threshold: 1, Period: 60, Statistic: "Sum"}
		a.EvaluationPeriods = argInt(d, "n", 3)
		if m := argInt(d, "m", 0); m != a.EvaluationPeriods {
			a.DatapointsToAlarm = m
		}
		var b strings.Builder
		for line := range strings.Lines(d.Input) {
			pattern := strings.Fields(line)
			fmt.Fprintf(&b, "%s  ", strings.TrimSpace(line))
			for _, treat := range []string{treatMissing, treatIgnore, treatBreaching, treatNotBreaching} {
				a.TreatMissingData = treat
				v := a.judge(samplesOf(pattern))
				fmt.Fprintf(&b, " %s", valueOr(v.state, "keep"))
			}
			b.WriteByte('\n')
			if !d.HasArg("reasons") {
				continue
			}
			for _, treat := range []string{treatMissing, treatIgnore, treatBreaching, treatNotBreaching} {
				a.TreatMissingData = treat
				if v := a.judge(samplesOf(pattern)); v.state != "" {
					fmt.Fprintf(&b, "  %s: %s\n", treat, a.reason(v))
				}
			}
		}
		return b.String()
	})
}

func samplesOf(pattern []string) []sample {
	samples := make([]sample, len(pattern))
	for i, p := range pattern {
		at := len(pattern) - 1 - i
		samples[at] = sample{start: int64(i) * 60, missing: p == "-", count: 1}
		if p == "X" {
			samples[at].value = 5
		}
	}
	return samples
}

func valueOr(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// alarmStory adds to a dataStory the commands alarm, set-state, actions, delete,
// describe, history and sent.
type alarmStory struct {
	*dataStory
	alarms *Alarms
	out    *outbox
}

// outbox keeps what actions sent.
type outbox struct {
	mu   sync.Mutex
	fail bool
	hang bool // until the caller gives up
	sent []string
	full bool // with bodies
}

func (o *outbox) add(line string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail {
		return errors.New("out of order")
	}
	o.sent = append(o.sent, line)
	return nil
}

func (o *outbox) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := strings.Join(o.sent, "")
	o.sent = nil
	return sent
}

func (o *outbox) set(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *outbox) Publish(ctx context.Context, topicARN, subject string, bodies map[string]string) error {
	o.mu.Lock()
	hang := o.hang
	o.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	line := fmt.Sprintf("%s | %s\n", topicARN, subject)
	if o.full {
		line += fmt.Sprintf("default: %s\nsms: %s\nemail: %s", bodies["default"], bodies["sms"], bodies["email"])
	}
	return o.add(line)
}

func (o *outbox) InvokeAsync(_ context.Context, functionARN string, event []byte) error {
	return o.add(fmt.Sprintf("%s | %s\n", functionARN, event))
}

func newAlarmStory(t *testing.T, fs vfs.FS) *alarmStory {
	s := &alarmStory{dataStory: &dataStory{t: t, fs: fs, tokens: map[string]string{}}, out: &outbox{}}
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *alarmStory) open() {
	s.dataStory.open()
	var err error
	s.alarms, err = OpenAlarms(AlarmsConfig{
		DB: s.db, Identity: catalog.Identity{Partition: "aws", Region: "eu-west-1", Account: "123456789012"},
		Metrics: s.metrics, Notifier: s.out, Invoker: s.out, ConsoleURL: "http://127.0.0.1:4566/_weir/console/",
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *alarmStory) close() {
	if err := s.alarms.Close(); err != nil {
		s.t.Error(err)
	}
	s.dataStory.close()
}

func (s *alarmStory) run(d *datadriven.TestData) string {
	ctx := s.t.Context()
	var err error
	switch d.Cmd {
	case "alarm":
		err = s.alarms.Put(ctx, scriptAlarm(d))
	case "set-state":
		f := d.CmdArgs
		data := ""
		if d.HasArg("data") {
			data = strings.TrimSpace(d.Input)
		}
		err = s.alarms.SetState(ctx, f[0].Key, f[1].Key, strings.ReplaceAll(arg(d, "reason"), "_", " "), data)
		synctest.Wait()
	case "actions":
		err = s.alarms.EnableActions(ctx, argList(d, "names"), d.HasArg("on"))
	case "fail":
		s.out.set(func() { s.out.fail = d.HasArg("on") })
	case "hang":
		s.out.set(func() { s.out.hang = d.HasArg("on") })
	case "full":
		s.out.set(func() { s.out.full = true })
	case "delete":
		err = s.alarms.Delete(ctx, argList(d, "names"))
	case "describe":
		return s.describe(d)
	case "history":
		return s.history(d)
	case "sent":
		return s.out.take()
	case "restart":
		s.close()
		s.out.set(func() { s.out.hang = false })
		s.open()
		synctest.Wait()
	case "away":
		s.close()
		time.Sleep(argDuration(d.CmdArgs[0].Key))
		s.open()
	default:
		return s.dataStory.run(d)
	}
	if err != nil {
		return showError(err)
	}
	return ""
}

func scriptAlarm(d *datadriven.TestData) Alarm {
	topic := func(key string) []string {
		var arns []string
		for _, name := range argList(d, key) {
			arns = append(arns, "arn:aws:"+name)
		}
		return arns
	}
	a := Alarm{
		Name: arg(d, "alarm"), Description: arg(d, "description"), ActionsEnabled: !d.HasArg("silent"), Metric: argMetric(d),
		AlarmActions: topic("on-alarm"), OKActions: topic("on-ok"), InsufficientData: topic("on-insufficient"),
		Statistic: valueOr(arg(d, "stat"), "Sum"), ExtendedStatistic: arg(d, "extended"), Unit: arg(d, "unit"),
		Period: argInt(d, "period", 60), EvaluationPeriods: argInt(d, "n", 1), DatapointsToAlarm: argInt(d, "m", 0),
		Comparison: valueOr(arg(d, "comparison"), "GreaterThan") + "Threshold", Threshold: float64(argInt(d, "threshold", 10)),
		TreatMissingData: arg(d, "treat"), LowSampleCount: arg(d, "low"),
	}
	if a.ExtendedStatistic != "" {
		a.Statistic = arg(d, "stat")
	}
	return a
}

func (s *alarmStory) describe(d *datadriven.TestData) string {
	found, token, err := s.alarms.Describe(s.t.Context(), AlarmFilter{
		Names: argList(d, "names"), Prefix: arg(d, "prefix"), State: arg(d, "state"),
		ActionPrefix: arg(d, "action"), Limit: int(argInt(d, "max", 0)), Token: arg(d, "token"),
	})
	if err != nil {
		return showError(err)
	}
	var b strings.Builder
	for _, a := range found {
		fmt.Fprintf(&b, "%s %s since %s: %s\n", a.Name, a.Value, showTime(a.Transitioned), a.Reason)
		if d.HasArg("data") {
			fmt.Fprintf(&b, "  %s\n", a.ReasonData)
		}
	}
	if token != "" {
		fmt.Fprintf(&b, "more after %s\n", token)
	}
	return b.String()
}

func (s *alarmStory) history(d *datadriven.TestData) string {
	items, token, err := s.alarms.History(s.t.Context(), HistoryFilter{
		Alarm: arg(d, "alarm"), Type: arg(d, "type"), Ascending: d.HasArg("ascending"),
		Limit: int(argInt(d, "max", 0)), Token: s.tokens[arg(d, "token")],
		Start: argTime(d, "start", time.Time{}), End: argTime(d, "end", time.Time{}),
	})
	if err != nil {
		return showError(err)
	}
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, "%s %s %s: %s\n", showTime(item.Time), item.Alarm, item.Type, item.Summary)
		if d.HasArg("data") {
			fmt.Fprintf(&b, "  %s\n", item.Data)
		}
	}
	if token != "" {
		name := fmt.Sprintf("t%d", len(s.tokens)+1)
		s.tokens[name] = token
		fmt.Fprintf(&b, "token %s\n", name)
	}
	return b.String()
}

func TestAlarms(t *testing.T) {
	t.Parallel()
	runScripts(t, "alarms", func(t *testing.T, fs vfs.FS) func(*datadriven.TestData) string {
		return newAlarmStory(t, fs).run
	})
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.0", 21: "21.0", 21.5: "21.5", -3: "-3.0", 0.001: "0.001", 0.0001: "1.0E-4",
		9999999: "9999999.0", 1e7: "1.0E7", 123456789: "1.23456789E8",
	} {
		if got := decimal(v).String(); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

// Every reason fits its limit and every reason data is valid, whatever the size
// of the evaluation range.
func TestReasonLimits(t *testing.T) {
	t.Parallel()
	a := Alarm{Comparison: "LessThanOrEqualToThreshold", Threshold: 1.0 / 3, Period: 60, Statistic: "Average", EvaluationPeriods: 1440, DatapointsToAlarm: 1440}
	samples := make([]sample, 1442)
	for i := range samples {
		samples[i] = sample{start: 1e9 - int64(i)*60, value: 1.0 / 7, count: 3}
	}
	v := a.judge(samples)
	data, err := a.reasonData(v, time.Unix(1e9, 0))
	if err != nil || len(data) > maxReasonData || len(data) < maxReasonData/4 {
		t.Errorf("%d bytes of reason data, %v", len(data), err)
	}
	if reason := a.reason(v); len(reason) > maxReason || !slices.Contains(strings.Fields(reason), "crossed") {
		t.Errorf("reason: %s", reason)
	}
}
