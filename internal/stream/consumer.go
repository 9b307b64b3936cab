package stream

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
)

// maxConsumers is how many consumers a stream can have.
const maxConsumers = 20

// Consumer is a registered reader of a stream. Its ARN holds its creation time,
// so one that is registered again under the same name is another one.
type Consumer struct {
	Name    string
	Created int64             // epoch seconds
	Tags    map[string]string `json:",omitempty"`
}

// ConsumerARN returns the ARN of one of the stream's consumers.
func (st *Stream) ConsumerARN(c Consumer) string {
	return st.ARN() + "/consumer/" + c.Name + ":" + strconv.FormatInt(c.Created, 10)
}

// Consumer returns the stream's consumer with a name.
func (st *Stream) Consumer(name string) (Consumer, error) {
	consumers := st.state.Load().def.Consumers
	if i, ok := findConsumer(consumers, name); ok {
		return consumers[i], nil
	}
	return Consumer{}, st.owner.noConsumer(name)
}

func findConsumer(consumers []Consumer, name string) (int, bool) {
	return slices.BinarySearchFunc(consumers, name, func(c Consumer, name string) int { return strings.Compare(c.Name, name) })
}

func (s *Streams) noConsumer(name string) error {
	return errorf(NotFound, "Consumer %s, account %s not found.", name, s.cfg.Identity.Account)
}

// ConsumerByARN returns the consumer with an ARN and its stream.
func (s *Streams) ConsumerByARN(arn string) (*Stream, Consumer, error) {
	parsed, err := catalog.ParseARN(arn)
	streamName, rest, ok := strings.Cut(strings.TrimPrefix(parsed.Resource, "stream/"), "/consumer/")
	name, _, _ := strings.Cut(rest, ":")
	if err != nil || !ok {
		return nil, Consumer{}, s.noConsumer(arn)
	}
	st, err := s.Get(streamName)
	if err != nil {
		return nil, Consumer{}, s.noConsumer(name)
	}
	c, err := st.Consumer(name)
	if err != nil || st.ConsumerARN(c) != arn {
		return nil, Consumer{}, s.noConsumer(name)
	}
	return st, c, nil
}

// RegisterConsumer adds a consumer to a stream. It can subscribe when
// RegisterConsumer has returned.
func (s *Streams) RegisterConsumer(_ context.Context, stream, name string, tags map[string]string) (Consumer, error) {
	c := Consumer{Name: name, Tags: tags}
	err := s.change(stream, func(st *Stream, def *Definition) error {
		i, exists := findConsumer(def.Consumers, name)
		if exists {
			return errorf(InUse, "Consumer %s under stream %s already exists for account %s.", name, stream, s.cfg.Identity.Account)
		}
		if len(def.Consumers) >= maxConsumers {
			return errorf(LimitExceeded, "This request would exceed the limit of %d consumers of stream %s under account %s.", maxConsumers, stream, s.cfg.Identity.Account)
		}
		c.Created = max(time.Now().Unix(), def.ConsumersFrom)
		def.Consumers = slices.Insert(slices.Clone(def.Consumers), i, c)
		return nil
	})
	return c, err
}

// DeregisterConsumer removes a consumer and ends its subscriptions.
func (s *Streams) DeregisterConsumer(_ context.Context, arn string) error {
	st, c, err := s.ConsumerByARN(arn)
	if err != nil {
		return err
	}
	err = s.change(st.name, func(st *Stream, def *Definition) error {
		i, ok := findConsumer(def.Consumers, c.Name)
		if !ok || def.Consumers[i].Created != c.Created {
			return s.noConsumer(c.Name)
		}
		def.Consumers = slices.Delete(slices.Clone(def.Consumers), i, i+1)
		// One that is registered in the same second again must get another ARN.
		def.ConsumersFrom = max(def.ConsumersFrom, c.Created+1)
		return nil
	})
	if err != nil {
		return err
	}
	s.subs.drop(arn, s.noConsumer(c.Name))
	s.cfg.Meter.Forget(namespace, meter.Dimension{Name: "ConsumerName", Value: c.Name})
	return nil
}

// SetConsumerTags replaces the tags of a consumer.
func (s *Streams) SetConsumerTags(_ context.Context, arn string, tags map[string]string) error {
	st, c, err := s.ConsumerByARN(arn)
	if err != nil {
		return err
	}
	return s.change(st.name, func(_ *Stream, def *Definition) error {
		i, ok := findConsumer(def.Consumers, c.Name)
		if !ok || def.Consumers[i].Created != c.Created {
			return s.noConsumer(c.Name)
		}
		def.Consumers = slices.Clone(def.Consumers)
		def.Consumers[i].Tags = maps.Clone(tags)
		return nil
	})
}

// DeleteUnused is Delete for a stream without consumers; it refuses others.
func (s *Streams) DeleteUnused(_ context.Context, name string) error {
	return s.delete(name, func(st *Stream) error {
		if len(st.Definition().Consumers) == 0 {
			return nil
		}
		return errorf(InUse, "DeleteStream can't delete %s:%s because there are consumers associated with this data stream. To delete %s anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of all the consumers that are associated with it.",
			s.cfg.Identity.Account, name, name)
	})
}

// dropConsumers ends the subscriptions of a stream that was deleted.
func (s *Streams) dropConsumers(st *Stream) {
	for _, c := range st.Definition().Consumers {
		s.subs.drop(st.ConsumerARN(c), s.noConsumer(c.Name))
	}
}
