package queue

import (
	"context"
	"encoding/json"
	"slices"
)

// policy is the access policy of a queue as AddPermission writes it. Members that
// it does not know of are kept.
type policy struct {
	Version   string            `json:"Version"`
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

// grantable are the actions that AddPermission takes.
var grantable = []string{"*", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue", "ReceiveMessage", "SendMessage"}

// AddPermission adds a statement to the access policy of the queue, which is kept
// and shown; nothing is refused because of it.
func (q *Queue) AddPermission(ctx context.Context, label string, accounts, actions []string) error {
	for _, action := range actions {
		if !slices.Contains(grantable, action) {
			return invalid("ActionName", "SQS:"+action, "Please refer to the appropriate WSDL for a list of valid actions. ")
		}
	}
	principals, permitted := make([]string, len(accounts)), make([]string, len(actions))
	for i, account := range accounts {
		principals[i] = "arn:" + q.queues.cfg.Identity.Partition + ":iam::" + account + ":root"
	}
	for i, action := range actions {
		permitted[i] = "SQS:" + action
	}
	return q.changePolicy(ctx, func(arn string, p *policy) error {
		if p.find(label) >= 0 {
			return invalid("Label", label, "Already exists.")
		}
		s, err := json.Marshal(statement{label, "Allow", map[string]any{"AWS": oneOrAll(principals)}, oneOrAll(permitted), arn})
		p.Statement = append(p.Statement, s)
		return err
	})
}

// RemovePermission removes a statement from the access policy of the queue.
func (q *Queue) RemovePermission(ctx context.Context, label string) error {
	return q.changePolicy(ctx, func(_ string, p *policy) error {
		i := p.find(label)
		if i < 0 {
			return invalid("Label", label, "can't find label.")
		}
		p.Statement = slices.Delete(p.Statement, i, i+1)
		return nil
	})
}

func (p *policy) find(label string) int {
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

func (q *Queue) changePolicy(ctx context.Context, f func(arn string, p *policy) error) error {
	return q.change(ctx, func(d *Definition) error {
		p := policy{Version: "2008-10-17", ID: d.ARN + "/SQSDefaultPolicy"}
		if d.Policy != "" {
			if err := json.Unmarshal([]byte(d.Policy), &p); err != nil {
				return invalidAttribute(attrPolicy)
			}
		}
		if err := f(d.ARN, &p); err != nil {
			return err
		}
		if len(p.Statement) == 0 {
			d.Policy = ""
			return nil
		}
		text, err := json.Marshal(p)
		d.Policy = string(text)
		return err
	})
}
