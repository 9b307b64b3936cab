package console

import (
	"context"
	"time"
)

// The lists below are read by the sampler twice a second while a page is open,
// and every two seconds otherwise, so they must be answered from memory. Totals
// count since the start of the process; the console makes rates of them.

// Server tells about the process that serves the pages.
type Server interface {
	ServerInfo(ctx context.Context) (ServerInfo, error)
}

// ServerInfo describes one server.
type ServerInfo struct {
	Version   string    `json:"version"`
	Started   time.Time `json:"started"`
	Address   string    `json:"address"` // the endpoint to give to clients, "http://127.0.0.1:4566"
	Region    string    `json:"region"`
	Account   string    `json:"account"`
	DataDir   string    `json:"dataDir"`
	DataBytes uint64    `json:"dataBytes"` // on disk
	SMTP      string    `json:"smtp"`      // host and port that mail goes to; "" when it stays in the outbox
}

// Streams lists the Kinesis streams.
type Streams interface {
	Streams(ctx context.Context) ([]Stream, error)
}

// Stream is one Kinesis stream.
type Stream struct {
	Name           string    `json:"name"`
	ARN            string    `json:"arn"`
	Status         string    `json:"status"` // ACTIVE, CREATING, ...
	Shards         int       `json:"shards"`
	RetentionHours int       `json:"retentionHours"`
	Created        time.Time `json:"created,omitzero"`
	Records        float64   `json:"records"` // total put
	Bytes          float64   `json:"bytes"`   // total put
}

// Queues lists the SQS queues.
type Queues interface {
	Queues(ctx context.Context) ([]Queue, error)
}

// Queue is one SQS queue and how many messages it has.
type Queue struct {
	Name     string `json:"name"`
	ARN      string `json:"arn"`
	Visible  int    `json:"visible"`  // to be received
	InFlight int    `json:"inFlight"` // received and neither deleted nor visible again
	Delayed  int    `json:"delayed"`
}

// Functions lists the functions.
type Functions interface {
	Functions(ctx context.Context) ([]Function, error)
}

// Function is one function.
type Function struct {
	Name           string        `json:"name"`
	ARN            string        `json:"arn"`
	Runtime        string        `json:"runtime"`
	Handler        string        `json:"handler"`
	Description    string        `json:"description,omitempty"`
	State          string        `json:"state"` // Active, Pending, Failed, ...
	MemoryMB       int           `json:"memoryMB"`
	TimeoutSeconds int           `json:"timeoutSeconds"`
	CodeBytes      int64         `json:"codeBytes"`
	Modified       time.Time     `json:"modified,omitzero"`
	Invocations    float64       `json:"invocations"` // total
	Errors         float64       `json:"errors"`      // total
	Throttles      float64       `json:"throttles"`   // total
	P50            float64       `json:"p50"`         // of recent durations, milliseconds; 0 before the first
	P99            float64       `json:"p99"`
	Concurrency    int           `json:"concurrency"` // invocations under way
	LastError      *FunctionFail `json:"lastError,omitempty"`
}

