package cloudwatchapi

import (
	"context"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/metric"
)

func (h handlers) putMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	alarm := metric.Alarm{
		Name: aws.ToString(in.AlarmName), Description: aws.ToString(in.AlarmDescription),
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		OKActions:      in.OKActions, AlarmActions: in.AlarmActions, InsufficientData: in.InsufficientDataActions,
		Metric: metric.ID{
			Namespace: aws.ToString(in.Namespace), Name: aws.ToString(in.MetricName), Dimensions: dimensions(in.Dimensions),
		},
		Statistic: string(in.Statistic), ExtendedStatistic: aws.ToString(in.ExtendedStatistic), Unit: string(in.Unit),
		Period: int64(aws.ToInt32(in.Period)), EvaluationPeriods: int64(aws.ToInt32(in.EvaluationPeriods)),
		DatapointsToAlarm: int64(aws.ToInt32(in.DatapointsToAlarm)), Threshold: aws.ToFloat64(in.Threshold),
		Comparison: string(in.ComparisonOperator), TreatMissingData: aws.ToString(in.TreatMissingData),
		LowSampleCount: aws.ToString(in.EvaluateLowSampleCountPercentile), Tags: tags,
	}
	return nil, exception(h.Alarms.Put(ctx, alarm))
}

func checkAlarm(in *cloudwatch.PutMetricAlarmInput) error {
	var c api.Constraints
	c.Required("alarmName", in.AlarmName != nil)
	c.Length("alarmName", in.AlarmName, 1, 255)
	api.Enum(&c, "comparisonOperator", in.ComparisonOperator, in.ComparisonOperator.Values()...)
	checkStatistic(&c, in.Statistic, in.Unit, in.Period)
	c.Length("treatMissingData", in.TreatMissingData, 1, 255)
	c.Length("evaluateLowSampleCountPercentile", in.EvaluateLowSampleCountPercentile, 1, 255)
	c.Range("evaluationPeriods", in.EvaluationPeriods, 1, math.MaxInt64)
	c.Range("datapointsToAlarm", in.DatapointsToAlarm, 1, math.MaxInt64)
	if err := c.Err(); err != nil {
		return err
	}
	if err := refuse(
		given{"Metrics", len(in.Metrics) > 0},
		given{"ThresholdMetricId", in.ThresholdMetricId != nil},
		given{"EvaluationCriteria", in.EvaluationCriteria != nil},
		given{"EvaluationWindow", in.EvaluationWindow != nil},
		given{"EvaluationInterval", in.EvaluationInterval != nil},
		given{"WarmUpConfiguration", in.WarmUpConfiguration != nil},
		given{"ActionConfiguration", in.ActionConfiguration != nil},
	); err != nil {
		return err
	}
	for _, p := range []given{
		{"MetricName", in.MetricName == nil}, {"Namespace", in.Namespace == nil}, {"Period", in.Period == nil},
		{"EvaluationPeriods", in.EvaluationPeriods == nil}, {"ComparisonOperator", in.ComparisonOperator == ""}, {"Threshold", in.Threshold == nil},
	} {
		if p.is {
			return &types.MissingRequiredParameterException{Message: aws.String("The parameter " + p.name + " is required.")}
		}
	}
	return nil
}

func (h handlers) describeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	var c api.Constraints
	c.Range("maxRecords", in.MaxRecords, 1, 100)
	checkAlarmNames(&c, in.AlarmNames)
	checkAlarmTypes(&c, in.AlarmTypes)
	c.Length("alarmNamePrefix", in.AlarmNamePrefix, 1, maxAlarmName)
	c.Length("actionPrefix", in.ActionPrefix, 1, 1024)
	api.Enum(&c, "stateValue", in.StateValue, types.StateValueInsufficientData, types.StateValueAlarm, types.StateValueOk)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := refuse(given{"ChildrenOfAlarmName", in.ChildrenOfAlarmName != nil}, given{"ParentsOfAlarmName", in.ParentsOfAlarmName != nil}); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{
		MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}, LogAlarms: []types.LogAlarm{},
	}
	if !wantsMetricAlarms(in.AlarmTypes) {
		return out, nil
	}
	found, token, err := h.Alarms.Describe(ctx, metric.AlarmFilter{
		Names: in.AlarmNames, Prefix: aws.ToString(in.AlarmNamePrefix), State: string(in.StateValue),
		ActionPrefix: aws.ToString(in.ActionPrefix), Limit: int(aws.ToInt32(in.MaxRecords)), Token: aws.ToString(in.NextToken),
	})
	if err != nil {
		return nil, exception(err)
	}
	out.NextToken = optional(token)
	for i := range found {
		out.MetricAlarms = append(out.MetricAlarms, metricAlarm(&found[i]))
	}
	return out, nil
}

func wantsMetricAlarms(kinds []types.AlarmType) bool {
	return len(kinds) == 0 || slices.Contains(kinds, types.AlarmTypeMetricAlarm)
}

