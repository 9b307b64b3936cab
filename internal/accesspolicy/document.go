// Package accesspolicy owns the JSON documents that say who may do what with a
// resource, as far as AddPermission and RemovePermission of queues and topics change
// them. Documents are kept and shown; nothing is refused because of them.
package accesspolicy

import (
	"encoding/json"
	"slices"
)

// Document is an access policy. Statements are kept as they were given.
type Document struct {
	Version   string            `json:"Version,omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage `json:"Statement"`
}

// Grant lets accounts do something with a resource.
type Grant struct {
	Label     string
	Partition string
	Accounts  []string
	Service   string // in front of the actions, such as SQS
	Actions   []string
	Resource  string // its ARN
}

// statement is a grant as documents have it. A list of one stands for itself.
type statement struct {
	Sid       string `json:"Sid"`
	Effect    string `json:"Effect"`
	Principal any    `json:"Principal"`
	Action    any    `json:"Action"`
	Resource  string `json:"Resource"`
}

// Has reports whether there is a statement with a label.
func (d *Document) Has(label string) bool { return d.find(label) >= 0 }

// Add adds a statement.
func (d *Document) Add(g Grant) error {
	principals, permitted := make([]string, len(g.Accounts)), make([]string, len(g.Actions))
	for i, account := range g.Accounts {
		principals[i] = "arn:" + g.Partition + ":iam::" + account + ":root"
	}
	for i, action := range g.Actions {
		permitted[i] = g.Service + ":" + action
	}
	s, err := json.Marshal(statement{g.Label, "Allow", map[string]any{"AWS": oneOrAll(principals)}, oneOrAll(permitted), g.Resource})
	if err != nil {
		return err
	}
	d.Statement = append(d.Statement, s)
	return nil
}

// Remove removes the statement with a label, and reports whether there was one.
func (d *Document) Remove(label string) bool {
	i := d.find(label)
	if i < 0 {
		return false
	}
	d.Statement = slices.Delete(d.Statement, i, i+1)
	return true
}

func (d *Document) find(label string) int {
	return slices.IndexFunc(d.Statement, func(raw json.RawMessage) bool {
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
