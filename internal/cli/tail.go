package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"
)

const (
	// tailPause is how long a tail waits before it asks again.
	tailPause = 200 * time.Millisecond
	// mailName is what the mail outbox is called on the command line.
	mailName = "mail"
)

type tailOptions struct {
	name      string
	fromStart bool
	once      bool
}

func tailCommand(a *app) *cobra.Command {
	var o tailOptions
	c := &cobra.Command{
		Use:   "tail NAME",
		Short: "Follow a stream, a table's changes, a function's log, or the mail",
		Long: `Tail prints what arrives in the stream, the change records of the table, or the log
of the function called NAME, until it is interrupted. A name that is more than one
of these means the first; say stream:NAME, table:NAME or function:NAME to choose.
'` + mailName + `' is the outbox of mail.`,
		Example: `  weir tail web-analytics
  weir tail table:event-counters --from-start
  weir tail count-events
  weir tail mail`,
		Args: exactArgs("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			o.name = args[0]
			err := a.tail(c.Context(), o)
			if c.Context().Err() != nil {
				return nil // interrupting is how a tail ends
			}
			return a.explain(err)
		},
	}
	c.Flags().BoolVar(&o.fromStart, "from-start", false, "begin with the oldest that is kept")
	c.Flags().BoolVar(&o.once, "once", false, "end when everything so far was printed")
	return c
}

// poll prints what is new and reports whether there was anything.
type poll func(ctx context.Context) (any bool, err error)

func (a *app) tail(ctx context.Context, o tailOptions) error {
	next, err := a.tailSource(ctx, o)
	if err != nil {
		return err
	}
	for {
		any, err := next(ctx)
		if err != nil {
			return err
		}
		if any {
			continue
		}
		if o.once {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tailPause):
		}
	}
}

// tailSource finds what a name means.
func (a *app) tailSource(ctx context.Context, o tailOptions) (poll, error) {
	kinds := []struct {
		prefix string
		open   func(context.Context, string, tailOptions) (poll, error)
	}{
		{"stream:", a.tailStream},
		{"table:", a.tailTable},
		{"function:", a.tailFunction},
	}
	if o.name == mailName {
		return a.tailMail(o), nil
	}
	for _, k := range kinds {
		if name, ok := strings.CutPrefix(o.name, k.prefix); ok {
			return k.open(ctx, name, o)
		}
	}
	if strings.Contains(o.name, ":") {
		return nil, usageError{fmt.Errorf("%q: want stream:NAME, table:NAME or function:NAME", o.name)}
	}
	for _, k := range kinds {
		next, err := k.open(ctx, o.name, o)
		if !isNotFound(err) && !isInvalid(err) { // as a name of this kind
			return next, err
		}
	}
	return nil, fmt.Errorf("there is no stream, table or function called %q", o.name)
}

func isNotFound(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException"
}

func isInvalid(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationException"
}

func (a *app) tailStream(ctx context.Context, name string, o tailOptions) (poll, error) {
	client := kinesis.NewFromConfig(a.awsConfig())
	iterator := func(ctx context.Context, shard string, start kinesistypes.ShardIteratorType) (*string, error) {
		it, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &shard, ShardIteratorType: start})
		if err != nil {
			return nil, err
		}
		return it.ShardIterator, nil
	}
	shards := &shardTails{
		begin: func(ctx context.Context, shard string) (*string, error) {
			return iterator(ctx, shard, kinesistypes.ShardIteratorTypeTrimHorizon)
		},
		read: func(ctx context.Context, shard string, it *string) (next *string, any bool, err error) {
			out, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it})
			if err != nil {
				return nil, false, err
			}
			for _, r := range out.Records {
				if err := a.printRecord(shard, r); err != nil {
					return nil, false, err
				}
			}
			return out.NextShardIterator, len(out.Records) > 0, nil
		},
		list: func(ctx context.Context) (all []string, err error) {
			in := &kinesis.ListShardsInput{StreamName: &name}
			for {
				out, err := client.ListShards(ctx, in)
				if err != nil {
					return nil, err
				}
				for _, sh := range out.Shards {
					all = append(all, aws.ToString(sh.ShardId))
				}
				if out.NextToken == nil {
					return all, nil
				}
				in = &kinesis.ListShardsInput{NextToken: out.NextToken}
			}
		},
	}
	start := kinesistypes.ShardIteratorTypeLatest
	if o.fromStart {
		start = kinesistypes.ShardIteratorTypeTrimHorizon
	}
	return shards.poll, shards.open(ctx, func(ctx context.Context, shard string) (*string, error) { return iterator(ctx, shard, start) })
}

func (a *app) printRecord(shard string, r kinesistypes.Record) error {
	if a.json {
		return a.printJSON(map[string]any{
			"ShardId": shard, "SequenceNumber": r.SequenceNumber, "PartitionKey": r.PartitionKey,
			"ApproximateArrivalTimestamp": r.ApproximateArrivalTimestamp, "Data": r.Data,
		})
	}
	_, err := fmt.Fprintf(a.out, "%s\n", r.Data)
	return err
}

