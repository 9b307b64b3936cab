package stream

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// SubscriptionLifetime is how long records are pushed before the consumer has
	// to subscribe again.
	SubscriptionLifetime = 5 * time.Minute
	// subscriptionHold is how long a subscription cannot be taken over.
	subscriptionHold = 5 * time.Second
	// heartbeat is how often a subscription without new records says where it is.
	heartbeat = 5 * time.Second

	maxEventRecords = 10000
	maxEventBytes   = 1 << 20
)

// errLifetime ends a subscription that has been open as long as it may.
var errLifetime = errors.New("subscription has reached its lifetime")

// Pushed is an event of a subscription.
type Pushed struct {
	Shard   Shard
	Records []Record
	// Continuation is where to subscribe again without missing or repeating a
	// record, after it; nil at the end of the shard.
	Continuation *Sequence
	Behind       time.Duration // distance from the tip
	ChildShards  []Shard       // at the end of the shard
	Encryption   Encryption    // of the stream
}

// Subscription pushes the records of a shard to a consumer. Each consumer has at
// most one for a shard.
type Subscription struct {
	owner  *Streams
	st     *Stream
	key    subscriptionKey
	name   string // of the consumer
	start  time.Time
	next   Position
	latest int64 // arrival time of the last record, milliseconds
	series consumerSeries

	mu     sync.Mutex
	ended  error // why it was ended from outside
	cancel context.CancelCauseFunc
}

type subscriptionKey struct {
	consumer string // ARN
	shard    uint32
}

// subscriptions are those of all streams: the newest for each consumer and shard,
// also for a while after it has ended.
type subscriptions struct {
	mu       sync.Mutex
	all      map[subscriptionKey]*Subscription
	watchers map[*watcher]struct{}
}

// watcher waits for the end of a consumer.
type watcher struct {
	consumer string
	gone     func()
}

// Subscribe opens a subscription to a shard. It takes over from an earlier one of
// the same consumer that is older than five seconds.
func (s *Streams) Subscribe(_ context.Context, consumerARN string, shard uint32, start Start) (*Subscription, error) {
	st, c, err := s.ConsumerByARN(consumerARN)
	if err != nil {
		return nil, err
	}
	sh, ok := st.Shard(shard)
	if !ok || st.expired(sh) {
		return nil, s.noShard(shard, st.name)
	}
	sub := &Subscription{owner: s, st: st, name: c.Name, key: subscriptionKey{consumerARN, shard}, start: time.Now()}
	sub.series.open(s.cfg.Meter, st.name, c.Name)
	if sub.next, err = st.position(sh, start, "SubscribeToShard"); err != nil {
		return nil, err
	}
	err = s.begin(sub)
	sub.series.subscribed(err == nil)
	if err != nil {
		return nil, err
	}
	return sub, nil
}

func (s *Subscription) taken() error {
	return errorf(InUse, "Another active subscription exists for this consumer: %s:%s:%s:%s",
		s.owner.cfg.Identity.Account, s.st.name, ShardID(s.key.shard), s.name)
}

// begin makes sub the subscription of its consumer and shard, unless the present
// one is too young.
func (s *Streams) begin(sub *Subscription) error {
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	// Under the lock, so that a consumer that ends now is either not found or takes
	// this subscription with it.
	if _, _, err := s.ConsumerByARN(sub.key.consumer); err != nil {
		return err
	}
	old := s.subs.all[sub.key]
	if old != nil && sub.start.Sub(old.start) < subscriptionHold {
		return sub.taken()
	}
	s.subs.all[sub.key] = sub
	if old != nil {
		old.end(old.taken())
	}
	return nil
}

// finish forgets a subscription that has ended, unless it still keeps others from
// beginning.
func (all *subscriptions) finish(sub *Subscription) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.all[sub.key] == sub && time.Since(sub.start) >= subscriptionHold {
		delete(all.all, sub.key)
	}
}

