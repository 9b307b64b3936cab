package provision

import (
	"context"
	"errors"

	"github.com/weirstream/weir/internal/metric"
	"github.com/weirstream/weir/internal/stack/resource"
)

func metricError(err error) error {
	var e *metric.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Code == metric.NotFound || e.Code == metric.DashboardNotFound {
		return mark(resource.ErrNotFound, err)
	}
	return mark(resource.ErrInvalid, err)
}

type alarms struct{ *metric.Alarms }

func (a alarms) PutAlarm(ctx context.Context, spec resource.AlarmSpec) (string, error) {
	def := metric.Alarm{
		Name: spec.Name, Description: spec.Description, ActionsEnabled: spec.ActionsEnabled,
		AlarmActions: spec.AlarmActions, OKActions: spec.OKActions, InsufficientData: spec.InsufficientDataActions,
		Metric:    metric.ID{Namespace: spec.Namespace, Name: spec.MetricName},
		Statistic: spec.Statistic, ExtendedStatistic: spec.ExtendedStatistic, Unit: spec.Unit,
		Period: int64(spec.PeriodSeconds), EvaluationPeriods: int64(spec.EvaluationPeriods), DatapointsToAlarm: int64(spec.DatapointsToAlarm),
		Threshold: spec.Threshold, Comparison: spec.ComparisonOperator, TreatMissingData: spec.TreatMissingData,
		LowSampleCount: spec.EvaluateLowSampleCount, Tags: spec.Tags,
	}
	for _, d := range spec.Dimensions {
		def.Metric.Dimensions = append(def.Metric.Dimensions, metric.Dimension{Name: d.Name, Value: d.Value})
	}
	if err := a.Put(ctx, def); err != nil {
		return "", metricError(err)
	}
	return a.ARN(spec.Name), metricError(a.retag(spec))
}

// retag gives an alarm its tags; Put leaves those of an alarm that exists.
func (a alarms) retag(spec resource.AlarmSpec) error {
	alarm, _ := a.Get(spec.Name)
	var stale []string
	for key := range alarm.Tags {
		if _, keep := spec.Tags[key]; !keep {
			stale = append(stale, key)
		}
	}
	return a.Tag(spec.Name, spec.Tags, stale)
}

func (a alarms) DeleteAlarm(ctx context.Context, name string) error {
	return gone(metricError(a.Delete(ctx, []string{name})))
}

type dashboards struct{ *metric.Dashboards }

func (d dashboards) PutDashboard(ctx context.Context, name, body string) error {
	_, err := d.Put(ctx, name, body, nil)
	return metricError(err)
}

func (d dashboards) DeleteDashboard(ctx context.Context, name string) error {
	return gone(metricError(d.Delete(ctx, []string{name})))
}