// FunctionFail is a failed invocation.
type FunctionFail struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"requestId"`
	Message   string    `json:"message"`
}

// Tables lists the tables and reads their items.
type Tables interface {
	Tables(ctx context.Context) ([]Table, error)
	// Items returns one page of a table's items. It fails with ErrNotFound when
	// the table does not exist and with ErrInvalid when a key value does not fit.
	Items(ctx context.Context, q ItemQuery) (ItemPage, error)
}

// Table is one DynamoDB table.
type Table struct {
	Name       string        `json:"name"`
	ARN        string        `json:"arn"`
	Status     string        `json:"status"`
	HashKey    KeyAttribute  `json:"hashKey"`
	RangeKey   *KeyAttribute `json:"rangeKey,omitempty"`
	Items      int64         `json:"items"`      // estimate
	Bytes      int64         `json:"bytes"`      // estimate
	StreamView string        `json:"streamView"` // NEW_AND_OLD_IMAGES, ...; "" without a stream
	Created    time.Time     `json:"created,omitzero"`
	Reads      float64       `json:"reads"`  // total items read
	Writes     float64       `json:"writes"` // total items written or deleted
}

// KeyAttribute is an attribute of a table's primary key.
type KeyAttribute struct {
	Name string `json:"name"`
	Type string `json:"type"` // S, N or B
}

// Mappings lists the event source mappings and tells how they stand.
type Mappings interface {
	Mappings(ctx context.Context) ([]Mapping, error)
	// MappingShards returns how a mapping stands in each shard that it reads or has
	// read, and fails with ErrNotFound when there is none with that UUID.
	MappingShards(ctx context.Context, uuid string) ([]MappingShard, error)
}

// Mapping is one event source mapping. Its limits are in seconds; the record age
// and the retries are -1 when there is no limit.
type Mapping struct {
	UUID             string    `json:"uuid"`
	Source           string    `json:"source"`     // ARN
	SourceKind       string    `json:"sourceKind"` // "stream", "table" or "queue"
	SourceName       string    `json:"sourceName"` // name of that
	Function         string    `json:"function"`   // name
	FunctionARN      string    `json:"functionArn"`
	State            string    `json:"state"`      // Enabled, Disabled, Creating, ...
	LastResult       string    `json:"lastResult"` // "OK", "No records processed", or what went wrong
	Modified         time.Time `json:"modified,omitzero"`
	StartingPosition string    `json:"startingPosition"`

	BatchSize      int      `json:"batchSize"`
	WindowSeconds  int      `json:"windowSeconds"`  // longest wait for a full batch
	TumblingWindow int      `json:"tumblingWindow"` // length, 0 for none
	Factor         int      `json:"factor"`         // batches of a shard at a time
	RecordAge      int      `json:"recordAge"`      // longest
	RetryLimit     int      `json:"retryLimit"`
	Bisect         bool     `json:"bisect"`
	ReportFailures bool     `json:"reportFailures"` // the function may report which records failed
	OnFailure      string   `json:"onFailure"`      // ARN of what is told of discarded records; "" for none
	Filters        []string `json:"filters,omitempty"`

	IteratorAgeMS float64 `json:"iteratorAgeMs"` // how far behind the slowest shard is
	Records       float64 `json:"records"`       // total delivered
	// Lanes are the readers of the mapping's shards by activity.
	Lanes map[string]int `json:"lanes,omitempty"`
	// Problem is why the shard that is furthest behind does not get on, "" when
	// none has a problem.
	Problem string `json:"problem,omitempty"`
}

// MappingShard is how a mapping stands in one shard or, where it processes several
// batches of a shard at a time, in one lane of it. Counts go from when the mapping
// began to process: the start of the server, or its last change.
type MappingShard struct {
	Shard       string         `json:"shard"`
	Lane        int            `json:"lane"` // from 0
	Activity    string         `json:"activity"`
	Problem     string         `json:"problem,omitempty"` // why the last attempt failed
	Attempts    int            `json:"attempts"`          // failed ones of the records in hand
	BehindMS    float64        `json:"behindMs"`
	Invocations uint64         `json:"invocations"`
	Records     uint64         `json:"records"`   // handed to the function, again on every retry
	LastBatch   int            `json:"lastBatch"` // records
	LastMS      float64        `json:"lastMs"`    // duration of the last invocation
	AverageMS   float64        `json:"averageMs"`
	Retries     uint64         `json:"retries"`
	Conflicts   uint64         `json:"conflicts"` // invocations repeated as what they read had changed
	Discarded   uint64         `json:"discarded"` // records given up
	Lost        uint64         `json:"lost"`      // records that left the source first
	Window      *MappingWindow `json:"window,omitempty"`
}

// MappingWindow is a tumbling window that is open in a shard.
type MappingWindow struct {
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	StateBytes int       `json:"stateBytes"`
}

// Alarms lists the alarms and their history.
type Alarms interface {
	Alarms(ctx context.Context) ([]Alarm, error)
	// AlarmHistory returns the newest entries of an alarm's history, newest first.
	AlarmHistory(ctx context.Context, name string, limit int) ([]AlarmEvent, error)
}

// Alarm is one metric alarm.
type Alarm struct {
	Name              string      `json:"name"`
	ARN               string      `json:"arn"`
	Description       string      `json:"description,omitempty"`
	State             string      `json:"state"` // OK, ALARM or INSUFFICIENT_DATA
	Reason            string      `json:"reason"`
	Since             time.Time   `json:"since"` // of the state
	Namespace         string      `json:"namespace"`
	Metric            string      `json:"metric"`
	Dimensions        []Dimension `json:"dimensions,omitempty"`
	Statistic         string      `json:"statistic"` // Sum, p90, ...
	PeriodSeconds     int         `json:"periodSeconds"`
	EvaluationPeriods int         `json:"evaluationPeriods"`
	DatapointsToAlarm int         `json:"datapointsToAlarm"`
	Comparison        string      `json:"comparison"` // GreaterThanThreshold, ...
	Threshold         float64     `json:"threshold"`
	TreatMissing      string      `json:"treatMissing"`
	ActionsEnabled    bool        `json:"actionsEnabled"`
	AlarmActions      []string    `json:"alarmActions,omitempty"` // ARNs
	OKActions         []string    `json:"okActions,omitempty"`
	NoDataActions     []string    `json:"noDataActions,omitempty"`
}

// Dimension is a name and value that, with others, identifies a metric.
type Dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// AlarmEvent is an entry of an alarm's history.
type AlarmEvent struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // StateUpdate, Action or ConfigurationUpdate
	Summary string    `json:"summary"`
	Data    string    `json:"data,omitempty"` // JSON document
}

// Topics lists the SNS topics.
type Topics interface {
	Topics(ctx context.Context) ([]Topic, error)
}

// Topic is one SNS topic with its subscriptions.
type Topic struct {
	Name          string         `json:"name"`
	ARN           string         `json:"arn"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription is one endpoint that a topic delivers to.
type Subscription struct {
	Protocol  string `json:"protocol"`
	Endpoint  string `json:"endpoint"`
	Confirmed bool   `json:"confirmed"`
}

// Stacks lists the stacks and what they consist of.
type Stacks interface {
	Stacks(ctx context.Context) ([]Stack, error)
	// Stack fails with ErrNotFound when there is none with that name.
	Stack(ctx context.Context, name string) (StackDetail, error)
}

// Stack is one deployed template.
type Stack struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Status      string    `json:"status"` // CREATE_COMPLETE, ...
	Reason      string    `json:"reason,omitempty"`
	Created     time.Time `json:"created,omitzero"`
	Updated     time.Time `json:"updated,omitzero"`
	Resources   int       `json:"resources"`
}

// Dashboards lists the dashboards and their bodies.
type Dashboards interface {
	Dashboards(ctx context.Context) ([]Dashboard, error)
	// DashboardBody returns the JSON document of a dashboard as it was put, and
	// fails with ErrNotFound when there is none with that name.
	DashboardBody(ctx context.Context, name string) (string, error)
}

// Dashboard is one CloudWatch dashboard.
type Dashboard struct {
	Name     string    `json:"name"`
	Modified time.Time `json:"modified"`
	Bytes    int       `json:"bytes"` // of the body
}
