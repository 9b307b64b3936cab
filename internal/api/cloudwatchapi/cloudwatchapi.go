// Package cloudwatchapi is the CloudWatch API over package metric: metrics, alarms
// and dashboards.
//
// It decodes, checks declared constraints, calls the domain and encodes. What the
// domain does not know, metric math and the newer kinds of alarms, is refused
// here.
package cloudwatchapi

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/metric"
)

// maxRequest bounds a request, before and after decompression: the service takes
// 1 MB compressed.
const maxRequest = 8 << 20

// Deps are the parts of the domain that the API speaks for.
type Deps struct {
	Metrics    *metric.Metrics
	Alarms     *metric.Alarms
	Dashboards *metric.Dashboards
	Identity   catalog.Identity
}

type handlers struct{ Deps }

// New returns the service.
func New(deps Deps) *api.Service {
	h := handlers{deps}
	return &api.Service{
		Name:            "monitoring",
		TargetPrefix:    "GraniteServiceVersion20100801",
		JSONVersion:     "1.0",
		CBOR:            api.RPCv2CBOR,
		QueryVersion:    "2010-08-01",
		XMLNamespace:    "http://monitoring.amazonaws.com/doc/2010-08-01/",
		QueryCompatible: true,
		ErrorNamespace:  "com.amazonaws.cloudwatch.v2010_08_01",
		MaxRequestBytes: maxRequest,
		Unions: []api.Union{
			api.UnionOf[types.EvaluationCriteria](&types.EvaluationCriteriaMemberPromQLCriteria{}),
			api.UnionOf[types.EvaluationWindow](&types.EvaluationWindowMemberSlidingWindow{}, &types.EvaluationWindowMemberWallClockWindow{}),
		},
		Operations: []api.Operation{
			api.Op("PutMetricData", schemas.PutMetricData, schemas.PutMetricDataInput, nil, h.putMetricData).Held(),
			api.Op("ListMetrics", schemas.ListMetrics, schemas.ListMetricsInput, schemas.ListMetricsOutput, h.listMetrics),
			api.Op("GetMetricStatistics", schemas.GetMetricStatistics, schemas.GetMetricStatisticsInput, schemas.GetMetricStatisticsOutput, h.getMetricStatistics),
			api.Op("GetMetricData", schemas.GetMetricData, schemas.GetMetricDataInput, schemas.GetMetricDataOutput, h.getMetricData),
			api.Op("PutMetricAlarm", schemas.PutMetricAlarm, schemas.PutMetricAlarmInput, nil, h.putMetricAlarm),
			api.Op("DescribeAlarms", schemas.DescribeAlarms, schemas.DescribeAlarmsInput, schemas.DescribeAlarmsOutput, h.describeAlarms),
			api.Op("DescribeAlarmsForMetric", schemas.DescribeAlarmsForMetric, schemas.DescribeAlarmsForMetricInput, schemas.DescribeAlarmsForMetricOutput, h.describeAlarmsForMetric),
			api.Op("DescribeAlarmHistory", schemas.DescribeAlarmHistory, schemas.DescribeAlarmHistoryInput, schemas.DescribeAlarmHistoryOutput, h.describeAlarmHistory),
			api.Op("DeleteAlarms", schemas.DeleteAlarms, schemas.DeleteAlarmsInput, nil, h.deleteAlarms),
			api.Op("SetAlarmState", schemas.SetAlarmState, schemas.SetAlarmStateInput, nil, h.setAlarmState),
			api.Op("EnableAlarmActions", schemas.EnableAlarmActions, schemas.EnableAlarmActionsInput, nil, h.enableAlarmActions),
			api.Op("DisableAlarmActions", schemas.DisableAlarmActions, schemas.DisableAlarmActionsInput, nil, h.disableAlarmActions),
			api.Op("PutDashboard", schemas.PutDashboard, schemas.PutDashboardInput, schemas.PutDashboardOutput, h.putDashboard),
			api.Op("GetDashboard", schemas.GetDashboard, schemas.GetDashboardInput, schemas.GetDashboardOutput, h.getDashboard),
			api.Op("ListDashboards", schemas.ListDashboards, schemas.ListDashboardsInput, schemas.ListDashboardsOutput, h.listDashboards),
			api.Op("DeleteDashboards", schemas.DeleteDashboards, schemas.DeleteDashboardsInput, schemas.DeleteDashboardsOutput, h.deleteDashboards),
			api.Op("TagResource", schemas.TagResource, schemas.TagResourceInput, schemas.TagResourceOutput, h.tagResource),
			api.Op("UntagResource", schemas.UntagResource, schemas.UntagResourceInput, schemas.UntagResourceOutput, h.untagResource),
			api.Op("ListTagsForResource", schemas.ListTagsForResource, schemas.ListTagsForResourceInput, schemas.ListTagsForResourceOutput, h.listTagsForResource),
		},
	}
}

// exception maps errors of the domain to those of the API.
func exception(err error) error {
	var e *metric.Error
	if !errors.As(err, &e) {
		return err
	}
	message := &e.Message
	if e.Message == "" {
		message = nil
	}
	switch e.Code {
	case metric.InvalidValue:
		return &types.InvalidParameterValueException{Message: message}
	case metric.InvalidCombination:
		return &types.InvalidParameterCombinationException{Message: message}
	case metric.MissingParameter:
		return &types.MissingRequiredParameterException{Message: message}
	case metric.Validation:
		return api.Validation(e.Message)
	case metric.NotFound:
		return &types.ResourceNotFound{Message: message}
	case metric.LimitExceeded:
		return &types.LimitExceededFault{Message: message}
	case metric.InvalidToken:
		return &types.InvalidNextToken{Message: message}
	case metric.InvalidFormat:
		return &types.InvalidFormatFault{Message: message}
	case metric.DashboardNotFound:
		return &types.DashboardNotFoundError{Message: message}
	case metric.InvalidDashboard:
		return &types.DashboardInvalidInputError{Message: message, DashboardValidationMessages: problems(e.Problems)}
	}
	return err
}

// notImplemented refuses a parameter that was given.
func notImplemented(parameter string) error {
	return api.Validation(fmt.Sprintf("The parameter %s is not implemented.", parameter))
}

// given is a parameter that is not implemented and whether a request has it.
type given struct {
	name string
	is   bool
}

func refuse(parameters ...given) error {
	for _, p := range parameters {
		if p.is {
			return notImplemented(p.name)
		}
	}
	return nil
}
