package mapping

import (
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
)

// Starting positions.
const (
	TrimHorizon = "TRIM_HORIZON"
	Latest      = "LATEST"
	AtTimestamp = "AT_TIMESTAMP"
)

// StartingPosition says where in a source a new mapping begins.
type StartingPosition struct {
	Type      string
	Timestamp time.Time // for AtTimestamp
}

// Definition is what a mapping is, as kept in the catalog.
type Definition struct {
	UUID         string
	SourceARN    string
	FunctionName string
	FunctionARN  string // with the qualifier that was given
	Enabled      bool
	BatchSize    int
	// BatchingWindow is how long a batch waits for more records, in seconds.
	BatchingWindow int
	Starting       StartingPosition
	LastModified   int64             // epoch milliseconds
	Tags           map[string]string `json:",omitempty"`

	// Factor is how many batches of a shard are processed at a time; 0 means 1.
	Factor int `json:",omitempty"`
	// TumblingWindow is the length of windows in seconds, 0 for none.
	TumblingWindow int `json:",omitempty"`
	// MaximumRecordAge is in seconds, 0 for no limit but the source's.
	MaximumRecordAge int `json:",omitempty"`
	// RetryLimit is how often a batch is sent again after a function error; nil
	// for no limit.
	RetryLimit *int `json:",omitempty"`
	// Bisect splits a failed batch in two.
	Bisect bool `json:",omitempty"`
	// ReportItemFailures is the response type ReportBatchItemFailures.
	ReportItemFailures bool `json:",omitempty"`
	// OnFailure is the ARN that reports of discarded batches go to.
	OnFailure string `json:",omitempty"`
	// Filters are the patterns of which a record must match one, as given.
	Filters []string `json:",omitempty"`
	// EventCount asks for the metrics of that name.
	EventCount bool `json:",omitempty"`
	// MaximumConcurrency bounds the batches of a queue that are processed at a time,
	// 0 for as many as the machine can run.
	MaximumConcurrency int `json:",omitempty"`
}

// lanes is how many batches of a shard are processed at a time.
func (d Definition) lanes() int { return max(d.Factor, 1) }

// ofTable reports whether the source is the change stream of a table.
func (d Definition) ofTable() bool { return serviceOf(d.SourceARN) == "dynamodb" }

// calls reports whether a function, as a list of mappings is asked for it, is the one
// that the mapping calls: a name or an ARN, which without a qualifier stands for all.
func (d Definition) calls(function string) bool {
	if strings.HasPrefix(function, "arn:") {
		return d.FunctionARN == function || strings.HasPrefix(d.FunctionARN, function+":")
	}
	return d.FunctionName == function || strings.HasSuffix(d.FunctionARN, ":function:"+function)
}

func serviceOf(arn string) string {
	a, err := catalog.ParseARN(arn)
	if err != nil {
		return ""
	}
	return a.Service
}

// isFIFO reports whether an ARN is of a FIFO queue or topic.
func isFIFO(arn string) bool { return strings.HasSuffix(arn, ".fifo") }
