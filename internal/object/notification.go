package object

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// Kind is what happened to an object, as events name it.
type Kind string

// The kinds of events that occur.
const (
	CreatedPut      Kind = "ObjectCreated:Put"
	CreatedPost     Kind = "ObjectCreated:Post"
	CreatedCopy     Kind = "ObjectCreated:Copy"
	CreatedComplete Kind = "ObjectCreated:CompleteMultipartUpload"
	RemovedDelete   Kind = "ObjectRemoved:Delete"
	TaggingPut      Kind = "ObjectTagging:Put"
	TaggingDelete   Kind = "ObjectTagging:Delete"
)

// eventNames are what a configuration can ask for. Many never occur, as what they
// tell of does not exist here.
var eventNames = []string{
	"s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload",
	"s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
	"s3:ObjectRestore:*", "s3:ObjectRestore:Post", "s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete",
	"s3:ReducedRedundancyLostObject", "s3:Replication:*", "s3:Replication:OperationFailedReplication", "s3:Replication:OperationNotTracked",
	"s3:Replication:OperationMissedThreshold", "s3:Replication:OperationReplicatedAfterThreshold",
	"s3:LifecycleExpiration:*", "s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated", "s3:LifecycleTransition",
	"s3:IntelligentTiering", "s3:ObjectTagging:*", "s3:ObjectTagging:Put", "s3:ObjectTagging:Delete", "s3:ObjectAcl:Put",
}

// Notifications is what a bucket tells to whom.
type Notifications struct {
	Rules []Rule `json:",omitempty"`
}

// Rule sends the events of some kinds and keys to one destination.
type Rule struct {
	ID     string   // "" gets one
	Target string   // ARN of a function, topic or queue
	Events []string // "s3:ObjectCreated:*"
	// Prefix and Suffix that a key must have; nil when there is no such rule.
	Prefix, Suffix *string `json:",omitempty"`
}

// Target takes events.
type Target interface {
	// Find returns nil if there is such a destination, an error that wraps
	// ErrUndeliverable if there is none.
	Find(ctx context.Context, arn string) error
	// Deliver returns when the event is accepted. An error that wraps
	// ErrUndeliverable is not tried again.
	Deliver(ctx context.Context, arn string, event []byte) error
}

const maxRules = 100

// target finds what delivers to an ARN, and what kind of thing that is.
func (b *Buckets) target(arn string) (t Target, what string) {
	parsed, err := catalog.ParseARN(arn)
	if err != nil {
		return nil, ""
	}
	switch parsed.Service {
	case "lambda":
		return b.cfg.Functions, "Lambda function"
	case "sns":
		return b.cfg.Topics, "topic"
	case "sqs":
		return b.cfg.Queues, "queue"
	}
	return nil, ""
}

