package notify

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/pattern"
)

const attributeRedrivePolicy = "RedrivePolicy"

// setRedrive changes where messages go that are given up; "" drops them.
func (s *Subscription) setRedrive(policy string) *Error {
	if policy == "" {
		s.RedrivePolicy, s.DeadLetters = "", ""
		return nil
	}
	if reason := pattern.CheckJSON([]byte(policy)); reason != "" {
		return invalid("RedrivePolicy: %s", reason)
	}
	var members struct {
		Target string `json:"deadLetterTargetArn"`
	}
	malformed := json.Unmarshal([]byte(policy), &members)
	a, err := catalog.ParseARN(members.Target)
	switch {
	case malformed != nil || err != nil || a.Service != "sqs":
		return invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	case strings.HasSuffix(a.Resource, ".fifo"):
		return invalid("RedrivePolicy: must use a Standard queue as DLQ for a Standard Subscription to a Standard Topic.")
	}
	s.RedrivePolicy, s.DeadLetters = policy, members.Target
	return nil
}

// giveUp ends a delivery that failed for good: its message goes to the dead letters
// of the subscription, if it has a queue for them. While that queue cannot be
// reached the delivery stays.
func (t *Topics) giveUp(ctx context.Context, key []byte, topic Topic, sub Subscription, n uint64, d delivery, failure error) error {
	if sub.DeadLetters == "" || d.Notice.Kind != kindNotification {
		return t.dropped(key, topic, sub, d, failure)
	}
	dead := sub
	dead.Endpoint = sub.DeadLetters
	err := t.enqueue(ctx, topic, dead, d.Notice)
	if ctx.Err() != nil {
		return ctx.Err() // closing; it is made again
	}
	if permanent := (permanentError{}); errors.Is(err, ErrUndeliverable) || errors.As(err, &permanent) {
		t.count(topic, d.Notice, "NumberOfNotificationsFailedToRedriveToDlq")
		return t.dropped(key, topic, sub, d, errors.Join(failure, err))
	}
	if err != nil {
		delay, _ := lambdaPolicy.delay(lambdaPolicy.NumRetries)
		return t.postpone(key, sub.ARN, n, d, delay, errors.Join(failure, err))
	}
	t.count(topic, d.Notice, "NumberOfNotificationsRedrivenToDlq")
	return t.dropped(key, topic, sub, d, failure)
}

// dropped takes a delivery that failed from the queue.
func (t *Topics) dropped(key []byte, topic Topic, sub Subscription, d delivery, failure error) error {
	t.count(topic, d.Notice, "NumberOfNotificationsFailed")
	t.log.Warn("delivery given up", "subscription", sub.ARN, "message", d.Notice.ID, "tries", d.Tries+1, "error", failure)
	return t.finish(key, d, failure)
}
