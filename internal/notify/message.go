package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// Message is what is published to a topic.
type Message struct {
	Subject string // "" is none
	Body    string // for all protocols that have no body of their own
	// Bodies are bodies by protocol, "email", "http" and so on.
	Bodies     map[string]string
	Attributes map[string]Attribute
	// Group is the message group and Trace the trace header that queues are given
	// with the message; "" is none.
	Group, Trace string
}

// Attribute is a message attribute: a string, a number or an array in String, or
// Binary, as Type says.
type Attribute struct {
	Type   string
	String string
	Binary []byte
}

const (
	maxMessage       = 262_144
	maxSubject       = 100
	maxAttributeName = 256
	maxEntries       = 10
	maxEntryID       = 80
	maxGroup         = 128
)

// ParseStructure turns a body that is JSON with bodies by protocol (message
// structure "json") into a message.
func ParseStructure(body string) (defaultBody string, bodies map[string]string, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		return "", nil, invalid("Message Structure - JSON message body failed to parse")
	}
	bodies = map[string]string{}
	for protocol, member := range members {
		var text string
		if json.Unmarshal(member, &text) == nil { // other members are passed over
			bodies[protocol] = text
		}
	}
	defaultBody, ok := bodies["default"]
	if !ok {
		return "", nil, invalid("Message Structure - No default entry in JSON message body")
	}
	delete(bodies, "default")
	return defaultBody, bodies, nil
}

func (m *Message) size() int {
	n := len(m.Body)
	for _, body := range m.Bodies {
		n += len(body)
	}
	for name, a := range m.Attributes {
		n += len(name) + len(a.Type) + len(a.String) + len(a.Binary)
	}
	return n
}

func (m *Message) check() error {
	if m.Body == "" {
		return invalid("Empty message")
	}
	if m.size() > maxMessage {
		return invalid("Message too long")
	}
	if len(m.Subject) > maxSubject || hasControl(m.Subject) {
		return invalid("Subject")
	}
	if len(m.Group) > maxGroup || strings.ContainsFunc(m.Group, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return invalid("MessageGroupId")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		if err := m.Attributes[name].check(name); err != nil {
			return err
		}
	}
	return nil
}

var (
	notInName     = regexp.MustCompile(`[^A-Za-z0-9_.-]`)
	attributeType = regexp.MustCompile(`^(String\.Array|String|Number|Binary)(\..+)?$`)
)

func checkAttributeName(name string) error {
	switch {
	case len(name) > maxAttributeName:
		return errorf(InvalidAttribute, "Length of message attribute name must be less than 256 bytes.")
	case notInName.MatchString(name):
		bad, _ := utf8.DecodeRuneInString(notInName.FindString(name))
		return errorf(InvalidAttribute, "Invalid non-alphanumeric character '#x%X' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.", bad)
	case strings.HasPrefix(name, "."):
		return errorf(InvalidAttribute, "Invalid message attribute name starting with character '.' was found.")
	case strings.HasSuffix(name, "."):
		return errorf(InvalidAttribute, "Invalid message attribute name ending with character '.' was found.")
	case strings.Contains(name, ".."):
		return errorf(InvalidAttribute, "Message attribute name can not have successive '.' character.")
	}
	return nil
}

