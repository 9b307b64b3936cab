package resource

import (
	"context"
	"encoding/json"
	"slices"
)

var cloudWatchAlarm = define(Type{
	Name: "AWS::CloudWatch::Alarm", NameProperty: "AlarmName", NameLimit: 255,
	Properties: []string{"ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator",
		"DatapointsToAlarm", "Dimensions", "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic",
		"InsufficientDataActions", "MetricName", "Namespace", "OKActions", "Period", "Statistic", "Tags", "Threshold",
		"TreatMissingData", "Unit"},
	Unimplemented: []string{"EvaluationCriteria", "EvaluationInterval", "EvaluationWindow", "Metrics", "ThresholdMetricId", "WarmUpConfiguration"},
	Replace:       []string{"AlarmName"},
	Attributes:    []string{"Arn"},
}, operations[AlarmSpec]{
	decode: decodeAlarm,
	create: putAlarm,
	update: func(ctx context.Context, p *Providers, t Target, _, s AlarmSpec) (Made, error) {
		return putAlarm(ctx, p, t, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ AlarmSpec) error {
		return p.Alarms.DeleteAlarm(ctx, t.Name)
	},
})

func putAlarm(ctx context.Context, p *Providers, t Target, s AlarmSpec) (Made, error) {
	s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
	arn, err := p.Alarms.PutAlarm(ctx, s)
	return named(s.Name, arn), err
}

func decodeAlarm(o *object) AlarmSpec {
	if !o.has("Metrics") { // which is not implemented, and stands in the place of the others
		o.require("ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace", "Period", "Threshold")
		if !o.has("Statistic") && !o.has("ExtendedStatistic") {
			o.require("Statistic")
		}
	}
	s := AlarmSpec{
		Name: o.text("AlarmName"), Description: o.text("AlarmDescription"), ActionsEnabled: true,
		AlarmActions: o.texts("AlarmActions"), OKActions: o.texts("OKActions"), InsufficientDataActions: o.texts("InsufficientDataActions"),
		Namespace: o.text("Namespace"), MetricName: o.text("MetricName"), ExtendedStatistic: o.text("ExtendedStatistic"),
		Statistic:     o.oneOf("Statistic", "SampleCount", "Average", "Sum", "Minimum", "Maximum"),
		PeriodSeconds: o.count("Period"), EvaluationPeriods: o.count("EvaluationPeriods"), DatapointsToAlarm: o.count("DatapointsToAlarm"),
		ComparisonOperator: o.oneOf("ComparisonOperator", "GreaterThanThreshold", "GreaterThanOrEqualToThreshold",
			"LessThanThreshold", "LessThanOrEqualToThreshold"),
		TreatMissingData:       o.oneOf("TreatMissingData", "missing", "ignore", "breaching", "notBreaching"),
		EvaluateLowSampleCount: o.oneOf("EvaluateLowSampleCountPercentile", "evaluate", "ignore"),
		Unit:                   o.text("Unit"), Tags: o.tags(),
	}
	if enabled := o.boolean("ActionsEnabled"); enabled != nil {
		s.ActionsEnabled = *enabled
	}
	if threshold := o.number("Threshold"); threshold != nil {
		s.Threshold = *threshold
	}
	for _, d := range o.objects("Dimensions") {
		d.require("Name", "Value")
		s.Dimensions = append(s.Dimensions, Dimension{d.text("Name"), d.text("Value")})
		d.done()
	}
	return s
}

// dashboardSpec is a dashboard with the JSON of its body.
type dashboardSpec struct{ name, body string }

var cloudWatchDashboard = define(Type{
	Name: "AWS::CloudWatch::Dashboard", NameProperty: "DashboardName", NameLimit: 255,
	Properties: []string{"DashboardBody", "DashboardName"},
	Replace:    []string{"DashboardName"},
}, operations[dashboardSpec]{
	decode: func(o *object) dashboardSpec {
		o.require("DashboardBody")
		s := dashboardSpec{o.text("DashboardName"), o.text("DashboardBody")}
		if n := o.get("DashboardBody"); n.IsScalar() && !json.Valid([]byte(s.body)) {
			o.fail(n.Line, "The field DashboardBody must be a valid JSON object")
		}
		return s
	},
	create: putDashboard,
	update: func(ctx context.Context, p *Providers, t Target, _, s dashboardSpec) (Made, error) {
		return putDashboard(ctx, p, t, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ dashboardSpec) error {
		return p.Dashboards.DeleteDashboard(ctx, t.Name)
	},
})

func putDashboard(ctx context.Context, p *Providers, t Target, s dashboardSpec) (Made, error) {
	return Made{PhysicalID: t.Name}, p.Dashboards.PutDashboard(ctx, t.Name, s.body)
}

// retentionDays are the values that CloudWatch Logs takes.
var retentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

var logsLogGroup = define(Type{
	Name: "AWS::Logs::LogGroup", NameProperty: "LogGroupName", NameLimit: 512,
	Properties: []string{"LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"},
	Unimplemented: []string{"BearerTokenAuthenticationEnabled", "DataProtectionPolicy", "DeletionProtectionEnabled",
		"FieldIndexPolicies", "KmsKeyId", "ResourcePolicyDocument"},
	Replace:    []string{"LogGroupName", "LogGroupClass"},
	Attributes: []string{"Arn"},
}, operations[LogGroupSpec]{
	decode: func(o *object) LogGroupSpec {
		s := LogGroupSpec{Name: o.text("LogGroupName"), RetentionDays: o.count("RetentionInDays"), Tags: o.tags()}
		o.only("LogGroupClass", "STANDARD")
		if n := o.get("RetentionInDays"); n.IsScalar() && !slices.Contains(retentionDays, s.RetentionDays) {
			o.fail(n.Line, "Properties validation failed for resource %s with message: #/RetentionInDays: %s is not a valid enum value", o.id, n.Text)
		}
		return s
	},
	create: func(ctx context.Context, p *Providers, t Target, s LogGroupSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		return t.logGroup(s), p.LogGroups.CreateLogGroup(ctx, s)
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s LogGroupSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		return t.logGroup(s), p.LogGroups.UpdateLogGroup(ctx, s)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ LogGroupSpec) error {
		return p.LogGroups.DeleteLogGroup(ctx, t.Name)
	},
})

// logGroup is a log group as templates see it: its ARN ends as those in policies do.
func (t Target) logGroup(s LogGroupSpec) Made {
	return named(s.Name, t.Identity.ARN("logs", "log-group:"+s.Name+":*"))
}
