package resource

import (
	"context"
	"errors"
	"time"
)

// Errors that providers wrap, so that a stack can tell them from others.
var (
	ErrNotFound      = errors.New("not found")
	ErrAlreadyExists = errors.New("already exists")
	ErrInvalid       = errors.New("invalid request")
)

// Providers are what resources are made by. A call that makes or changes a
// resource returns when it can be used. Names are those of the specs.
type Providers struct {
	Streams     Streams
	Tables      Tables
	Functions   Functions
	Mappings    Mappings
	Topics      Topics
	Buckets     BucketMaker
	Queues      Queues
	Alarms      Alarms
	Dashboards  Dashboards
	LogGroups   LogGroups
	Permissions Permissions
	// Exists reports whether a resource of a type has a name. It is asked before a
	// resource with a chosen name is made, so that a stack never takes over, and on
	// failure never deletes, what it did not make.
	Exists func(ctx context.Context, resourceType, name string) (bool, error)
	// Package returns the code package with a SHA-256 (hexadecimal). The stack sets it.
	Package func(ctx context.Context, sha256 string) ([]byte, error)
}

// Streams makes Kinesis streams.
type Streams interface {
	CreateStream(context.Context, StreamSpec) (arn string, err error)
	// UpdateStream changes the number of shards, retention and tags.
	UpdateStream(context.Context, StreamSpec) error
	// DeleteStream deletes the consumers of the stream too.
	DeleteStream(ctx context.Context, name string) error
	RegisterConsumer(context.Context, ConsumerSpec) (ConsumerMade, error)
	TagConsumer(ctx context.Context, arn string, tags map[string]string) (ConsumerMade, error)
	DeregisterConsumer(ctx context.Context, arn string) error
	FindConsumer(context.Context, ConsumerSpec) (arn string, ok bool, err error)
}

// StreamSpec describes a stream. Zero values mean the defaults of the service.
type StreamSpec struct {
	Name           string
	Shards         int
	Mode           string // PROVISIONED or ON_DEMAND
	RetentionHours int
	MaxRecordKiB   int
	ShardMetrics   []string // names, or ALL
	EncryptionKey  string   // "": not encrypted
	Tags           map[string]string
}

// Tables makes DynamoDB tables.
type Tables interface {
	CreateTable(context.Context, TableSpec) (TableMade, error)
	// UpdateTable changes billing, throughput, deletion protection and tags.
	UpdateTable(context.Context, TableSpec) (TableMade, error)
	DeleteTable(ctx context.Context, name string) error
}

// TableSpec describes a table.
type TableSpec struct {
	Name               string
	Attributes         []TableAttribute
	Keys               []TableKey
	BillingMode        string // PROVISIONED, PAY_PER_REQUEST or ""
	ReadUnits          int    // 0 when not given
	WriteUnits         int
	StreamView         string // "" when the table has no stream
	DeletionProtection bool
	TableClass         string
	Tags               map[string]string

	region string // where it must be, "" for here
}

// TableAttribute declares the type of a key attribute: S, N or B.
type TableAttribute struct{ Name, Type string }

// TableKey is an element of the key: HASH or RANGE.
type TableKey struct{ Name, Type string }

// TableMade is what is known of a table that exists; StreamARN is "" without a
// stream.
type TableMade struct{ ARN, StreamARN string }

// Functions makes Lambda functions.
type Functions interface {
	CreateFunction(context.Context, FunctionSpec) (arn string, err error)
	UpdateFunction(context.Context, FunctionSpec) error
	DeleteFunction(ctx context.Context, name string) error
	// PublishVersion makes a version of a function as it is, or returns the last
	// one if nothing has changed since.
	PublishVersion(context.Context, VersionSpec) (VersionMade, error)
	DeleteVersion(ctx context.Context, arn string) error
	CreateAlias(context.Context, AliasSpec) (arn string, err error)
	UpdateAlias(context.Context, AliasSpec) error
	DeleteAlias(ctx context.Context, function, name string) error
	// PutEventInvokeConfig creates or replaces how asynchronous events are handled.
	PutEventInvokeConfig(context.Context, EventInvokeSpec) error
	DeleteEventInvokeConfig(ctx context.Context, function, qualifier string) error
}

// VersionSpec describes a version of a function. Nil members were not given.
type VersionSpec struct {
	Function    string
	Description *string
	CodeSHA256  string // base64; "" for whatever the code is
}

// VersionMade is what is known of a version that exists.
type VersionMade struct{ ARN, Version string }

// AliasSpec describes an alias of a function.
type AliasSpec struct {
	Function    string
	Name        string
	Version     string
	Description string
	Weights     map[string]float64 // shares of other versions, 0 to 1
}

// FunctionSpec describes a function. Zero values mean the defaults of the service.
type FunctionSpec struct {
	Name           string
	Runtime        string
	Handler        string
	Role           string
	Description    string
	TimeoutSeconds int
	MemoryMB       int
	EphemeralMB    int
	Architecture   string
	Tracing        string // Active or PassThrough
	LogGroup       string
	DeadLetterARN  string
	Environment    map[string]string
	Tags           map[string]string
	// ReservedConcurrency is nil for none.
	ReservedConcurrency *int
	// Zip is the code package; nil in an update that leaves the code as it is.
	Zip []byte
}

// EventInvokeSpec describes how asynchronous events of a function, version or alias
// are handled. Nil members were not given; OnSuccess and OnFailure are ARNs or "".
type EventInvokeSpec struct {
	Function, Qualifier            string
	RetryAttempts, EventAgeSeconds *int
	OnSuccess, OnFailure           string
}

