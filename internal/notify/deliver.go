package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
)

// send queues a notice for a subscriber as part of tx. Mail is put into the
// outbox at once; without an SMTP server it is thereby delivered. The caller
// holds changing until tx was applied.
func (t *Topics) send(tx *store.Tx, topic Topic, sub Subscription, n notice) error {
	d := delivery{Notice: n}
	if sub.byMail() {
		m, err := t.compose(topic, sub, n)
		if err != nil {
			return err
		}
		m.State = MailKept
		if t.mailer.configured() {
			m.State = MailQueued
		}
		if m.ID, err = t.outbox.addIn(tx, m); err != nil {
			return err
		}
		if !t.mailer.configured() {
			return nil
		}
		d.Mail = &m
		if sub.DeadLetters == "" { // which get it as it was published
			d.Notice.Message = ""
		}
	}
	return t.queue.addIn(tx, sub.ARN, d)
}

// askToConfirm sends a pending subscriber the token that confirms.
func (t *Topics) askToConfirm(tx *store.Tx, topic Topic, sub Subscription) error {
	return t.send(tx, topic, sub, notice{
		ID: uuid.NewString(), Kind: kindConfirmation, Time: time.Now(), Token: sub.Token,
		Message: fmt.Sprintf("You have chosen to subscribe to the topic %s.\nTo confirm the subscription, visit the SubscribeURL included in this message.", topic.ARN),
	})
}

// sayFarewell tells a subscriber that the subscription ended, and how to bring it
// back.
func (t *Topics) sayFarewell(tx *store.Tx, topic Topic, sub Subscription) error {
	return t.send(tx, topic, sub, notice{
		ID: uuid.NewString(), Kind: kindFarewell, Time: time.Now(), Token: sub.Token,
		Message: fmt.Sprintf("You have chosen to deactivate subscription %s.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.", sub.ARN),
	})
}

// permanent marks a failure that trying again will not cure.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// attempt tries a delivery once and writes down what became of it.
func (t *Topics) attempt(ctx context.Context, subscriptionARN string, n uint64) error {
	key := deliveryKey(subscriptionARN, n)
	doc, ok, err := t.db.Get(key)
	if err != nil || !ok { // gone with its subscription
		return err
	}
	var d delivery
	if err := json.Unmarshal(doc, &d); err != nil {
		return fmt.Errorf("delivery %d: %w", n, err)
	}
	sub, ok := t.subs.Get(subscriptionARN)
	topic, found := t.topics.Get(sub.TopicARN)
	if !ok || !found || !sub.wants(d.Notice) {
		return t.finish(key, d, nil)
	}
	bounded, cancel := context.WithTimeout(ctx, attemptTimeout)
	failure := t.deliver(bounded, topic, sub, d)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err() // closing; it is made again
	}
	if failure == nil {
		t.count(topic, d.Notice, "NumberOfNotificationsDelivered")
		return t.finish(key, d, nil)
	}
	delay, again := policyOf(topic, sub).delay(d.Tries + 1)
	if permanent := (permanentError{}); errors.As(failure, &permanent) || errors.Is(failure, ErrUndeliverable) {
		again = false
	}
	if !again {
		return t.giveUp(ctx, key, topic, sub, n, d, failure)
	}
	return t.postpone(key, subscriptionARN, n, d, delay, failure)
}

// count measures what became of a notification; confirmations do not count.
func (t *Topics) count(topic Topic, n notice, name string) {
	if n.Kind == kindNotification {
		t.measure(topic.Name, name, "Count").Observe(1)
	}
}

// wants reports whether a subscriber in its present state is still sent a notice.
func (s Subscription) wants(n notice) bool {
	switch n.Kind {
	case kindConfirmation:
		return s.State == SubscriptionPending
	case kindFarewell:
		return s.State == SubscriptionRemoved
	default:
		return s.State == SubscriptionConfirmed
	}
}

func policyOf(topic Topic, sub Subscription) policy {
	switch {
	case sub.byHTTP():
		return *effectivePolicy(topic, sub).Healthy
	case sub.byMail():
		return mailPolicy
	default:
		return lambdaPolicy
	}
}

// pauseOf is how long after a try to reach a subscriber the next may begin at the
// earliest.
func (t *Topics) pauseOf(subscriptionARN string) time.Duration {
	sub, ok := t.subs.Get(subscriptionARN)
	if !ok || !sub.byHTTP() {
		return 0
	}
	topic, _ := t.topics.Get(sub.TopicARN)
	return effectivePolicy(topic, sub).Throttle.pause()
}

func (t *Topics) deliver(ctx context.Context, topic Topic, sub Subscription, d delivery) error {
	switch {
	case sub.byHTTP():
		return t.post(ctx, topic, sub, d.Notice)
	case sub.byMail():
		return t.mail(ctx, d)
	case sub.Protocol == protocolQueue:
		return t.enqueue(ctx, topic, sub, d.Notice)
	default:
		return t.invoke(ctx, topic, sub, d.Notice)
	}
}

// enqueue sends a notice to a queue: in its envelope or, raw, as it was published,
// with its attributes as those of the message.
func (t *Topics) enqueue(ctx context.Context, topic Topic, sub Subscription, n notice) error {
	if t.cfg.Queues == nil {
		return permanentError{errors.New("there are no queues here")}
	}
	m := Message{Body: n.Message, Attributes: n.Attributes, Group: n.Group, Trace: n.Trace}
	if sub.Raw {
		return t.cfg.Queues.SendToQueue(ctx, sub.Endpoint, m)
	}
	e, err := t.seal(topic, sub, n)
	if err != nil {
		return err
	}
	body, err := e.json()
	if err != nil {
		return err
	}
	m.Body, m.Attributes = string(body), nil
	return t.cfg.Queues.SendToQueue(ctx, sub.Endpoint, m)
}

func (t *Topics) invoke(ctx context.Context, topic Topic, sub Subscription, n notice) error {
	if t.cfg.Invoker == nil {
		return permanentError{errors.New("functions cannot be invoked here")}
	}
	e, err := t.seal(topic, sub, n)
	if err != nil {
		return err
	}
	event, err := e.lambdaEvent(sub.ARN)
	if err != nil {
		return err
	}
	return t.cfg.Invoker.InvokeAsync(ctx, sub.Endpoint, event)
}

// finish takes a delivery from the queue, with the state of its mail.
func (t *Topics) finish(key []byte, d delivery, failure error) error {
	tx := t.db.Begin()
	defer tx.Discard()
	tx.Delete(key)
	if d.Mail != nil {
		state := MailSent
		switch {
		case failure != nil:
			state = MailFailed
		case !t.mailer.configured():
			state = MailKept
		}
		if err := t.outbox.changeIn(tx, d.Mail.ID, state, d.Tries+1, failure); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// postpone has a delivery tried again after a delay.
func (t *Topics) postpone(key []byte, subscriptionARN string, n uint64, d delivery, delay time.Duration, failure error) error {
	d.Tries++
	d.Due = time.Now().Add(delay)
	doc, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("delivery %d: %w", n, err)
	}
	tx := t.db.Begin()
	defer tx.Discard()
	// Its subscription may have ended meanwhile and have taken it along.
	t.changing.Lock()
	defer t.changing.Unlock()
	if _, ok := t.subs.Get(subscriptionARN); !ok {
		return nil
	}
	tx.Set(key, doc)
	if d.Mail != nil {
		if err := t.outbox.changeIn(tx, d.Mail.ID, MailQueued, d.Tries, failure); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	t.queue.put(subscriptionARN, wait{n, d.Due})
	return nil
}
