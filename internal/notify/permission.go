package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// policyDocument is the access policy of a topic as AddPermission writes it.
// Statements are kept as they were given.
type policyDocument struct {
	Version   string            `json:"Version,omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage `json:"Statement"`
}

type statement struct {
	Sid       string `json:"Sid"`
	Effect    string `json:"Effect"`
	Principal any    `json:"Principal"`
	Action    any    `json:"Action"`
	Resource  string `json:"Resource"`
}

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
	return t.changePolicy(ctx, topicARN, func(p *policyDocument) error {
		if p.find(label) >= 0 {
			return invalid("Statement already exists")
		}
		principals, permitted := make([]string, len(accounts)), make([]string, len(actions))
		for i, account := range accounts {
			principals[i] = "arn:" + t.cfg.Identity.Partition + ":iam::" + account + ":root"
		}
		for i, action := range actions {
			if !slices.Contains(grantable, action) {
				return invalid("Policy statement action out of service scope!")
			}
			permitted[i] = "SNS:" + action
		}
		s, err := json.Marshal(statement{label, "Allow", map[string]any{"AWS": oneOrAll(principals)}, oneOrAll(permitted), topicARN})
		p.Statement = append(p.Statement, s)
		return err
	})
}

// RemovePermission removes a statement from the access policy of a topic; one that
// is not there is no error.
func (t *Topics) RemovePermission(ctx context.Context, topicARN, label string) error {
	return t.changePolicy(ctx, topicARN, func(p *policyDocument) error {
		if i := p.find(label); i >= 0 {
			p.Statement = slices.Delete(p.Statement, i, i+1)
		}
		return nil
	})
}

func (p *policyDocument) find(label string) int {
	return slices.IndexFunc(p.Statement, func(raw json.RawMessage) bool {
		var s statement
		return json.Unmarshal(raw, &s) == nil && s.Sid == label
	})
}

func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (t *Topics) changePolicy(ctx context.Context, topicARN string, change func(*policyDocument) error) error {
	return t.changeTopic(ctx, topicARN, func(topic *Topic) error {
		var p policyDocument
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
