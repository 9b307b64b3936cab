package logsapi

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

// maxPage is how many groups or streams are described at a time.
const maxPage = 50

// page cuts one page out of a list; tokens are positions in it.
func page[T any](all []T, token *string, limit *int32) (part []T, next *string, err error) {
	start := 0
	if token != nil {
		if start, err = strconv.Atoi(*token); err != nil || start < 0 {
			return nil, nil, invalid("The specified nextToken is invalid.")
		}
	}
	size := maxPage
	if limit != nil {
		size = int(*limit)
	}
	start = min(start, len(all))
	end := min(start+size, len(all))
	if end < len(all) {
		next = aws.String(strconv.Itoa(end))
	}
	return all[start:end], next, nil
}

func (h handlers) describeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	var c api.Constraints
	c.Length("logGroupNamePrefix", in.LogGroupNamePrefix, 1, 512)
	c.Pattern("logGroupNamePrefix", in.LogGroupNamePrefix, groupPattern)
	c.Length("logGroupNamePattern", in.LogGroupNamePattern, 0, 512)
	c.Pattern("logGroupNamePattern", in.LogGroupNamePattern, searchPattern)
	api.Enum(&c, "logGroupClass", in.LogGroupClass, in.LogGroupClass.Values()...)
	c.ListSize("accountIdentifiers", len(in.AccountIdentifiers), 0, 20, func(i int) string { return in.AccountIdentifiers[i] })
	c.ElementLengths("accountIdentifiers", in.AccountIdentifiers, 12, 12)
	c.Range("limit", in.Limit, 1, maxPage)
	if err := violations(&c); err != nil {
		return nil, err
	}
	switch {
	case in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil:
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	case in.LogGroupIdentifiers != nil:
		return nil, invalid("Weir does not implement logGroupIdentifiers yet.")
	}
	if in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard { // there are no others
		return &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}, nil
	}
	groups, err := h.logs.Groups(ctx, aws.ToString(in.LogGroupNamePrefix), aws.ToString(in.LogGroupNamePattern))
	if err != nil {
		return nil, exception(err)
	}
	groups, next, err := page(groups, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: next}
	for _, g := range groups {
		described := h.describeGroup(g)
		if in.LogGroupNamePattern != nil { // what searches by a pattern does not know these
			described.StoredBytes, described.DeletionProtectionEnabled = nil, nil
		}
		out.LogGroups = append(out.LogGroups, described)
	}
	return out, nil
}

func (h handlers) describeGroup(g function.LogGroup) types.LogGroup {
	out := types.LogGroup{
		LogGroupName: aws.String(g.Name), CreationTime: aws.Int64(g.Created), MetricFilterCount: aws.Int32(0),
		Arn: aws.String(h.logs.ARN(g.Name) + ":*"), LogGroupArn: aws.String(h.logs.ARN(g.Name)),
		StoredBytes: aws.Int64(g.StoredBytes), LogGroupClass: types.LogGroupClassStandard,
		DeletionProtectionEnabled: aws.Bool(false),
	}
	if g.RetentionDays > 0 {
		out.RetentionInDays = aws.Int32(int32(g.RetentionDays))
	}
	return out
}

func (h handlers) createLogGroup(ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	if err := checkLengths(in.LogGroupName, nil); err != nil {
		return nil, err
	}
	var c api.Constraints
	checkGroup(&c, in.LogGroupName)
	checkTags(&c, in.Tags)
	if err := violations(&c); err != nil {
		return nil, err
	}
	switch {
	case in.KmsKeyId != nil:
		return nil, invalid("Weir does not implement kmsKeyId of log groups.")
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard:
		return nil, invalid("Weir does not implement log groups of the class " + string(in.LogGroupClass) + ".")
	case aws.ToBool(in.DeletionProtectionEnabled):
		return nil, invalid("Weir does not implement deletionProtectionEnabled of log groups.")
	}
	return &cloudwatchlogs.CreateLogGroupOutput{}, exception(h.logs.CreateGroup(ctx, *in.LogGroupName, in.Tags))
}