// SetNotifications replaces what a bucket tells, and sends a test event to each
// queue and topic. With unchecked the destinations need not exist.
func (b *Buckets) SetNotifications(ctx context.Context, bucket string, n Notifications, unchecked bool, origin Origin) error {
	if !b.Exists(bucket) {
		return noSuchBucket(bucket)
	}
	n.Rules = slices.Clone(n.Rules)
	for i := range n.Rules {
		if n.Rules[i].ID == "" {
			n.Rules[i].ID = uuid.NewString()
		}
	}
	if err := n.check(); err != nil {
		return err
	}
	for _, rule := range n.Rules {
		if err := b.checkTarget(ctx, rule.Target, unchecked); err != nil {
			return err
		}
	}
	return b.change(ctx, func(tx *store.Tx) error {
		def, ok := b.buckets.Get(bucket)
		if !ok {
			return noSuchBucket(bucket)
		}
		def.Notifications = n
		if err := b.buckets.PutIn(tx, bucket, def); err != nil {
			return err
		}
		for _, rule := range n.Rules {
			if _, what := b.target(rule.Target); what == "Lambda function" {
				continue
			}
			if err := b.outbox.addIn(tx, rule.Target, testEvent(bucket, origin)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Buckets) checkTarget(ctx context.Context, arn string, unchecked bool) error {
	unable := func(why string) error {
		return errorf(InvalidArgument, "Unable to validate the following destination configurations").with("ArgumentName1", arn).with("ArgumentValue1", why)
	}
	t, what := b.target(arn)
	switch {
	case what == "":
		return errorf(InvalidArgument, "The ARN could not be parsed").with("ArgumentName", "arn").with("ArgumentValue", arn)
	case strings.HasSuffix(arn, ".fifo"):
		return unable("FIFO queues and topics cannot be destinations")
	case t == nil:
		return unable("This server has no destinations of the kind " + what)
	case unchecked:
		return nil
	}
	if err := t.Find(ctx, arn); err != nil {
		b.log.Debug("destination of notifications", "arn", arn, "error", err)
		if what == "Lambda function" {
			return unable("Not authorized to invoke function [" + arn + "]")
		}
		return unable("The destination " + what + " does not exist")
	}
	return nil
}

func (n Notifications) check() error {
	if len(n.Rules) > maxRules {
		return errorf(InvalidArgument, "The notification configuration has more than %d rules", maxRules)
	}
	ids := map[string]bool{}
	for i, rule := range n.Rules {
		if ids[rule.ID] {
			return errorf(InvalidArgument, "Same ID used for multiple configurations. IDs must be unique")
		}
		ids[rule.ID] = true
		if len(rule.Events) == 0 {
			return errorf(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
		}
		for _, name := range rule.Events {
			if !slices.Contains(eventNames, name) {
				return errorf(InvalidArgument, "The event '%s' is not supported for notifications", name).with("ArgumentName", "Event").with("ArgumentValue", name)
			}
		}
		if slices.ContainsFunc(n.Rules[:i], rule.overlaps) {
			return errorf(InvalidArgument, "Configurations overlap. Configurations on the same bucket cannot share a common event type.")
		}
	}
	return nil
}

// overlaps reports whether an event could match both rules.
func (r Rule) overlaps(other Rule) bool {
	shared := slices.ContainsFunc(r.Events, func(a string) bool {
		return slices.ContainsFunc(other.Events, func(b string) bool { return covers(a, b) || covers(b, a) })
	})
	p, q, s, t := text(r.Prefix), text(other.Prefix), text(r.Suffix), text(other.Suffix)
	return shared && (strings.HasPrefix(p, q) || strings.HasPrefix(q, p)) && (strings.HasSuffix(s, t) || strings.HasSuffix(t, s))
}

// covers reports whether a name of events, which may end with a wildcard, includes
// another.
func covers(pattern, name string) bool {
	stem, wild := strings.CutSuffix(pattern, "*")
	return pattern == name || wild && strings.HasPrefix(name, stem)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (r Rule) matches(kind Kind, key string) bool {
	return strings.HasPrefix(key, text(r.Prefix)) && strings.HasSuffix(key, text(r.Suffix)) &&
		slices.ContainsFunc(r.Events, func(name string) bool { return covers(name, "s3:"+string(kind)) })
}

// announceIn has the destinations told of a change as part of tx. The caller holds
// changing.
func (b *Buckets) announceIn(tx *store.Tx, def Bucket, kind Kind, o Object, origin Origin) error {
	sequencer := uint64(0)
	for _, rule := range def.Notifications.Rules {
		if !rule.matches(kind, o.Key) {
			continue
		}
		if sequencer == 0 {
			sequencer = b.sequencer()
		}
		e := event{region: b.cfg.Identity.Region, account: b.cfg.Identity.Account, bucket: def.Name, rule: rule.ID, kind: kind, object: o, sequencer: sequencer, origin: origin}
		if err := b.outbox.addIn(tx, rule.Target, e.document()); err != nil {
			return err
		}
	}
	return nil
}