func (a *app) tailTable(ctx context.Context, name string, o tailOptions) (poll, error) {
	table, err := dynamodb.NewFromConfig(a.awsConfig()).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, err
	}
	stream := table.Table.LatestStreamArn
	if stream == nil {
		return nil, fmt.Errorf("table %s has no stream; give it one with StreamSpecification", name)
	}
	client := dynamodbstreams.NewFromConfig(a.awsConfig())
	iterator := func(ctx context.Context, shard string, start streamtypes.ShardIteratorType) (*string, error) {
		it, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: stream, ShardId: &shard, ShardIteratorType: start})
		if err != nil {
			return nil, err
		}
		return it.ShardIterator, nil
	}
	shards := &shardTails{
		begin: func(ctx context.Context, shard string) (*string, error) {
			return iterator(ctx, shard, streamtypes.ShardIteratorTypeTrimHorizon)
		},
		read: func(ctx context.Context, _ string, it *string) (next *string, any bool, err error) {
			out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it})
			if err != nil {
				return nil, false, err
			}
			for _, r := range out.Records {
				if err := a.printChange(r); err != nil {
					return nil, false, err
				}
			}
			return out.NextShardIterator, len(out.Records) > 0, nil
		},
		list: func(ctx context.Context) (all []string, err error) {
			in := &dynamodbstreams.DescribeStreamInput{StreamArn: stream}
			for {
				out, err := client.DescribeStream(ctx, in)
				if err != nil {
					return nil, err
				}
				for _, sh := range out.StreamDescription.Shards {
					all = append(all, aws.ToString(sh.ShardId))
				}
				if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
					return all, nil
				}
			}
		},
	}
	start := streamtypes.ShardIteratorTypeLatest
	if o.fromStart {
		start = streamtypes.ShardIteratorTypeTrimHorizon
	}
	return shards.poll, shards.open(ctx, func(ctx context.Context, shard string) (*string, error) { return iterator(ctx, shard, start) })
}

func (a *app) printChange(r streamtypes.Record) error {
	change := map[string]any{"eventName": r.EventName, "Keys": plainItem(r.Dynamodb.Keys)}
	if r.Dynamodb.NewImage != nil {
		change["NewImage"] = plainItem(r.Dynamodb.NewImage)
	}
	if r.Dynamodb.OldImage != nil {
		change["OldImage"] = plainItem(r.Dynamodb.OldImage)
	}
	return a.printJSON(change)
}

// plainItem turns attribute values into the JSON values that they stand for.
func plainItem(item map[string]streamtypes.AttributeValue) map[string]any {
	out := make(map[string]any, len(item))
	for name, v := range item {
		out[name] = plainValue(v)
	}
	return out
}

func plainValue(v streamtypes.AttributeValue) any {
	switch v := v.(type) {
	case *streamtypes.AttributeValueMemberS:
		return v.Value
	case *streamtypes.AttributeValueMemberN:
		return json.Number(v.Value)
	case *streamtypes.AttributeValueMemberBOOL:
		return v.Value
	case *streamtypes.AttributeValueMemberB:
		return v.Value
	case *streamtypes.AttributeValueMemberSS:
		return v.Value
	case *streamtypes.AttributeValueMemberNS:
		return v.Value
	case *streamtypes.AttributeValueMemberBS:
		return v.Value
	case *streamtypes.AttributeValueMemberM:
		return plainItem(v.Value)
	case *streamtypes.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = plainValue(e)
		}
		return list
	}
	return nil
}

func (a *app) tailFunction(ctx context.Context, name string, o tailOptions) (poll, error) {
	function, err := lambda.NewFromConfig(a.awsConfig()).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return nil, err
	}
	// The name may be an ARN, or end in a version or an alias.
	group := "/aws/lambda/" + aws.ToString(function.FunctionName)
	if function.LoggingConfig != nil && function.LoggingConfig.LogGroup != nil {
		group = *function.LoggingConfig.LogGroup
	}
	client := cloudwatchlogs.NewFromConfig(a.awsConfig())
	since := time.Now().UnixMilli()
	if o.fromStart {
		since = 0
	}
	seen := map[string]bool{} // ids of events at the time since, which come again
	return func(ctx context.Context) (any bool, err error) {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: &group, StartTime: &since,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if isNotFound(err) {
				return false, nil // the function has not run yet
			}
			if err != nil {
				return false, err
			}
			for _, e := range page.Events {
				if id := aws.ToString(e.EventId); !seen[id] {
					if at := aws.ToInt64(e.Timestamp); at > since {
						since = at
						clear(seen)
					}
					seen[id], any = true, true
					if err := a.printLog(aws.ToInt64(e.Timestamp), aws.ToString(e.LogStreamName), aws.ToString(e.Message)); err != nil {
						return false, err
					}
				}
			}
		}
		return any, nil
	}, nil
}

func (a *app) printLog(at int64, stream, message string) error {
	when := time.UnixMilli(at).UTC()
	if a.json {
		return a.printJSON(map[string]any{"timestamp": at, "logStreamName": stream, "message": message})
	}
	_, err := fmt.Fprintf(a.out, "%s %s\n", when.Format("2006-01-02T15:04:05.000Z"), strings.TrimRight(message, "\n"))
	return err
}
