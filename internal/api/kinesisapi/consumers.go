package kinesisapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
)

var consumerARNPattern = api.MustPattern(`^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+`)

func checkConsumerARN(c *api.Constraints, arn *string) {
	c.Length("consumerARN", arn, 1, maxARNLength)
	c.Pattern("consumerARN", arn, consumerARNPattern)
}

func (h handlers) registerConsumer(ctx context.Context, in *kinesis.RegisterStreamConsumerInput) (*kinesis.RegisterStreamConsumerOutput, error) {
	var c api.Constraints
	c.Required("streamARN", in.StreamARN != nil)
	checkStream(&c, nil, in.StreamARN)
	c.Required("consumerName", in.ConsumerName != nil)
	checkName(&c, "consumerName", in.ConsumerName)
	checkTags(&c, in.Tags)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.findForTags(nil, in.StreamARN, "add tags to", tagTexts(in.Tags))
	if err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, h.tooManyTags(st.Name())
	}
	made, err := h.streams.RegisterConsumer(ctx, st.Name(), *in.ConsumerName, in.Tags)
	if err != nil {
		return nil, exception(err)
	}
	consumer := describeConsumer(st, made)
	// What the service answers; whoever looks again finds it ACTIVE.
	consumer.ConsumerStatus = types.ConsumerStatusCreating
	return &kinesis.RegisterStreamConsumerOutput{Consumer: &consumer}, nil
}

func describeConsumer(st *stream.Stream, c stream.Consumer) types.Consumer {
	return types.Consumer{
		ConsumerName: &c.Name, ConsumerARN: aws.String(st.ConsumerARN(c)), ConsumerStatus: types.ConsumerStatusActive,
		ConsumerCreationTimestamp: aws.Time(time.Unix(c.Created, 0)),
	}
}

// findConsumer returns the consumer that an ARN, the ARN of a stream and a name,
// or all three mean.
func (h handlers) findConsumer(consumerARN, streamARN, name *string) (*stream.Stream, stream.Consumer, error) {
	var c api.Constraints
	checkConsumerARN(&c, consumerARN)
	checkStream(&c, nil, streamARN)
	checkName(&c, "consumerName", name)
	if err := c.Err(); err != nil {
		return nil, stream.Consumer{}, err
	}
	if consumerARN != nil {
		st, found, err := h.streams.ConsumerByARN(*consumerARN)
		if err != nil {
			return nil, found, exception(err)
		}
		if streamARN != nil && *streamARN != st.ARN() || name != nil && *name != found.Name {
			return nil, found, invalidArgument("ConsumerARN " + *consumerARN + " does not mean the same consumer as StreamARN and ConsumerName.")
		}
		return st, found, nil
	}
	if streamARN == nil || name == nil {
		return nil, stream.Consumer{}, invalidArgument("Either ConsumerARN or both StreamARN and ConsumerName must be provided.")
	}
	st, err := h.find(nil, streamARN)
	if err != nil {
		return nil, stream.Consumer{}, err
	}
	found, err := st.Consumer(*name)
	return st, found, exception(err)
}

func (h handlers) deregisterConsumer(ctx context.Context, in *kinesis.DeregisterStreamConsumerInput) (*kinesis.DeregisterStreamConsumerOutput, error) {
	st, c, err := h.findConsumer(in.ConsumerARN, in.StreamARN, in.ConsumerName)
	if err != nil {
		return nil, err
	}
	return &kinesis.DeregisterStreamConsumerOutput{}, exception(h.streams.DeregisterConsumer(ctx, st.ConsumerARN(c)))
}

func (h handlers) describeStreamConsumer(_ context.Context, in *kinesis.DescribeStreamConsumerInput) (*kinesis.DescribeStreamConsumerOutput, error) {
	st, c, err := h.findConsumer(in.ConsumerARN, in.StreamARN, in.ConsumerName)
	if err != nil {
		return nil, err
	}
	d := describeConsumer(st, c)
	return &kinesis.DescribeStreamConsumerOutput{ConsumerDescription: &types.ConsumerDescription{
		ConsumerName: d.ConsumerName, ConsumerARN: d.ConsumerARN, ConsumerStatus: d.ConsumerStatus,
		ConsumerCreationTimestamp: d.ConsumerCreationTimestamp, StreamARN: aws.String(st.ARN()),
	}}, nil
}