// drop ends and forgets the subscriptions of a consumer.
func (all *subscriptions) drop(consumer string, cause error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for key, sub := range all.all {
		if key.consumer == consumer {
			delete(all.all, key)
			sub.end(cause)
		}
	}
	for w := range all.watchers {
		if w.consumer == consumer {
			delete(all.watchers, w)
			w.gone()
		}
	}
}

// WatchConsumer calls gone, which must not block, when a consumer is deregistered
// or its stream deleted, unless stop was called before.
func (s *Streams) WatchConsumer(arn string, gone func()) (stop func(), err error) {
	w := &watcher{arn, gone}
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	// Under the lock, so that a consumer that ends now is either not found or its
	// end seen.
	if _, _, err := s.ConsumerByARN(arn); err != nil {
		return nil, err
	}
	s.subs.watchers[w] = struct{}{}
	return func() {
		s.subs.mu.Lock()
		defer s.subs.mu.Unlock()
		delete(s.subs.watchers, w)
	}, nil
}

// end makes Run return cause.
func (s *Subscription) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = cause
	}
	if s.cancel != nil {
		s.cancel(cause)
	}
}

// Run pushes events with send, one at a time, so that the speed of send is that of
// the subscription. The context of send ends when the subscription does. Run
// returns nil when the shard or the lifetime has ended, and an *Error when the
// subscription was taken over or its consumer or stream is gone. It is called once.
func (s *Subscription) Run(ctx context.Context, send func(context.Context, Pushed) error) error {
	defer s.owner.subs.finish(s)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithDeadlineCause(ctx, s.start.Add(SubscriptionLifetime), errLifetime)
	defer stop()
	s.mu.Lock()
	ended := s.ended
	s.cancel = cancel
	s.mu.Unlock()
	if ended != nil {
		return ended
	}
	err := s.push(ctx, send)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if errors.Is(err, errLifetime) {
		return nil
	}
	return s.st.gone(err)
}

func (s *Subscription) push(ctx context.Context, send func(context.Context, Pushed) error) error {
	// The first event is sent at once, so that the consumer knows where it is.
	for due := true; ; {
		e, err := s.read()
		if err != nil {
			return err
		}
		last := e.Continuation == nil
		if due || last || len(e.Records) > 0 {
			err = send(ctx, e)
			s.series.event(e, err == nil)
			if err == nil {
				s.st.measureGet(s.key.shard, e.Records, e.Behind)
			}
			if err != nil || last {
				return err
			}
		}
		if due, err = s.wait(ctx); err != nil {
			return err
		}
	}
}

// wait returns when there is something to read, or with due when it is time to
// say that there is nothing.
func (s *Subscription) wait(ctx context.Context) (due bool, err error) {
	patience, stop := context.WithTimeout(ctx, heartbeat)
	defer stop()
	err = s.st.log.Wait(patience, s.key.shard, s.next)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return true, nil
	}
	return false, err
}

// read returns the next event, which has no records at the tip. The records of a
// closed shard are followed by an event without any, the last one.
func (s *Subscription) read() (Pushed, error) {
	sh, ok := s.st.Shard(s.key.shard)
	if !ok {
		return Pushed{}, ErrNoLog
	}
	recs, next, err := s.st.log.Read(s.key.shard, s.next, maxEventRecords, maxEventBytes)
	if err != nil {
		return Pushed{}, err
	}
	s.next = next
	e := Pushed{Shard: sh, Records: recs, Encryption: s.st.Definition().Encryption}
	if n := len(recs); n > 0 {
		s.latest = recs[n-1].Arrival
	} else if !sh.Open() && next >= sh.End {
		e.ChildShards = s.st.childrenOf(sh)
		return e, nil
	}
	e.Continuation = s.between(sh)
	e.Behind, err = s.st.behind(s.key.shard, next)
	return e, err
}

// between returns a number after all records that are read and before all others.
func (s *Subscription) between(sh Shard) *Sequence {
	after := max(time.Now().Unix(), s.latest/1000) + 1
	return &Sequence{ShardCreated: sh.Created, Shard: sh.Index, Counter: uint64(s.next - 1), Time: after}
}
