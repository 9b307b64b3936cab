package queue

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/weirstream/weir/internal/accesspolicy"
)

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
	return q.changePolicy(ctx, func(arn string, p *accesspolicy.Document) error {
		if p.Has(label) {
			return invalid("Label", label, "Already exists.")
		}
		return p.Add(accesspolicy.Grant{
			Label: label, Partition: q.queues.cfg.Identity.Partition, Accounts: accounts,
			Service: "SQS", Actions: actions, Resource: arn,
		})
	})
}

// RemovePermission removes a statement from the access policy of the queue.
func (q *Queue) RemovePermission(ctx context.Context, label string) error {
	return q.changePolicy(ctx, func(_ string, p *accesspolicy.Document) error {
		if !p.Remove(label) {
			return invalid("Label", label, "can't find label.")
		}
		return nil
	})
}

func (q *Queue) changePolicy(ctx context.Context, f func(arn string, p *accesspolicy.Document) error) error {
	return q.change(ctx, func(d *Definition) error {
		p := accesspolicy.Document{Version: "2008-10-17", ID: d.ARN + "/SQSDefaultPolicy"}
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
