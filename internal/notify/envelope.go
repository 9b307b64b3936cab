package notify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// The kinds of what subscribers are sent.
const (
	kindNotification = "Notification"
	kindConfirmation = "SubscriptionConfirmation"
	kindFarewell     = "UnsubscribeConfirmation"
)

// notice is what one subscriber is sent, before it is put into the form of a
// protocol.
type notice struct {
	ID         string
	Kind       string
	Time       time.Time
	Subject    string               `json:",omitempty"`
	Message    string               // the body for the protocol
	Attributes map[string]Attribute `json:",omitempty"`
	Token      string               `json:",omitempty"` // of confirmations
	Group      string               `json:",omitempty"` // for queues, as is the trace
	Trace      string               `json:",omitempty"`
}

func (n notice) timestamp() string { return n.Time.UTC().Format("2006-01-02T15:04:05.000Z") }

// signed returns the text that a signature covers: names and values of the
// members, a line each, in byte order of the names.
func (n notice) signed(topicARN, subscribeURL string) string {
	members := map[string]string{
		"Message": n.Message, "MessageId": n.ID, "Timestamp": n.timestamp(), "TopicArn": topicARN, "Type": n.Kind,
	}
	if n.Kind != kindNotification {
		members["Token"], members["SubscribeURL"] = n.Token, subscribeURL
	} else if n.Subject != "" {
		members["Subject"] = n.Subject
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		b.WriteString(name + "\n" + members[name] + "\n")
	}
	return b.String()
}

// envelopeAttribute is a message attribute in an envelope.
type envelopeAttribute struct {
	Type  string
	Value string
}

func (n notice) envelopeAttributes() map[string]envelopeAttribute {
	all := make(map[string]envelopeAttribute, len(n.Attributes))
	for name, a := range n.Attributes {
		value := a.String
		if a.Binary != nil {
			value = base64.StdEncoding.EncodeToString(a.Binary)
		}
		all[name] = envelopeAttribute{a.Type, value}
	}
	return all
}

// envelope is what subscribers get around a message.
type envelope struct {
	Type, MessageID, TopicArn, Message, Timestamp string
	Token, Subject, SubscribeURL, UnsubscribeURL  string // "" where there is none
	SignatureVersion, Signature, SigningCertURL   string
	MessageAttributes                             map[string]envelopeAttribute
}

// seal puts a notice into its signed envelope.
func (t *Topics) seal(topic Topic, sub Subscription, n notice) (envelope, error) {
	e := envelope{
		Type: n.Kind, MessageID: n.ID, Token: n.Token, TopicArn: topic.ARN, Subject: n.Subject, Message: n.Message,
		Timestamp: n.timestamp(), SignatureVersion: topic.signatureVersion(),
	}
	if n.Kind == kindNotification {
		e.UnsubscribeURL = t.unsubscribeURL(sub)
		e.MessageAttributes = n.envelopeAttributes()
	} else {
		e.SubscribeURL = t.subscribeURL(topic.ARN, n.Token)
	}
	name, _, err := t.signer.certificate()
	if err != nil {
		return envelope{}, err
	}
	e.SigningCertURL = t.cfg.Endpoint + CertificatePath + name
	e.Signature, err = t.signer.sign(e.SignatureVersion, n.signed(topic.ARN, e.SubscribeURL))
	return e, err
}

// json writes the envelope to the letter as the service does: members in its order,
// a line each, with a space before the colon, but none inside of an attribute.
func (e envelope) json() ([]byte, error) {
	members := make([]string, 0, 13)
	add := func(name, value string, optional bool) error {
		if optional && value == "" {
			return nil
		}
		text, err := encode(value)
		members = append(members, `  "`+name+`" : `+string(text))
		return err
	}
	err := errors.Join(
		add("Type", e.Type, false), add("MessageId", e.MessageID, false), add("Token", e.Token, true),
		add("TopicArn", e.TopicArn, false), add("Subject", e.Subject, true), add("Message", e.Message, false),
		add("SubscribeURL", e.SubscribeURL, true), add("Timestamp", e.Timestamp, false),
		add("SignatureVersion", e.SignatureVersion, false), add("Signature", e.Signature, false),
		add("SigningCertURL", e.SigningCertURL, false), add("UnsubscribeURL", e.UnsubscribeURL, true),
	)
	if len(e.MessageAttributes) > 0 {
		attributes, attributesErr := attributesJSON(e.MessageAttributes)
		members, err = append(members, `  "MessageAttributes" : `+attributes), errors.Join(err, attributesErr)
	}
	return []byte("{\n" + strings.Join(members, ",\n") + "\n}"), err
}

func attributesJSON(attributes map[string]envelopeAttribute) (string, error) {
	lines := make([]string, 0, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		key, keyErr := encode(name)
		value, valueErr := encode(attributes[name])
		if err := errors.Join(keyErr, valueErr); err != nil {
			return "", err
		}
		lines = append(lines, "    "+string(key)+" : "+string(value))
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n  }", nil
}

// encode writes JSON without escaping <, > and &, which stand in messages and
// links.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// lambdaRecord is an envelope in the event of a function. It spells its links
// otherwise.
type lambdaRecord struct {
	Type              string
	MessageID         string `json:"MessageId"`
	TopicArn          string
	Subject           *string
	Message           string
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string `json:"SigningCertUrl"`
	UnsubscribeURL    string `json:"UnsubscribeUrl"`
	MessageAttributes map[string]envelopeAttribute
}

// lambdaEvent is what a function gets. As on the service, it says SignatureVersion
// 1 even where the signature is one of version 2.
func (e envelope) lambdaEvent(subscriptionARN string) ([]byte, error) {
	r := lambdaRecord{
		Type: e.Type, MessageID: e.MessageID, TopicArn: e.TopicArn, Message: e.Message, Timestamp: e.Timestamp,
		SignatureVersion: "1", Signature: e.Signature, SigningCertURL: e.SigningCertURL,
		UnsubscribeURL: e.UnsubscribeURL, MessageAttributes: e.MessageAttributes,
	}
	if e.Subject != "" {
		r.Subject = &e.Subject
	}
	type record struct {
		EventSource          string
		EventVersion         string
		EventSubscriptionArn string
		Sns                  lambdaRecord
	}
	return encode(map[string][]record{"Records": {{"aws:sns", "1.0", subscriptionARN, r}}})
}

func (t *Topics) subscribeURL(topicARN, token string) string {
	return t.cfg.Endpoint + "/?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=" + token
}

func (t *Topics) unsubscribeURL(sub Subscription) string {
	return t.cfg.Endpoint + "/?Action=Unsubscribe&SubscriptionArn=" + sub.ARN
}
