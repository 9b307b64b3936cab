package dynamodbapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
)

// Quotas that DescribeLimits tells; Weir does not enforce them.
const (
	accountUnits = 80000
	tableUnits   = 40000
)

func (h handlers) describeLimits(context.Context, *dynamodb.DescribeLimitsInput) (*dynamodb.DescribeLimitsOutput, error) {
	return &dynamodb.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits:  aws.Int64(accountUnits),
		AccountMaxWriteCapacityUnits: aws.Int64(accountUnits),
		TableMaxReadCapacityUnits:    aws.Int64(tableUnits),
		TableMaxWriteCapacityUnits:   aws.Int64(tableUnits),
	}, nil
}

// endpointMinutes is how long a client may keep what DescribeEndpoints told.
const endpointMinutes = 1440

func (h handlers) describeEndpoints(ctx context.Context, _ *dynamodb.DescribeEndpointsInput) (*dynamodb.DescribeEndpointsOutput, error) {
	return &dynamodb.DescribeEndpointsOutput{
		Endpoints: []types.Endpoint{{Address: aws.String(api.CallerOf(ctx).Host), CachePeriodInMinutes: endpointMinutes}},
	}, nil
}

// describeTimeToLive answers for tables on which items do not expire, which are all
// until UpdateTimeToLive is implemented.
func (h handlers) describeTimeToLive(_ context.Context, in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
	var c api.Constraints
	if err := checkControlName(&c, in.TableName); err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if _, err := h.tables.DescribeTable(*in.TableName); err != nil {
		return nil, exception(err)
	}
	return &dynamodb.DescribeTimeToLiveOutput{
		TimeToLiveDescription: &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled},
	}, nil
}

func (h handlers) checkResource(operation string, arn *string) error {
	if arn == nil {
		return api.Validation("Invalid TableArn")
	}
	if !isARN(arn) {
		return api.Validation("One or more parameter values were invalid: ARNs must start with 'arn:': " + *arn)
	}
	if !tableARN.MatchString(*arn) {
		return api.Validation("Invalid TableArn: Invalid ResourceArn provided as input " + *arn)
	}
	own := h.tables.Account()
	if strings.Split(*arn, ":")[4] != own {
		// Who asks is not known; the service names the user.
		return &api.Error{Code: "AccessDeniedException", Message: "User: arn:aws:iam::" + own + ":root is not authorized to perform: dynamodb:" + operation + " on resource: " + *arn}
	}
	return nil
}

func (h handlers) tagResource(_ context.Context, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	var c api.Constraints
	c.Required("tags", in.Tags != nil)
	checkTags(&c, in.Tags)
	if in.ResourceArn == nil {
		return nil, h.checkResource("TagResource", nil)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := h.checkResource("TagResource", in.ResourceArn); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, api.Validation("Atleast one Tag needs to be provided as Input.")
	}
	if err := h.tables.TagTable(*in.ResourceArn, tagMap(in.Tags)); err != nil {
		return nil, exception(err)
	}
	return &dynamodb.TagResourceOutput{}, nil
}

func (h handlers) untagResource(_ context.Context, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	if in.ResourceArn == nil {
		return nil, h.checkResource("UntagResource", nil)
	}
	var c api.Constraints
	c.Required("tagKeys", in.TagKeys != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := h.checkResource("UntagResource", in.ResourceArn); err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, api.Validation("Atleast one Tag Key needs to be provided as Input.")
	}
	if err := h.tables.UntagTable(*in.ResourceArn, in.TagKeys); err != nil {
		return nil, exception(err)
	}
	return &dynamodb.UntagResourceOutput{}, nil
}

// listTags answers with all tags: the parameter NextToken has no effect, and no answer
// has one.
func (h handlers) listTags(_ context.Context, in *dynamodb.ListTagsOfResourceInput) (*dynamodb.ListTagsOfResourceOutput, error) {
	if err := h.checkResource("ListTagsOfResource", in.ResourceArn); err != nil {
		return nil, err
	}
	tags, err := h.tables.Tags(*in.ResourceArn)
	if err != nil {
		return nil, exception(err)
	}
	out := &dynamodb.ListTagsOfResourceOutput{Tags: []types.Tag{}}
	for _, t := range tags {
		out.Tags = append(out.Tags, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out, nil
}

var tagPattern = api.MustPattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)

func checkTags(c *api.Constraints, tags []types.Tag) {
	for i, t := range tags {
		key, value := api.MemberPath("tags", i, "key"), api.MemberPath("tags", i, "value")
		c.Required(key, t.Key != nil)
		c.Length(key, t.Key, 1, 128)
		c.Pattern(key, t.Key, tagPattern)
		c.Required(value, t.Value != nil)
		c.Length(value, t.Value, 0, 256)
		c.Pattern(value, t.Value, tagPattern)
	}
}

func tagMap(tags []types.Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[*t.Key] = *t.Value
	}
	return m
}
