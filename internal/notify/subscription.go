package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// The protocols of subscriptions.
const (
	protocolHTTP      = "http"
	protocolHTTPS     = "https"
	protocolMail      = "email"
	protocolMailJSON  = "email-json"
	protocolLambda    = "lambda"
	protocolQueue     = "sqs"
	tokenValid        = 48 * time.Hour
	tokenBytes        = 96
	pendingMark       = "pending confirmation"
	pendingListedMark = "PendingConfirmation"
)

// notBuilt are protocols of the service that this package does not deliver to.
var notBuilt = []string{"sms", "firehose", "application"}

// SubscriptionState tells whether a subscriber gets messages.
type SubscriptionState string

// The states of a subscription. Only a confirmed one gets messages.
const (
	SubscriptionPending   SubscriptionState = "pending"
	SubscriptionConfirmed SubscriptionState = "confirmed"
	// SubscriptionRemoved is one that ended but can be brought back with the token
	// of its farewell.
	SubscriptionRemoved SubscriptionState = "removed"
)

// Subscription is a subscription's definition.
type Subscription struct {
	ARN                  string
	TopicARN             string
	Protocol, Endpoint   string
	State                SubscriptionState
	Token                string    // confirms
	TokenUntil           time.Time // while it is not confirmed
	Authenticated        bool      `json:",omitempty"` // confirmed by a signed request
	AuthenticatedRemoval bool      `json:",omitempty"` // can only be ended by a signed request
	Raw                  bool      `json:",omitempty"` // messages are delivered without envelope
	DeliveryPolicy       string    `json:",omitempty"` // JSON
	RedrivePolicy        string    `json:",omitempty"` // JSON
	DeadLetters          string    `json:",omitempty"` // the queue that the RedrivePolicy names, its ARN
	FilterPolicy         string    `json:",omitempty"` // JSON
	FilterScope          string    `json:",omitempty"` // of the filter policy; "" is MessageAttributes
}

// ListedARN is what lists show for a subscription's ARN.
func (s Subscription) ListedARN() string {
	if s.State == SubscriptionPending {
		return pendingListedMark
	}
	return s.ARN
}

// listed reports whether a subscription is shown: those that were never confirmed
// in time and those that ended are not.
func (s Subscription) listed(now time.Time) bool {
	return s.State == SubscriptionConfirmed || s.State == SubscriptionPending && now.Before(s.TokenUntil)
}

func (s Subscription) byHTTP() bool { return s.Protocol == protocolHTTP || s.Protocol == protocolHTTPS }

func (s Subscription) byMail() bool {
	return s.Protocol == protocolMail || s.Protocol == protocolMailJSON
}

// SubscribeRequest asks for a subscription.
type SubscribeRequest struct {
	TopicARN, Protocol, Endpoint string
	Attributes                   map[string]string
	ReturnARN                    bool // the ARN even while it is not confirmed
}

