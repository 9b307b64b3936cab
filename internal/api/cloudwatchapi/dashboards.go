package cloudwatchapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/metric"
)

func (h handlers) putDashboard(ctx context.Context, in *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
	var c api.Constraints
	c.Required("dashboardName", in.DashboardName != nil)
	c.Required("dashboardBody", in.DashboardBody != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	warnings, err := h.Dashboards.Put(ctx, *in.DashboardName, *in.DashboardBody, tags)
	if err != nil {
		return nil, exception(err)
	}
	return &cloudwatch.PutDashboardOutput{DashboardValidationMessages: problems(warnings)}, nil
}

func problems(all []metric.Problem) []types.DashboardValidationMessage {
	out := make([]types.DashboardValidationMessage, len(all))
	for i := range all {
		out[i] = types.DashboardValidationMessage{DataPath: &all[i].Path, Message: &all[i].Message}
	}
	return out
}

func (h handlers) getDashboard(_ context.Context, in *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
	var c api.Constraints
	c.Required("dashboardName", in.DashboardName != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	d, err := h.Dashboards.Get(*in.DashboardName)
	if err != nil {
		return nil, exception(err)
	}
	return &cloudwatch.GetDashboardOutput{
		DashboardArn: aws.String(h.Dashboards.ARN(d.Name)), DashboardBody: &d.Body, DashboardName: &d.Name,
	}, nil
}

func (h handlers) listDashboards(_ context.Context, in *cloudwatch.ListDashboardsInput) (*cloudwatch.ListDashboardsOutput, error) {
	if in.NextToken != nil { // all fit on one page, so no token was ever given out
		return nil, &types.InvalidParameterValueException{Message: aws.String("The value " + *in.NextToken + " for parameter NextToken is invalid.")}
	}
	out := &cloudwatch.ListDashboardsOutput{DashboardEntries: []types.DashboardEntry{}}
	for _, d := range h.Dashboards.List(aws.ToString(in.DashboardNamePrefix)) {
		out.DashboardEntries = append(out.DashboardEntries, types.DashboardEntry{
			DashboardArn: aws.String(h.Dashboards.ARN(d.Name)), DashboardName: aws.String(d.Name),
			LastModified: aws.Time(d.Modified), Size: aws.Int64(int64(len(d.Body))),
		})
	}
	return out, nil
}

func (h handlers) deleteDashboards(ctx context.Context, in *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error) {
	return &cloudwatch.DeleteDashboardsOutput{}, exception(h.Dashboards.Delete(ctx, in.DashboardNames))
}
