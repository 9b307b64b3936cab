package notify

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
)

// Topic is a topic's definition.
type Topic struct {
	ARN              string
	Name             string
	DisplayName      string            `json:",omitempty"`
	SignatureVersion string            `json:",omitempty"` // "" is 1
	DeliveryPolicy   string            `json:",omitempty"` // JSON
	Policy           string            `json:",omitempty"` // who may do what, JSON; "" is the default
	Tags             map[string]string `json:",omitempty"`
	Deleted          int               `json:",omitempty"` // subscriptions deleted so far
	Created          time.Time
}

// The attributes of a topic that can be set.
const (
	attributeDisplayName      = "DisplayName"
	attributeSignatureVersion = "SignatureVersion"
	attributeDeliveryPolicy   = "DeliveryPolicy"
)

const (
	maxTopicName   = 256
	maxDisplayName = 100
	maxTags        = 50
)

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// CreateTopic creates a topic, or returns the ARN of the one that exists with the
// same tags.
func (t *Topics) CreateTopic(ctx context.Context, name string, attributes, tags map[string]string) (arn string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if fifo := attributes["FifoTopic"] == "true"; strings.HasSuffix(name, ".fifo") != fifo {
		return "", invalid("Topic Name")
	} else if fifo {
		return "", invalid("FIFO topics are not implemented")
	}
	if len(name) > maxTopicName || !topicName.MatchString(name) {
		return "", invalid("Topic Name")
	}
	if len(tags) > maxTags {
		return "", errorf(TagLimit, "Could not complete request: tag quota of per resource exceeded")
	}
	topic := Topic{ARN: t.cfg.Identity.ARN("sns", name), Name: name, Tags: tags, Created: time.Now()}
	for _, attribute := range slices.Sorted(maps.Keys(attributes)) {
		if attribute == "FifoTopic" {
			continue
		}
		if err := topic.set(attribute, attributes[attribute]); err != nil {
			return "", &Error{err.Code, strings.Replace(err.Message, "Invalid parameter: ", "Invalid parameter: Attributes Reason: ", 1)}
		}
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if old, ok := t.topics.Get(topic.ARN); ok {
		for key, value := range tags {
			if kept, ok := old.Tags[key]; !ok || kept != value {
				return "", invalid("Tags Reason: Topic already exists with different tags")
			}
		}
		if !topic.agrees(old, attributes) {
			return "", invalid("Attributes Reason: Topic already exists with different attributes")
		}
		return old.ARN, nil
	}
	return topic.ARN, t.topics.Put(topic.ARN, topic)
}

// agrees reports whether the attributes that were given are those of old.
func (t Topic) agrees(old Topic, given map[string]string) bool {
	for name := range given {
		if t.get(name) != old.get(name) {
			return false
		}
	}
	return true
}

func (t Topic) get(attribute string) string {
	switch attribute {
	case attributeDisplayName:
		return t.DisplayName
	case attributeSignatureVersion:
		return t.signatureVersion()
	case attributeDeliveryPolicy:
		return t.DeliveryPolicy
	case attributePolicy:
		return t.Policy
	}
	return ""
}

func (t *Topic) set(attribute, value string) *Error {
	switch attribute {
	case attributeDisplayName:
		if len(value) > maxDisplayName || hasControl(value) {
			return invalid("DisplayName")
		}
		t.DisplayName = value
	case attributeSignatureVersion:
		if value != "1" && value != "2" {
			return invalid("SignatureVersion: Invalid value [%s]. Must be 1 or 2.", value)
		}
		t.SignatureVersion = value
	case attributeDeliveryPolicy:
		if _, err := parseTopicPolicy(value); err != nil && value != "" {
			return invalid("DeliveryPolicy: %v", err)
		}
		t.DeliveryPolicy = value
	case attributePolicy:
		return t.setPolicy(value)
	case "KmsMasterKeyId", "ContentBasedDeduplication", "ArchivePolicy", "TracingConfig", "DataProtectionPolicy", "FifoThroughputScope":
		return invalid("the topic attribute %s is not implemented", attribute)
	default:
		return invalid("AttributeName")
	}
	return nil
}

func (t Topic) signatureVersion() string {
	if t.SignatureVersion == "" {
		return "1"
	}
	return t.SignatureVersion
}

// DeleteTopic removes a topic with its subscriptions and what is still to be
// delivered to them. One that does not exist is no error.
func (t *Topics) DeleteTopic(ctx context.Context, arn string) error {
	if err := t.checkTopicARN(ctx, "TopicArn", arn); err != nil {
		return err
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	tx := t.db.Begin()
	defer tx.Discard()
	t.topics.DeleteIn(tx, arn)
	for _, sub := range t.subscriptionsOf(arn) {
		t.removeIn(tx, sub)
	}
	return tx.Commit()
}

// Topic returns a topic by its ARN.
func (t *Topics) Topic(ctx context.Context, arn string) (Topic, error) {
	if err := t.checkTopicARN(ctx, "TopicArn", arn); err != nil {
		return Topic{}, err
	}
	topic, ok := t.topics.Get(arn)
	if !ok {
		return Topic{}, errorf(NotFound, "Topic does not exist")
	}
	return topic, nil
}

// checkTopicARN refuses what is not the ARN of a topic of this account and region.
func (t *Topics) checkTopicARN(ctx context.Context, parameter, arn string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if n := len(strings.Split(arn, ":")); n < 6 {
		return invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, n)
	}
	a, err := catalog.ParseARN(arn)
	if err != nil || a.Service != "sns" || a.Region != t.cfg.Identity.Region || a.Account != t.cfg.Identity.Account || strings.Contains(a.Resource, ":") {
		return invalid("%s", parameter)
	}
	return nil
}

// Topics returns the ARNs of all topics, in order.
func (t *Topics) Topics() []string { return t.topics.Names() }

// TopicAttributes returns a topic's attributes as the API names them.
func (t *Topics) TopicAttributes(ctx context.Context, arn string) (map[string]string, error) {
	topic, err := t.Topic(ctx, arn)
	if err != nil {
		return nil, err
	}
	confirmed, pending := 0, 0
	for _, sub := range t.subscriptionsOf(arn) {
		switch {
		case sub.State == SubscriptionConfirmed:
			confirmed++
		case sub.listed(time.Now()):
			pending++
		}
	}
	attributes := map[string]string{
		"TopicArn":                arn,
		"Owner":                   t.cfg.Identity.Account,
		attributeDisplayName:      topic.DisplayName,
		attributePolicy:           t.policyOf(topic),
		"EffectiveDeliveryPolicy": effectiveTopicPolicy(topic),
		"SubscriptionsConfirmed":  fmt.Sprint(confirmed),
		"SubscriptionsPending":    fmt.Sprint(pending),
		"SubscriptionsDeleted":    fmt.Sprint(topic.Deleted),
	}
	if topic.SignatureVersion != "" {
		attributes[attributeSignatureVersion] = topic.SignatureVersion
	}
	if topic.DeliveryPolicy != "" {
		attributes[attributeDeliveryPolicy] = topic.DeliveryPolicy
	}
	return attributes, nil
}

// SetTopicAttribute changes one attribute of a topic.
func (t *Topics) SetTopicAttribute(ctx context.Context, arn, attribute, value string) error {
	return t.changeTopic(ctx, arn, func(topic *Topic) error {
		if err := topic.set(attribute, value); err != nil {
			return err
		}
		return nil
	})
}

// TagTopic sets and removes tags of a topic.
func (t *Topics) TagTopic(ctx context.Context, arn string, set map[string]string, remove []string) error {
	return t.changeTopic(ctx, arn, func(topic *Topic) error {
		tags := make(map[string]string, len(topic.Tags)+len(set))
		maps.Copy(tags, topic.Tags)
		maps.Copy(tags, set)
		for _, key := range remove {
			delete(tags, key)
		}
		if len(tags) > maxTags {
			return errorf(TagLimit, "Could not complete request: tag quota of per resource exceeded")
		}
		topic.Tags = tags
		return nil
	})
}

func (t *Topics) changeTopic(ctx context.Context, arn string, change func(*Topic) error) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	topic, err := t.Topic(ctx, arn)
	if err != nil {
		return err
	}
	if err := change(&topic); err != nil {
		return err
	}
	return t.topics.Put(arn, topic)
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
