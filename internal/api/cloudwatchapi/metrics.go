package cloudwatchapi

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/metric"
)

func (h handlers) putMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	if err := refuse(given{"EntityMetricData", len(in.EntityMetricData) > 0}); err != nil {
		return nil, err
	}
	data := make([]metric.Datum, len(in.MetricData))
	for i := range in.MetricData {
		if err := checkGiven(i, &in.MetricData[i]); err != nil {
			return nil, err
		}
		data[i] = datum(&in.MetricData[i])
	}
	if tx := api.EffectsOf(ctx); tx != nil {
		return nil, exception(h.Metrics.PutIn(ctx, tx, aws.ToString(in.Namespace), data))
	}
	return nil, exception(h.Metrics.Put(ctx, aws.ToString(in.Namespace), data))
}

// checkGiven refuses what package metric takes for absent: a resolution of 0, and a
// part of a statistic set that is missing.
func checkGiven(i int, d *types.MetricDatum) error {
	path := "MetricData.member." + strconv.Itoa(i+1)
	if d.StorageResolution != nil && *d.StorageResolution == 0 {
		return &types.InvalidParameterValueException{Message: aws.String("The parameter " + path + ".StorageResolution must be 1 or 60.")}
	}
	if d.StatisticValues == nil {
		return nil
	}
	s := d.StatisticValues
	for _, part := range []given{
		{"SampleCount", s.SampleCount != nil}, {"Sum", s.Sum != nil}, {"Minimum", s.Minimum != nil}, {"Maximum", s.Maximum != nil},
	} {
		if !part.is {
			return &types.MissingRequiredParameterException{Message: aws.String("The parameter " + path + ".StatisticValues." + part.name + " is required.")}
		}
	}
	return nil
}

func datum(d *types.MetricDatum) metric.Datum {
	out := metric.Datum{
		Name: aws.ToString(d.MetricName), Dimensions: dimensions(d.Dimensions), Time: aws.ToTime(d.Timestamp),
		Unit: string(d.Unit), Resolution: int(aws.ToInt32(d.StorageResolution)),
		Value: d.Value, Values: d.Values, Counts: d.Counts,
	}
	if s := d.StatisticValues; s != nil {
		out.Statistics = &metric.StatisticSet{
			Count: aws.ToFloat64(s.SampleCount), Sum: aws.ToFloat64(s.Sum),
			Min: aws.ToFloat64(s.Minimum), Max: aws.ToFloat64(s.Maximum),
		}
	}
	return out
}

func dimensions(dims []types.Dimension) []metric.Dimension {
	out := make([]metric.Dimension, len(dims))
	for i, d := range dims {
		out[i] = metric.Dimension{Name: aws.ToString(d.Name), Value: aws.ToString(d.Value)}
	}
	return out
}

func outDimensions(dims []metric.Dimension) []types.Dimension {
	out := make([]types.Dimension, len(dims))
	for i := range dims {
		out[i] = types.Dimension{Name: &dims[i].Name, Value: &dims[i].Value}
	}
	return out
}

func (h handlers) listMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	var c api.Constraints
	api.Enum(&c, "recentlyActive", in.RecentlyActive, types.RecentlyActivePt3h)
	checkMetric(&c, in.Namespace, in.MetricName)
	c.Length("owningAccount", in.OwningAccount, 1, 255)
	c.ListSize("dimensions", len(in.Dimensions), 0, 10, func(i int) string { return aws.ToString(in.Dimensions[i].Name) })
	for i, d := range in.Dimensions {
		checkDimension(&c, i, d.Name, d.Value)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	account := aws.ToString(in.OwningAccount)
	if err := refuse(
		given{"IncludeLinkedAccounts", aws.ToBool(in.IncludeLinkedAccounts)},
		given{"OwningAccount", account != "" && account != h.Identity.Account},
	); err != nil {
		return nil, err
	}
	filter := metric.ListFilter{
		Namespace: aws.ToString(in.Namespace), Name: aws.ToString(in.MetricName),
		RecentlyActive: in.RecentlyActive != "", Token: aws.ToString(in.NextToken),
	}
	for _, d := range in.Dimensions {
		filter.Dimensions = append(filter.Dimensions, metric.DimensionFilter{Name: aws.ToString(d.Name), Value: d.Value})
	}
	found, token, err := h.Metrics.List(ctx, filter)
	if err != nil {
		return nil, exception(err)
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: make([]types.Metric, len(found)), NextToken: optional(token)}
	for i := range found {
		out.Metrics[i] = types.Metric{
			Namespace: &found[i].Namespace, MetricName: &found[i].Name, Dimensions: outDimensions(found[i].Dimensions),
		}
	}
	return out, nil
}

