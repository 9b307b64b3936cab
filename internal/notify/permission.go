package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weirstream/weir/internal/accesspolicy"
)

const attributePolicy = "Policy"

// grantable are the actions that AddPermission takes.
var grantable = []string{"AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish",
	"Receive", "RemovePermission", "SetTopicAttributes", "Subscribe"}

// setPolicy changes the access policy, which is kept and shown; nothing is refused
// because of it. "" is the policy of a new topic.
func (t *Topic) setPolicy(document string) *Error {
	var members map[string]json.RawMessage
	if document != "" && (json.Unmarshal([]byte(document), &members) != nil || members == nil) {
		return invalid("Policy Error: null")
	}
	t.Policy = document
	return nil
}

// policyOf is the access policy of a topic.
func (t *Topics) policyOf(topic Topic) string {
	if topic.Policy == "" {
		return t.defaultAccess(topic.ARN)
	}
	return topic.Policy
}

// AddPermission adds a statement to the access policy of a topic.
func (t *Topics) AddPermission(ctx context.Context, topicARN, label string, accounts, actions []string) error {
	return t.changePolicy(ctx, topicARN, func(p *accesspolicy.Document) error {
		if p.Has(label) {
			return invalid("Statement already exists")
		}
		for _, action := range actions {
			if !slices.Contains(grantable, action) {
				return invalid("Policy statement action out of service scope!")
			}
		}
		return p.Add(accesspolicy.Grant{
			Label: label, Partition: t.cfg.Identity.Partition, Accounts: accounts,
			Service: "SNS", Actions: actions, Resource: topicARN,
		})
	})
}

// RemovePermission removes a statement from the access policy of a topic; one that
// is not there is no error.
func (t *Topics) RemovePermission(ctx context.Context, topicARN, label string) error {
	return t.changePolicy(ctx, topicARN, func(p *accesspolicy.Document) error {
		p.Remove(label)
		return nil
	})
}

func (t *Topics) changePolicy(ctx context.Context, topicARN string, change func(*accesspolicy.Document) error) error {
	return t.changeTopic(ctx, topicARN, func(topic *Topic) error {
		var p accesspolicy.Document
		if err := json.Unmarshal([]byte(t.policyOf(*topic)), &p); err != nil {
			return invalid("Policy Error: %v", err) // one statement, not in a list
		}
		if err := change(&p); err != nil {
			return err
		}
		document, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("policy of %s: %w", topic.Name, err)
		}
		topic.Policy = string(document)
		return nil
	})
}