func (a Attribute) check(name string) error {
	if err := checkAttributeName(name); err != nil {
		return err
	}
	kind := attributeType.FindStringSubmatch(a.Type)
	switch {
	case kind == nil:
		return errorf(InvalidAttribute, "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case kind[1] == "Binary" && a.String != "":
		return errorf(InvalidAttribute, "The message attribute '%s' with type '%s' must use field 'Binary'.", name, a.Type)
	case kind[1] != "Binary" && len(a.Binary) > 0:
		return errorf(InvalidAttribute, "The message attribute '%s' with type '%s' must use field 'String'.", name, a.Type)
	case kind[1] == "Binary" && len(a.Binary) == 0 || kind[1] != "Binary" && a.String == "":
		return errorf(InvalidAttribute, "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.Type)
	}
	if kind[1] == "Number" {
		if _, err := strconv.ParseFloat(a.String, 64); err != nil {
			return errorf(InvalidAttribute, "Could not cast message attribute '%s' value to number.", name)
		}
	}
	return nil
}

// body returns the text for a protocol.
func (m *Message) body(protocol string) string {
	if body, ok := m.Bodies[protocol]; ok {
		return body
	}
	return m.Body
}

// Publish sends a message to the confirmed subscriptions of a topic. It returns
// when the deliveries are on disk; they are made afterwards.
func (t *Topics) Publish(ctx context.Context, topicARN string, m Message) (messageID string, err error) {
	ids, err := t.publish(ctx, topicARN, []Message{m})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// Entry is one message of a batch.
type Entry struct {
	ID string
	Message
}

// PublishBatch sends up to ten messages and returns their ids. One that is not well
// formed has the whole batch refused.
func (t *Topics) PublishBatch(ctx context.Context, topicARN string, entries []Entry) (messageIDs []string, err error) {
	if err := checkEntries(entries); err != nil {
		return nil, err
	}
	messages := make([]Message, len(entries))
	for i, e := range entries {
		messages[i] = e.Message
	}
	return t.publish(ctx, topicARN, messages)
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func checkEntries(entries []Entry) error {
	if len(entries) == 0 {
		return errorf(EmptyBatch, "The batch request doesn't contain any entries.")
	}
	if len(entries) > maxEntries {
		return errorf(TooManyEntries, "The batch request contains more entries than permissible.")
	}
	seen := map[string]bool{}
	size := 0
	for i := range entries {
		e := &entries[i]
		switch {
		case e.ID == "":
			return errorf(InvalidEntryID, "The Id of a batch entry in a batch request doesn't abide by the specification.")
		case len(e.ID) > maxEntryID:
			return errorf(InvalidEntryID, "The Id of a batch entry in the batch request is too long: %s", e.ID)
		case !entryID.MatchString(e.ID):
			return errorf(InvalidEntryID, "The Id of a batch entry in the batch request contains an impermissible character: %s", e.ID)
		}
		if seen[e.ID] {
			return errorf(EntriesNotUnique, "Two or more batch entries in the request have the same Id.")
		}
		seen[e.ID] = true
		size += e.size()
	}
	if size > maxMessage {
		return errorf(BatchTooLong, "The length of all the messages put together is more than the limit.")
	}
	return nil
}

// publish writes the deliveries of all messages in one transaction.
func (t *Topics) publish(ctx context.Context, topicARN string, messages []Message) (messageIDs []string, err error) {
	topic, err := t.Topic(ctx, topicARN)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(messages))
	notices := make([]notice, len(messages))
	for i := range messages {
		m := &messages[i]
		if err := m.check(); err != nil {
			return nil, err
		}
		ids[i] = uuid.NewString()
		notices[i] = notice{
			ID: ids[i], Kind: kindNotification, Time: time.Now(), Subject: m.Subject, Attributes: m.Attributes, Group: m.Group, Trace: m.Trace,
		}
	}
	tx := t.db.Begin()
	if err := t.fanOut(tx, topic, messages, notices); err != nil {
		return nil, fmt.Errorf("publish to %s: %w", topic.Name, err)
	}
	if err := tx.Wait(); err != nil {
		return nil, fmt.Errorf("publish to %s: %w", topic.Name, err)
	}
	for i := range messages {
		t.measure(topic.Name, "NumberOfMessagesPublished", "Count").Observe(1)
		t.measure(topic.Name, "PublishSize", "Bytes").Observe(float64(messages[i].size()))
	}
	return ids, nil
}

// fanOut adds a delivery of each message for each confirmed subscription whose filter
// lets it pass, and applies tx while nothing else gets a number in between, so that
// the order of numbers is the order in which they become visible.
func (t *Topics) fanOut(tx *store.Tx, topic Topic, messages []Message, notices []notice) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	defer tx.Discard()
	subs := t.subscriptionsOf(topic.ARN)
	for i, n := range notices {
		content := newFilterable(&messages[i])
		for _, sub := range subs {
			if sub.State != SubscriptionConfirmed {
				continue
			}
			if f := t.index.filter(sub.ARN); !f.passes(content, sub.Protocol) {
				t.countFiltered(topic, f, content, sub.Protocol)
				continue
			}
			n.Message = messages[i].body(sub.Protocol)
			if err := t.send(tx, topic, sub, n); err != nil {
				return err
			}
		}
	}
	return tx.Apply()
}

// measure returns a metric of a topic.
func (t *Topics) measure(topic, name, unit string) *meter.Series {
	return t.cfg.Meter.Series("AWS/SNS", name, unit, meter.Dimension{Name: "TopicName", Value: topic})
}

// Announcer publishes for alarms: a subject with bodies by protocol, "default"
// among them.
type Announcer struct{ Topics *Topics }

// Publish sends the bodies to the subscriptions of a topic.
func (a Announcer) Publish(ctx context.Context, topicARN, subject string, bodies map[string]string) error {
	_, err := a.Topics.Publish(ctx, topicARN, Message{Subject: subject, Body: bodies["default"], Bodies: bodies})
	return err
}