// Subscribe adds a subscription to a topic. One by HTTP or mail is asked to
// confirm, and until then its ARN is "pending confirmation" unless ReturnARN.
// Subscribing the same endpoint again returns the same subscription.
func (t *Topics) Subscribe(ctx context.Context, req SubscribeRequest) (arn string, err error) {
	topic, err := t.Topic(ctx, req.TopicARN)
	if err != nil {
		return "", err
	}
	if err := checkEndpoint(req.Protocol, req.Endpoint); err != nil {
		return "", err
	}
	sub := Subscription{
		ARN: topic.ARN + ":" + uuid.NewString(), TopicARN: topic.ARN, Protocol: req.Protocol, Endpoint: req.Endpoint,
		State: SubscriptionPending, Token: newToken(), TokenUntil: time.Now().Add(tokenValid),
	}
	if err := sub.setAll(req.Attributes); err != nil {
		return "", &Error{err.Code, strings.Replace(err.Message, "Invalid parameter: ", "Invalid parameter: Attributes Reason: ", 1)}
	}
	if slices.Contains(notBuilt, req.Protocol) {
		return "", invalid("the protocol %s is not implemented", req.Protocol)
	}
	if req.Protocol == protocolLambda || req.Protocol == protocolQueue {
		sub.State, sub.Authenticated = SubscriptionConfirmed, true
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if old, ok := t.findSame(sub); ok {
		if !sub.agrees(old, req.Attributes) {
			return "", invalid("Attributes Reason: Subscription already exists with different attributes")
		}
		if old.State == SubscriptionConfirmed {
			return old.ARN, nil
		}
		old.TokenUntil, old.State = sub.TokenUntil, SubscriptionPending
		sub = old
	}
	if err := t.checkFilterCount(sub); err != nil {
		return "", err
	}
	if err := t.putSubscription(topic, sub); err != nil {
		return "", fmt.Errorf("subscribe %s: %w", req.Endpoint, err)
	}
	if sub.State == SubscriptionPending && !req.ReturnARN {
		return pendingMark, nil
	}
	return sub.ARN, nil
}

// putSubscription writes a new subscription together with the message that asks
// for its confirmation.
func (t *Topics) putSubscription(topic Topic, sub Subscription) error {
	tx := t.db.Begin()
	defer tx.Discard()
	if err := t.putIn(tx, sub); err != nil {
		return err
	}
	if sub.State == SubscriptionPending {
		if err := t.askToConfirm(tx, topic, sub); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (t *Topics) putIn(tx *store.Tx, sub Subscription) error {
	f, err := filterOf(sub)
	if err != nil {
		return fmt.Errorf("filter policy: %w", err)
	}
	if err := t.subs.PutIn(tx, sub.ARN, sub); err != nil {
		return err
	}
	tx.OnApply(func() { t.index.put(sub, f) })
	return nil
}

func (t *Topics) findSame(sub Subscription) (Subscription, bool) {
	for _, s := range t.subscriptionsOf(sub.TopicARN) {
		if s.Protocol == sub.Protocol && s.Endpoint == sub.Endpoint && s.State != SubscriptionRemoved {
			return s, true
		}
	}
	return Subscription{}, false
}

func checkEndpoint(protocol, endpoint string) error {
	switch {
	case slices.Contains(notBuilt, protocol): // refused once the attributes are known to be right
	case protocol == protocolHTTP || protocol == protocolHTTPS:
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != protocol || u.Host == "" {
			return invalid("Endpoint must match the specified protocol")
		}
	case protocol == protocolMail || protocol == protocolMailJSON:
		if a, err := mail.ParseAddress(endpoint); err != nil || a.Address != endpoint || hasControl(endpoint) {
			return invalid("Email address")
		}
	case protocol == protocolLambda:
		if a, err := catalog.ParseARN(endpoint); err != nil || a.Service != "lambda" || !strings.HasPrefix(a.Resource, "function:") {
			return invalid("Lambda endpoint ARN")
		}
	case protocol == protocolQueue:
		a, err := catalog.ParseARN(endpoint)
		if err != nil || a.Service != "sqs" {
			return invalid("SQS endpoint ARN")
		}
		if strings.HasSuffix(a.Resource, ".fifo") {
			return invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
	default:
		return invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	return nil
}

// setAll changes attributes, the scope of the filter policy before the policy,
// which depends on it.
func (s *Subscription) setAll(attributes map[string]string) *Error {
	if _, ok := attributes[attributeFilterPolicy]; ok {
		s.FilterPolicy = "" // the old one need not fit the new scope
	}
	if scope, ok := attributes[attributeFilterScope]; ok {
		if err := s.set(attributeFilterScope, scope); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := s.set(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

// set changes one attribute.
func (s *Subscription) set(name, value string) *Error {
	switch name {
	case "RawMessageDelivery":
		raw := strings.EqualFold(value, "true")
		if !raw && !strings.EqualFold(value, "false") {
			return invalid("RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
		}
		if raw && !s.byHTTP() && s.Protocol != protocolQueue {
			return invalid("RawMessageDelivery: Delivery protocol [%s] does not support raw message delivery.", s.Protocol)
		}
		s.Raw = raw
	case attributeDeliveryPolicy:
		if !s.byHTTP() && value != "" {
			return invalid("DeliveryPolicy: Delivery protocol [%s] does not support delivery policies.", s.Protocol)
		}
		if _, err := parseDeliveryPolicy(value); err != nil && value != "" {
			return invalid("DeliveryPolicy: %v", err)
		}
		s.DeliveryPolicy = value
	case attributeFilterPolicy:
		return s.setFilter(value)
	case attributeFilterScope:
		return s.setScope(value)
	case attributeRedrivePolicy:
		return s.setRedrive(value)
	case "SubscriptionRoleArn", "ReplayPolicy":
		return invalid("%s: the subscription attribute is not implemented", name)
	default:
		return invalid("AttributeName")
	}
	return nil
}

func (s Subscription) agrees(old Subscription, given map[string]string) bool {
	_, raw := given["RawMessageDelivery"]
	_, delivery := given[attributeDeliveryPolicy]
	_, filter := given[attributeFilterPolicy]
	_, scope := given[attributeFilterScope]
	_, redrive := given[attributeRedrivePolicy]
	return (!redrive || s.RedrivePolicy == old.RedrivePolicy) && (!raw || s.Raw == old.Raw) && (!delivery || s.DeliveryPolicy == old.DeliveryPolicy) &&
		(!filter || s.FilterPolicy == old.FilterPolicy) && (!scope || s.filterScope() == old.filterScope())
}

func newToken() string {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

var tokenPattern = regexp.MustCompile(`^[0-9a-f]+$`)

// Confirm confirms the subscription that a token was sent to and returns its ARN;
// doing it again is no error. With authenticated, the subscription remembers that
// the request was signed; with authenticatedRemoval, only such requests end it.
func (t *Topics) Confirm(ctx context.Context, topicARN, token string, authenticated, authenticatedRemoval bool) (arn string, err error) {
	if err := t.checkTopicARN(ctx, "Topic", topicARN); err != nil {
		return "", invalid("Topic")
	}
	if !tokenPattern.MatchString(token) {
		return "", errorf(InvalidParameter, "Invalid token")
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	sub, ok := t.subs.Get(t.index.byToken(token))
	if !ok || sub.State != SubscriptionConfirmed && time.Now().After(sub.TokenUntil) {
		return "", invalid("Token")
	}
	if sub.State == SubscriptionConfirmed {
		return sub.ARN, nil
	}
	sub.State, sub.Authenticated, sub.AuthenticatedRemoval = SubscriptionConfirmed, authenticated, authenticatedRemoval
	tx := t.db.Begin()
	defer tx.Discard()
	if err := t.putIn(tx, sub); err != nil {
		return "", err
	}
	return sub.ARN, tx.Commit()
}

// Unsubscribe ends a subscription; one that does not exist is no error. An HTTP
// or mail subscriber is told, with a token to come back unless the request was
// authenticated.
func (t *Topics) Unsubscribe(ctx context.Context, arn string, authenticated bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkSubscriptionARN(arn); err != nil {
		return err
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	sub, ok := t.subs.Get(arn)
	if !ok || sub.State == SubscriptionRemoved {
		return nil
	}
	if sub.AuthenticatedRemoval && !authenticated {
		return errorf(NotAuthorized, "User: anonymous is not authorized to perform: SNS:Unsubscribe on resource: %s", arn)
	}
	topic, ok := t.topics.Get(sub.TopicARN)
	if !ok {
		return nil
	}
	topic.Deleted++
	tx := t.db.Begin()
	defer tx.Discard()
	if err := t.topics.PutIn(tx, topic.ARN, topic); err != nil {
		return err
	}
	if authenticated || sub.State == SubscriptionPending || !sub.byHTTP() {
		t.removeIn(tx, sub)
		return tx.Commit()
	}
	sub.State, sub.Token, sub.TokenUntil = SubscriptionRemoved, newToken(), time.Now().Add(tokenValid)
	if err := t.putIn(tx, sub); err != nil {
		return err
	}
	if err := t.sayFarewell(tx, topic, sub); err != nil {
		return err
	}
	return tx.Commit()
}

func checkSubscriptionARN(arn string) error {
	if arn == "" {
		return invalid("SubscriptionArn Reason: no value for required parameter")
	}
	if n := len(strings.Split(arn, ":")); n < 6 {
		return invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not %d", n)
	}
	if a, err := catalog.ParseARN(arn); err != nil || a.Service != "sns" {
		return invalid("SubscriptionArn")
	} else if !strings.Contains(a.Resource, ":") {
		return invalid("SubscriptionId")
	}
	return nil
}

// removeIn deletes a subscription and what is queued for it.
func (t *Topics) removeIn(tx *store.Tx, sub Subscription) {
	t.subs.DeleteIn(tx, sub.ARN)
	prefix := deliveryPrefix(sub.ARN)
	tx.DeleteRange(prefix, store.PrefixEnd(prefix))
	tx.OnApply(func() { t.index.remove(sub) })
}

// Subscriptions returns the subscriptions of a topic, or of all topics when
// topicARN is "", in order of their ARNs.
func (t *Topics) Subscriptions(ctx context.Context, topicARN string) ([]Subscription, error) {
	all := t.subs.All()
	if topicARN != "" {
		if _, err := t.Topic(ctx, topicARN); err != nil {
			return nil, err
		}
		all = t.subscriptionsOf(topicARN)
	}
	now := time.Now()
	return slices.DeleteFunc(all, func(s Subscription) bool { return !s.listed(now) }), ctx.Err()
}

// subscriptionsOf returns the subscriptions of a topic in any state.
func (t *Topics) subscriptionsOf(topicARN string) []Subscription {
	arns := t.index.of(topicARN)
	all := make([]Subscription, 0, len(arns))
	for _, arn := range arns {
		if s, ok := t.subs.Get(arn); ok {
			all = append(all, s)
		}
	}
	return all
}

func (t *Topics) subscription(ctx context.Context, arn string) (Subscription, error) {
	if err := ctx.Err(); err != nil {
		return Subscription{}, err
	}
	if err := checkSubscriptionARN(arn); err != nil {
		return Subscription{}, err
	}
	sub, ok := t.subs.Get(arn)
	if !ok || !sub.listed(time.Now()) {
		return Subscription{}, errorf(NotFound, "Subscription does not exist")
	}
	return sub, nil
}

// SubscriptionAttributes returns a subscription's attributes as the API names
// them.
func (t *Topics) SubscriptionAttributes(ctx context.Context, arn string) (map[string]string, error) {
	sub, err := t.subscription(ctx, arn)
	if err != nil {
		return nil, err
	}
	root := catalog.ARN{Partition: t.cfg.Identity.Partition, Service: "iam", Account: t.cfg.Identity.Account, Resource: "root"}
	attributes := map[string]string{
		"SubscriptionArn": sub.ARN, "TopicArn": sub.TopicARN, "Owner": t.cfg.Identity.Account,
		"Protocol": sub.Protocol, "Endpoint": sub.Endpoint, "SubscriptionPrincipal": root.String(),
		"PendingConfirmation":          fmt.Sprint(sub.State == SubscriptionPending),
		"ConfirmationWasAuthenticated": fmt.Sprint(sub.Authenticated),
		"RawMessageDelivery":           fmt.Sprint(sub.Raw),
	}
	if sub.byHTTP() {
		topic, _ := t.topics.Get(sub.TopicARN)
		doc, err := json.Marshal(effectivePolicy(topic, sub))
		if err != nil {
			return nil, err
		}
		attributes["EffectiveDeliveryPolicy"] = string(doc)
	}
	if sub.DeliveryPolicy != "" {
		attributes[attributeDeliveryPolicy] = sub.DeliveryPolicy
	}
	if sub.RedrivePolicy != "" {
		attributes[attributeRedrivePolicy] = sub.RedrivePolicy
	}
	if sub.FilterPolicy != "" {
		attributes[attributeFilterPolicy], attributes[attributeFilterScope] = sub.FilterPolicy, sub.filterScope()
	}
	return attributes, nil
}

// SetSubscriptionAttributes changes attributes of a subscription, all of them or none.
func (t *Topics) SetSubscriptionAttributes(ctx context.Context, arn string, attributes map[string]string) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	sub, err := t.subscription(ctx, arn)
	if err != nil {
		return err
	}
	if err := sub.setAll(attributes); err != nil {
		return err
	}
	if err := t.checkFilterCount(sub); err != nil {
		return err
	}
	tx := t.db.Begin()
	defer tx.Discard()
	if err := t.putIn(tx, sub); err != nil {
		return err
	}
	return tx.Commit()
}
