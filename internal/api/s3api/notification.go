package s3api

import (
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

// notifications is the document of what a bucket tells.
type notifications struct {
	XMLName     xml.Name    `xml:"http://s3.amazonaws.com/doc/2006-03-01/ NotificationConfiguration"`
	Topics      []targeting `xml:"TopicConfiguration"`
	Queues      []targeting `xml:"QueueConfiguration"`
	Functions   []targeting `xml:"CloudFunctionConfiguration"`
	EventBridge *struct{}   `xml:"EventBridgeConfiguration"`
}

// targeting is a rule; it has one of the destinations.
type targeting struct {
	ID       string     `xml:"Id,omitempty"`
	Topic    string     `xml:",omitempty"`
	Queue    string     `xml:",omitempty"`
	Function string     `xml:"CloudFunction,omitempty"`
	Events   []string   `xml:"Event"`
	Filter   *keyFilter `xml:",omitempty"`
}

type keyFilter struct {
	Rules []filterRule `xml:"S3Key>FilterRule"`
}

type filterRule struct{ Name, Value string }

func (x *exchange) getNotification() error {
	b, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
	if err != nil {
		return err
	}
	var out notifications
	for _, r := range b.Notifications.Rules {
		t := targeting{ID: r.ID, Events: r.Events}
		if r.Prefix != nil || r.Suffix != nil {
			t.Filter = &keyFilter{}
		}
		if r.Prefix != nil {
			t.Filter.Rules = append(t.Filter.Rules, filterRule{"Prefix", *r.Prefix})
		}
		if r.Suffix != nil {
			t.Filter.Rules = append(t.Filter.Rules, filterRule{"Suffix", *r.Suffix})
		}
		switch {
		case strings.HasPrefix(r.Target, "arn:aws:lambda:"):
			t.Function = r.Target
			out.Functions = append(out.Functions, t)
		case strings.HasPrefix(r.Target, "arn:aws:sns:"):
			t.Topic = r.Target
			out.Topics = append(out.Topics, t)
		default:
			t.Queue = r.Target
			out.Queues = append(out.Queues, t)
		}
	}
	return x.document(out)
}

func (x *exchange) putNotification() error {
	var in notifications
	if err := x.decode(&in); err != nil {
		return err
	}
	if in.EventBridge != nil {
		return notImplemented("Sending events of buckets to EventBridge")
	}
	var n object.Notifications
	for _, group := range []struct {
		rules   []targeting
		service string
	}{{in.Topics, "sns"}, {in.Queues, "sqs"}, {in.Functions, "lambda"}} {
		for _, t := range group.rules {
			r, err := t.rule(group.service)
			if err != nil {
				return err
			}
			n.Rules = append(n.Rules, r)
		}
	}
	unchecked := strings.EqualFold(x.r.Header.Get("X-Amz-Skip-Destination-Validation"), "true")
	if err := x.h.buckets.SetNotifications(x.r.Context(), x.bucket, n, unchecked, x.origin()); err != nil {
		return err
	}
	return x.nothing(http.StatusOK)
}

// rule translates a rule whose destination is of a service.
func (t targeting) rule(service string) (object.Rule, error) {
	r := object.Rule{ID: t.ID, Target: t.Topic + t.Queue + t.Function, Events: t.Events}
	if parts := strings.SplitN(r.Target, ":", 4); len(parts) < 4 || parts[2] != service {
		return r, invalidArgument("The ARN could not be parsed", service, r.Target)
	}
	if t.Filter == nil {
		return r, nil
	}
	for _, f := range t.Filter.Rules {
		into := &r.Prefix
		switch strings.ToLower(f.Name) {
		case "prefix":
		case "suffix":
			into = &r.Suffix
		default:
			return r, invalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", f.Name)
		}
		if *into != nil {
			return r, invalidArgument("Cannot specify more than one "+strings.ToLower(f.Name)+" rule in a filter.", "FilterRule.Name", f.Name)
		}
		*into = &f.Value
	}
	return r, nil
}