func (h handlers) listConsumers(_ context.Context, in *kinesis.ListStreamConsumersInput) (*kinesis.ListStreamConsumersOutput, error) {
	var c api.Constraints
	c.Required("streamARN", in.StreamARN != nil)
	checkStream(&c, nil, in.StreamARN)
	checkLimit(&c, "maxResults", in.MaxResults)
	c.Length("nextToken", in.NextToken, 1, maxToken)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(nil, in.StreamARN)
	if err != nil {
		return nil, err
	}
	token := listToken{Stream: st.Name()}
	if in.NextToken != nil {
		if err := token.parse(*in.NextToken); err != nil {
			return nil, err
		}
		if token.Stream != st.Name() {
			return nil, invalidArgument("NextToken is not one of stream " + st.Name() + ".")
		}
	}
	def := st.Definition()
	if in.StreamCreationTimestamp != nil && in.StreamCreationTimestamp.Unix() != def.Created/1000 {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Stream " + st.Name() + " under account " + h.streams.Account() + " not found.")}
	}
	limit := min(int(aws.ToInt32(or(in.MaxResults, defaultDescribed))), defaultDescribed)
	out := &kinesis.ListStreamConsumersOutput{Consumers: []types.Consumer{}}
	for _, consumer := range def.Consumers {
		if consumer.Name <= token.After {
			continue
		}
		if len(out.Consumers) == limit {
			token.After = *out.Consumers[limit-1].ConsumerName
			out.NextToken = aws.String(newToken(token))
			break
		}
		out.Consumers = append(out.Consumers, describeConsumer(st, consumer))
	}
	return out, nil
}

func (h handlers) subscribeToShard(ctx context.Context, in *kinesis.SubscribeToShardInput) (api.Events, error) {
	var c api.Constraints
	c.Required("consumerARN", in.ConsumerARN != nil)
	checkConsumerARN(&c, in.ConsumerARN)
	c.Required("shardId", in.ShardId != nil)
	checkName(&c, "shardId", in.ShardId)
	c.Required("startingPosition", in.StartingPosition != nil)
	position := in.StartingPosition
	if position == nil {
		return nil, c.Err()
	}
	checkIteratorType(&c, "startingPosition.type", position.Type, func() bool { return api.Given(ctx, "StartingPosition", "Type") })
	c.Pattern("startingPosition.sequenceNumber", position.SequenceNumber, sequencePattern)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if aws.ToBool(in.DryRun) {
		return nil, invalidArgument(dryRunRefused)
	}
	st, _, err := h.streams.ConsumerByARN(*in.ConsumerARN)
	if err != nil {
		return nil, exception(err)
	}
	index, err := h.shardIndex(*in.ShardId, st.Name())
	if err != nil {
		return nil, err
	}
	sub, err := h.streams.Subscribe(ctx, *in.ConsumerARN, index, stream.Start{
		Type: string(position.Type), Sequence: aws.ToString(position.SequenceNumber), Timestamp: aws.ToTime(position.Timestamp),
	})
	if err != nil {
		return nil, exception(err)
	}
	return func(ctx context.Context, send func(context.Context, api.Event) error) error {
		err := sub.Run(ctx, func(ctx context.Context, e stream.Pushed) error {
			return send(ctx, api.Event{Type: "SubscribeToShardEvent", Payload: pushed(e)})
		})
		return pushFailure(ctx, err)
	}, nil
}

// pushFailure maps an error to one of those that the stream of events can end with.
func pushFailure(ctx context.Context, err error) error {
	var e *stream.Error
	if err == nil || ctx.Err() != nil || errors.As(err, &e) {
		return exception(err)
	}
	return fmt.Errorf("%w: %w", &types.InternalFailureException{}, err)
}

func pushed(e stream.Pushed) *types.SubscribeToShardEvent {
	out := &types.SubscribeToShardEvent{
		Records: describeRecords(e.Shard, e.Records, e.Encryption), MillisBehindLatest: aws.Int64(e.Behind.Milliseconds()), ChildShards: describeChildren(e.ChildShards),
	}
	if e.Continuation != nil {
		out.ContinuationSequenceNumber = aws.String(e.Continuation.String())
	}
	return out
}
