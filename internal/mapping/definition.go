package mapping

import (
	"strings"
	"time"
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
}

const (
	defaultBatchSize  = 100
	maxBatchSize      = 10000
	maxBatchingWindow = 300
)

// Spec is a request to create or update a mapping. Nil members were not given.
type Spec struct {
	SourceARN      string
	Function       string // name, ARN or partial ARN, with optional qualifier
	Enabled        *bool
	BatchSize      *int
	BatchingWindow *int
	Starting       *StartingPosition
	Tags           map[string]string // only when creating
	// Unsupported names parameters that were given a value this version cannot
	// honour; the request is refused instead of storing and ignoring them.
	Unsupported []string
}

func (s Spec) check() error {
	if len(s.Unsupported) > 0 {
		return errorf(InvalidParameter, "Weir does not implement these event source mapping parameters yet: %s. Remove them or leave them at their defaults.", strings.Join(s.Unsupported, ", "))
	}
	if s.BatchSize != nil {
		if err := checkRange("batchSize", *s.BatchSize, 1, maxBatchSize); err != nil {
			return err
		}
	}
	if s.BatchingWindow != nil {
		return checkRange("maximumBatchingWindowInSeconds", *s.BatchingWindow, 0, maxBatchingWindow)
	}
	return nil
}

func checkRange(name string, v, low, high int) error {
	switch {
	case v < low:
		return errorf(Validation, "1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", v, name, low)
	case v > high:
		return errorf(Validation, "1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", v, name, high)
	}
	return nil
}

func (s Spec) checkStarting(isTable bool) (StartingPosition, error) {
	if s.Starting == nil || s.Starting.Type == "" {
		return StartingPosition{}, errorf(InvalidParameter, "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	}
	at := *s.Starting
	switch at.Type {
	case TrimHorizon, Latest:
		if !at.Timestamp.IsZero() {
			return at, errorf(InvalidParameter, "StartingPositionTimestamp is only valid with the starting position AT_TIMESTAMP.")
		}
	case AtTimestamp:
		if isTable {
			return at, errorf(InvalidParameter, "Unsupported starting position for arn type: %s", s.SourceARN)
		}
		if at.Timestamp.IsZero() {
			return at, errorf(InvalidParameter, "StartingPositionTimestamp is required with the starting position AT_TIMESTAMP.")
		}
		if at.Timestamp.After(time.Now()) {
			return at, errorf(InvalidParameter, "StartingPositionTimestamp cannot be in the future.")
		}
	default:
		return at, errorf(Validation, "1 validation error detected: Value '%s' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]", at.Type)
	}
	return at, nil
}

// apply returns the definition with what the request changes.
func (s Spec) apply(d Definition, f *Function) Definition {
	if f != nil {
		d.FunctionName, d.FunctionARN = f.Name, f.ARN
	}
	if s.Enabled != nil {
		d.Enabled = *s.Enabled
	}
	if s.BatchSize != nil {
		d.BatchSize = *s.BatchSize
	}
	if s.BatchingWindow != nil {
		d.BatchingWindow = *s.BatchingWindow
	}
	return d
}