func metricAlarm(s *metric.Status) types.MetricAlarm {
	a := types.MetricAlarm{
		AlarmName: &s.Name, AlarmArn: &s.ARN, AlarmDescription: optional(s.Description),
		AlarmConfigurationUpdatedTimestamp: &s.Alarm.Updated, ActionsEnabled: &s.ActionsEnabled,
		OKActions: notNil(s.OKActions), AlarmActions: notNil(s.AlarmActions), InsufficientDataActions: notNil(s.InsufficientData),
		StateValue: types.StateValue(s.Value), StateReason: &s.Reason, StateReasonData: optional(s.ReasonData),
		StateUpdatedTimestamp: &s.State.Updated, StateTransitionedTimestamp: &s.Transitioned,
		Namespace: &s.Metric.Namespace, MetricName: &s.Metric.Name, Dimensions: outDimensions(s.Metric.Dimensions),
		Statistic: types.Statistic(s.Statistic), ExtendedStatistic: optional(s.ExtendedStatistic), Unit: types.StandardUnit(s.Unit),
		Period: aws.Int32(int32(s.Period)), EvaluationPeriods: aws.Int32(int32(s.EvaluationPeriods)),
		Threshold: &s.Threshold, ComparisonOperator: types.ComparisonOperator(s.Comparison),
		TreatMissingData: optional(s.TreatMissingData), EvaluateLowSampleCountPercentile: optional(s.LowSampleCount),
	}
	if s.DatapointsToAlarm > 0 {
		a.DatapointsToAlarm = aws.Int32(int32(s.DatapointsToAlarm))
	}
	return a
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (h handlers) describeAlarmsForMetric(_ context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	var c api.Constraints
	c.Required("metricName", in.MetricName != nil)
	c.Required("namespace", in.Namespace != nil)
	checkMetric(&c, in.Namespace, in.MetricName)
	checkDimensions(&c, in.Dimensions)
	checkStatistic(&c, in.Statistic, in.Unit, in.Period)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if s := in.ExtendedStatistic; s != nil {
		if _, ok := metric.ParseStat(*s); !ok {
			return nil, &types.InvalidParameterValueException{Message: aws.String("The value " + *s + " for parameter ExtendedStatistic is not supported.")}
		}
	}
	id := metric.ID{Namespace: *in.Namespace, Name: *in.MetricName, Dimensions: dimensions(in.Dimensions)}
	found := h.Alarms.ForMetric(id, string(in.Statistic)+aws.ToString(in.ExtendedStatistic), string(in.Unit), int64(aws.ToInt32(in.Period)))
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: make([]types.MetricAlarm, len(found))}
	for i := range found {
		out.MetricAlarms[i] = metricAlarm(&found[i])
	}
	return out, nil
}

func (h handlers) describeAlarmHistory(ctx context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	var c api.Constraints
	c.Range("maxRecords", in.MaxRecords, 1, 100)
	c.Length("alarmName", in.AlarmName, 1, maxAlarmName)
	checkAlarmTypes(&c, in.AlarmTypes)
	api.Enum(&c, "historyItemType", in.HistoryItemType, in.HistoryItemType.Values()...)
	api.Enum(&c, "scanBy", in.ScanBy, types.ScanByTimestampDescending, types.ScanByTimestampAscending)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := refuse(given{"AlarmContributorId", in.AlarmContributorId != nil}); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}}
	if !wantsMetricAlarms(in.AlarmTypes) {
		return out, nil
	}
	items, token, err := h.Alarms.History(ctx, metric.HistoryFilter{
		Alarm: aws.ToString(in.AlarmName), Type: string(in.HistoryItemType), Start: aws.ToTime(in.StartDate), End: aws.ToTime(in.EndDate),
		Ascending: in.ScanBy == types.ScanByTimestampAscending, Limit: int(aws.ToInt32(in.MaxRecords)), Token: aws.ToString(in.NextToken),
	})
	if err != nil {
		return nil, exception(err)
	}
	out.NextToken = optional(token)
	for i := range items {
		item := &items[i]
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, types.AlarmHistoryItem{
			AlarmName: &item.Alarm, AlarmType: types.AlarmTypeMetricAlarm, Timestamp: &item.Time,
			HistoryItemType: types.HistoryItemType(item.Type), HistorySummary: &item.Summary, HistoryData: &item.Data,
		})
	}
	return out, nil
}

// checkAlarmsGiven constrains the names in an operation on nothing else.
func checkAlarmsGiven(names []string) error {
	var c api.Constraints
	c.Required("alarmNames", names != nil)
	checkAlarmNames(&c, names)
	return c.Err()
}

func (h handlers) deleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if err := checkAlarmsGiven(in.AlarmNames); err != nil {
		return nil, err
	}
	return nil, exception(h.Alarms.Delete(ctx, in.AlarmNames))
}

func (h handlers) setAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	var c api.Constraints
	c.Required("alarmName", in.AlarmName != nil)
	c.Length("alarmName", in.AlarmName, 1, 255)
	c.Required("stateValue", in.StateValue != "")
	api.Enum(&c, "stateValue", in.StateValue, types.StateValueInsufficientData, types.StateValueAlarm, types.StateValueOk)
	c.Required("stateReason", in.StateReason != nil)
	c.Length("stateReason", in.StateReason, 0, 1023)
	c.Length("stateReasonData", in.StateReasonData, 0, 4000)
	if err := c.Err(); err != nil {
		return nil, err
	}
	return nil, exception(h.Alarms.SetState(ctx, *in.AlarmName, string(in.StateValue), *in.StateReason, aws.ToString(in.StateReasonData)))
}

func (h handlers) enableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	if err := checkAlarmsGiven(in.AlarmNames); err != nil {
		return nil, err
	}
	return nil, exception(h.Alarms.EnableActions(ctx, in.AlarmNames, true))
}

func (h handlers) disableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	if err := checkAlarmsGiven(in.AlarmNames); err != nil {
		return nil, err
	}
	return nil, exception(h.Alarms.EnableActions(ctx, in.AlarmNames, false))
}
