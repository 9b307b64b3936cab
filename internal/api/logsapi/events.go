package logsapi

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

const (
	maxEvents = 10_000
	// maxBatchBytes bounds a PutLogEvents: the texts and eventOverhead each.
	maxBatchBytes = 1048576
	eventOverhead = 26
	maxBatchSpan  = 24 * time.Hour
)

func checkTimes(c *api.Constraints, start, end *int64) {
	if start != nil {
		c.Range64("startTime", *start, 0, math.MaxInt64)
	}
	if end != nil {
		c.Range64("endTime", *end, 0, math.MaxInt64)
	}
}

// The tokens of GetLogEvents say in which direction to go on, and from where.

func token(direction string, p function.LogPosition) *string {
	return aws.String(fmt.Sprintf("%s/%020d%036d/s", direction, p.Time, p.Sequence))
}

func parseToken(text string) (forward bool, p function.LogPosition, ok bool) {
	if len(text) != 60 || text[1] != '/' || text[58:] != "/s" || text[0] != 'f' && text[0] != 'b' {
		return false, p, false
	}
	var errTime, errSequence error
	p.Time, errTime = strconv.ParseUint(text[2:22], 10, 64)
	p.Sequence, errSequence = strconv.ParseUint(text[22:58], 10, 64)
	return text[0] == 'f', p, errTime == nil && errSequence == nil
}

func (h handlers) getLogEvents(ctx context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	var c api.Constraints
	c.Required("logStreamName", in.LogStreamName != nil)
	checkStream(&c, "logStreamName", in.LogStreamName)
	checkTimes(&c, in.StartTime, in.EndTime)
	c.Range("limit", in.Limit, 1, maxEvents)
	group, err := groupOf(&c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	q := function.LogQuery{
		Group: group, Stream: *in.LogStreamName, From: aws.ToInt64(in.StartTime), To: aws.ToInt64(in.EndTime),
		Newest: !aws.ToBool(in.StartFromHead), Limit: int(aws.ToInt32(in.Limit)),
	}
	at := function.LogPosition{Time: uint64(q.From)}
	if in.NextToken != nil {
		forward, p, ok := parseToken(*in.NextToken)
		if !ok {
			return nil, invalid("The specified nextToken is invalid.")
		}
		at = p
		q.Newest = !forward
		if forward {
			q.After = &p
		} else {
			q.Before = &p
		}
	}
	events, err := h.logs.Get(ctx, q)
	if err != nil {
		return nil, exception(err)
	}
	// Where nothing was found, both directions go on from where this one began.
	out := &cloudwatchlogs.GetLogEventsOutput{
		Events: []types.OutputLogEvent{}, NextForwardToken: token("f", at), NextBackwardToken: token("b", at),
	}
	if n := len(events); n > 0 {
		out.NextBackwardToken = token("b", events[0].Position)
		out.NextForwardToken = token("f", events[n-1].Position.Next())
	}
	for _, e := range events {
		out.Events = append(out.Events, types.OutputLogEvent{
			Timestamp: aws.Int64(e.Time), IngestionTime: aws.Int64(e.Ingestion), Message: aws.String(e.Text),
		})
	}
	return out, nil
}

func (h handlers) filterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	f, err := filterOf(in)
	if err != nil {
		return nil, err
	}
	events, next, err := h.logs.Filter(ctx, f)
	if err != nil {
		return nil, exception(err)
	}
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	if next != nil {
		out.NextToken = token("f", *next)
	}
	for _, e := range events {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId:       aws.String(fmt.Sprintf("%020d%036d", e.Position.Time, e.Position.Sequence)),
			LogStreamName: aws.String(e.Stream), Timestamp: aws.Int64(e.Time), IngestionTime: aws.Int64(e.Ingestion), Message: aws.String(e.Text),
		})
	}
	return out, nil
}

