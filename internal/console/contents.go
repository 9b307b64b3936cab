package console

import (
	"context"
	"encoding/json"
	"time"
)

// ItemQuery asks for one page of a table's items: those under one hash key when
// Hash is set, all otherwise.
type ItemQuery struct {
	Table      string
	Hash       string // value of the hash key as text; "" scans the table
	RangeOp    string // "", "=", "<", "<=", ">", ">=" or "begins_with"; only with Hash
	Range      string // value that RangeOp compares the range key with, as text
	Descending bool   // by range key; only with Hash
	Limit      int
	Start      string // Next of the page before; "" starts at the first item
}

// ItemPage is one page of items. An item is an object in DynamoDB's JSON
// notation: {"Name":{"S":"a"},"Count":{"N":"1"}}.
type ItemPage struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next,omitempty"` // opaque; "" on the last page
}

// Logs reads what functions wrote.
type Logs interface {
	// Tail returns the newest limit events of a function's log in order of time,
	// or, when before is set, the newest of those older than the event with that
	// ID. A function that has not run yet has no events, which is no error.
	Tail(ctx context.Context, function, before string, limit int) ([]LogEvent, error)
	// Follow calls emit with what is written after the event with the ID after,
	// from the first event on when after is "", in order, until ctx ends or emit
	// fails; it returns that error. After an event that is gone it goes on with the
	// oldest one that is left. It may hand over many events at a time and waits
	// while emit is busy.
	Follow(ctx context.Context, function, after string, emit func([]LogEvent) error) error
}

// LogEvent is one line, or one block of lines, of a function's log.
type LogEvent struct {
	ID      string    `json:"id"` // opaque position in the function's log
	Time    time.Time `json:"time"`
	Stream  string    `json:"stream"` // log stream, one per process
	Message string    `json:"message"`
}

// Metrics answers queries for the charts.
type Metrics interface {
	// Query returns the series of each query; an expression may yield several or
	// none. What is wrong with one query is said in its result, not as an error.
	Query(ctx context.Context, q MetricQueries) ([]MetricResult, error)
	// Revision grows when a datapoint is stored; charts then ask again. It is read
	// as often as the lists are.
	Revision() uint64
}

// MetricQueries is a set of queries over one range of time, as of GetMetricData.
type MetricQueries struct {
	Start   int64         `json:"start"` // Unix seconds, inclusive
	End     int64         `json:"end"`   // exclusive
	Queries []MetricQuery `json:"queries"`
}

// MetricQuery asks for one metric, or for an expression over other queries.
type MetricQuery struct {
	ID         string      `json:"id"`
	Namespace  string      `json:"namespace,omitempty"`
	Metric     string      `json:"metric,omitempty"`
	Dimensions []Dimension `json:"dimensions,omitempty"`
	Statistic  string      `json:"statistic,omitempty"`
	Period     int         `json:"period"` // seconds
	Expression string      `json:"expression,omitempty"`
	Label      string      `json:"label,omitempty"`
	Hidden     bool        `json:"hidden,omitempty"` // only there for expressions to use
}

// MetricResult is one series.
type MetricResult struct {
	ID     string    `json:"id"` // of the query
	Label  string    `json:"label"`
	Unit   string    `json:"unit,omitempty"` // Count, Milliseconds, ...; "" or None when there is none
	Times  []int64   `json:"times"`          // starts of periods, Unix seconds, ascending
	Values []float64 `json:"values"`         // as many
	Error  string    `json:"error,omitempty"`
}

// StackDetail is a stack with what it consists of.
type StackDetail struct {
	Stack
	Parameters []StackValue    `json:"parameters,omitempty"`
	Outputs    []StackValue    `json:"outputs,omitempty"`
	Imports    []StackImport   `json:"imports,omitempty"`
	Members    []StackResource `json:"members,omitempty"`
	Events     []StackEvent    `json:"events,omitempty"` // newest first
}

// StackValue is a parameter or an output of a stack.
type StackValue struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	// Export is the name under which other stacks can import an output, "" when they
	// cannot, and ImportedBy the names of those that do.
	Export     string   `json:"export,omitempty"`
	ImportedBy []string `json:"importedBy,omitempty"`
}

// StackImport is a value of another stack that a stack uses.
type StackImport struct {
	Export string `json:"export"`         // its name
	From   string `json:"from,omitempty"` // the stack that exports it
}

// StackResource is one resource of a stack.
type StackResource struct {
	LogicalID  string    `json:"logicalId"`
	PhysicalID string    `json:"physicalId"`
	Type       string    `json:"type"` // AWS::Kinesis::Stream, ...
	Status     string    `json:"status"`
	Updated    time.Time `json:"updated,omitzero"`
}

// StackEvent is something that happened to a resource of a stack.
type StackEvent struct {
	Time      time.Time `json:"time"`
	LogicalID string    `json:"logicalId"`
	Type      string    `json:"type"`
	Status    string    `json:"status"`
	Reason    string    `json:"reason,omitempty"`
}

// Outbox holds the mail that topics sent.
type Outbox interface {
	// Mails returns mail, newest first; before is the Next of the page before.
	Mails(ctx context.Context, before string, limit int) (MailPage, error)
	// Mail fails with ErrNotFound when there is none with that ID.
	Mail(ctx context.Context, id string) (MailDetail, error)
}

// MailPage is a part of the outbox.
type MailPage struct {
	Mails []Mail `json:"mails"`
	Total int    `json:"total"`          // mails in the outbox
	Next  string `json:"next,omitempty"` // opaque; "" on the last page
}

// Mail is the head of one mail.
type Mail struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Preview string    `json:"preview,omitempty"` // start of the body
}

// MailDetail is one mail with its body, plain text.
type MailDetail struct {
	Mail
	Body string `json:"body"`
}

// MailSummary is what every page knows of the outbox.
type MailSummary struct {
	Total  int    `json:"total"`
	Newest string `json:"newest,omitempty"` // ID
}