func (h handlers) getMetricStatistics(ctx context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	q := metric.StatisticsQuery{
		ID:   metric.ID{Namespace: aws.ToString(in.Namespace), Name: aws.ToString(in.MetricName), Dimensions: dimensions(in.Dimensions)},
		Unit: string(in.Unit), Start: aws.ToTime(in.StartTime), End: aws.ToTime(in.EndTime),
		Period: int64(aws.ToInt32(in.Period)), Extended: in.ExtendedStatistics,
	}
	for _, s := range in.Statistics {
		q.Statistics = append(q.Statistics, string(s))
	}
	points, err := h.Metrics.Statistics(ctx, q)
	if err != nil {
		return nil, exception(err)
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: make([]types.Datapoint, len(points))}
	for i := range points {
		out.Datapoints[i] = datapoint(&points[i], in.ExtendedStatistics)
	}
	return out, nil
}

func datapoint(p *metric.Datapoint, extended []string) types.Datapoint {
	value := func(name string) *float64 {
		if v, ok := p.Values[name]; ok {
			return &v
		}
		return nil
	}
	d := types.Datapoint{
		Timestamp: &p.Time, Unit: types.StandardUnit(p.Unit), SampleCount: value("SampleCount"), Sum: value("Sum"),
		Average: value("Average"), Minimum: value("Minimum"), Maximum: value("Maximum"),
	}
	for _, name := range extended {
		if v := value(name); v != nil {
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[name] = *v
		}
	}
	return d
}

func (h handlers) getMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	var c api.Constraints
	api.Enum(&c, "scanBy", in.ScanBy, types.ScanByTimestampDescending, types.ScanByTimestampAscending)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if in.MaxDatapoints != nil && *in.MaxDatapoints == 0 { // which package metric takes for absent
		return nil, api.Validation("The parameter MaxDatapoints must be between 1 and 100800.")
	}
	req := metric.DataRequest{
		Start: aws.ToTime(in.StartTime), End: aws.ToTime(in.EndTime), Ascending: in.ScanBy == types.ScanByTimestampAscending,
		MaxDatapoints: int(aws.ToInt32(in.MaxDatapoints)), Token: aws.ToString(in.NextToken),
	}
	if in.LabelOptions != nil && in.LabelOptions.Timezone != nil {
		zone, err := time.Parse("-0700", *in.LabelOptions.Timezone)
		if err != nil {
			return nil, api.Validation("The value " + *in.LabelOptions.Timezone + " for parameter LabelOptions.Timezone must be an offset such as +0130.")
		}
		req.Zone = zone.Location()
	}
	for i := range in.MetricDataQueries {
		c.Range(api.MemberPath("metricDataQueries", i, "period"), in.MetricDataQueries[i].Period, 1, math.MaxInt64)
		c.Length(api.MemberPath("metricDataQueries", i, "accountId"), in.MetricDataQueries[i].AccountId, 1, 255)
		if err := c.Err(); err != nil {
			return nil, err
		}
		q, err := h.dataQuery(&in.MetricDataQueries[i])
		if err != nil {
			return nil, err
		}
		req.Queries = append(req.Queries, q)
	}
	results, token, err := h.Metrics.Data(ctx, req)
	if err != nil {
		return nil, exception(err)
	}
	out := &cloudwatch.GetMetricDataOutput{
		MetricDataResults: make([]types.MetricDataResult, len(results)), Messages: []types.MessageData{}, NextToken: optional(token),
	}
	for i := range results {
		out.MetricDataResults[i] = dataResult(&results[i])
	}
	return out, nil
}

func (h handlers) dataQuery(in *types.MetricDataQuery) (metric.DataQuery, error) {
	q := metric.DataQuery{
		ID: aws.ToString(in.Id), Label: aws.ToString(in.Label), Expression: aws.ToString(in.Expression),
		Hidden: in.ReturnData != nil && !*in.ReturnData,
	}
	account := aws.ToString(in.AccountId)
	if err := refuse(given{"AccountId", account != "" && account != h.Identity.Account}); err != nil {
		return q, err
	}
	if s := in.MetricStat; s != nil {
		if in.Expression != nil {
			return q, api.Validation("The parameters Expression and MetricStat of MetricDataQueries are mutually exclusive and you have specified both.")
		}
		q.Period, q.Stat, q.Unit = int64(aws.ToInt32(s.Period)), aws.ToString(s.Stat), string(s.Unit)
		if s.Metric != nil {
			q.Metric = metric.ID{
				Namespace: aws.ToString(s.Metric.Namespace), Name: aws.ToString(s.Metric.MetricName), Dimensions: dimensions(s.Metric.Dimensions),
			}
		}
	}
	return q, nil
}

func dataResult(r *metric.DataResult) types.MetricDataResult {
	out := types.MetricDataResult{
		Id: &r.ID, Label: &r.Label, StatusCode: types.StatusCodeComplete,
		Timestamps: append([]time.Time{}, r.Times...), Values: append([]float64{}, r.Values...),
	}
	if r.Partial {
		out.StatusCode = types.StatusCodePartialData
	}
	for i := range r.Messages {
		out.Messages = append(out.Messages, types.MessageData{Code: &r.Messages[i].Code, Value: &r.Messages[i].Value})
	}
	return out
}

// optional is nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