func (h handlers) deleteLogGroup(ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	var c api.Constraints
	checkGroup(&c, in.LogGroupName)
	if err := violations(&c); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DeleteLogGroupOutput{}, exception(h.logs.DeleteGroup(ctx, *in.LogGroupName))
}

// retentions are the days that a policy may say.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (h handlers) putRetentionPolicy(ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	var c api.Constraints
	checkGroup(&c, in.LogGroupName)
	c.Required("retentionInDays", in.RetentionInDays != nil)
	if in.RetentionInDays != nil && !slices.Contains(retentions, *in.RetentionInDays) {
		texts := make([]string, len(retentions))
		for i, days := range retentions {
			texts[i] = strconv.Itoa(int(days))
		}
		api.Enum(&c, "retentionInDays", strconv.Itoa(int(*in.RetentionInDays)), texts...)
	}
	if err := violations(&c); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, exception(h.logs.SetRetention(ctx, *in.LogGroupName, int(*in.RetentionInDays)))
}

func (h handlers) deleteRetentionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	var c api.Constraints
	checkGroup(&c, in.LogGroupName)
	if err := violations(&c); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, exception(h.logs.SetRetention(ctx, *in.LogGroupName, 0))
}

func (h handlers) describeLogStreams(ctx context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	var c api.Constraints
	checkStream(&c, "logStreamNamePrefix", in.LogStreamNamePrefix)
	if in.OrderBy != "" || api.Given(ctx, "orderBy") { // given, it must not be empty
		given := func() bool { return true }
		api.RequiredEnum(&c, "orderBy", in.OrderBy, given, types.OrderByLogStreamName, types.OrderByLastEventTime)
	}
	c.Range("limit", in.Limit, 1, maxPage)
	group, err := groupOf(&c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	streams, err := h.logs.Streams(ctx, group, aws.ToString(in.LogStreamNamePrefix))
	if err != nil {
		return nil, exception(err)
	}
	if byTime {
		slices.SortStableFunc(streams, func(a, b function.LogStream) int { return cmp.Compare(a.LastEvent, b.LastEvent) })
	}
	if aws.ToBool(in.Descending) {
		slices.Reverse(streams)
	}
	streams, next, err := page(streams, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: next}
	for _, s := range streams {
		out.LogStreams = append(out.LogStreams, h.describeStream(group, s))
	}
	return out, nil
}

// sequenceToken is what writers of old clients need to see, from the first event of
// a stream on; it is not checked, as the service does not check it any more.
const sequenceToken = "49039859595323492375239847523984752398475239847523984752"

func (h handlers) describeStream(group string, s function.LogStream) types.LogStream {
	out := types.LogStream{
		LogStreamName: aws.String(s.Name), CreationTime: aws.Int64(s.Created),
		StoredBytes: aws.Int64(0), //lint:ignore SA1019 the service still says 0
		Arn:         aws.String(h.logs.ARN(group) + ":log-stream:" + s.Name),
	}
	if s.LastEvent > 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp = aws.Int64(s.FirstEvent), aws.Int64(s.LastEvent)
		out.LastIngestionTime, out.UploadSequenceToken = aws.Int64(s.LastIngestion), aws.String(sequenceToken)
	}
	return out
}

func (h handlers) createLogStream(ctx context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	if err := cmp.Or(checkLengths(in.LogGroupName, in.LogStreamName), checkStreamOf(in.LogGroupName, in.LogStreamName)); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.CreateLogStreamOutput{}, exception(h.logs.CreateStream(ctx, *in.LogGroupName, *in.LogStreamName))
}

func (h handlers) deleteLogStream(ctx context.Context, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	if err := checkStreamOf(in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DeleteLogStreamOutput{}, exception(h.logs.DeleteStream(ctx, *in.LogGroupName, *in.LogStreamName))
}

func checkStreamOf(group, stream *string) error {
	var c api.Constraints
	checkGroup(&c, group)
	c.Required("logStreamName", stream != nil)
	checkStream(&c, "logStreamName", stream)
	return violations(&c)
}
