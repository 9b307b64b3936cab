package cloudwatchapi

import (
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/weirstream/weir/internal/api"
)

// Constraints of the API model, for operations whose errors list them. Reading and
// writing datapoints has texts of its own, in package metric.

var namespacePattern = api.MustPattern("[^:].*")

const (
	maxAlarmName      = 255
	maxDimensionValue = 1024
)

// checkMetric constrains the name of a metric, of which parts may be missing.
func checkMetric(c *api.Constraints, namespace, name *string) {
	c.Length("metricName", name, 1, 255)
	c.Length("namespace", namespace, 1, 255)
	c.Pattern("namespace", namespace, namespacePattern)
}

func checkDimension(c *api.Constraints, i int, name, value *string) {
	at := api.MemberPath("dimensions", i, "name")
	c.Required(at, name != nil)
	c.Length(at, name, 1, 255)
	c.Length(api.MemberPath("dimensions", i, "value"), value, 1, maxDimensionValue)
}

func checkDimensions(c *api.Constraints, dims []types.Dimension) {
	c.ListSize("dimensions", len(dims), 0, 30, func(i int) string { return aws.ToString(dims[i].Name) })
	for i, d := range dims {
		checkDimension(c, i, d.Name, d.Value)
		c.Required(api.MemberPath("dimensions", i, "value"), d.Value != nil)
	}
}

// checkStatistic constrains what of a metric is looked at.
func checkStatistic(c *api.Constraints, statistic types.Statistic, unit types.StandardUnit, period *int32) {
	api.Enum(c, "statistic", statistic, statistic.Values()...)
	api.Enum(c, "unit", unit, unit.Values()...)
	c.Range("period", period, 1, math.MaxInt64)
}

// checkAlarmNames constrains the names of alarms; how many they may be is known to
// package metric.
func checkAlarmNames(c *api.Constraints, names []string) {
	c.ElementLengths("alarmNames", names, 1, maxAlarmName)
}

// checkAlarmTypes constrains the kinds of alarms that are asked for.
func checkAlarmTypes(c *api.Constraints, kinds []types.AlarmType) {
	api.EnumList(c, "alarmTypes", kinds, types.AlarmTypeCompositeAlarm, types.AlarmTypeMetricAlarm, types.AlarmTypeLogAlarm)
}