// Mappings makes event source mappings.
type Mappings interface {
	CreateMapping(context.Context, MappingSpec) (MappingMade, error)
	UpdateMapping(ctx context.Context, uuid string, spec MappingSpec) error
	// DeleteMapping returns when the mapping invokes no more.
	DeleteMapping(ctx context.Context, uuid string) error
	// FindMapping returns the mapping of a source and a function, of which there is
	// at most one.
	FindMapping(ctx context.Context, sourceARN, function string) (uuid string, ok bool, err error)
}

// MappingSpec describes an event source mapping. Nil members were not given.
type MappingSpec struct {
	SourceARN             string
	Function              string
	Enabled               *bool
	BatchSize             *int
	BatchingWindowSeconds *int
	StartingPosition      string
	StartingTimestamp     *time.Time

	Factor, TumblingWindowSeconds                 *int
	MaximumRecordAgeSeconds, MaximumRetryAttempts *int // -1 for no limit
	Bisect                                        *bool
	ResponseTypes                                 []string
	OnFailure                                     string // ARN, empty for none
	Filters                                       []string
	Metrics                                       []string
	MaximumConcurrency                            *int // of a queue
	Tags                                          map[string]string
}

// MappingMade is what is known of a mapping that exists.
type MappingMade struct{ UUID, ARN string }

// Topics makes SNS topics and subscriptions.
type Topics interface {
	CreateTopic(context.Context, TopicSpec) (arn string, err error)
	UpdateTopic(ctx context.Context, arn string, spec TopicSpec) error
	// DeleteTopic deletes the subscriptions of the topic too.
	DeleteTopic(ctx context.Context, arn string) error
	// Subscribe returns the ARN of a subscription also while it is not confirmed.
	Subscribe(context.Context, SubscriptionSpec) (arn string, err error)
	// UpdateSubscription sets all that a specification says beyond its identity.
	UpdateSubscription(ctx context.Context, arn string, spec SubscriptionSpec) error
	// SetTopicPolicy sets the access policy, JSON, of a topic; "" is that of a new one.
	SetTopicPolicy(ctx context.Context, arn, policy string) error
	Unsubscribe(ctx context.Context, arn string) error
	FindSubscription(context.Context, SubscriptionSpec) (arn string, ok bool, err error)
}

// TopicSpec describes a topic.
type TopicSpec struct {
	Name        string
	DisplayName string
	Tags        map[string]string
}

// SubscriptionSpec describes a subscription; topic, protocol and endpoint together
// identify it.
type SubscriptionSpec struct {
	TopicARN, Protocol, Endpoint string
	Raw                          bool   // messages are delivered without envelope
	DeliveryPolicy, FilterPolicy string // JSON, "" for none
	RedrivePolicy                string // JSON, "" for none
	FilterScope                  string // "" for the default
}

// Queues makes SQS queues.
type Queues interface {
	CreateQueue(context.Context, QueueSpec) (url string, err error)
	// UpdateQueue sets attributes that are not given to their defaults.
	UpdateQueue(context.Context, QueueSpec) error
	DeleteQueue(ctx context.Context, name string) error
	// SetQueuePolicy sets the access policy, JSON, of the queue with a URL; "" takes
	// it away.
	SetQueuePolicy(ctx context.Context, url, policy string) error
}

// QueueSpec describes a queue; attributes are those of the API.
type QueueSpec struct {
	Name       string
	Attributes map[string]string
	Tags       map[string]string
}

// Alarms makes CloudWatch alarms.
type Alarms interface {
	// PutAlarm creates or replaces an alarm.
	PutAlarm(context.Context, AlarmSpec) (arn string, err error)
	DeleteAlarm(ctx context.Context, name string) error
}

// AlarmSpec describes an alarm on one metric. Nil members were not given.
type AlarmSpec struct {
	Name                    string
	Description             string
	ActionsEnabled          bool
	AlarmActions            []string
	OKActions               []string
	InsufficientDataActions []string
	Namespace               string
	MetricName              string
	Dimensions              []Dimension
	Statistic               string
	ExtendedStatistic       string
	PeriodSeconds           int
	EvaluationPeriods       int
	DatapointsToAlarm       int // 0: as many as EvaluationPeriods
	Threshold               float64
	ComparisonOperator      string
	TreatMissingData        string
	EvaluateLowSampleCount  string
	Unit                    string
	Tags                    map[string]string
}

// Dimension is a name and a value that identify a metric.
type Dimension struct{ Name, Value string }

// Dashboards makes CloudWatch dashboards.
type Dashboards interface {
	// PutDashboard creates or replaces a dashboard; body is its JSON.
	PutDashboard(ctx context.Context, name, body string) error
	DeleteDashboard(ctx context.Context, name string) error
}

// LogGroups makes log groups.
type LogGroups interface {
	CreateLogGroup(context.Context, LogGroupSpec) error
	UpdateLogGroup(context.Context, LogGroupSpec) error
	DeleteLogGroup(ctx context.Context, name string) error
}

// LogGroupSpec describes a log group; RetentionDays 0 keeps events for ever.
type LogGroupSpec struct {
	Name          string
	RetentionDays int
	Tags          map[string]string
}

// Permissions adds statements to the resource policies of functions.
type Permissions interface {
	AddPermission(context.Context, PermissionSpec) error
	RemovePermission(ctx context.Context, function, statementID string) error
}

// PermissionSpec describes a statement of a function's resource policy.
type PermissionSpec struct {
	StatementID      string
	Function         string
	Action           string
	Principal        string
	SourceARN        string
	SourceAccount    string
	PrincipalOrgID   string
	EventSourceToken string
}