func filterOf(in *cloudwatchlogs.FilterLogEventsInput) (function.LogFilter, error) {
	var c api.Constraints
	if in.LogStreamNames != nil {
		c.ListSize("logStreamNames", len(in.LogStreamNames), 1, 100, func(i int) string { return in.LogStreamNames[i] })
	}
	checkStream(&c, "logStreamNamePrefix", in.LogStreamNamePrefix)
	checkTimes(&c, in.StartTime, in.EndTime)
	c.Length("filterPattern", in.FilterPattern, 0, 1024)
	c.Range("limit", in.Limit, 1, maxEvents)
	group, err := groupOf(&c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return function.LogFilter{}, err
	}
	if in.LogStreamNames != nil && in.LogStreamNamePrefix != nil {
		return function.LogFilter{}, invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
	}
	f := function.LogFilter{
		Group: group, Streams: in.LogStreamNames, StreamPrefix: aws.ToString(in.LogStreamNamePrefix),
		From: aws.ToInt64(in.StartTime), Pattern: aws.ToString(in.FilterPattern), Limit: int(aws.ToInt32(in.Limit)),
	}
	if in.EndTime != nil && *in.EndTime < math.MaxInt64 {
		f.To = *in.EndTime + 1 // here the end is included
	}
	if in.NextToken != nil {
		_, p, ok := parseToken(*in.NextToken)
		if !ok {
			return function.LogFilter{}, invalid("The specified nextToken is invalid.")
		}
		f.After = &p
	}
	return f, nil
}

func (h handlers) putLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	events, err := batchOf(in)
	if err != nil {
		return nil, err
	}
	rejected, err := h.logs.Put(ctx, *in.LogGroupName, *in.LogStreamName, events)
	if err != nil {
		return nil, exception(err)
	}
	out := &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: aws.String(sequenceToken)}
	if rejected.TooOldEnd >= 0 || rejected.TooNewStart >= 0 {
		info := &types.RejectedLogEventsInfo{}
		if rejected.TooOldEnd >= 0 {
			info.TooOldLogEventEndIndex = aws.Int32(int32(rejected.TooOldEnd))
		}
		if rejected.TooNewStart >= 0 {
			info.TooNewLogEventStartIndex = aws.Int32(int32(rejected.TooNewStart))
		}
		out.RejectedLogEventsInfo = info
	}
	return out, nil
}

// batchOf checks the events of a PutLogEvents.
func batchOf(in *cloudwatchlogs.PutLogEventsInput) ([]function.InputEvent, error) {
	var c api.Constraints
	checkGroup(&c, in.LogGroupName)
	c.Required("logStreamName", in.LogStreamName != nil)
	checkStream(&c, "logStreamName", in.LogStreamName)
	c.Length("sequenceToken", in.SequenceToken, 1, api.NoLimit)
	c.Required("logEvents", in.LogEvents != nil)
	if in.LogEvents != nil && (len(in.LogEvents) < 1 || len(in.LogEvents) > maxEvents) {
		c.ListSize("logEvents", len(in.LogEvents), 1, maxEvents, func(int) string { return "InputLogEvent" })
	}
	for i, e := range in.LogEvents {
		c.Required(api.MemberPath("logEvents", i, "timestamp"), e.Timestamp != nil)
		c.Required(api.MemberPath("logEvents", i, "message"), e.Message != nil)
		c.Length(api.MemberPath("logEvents", i, "message"), e.Message, 1, api.NoLimit)
		if e.Timestamp != nil {
			c.Range64(api.MemberPath("logEvents", i, "timestamp"), *e.Timestamp, 0, math.MaxInt64)
		}
	}
	if err := violations(&c); err != nil {
		return nil, err
	}
	if in.Entity != nil {
		return nil, invalid("Weir does not implement entity.")
	}
	return orderedBatch(in.LogEvents)
}

func orderedBatch(list []types.InputLogEvent) ([]function.InputEvent, error) {
	events := make([]function.InputEvent, len(list))
	size := 0
	for i, e := range list {
		size += len(*e.Message) + eventOverhead
		if i > 0 && *e.Timestamp < events[i-1].Time {
			return nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		events[i] = function.InputEvent{Time: *e.Timestamp, Text: *e.Message}
	}
	if size > maxBatchBytes {
		return nil, invalid(fmt.Sprintf("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes))
	}
	if events[len(events)-1].Time-events[0].Time > maxBatchSpan.Milliseconds() {
		return nil, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return events, nil
}
