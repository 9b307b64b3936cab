package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/pattern"
)

// The defaults and bounds of the parameters of streams.
const (
	defaultBatchSize  = 100
	maxBatchSize      = 10000
	maxBatchingWindow = 300
	maxFactor         = 10
	maxTumblingWindow = 900
	maxRecordAge      = 604800
	minRecordAge      = 60
	maxRetryAttempts  = 10000
	maxPatternLength  = 4096
	maxTags           = 50

	// Unlimited is the record age and the number of retries that mean no limit.
	Unlimited = -1

	reportItemFailures = "ReportBatchItemFailures"
	eventCount         = "EventCount"
)

// Spec is a request to create or update a mapping. Nil members were not given.
type Spec struct {
	SourceARN        string
	Function         string // name, ARN or partial ARN, with optional qualifier
	Enabled          *bool
	BatchSize        *int
	BatchingWindow   *int
	Factor           *int
	TumblingWindow   *int
	MaximumRecordAge *int // seconds or Unlimited
	RetryLimit       *int // or Unlimited
	Bisect           *bool
	ResponseTypes    *[]string
	OnFailure        *string // empty removes
	OnSuccess        string  // never supported, but with a text of its own
	Filters          *[]string
	Metrics          *[]string
	// MaximumConcurrency bounds the batches of a queue that are processed at a time.
	MaximumConcurrency *int
	Unbounded          bool // removes that bound
	Starting           *StartingPosition
	Tags               map[string]string // only when creating
	// Unsupported names parameters that were given a value this version cannot
	// honour; the request is refused instead of storing and ignoring them.
	Unsupported []string
}

// check judges what can be judged without knowing the mapping.
func (s Spec) check() error {
	if err := s.checkModel(); err != nil {
		return err
	}
	if len(s.Unsupported) > 0 {
		return errorf(InvalidParameter, "Weir does not implement these event source mapping parameters: %s. Remove them or leave them at their defaults.", strings.Join(s.Unsupported, ", "))
	}
	return cmp.Or(s.checkAge(), s.checkMetrics(), s.checkDestination(), checkTags(s.Tags))
}

func (s Spec) checkAge() error {
	if age := s.MaximumRecordAge; age != nil && *age >= 0 && *age < minRecordAge {
		return errorf(InvalidParameter, "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)")
	}
	return nil
}

// checkMetrics refuses the metrics that only other sources have.
func (s Spec) checkMetrics() error {
	if s.Metrics != nil && slices.ContainsFunc(*s.Metrics, func(m string) bool { return m != eventCount }) {
		return errorf(InvalidParameter, "Unsupported MetricsConfig parameter for given event source mapping type.")
	}
	return nil
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return errorf(InvalidParameter, "Number of tags exceeds resource tag limit.")
	}
	return nil
}

func (s Spec) checkDestination() error {
	if s.OnSuccess != "" {
		return errorf(InvalidParameter, "Unsupported DestinationConfig parameter for given event source mapping type.")
	}
	if s.OnFailure == nil || *s.OnFailure == "" {
		return nil
	}
	arn := *s.OnFailure
	switch serviceOf(arn) {
	case "sqs", "sns":
		if isFIFO(arn) {
			return errorf(InvalidParameter, "The destination ARN %s is invalid: FIFO queues and FIFO topics are not supported.", arn)
		}
	case "s3":
	default:
		return errorf(InvalidParameter, "The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=%s)) is invalid.", arn)
	}
	return nil
}

// check judges a definition as a whole, with what a request changes.
func (d Definition) check() error {
	if d.OfQueue() {
		return d.checkQueue()
	}
	if d.MaximumConcurrency > 0 {
		return errorf(InvalidParameter, "Unsupported ScalingConfig parameter for given event source mapping type.")
	}
	if d.TumblingWindow > 0 && d.lanes() > 1 {
		return errorf(InvalidParameter, "TumblingWindowInSeconds requires a ParallelizationFactor of 1.")
	}
	_, err := d.compileFilters()
	return err
}

func (d Definition) compileFilters() (*pattern.Filters, error) {
	source := pattern.Stream
	if d.ofTable() || d.OfQueue() {
		source = pattern.Table
	}
	f, err := pattern.CompileFilters(d.Filters, source)
	if errors.Is(err, pattern.ErrTooManyFilters) {
		return nil, errorf(InvalidParameter, "The number of filters exceeds the limit of %d.", pattern.MaxFilters)
	}
	var bad *pattern.Error
	if errors.As(err, &bad) {
		return nil, errorf(InvalidParameter, "Invalid filter pattern definition.")
	}
	if err != nil {
		return nil, fmt.Errorf("compile filters: %w", err)
	}
	return f, nil
}

func (s Spec) checkStarting(isTable bool) (StartingPosition, error) {
	if s.Starting == nil || s.Starting.Type == "" {
		return StartingPosition{}, errorf(InvalidParameter, "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	}
	at := *s.Starting
	switch at.Type {
	case TrimHorizon, Latest:
		if !at.Timestamp.IsZero() {
			return at, errTimestampAlone()
		}
	case AtTimestamp:
		if isTable {
			return at, errorf(InvalidParameter, "Unsupported starting position for arn type: %s", s.SourceARN)
		}
		if at.Timestamp.IsZero() {
			return at, errorf(InvalidParameter, "StartingPositionTimestamp is required with the starting position AT_TIMESTAMP.")
		}
		if at.Timestamp.Unix() < 0 {
			return at, errorf(InvalidParameter, "Received Exception while reading from provided stream. class java.lang.Long can not be converted to a Timestamp")
		}
		if at.Timestamp.After(time.Now()) {
			return at, errorf(InvalidParameter, "StartingPositionTimestamp cannot be in the future.")
		}
	}
	return at, nil
}

func errTimestampAlone() error {
	return errorf(InvalidParameter, "Timestamp only valid with StartingPosition AT_TIMESTAMP")
}

// apply returns the definition with what the request changes.
func (s Spec) apply(d Definition, f *Function) Definition {
	if f != nil {
		d.FunctionName, d.FunctionARN = f.Name, f.ARN
	}
	set(&d.Enabled, s.Enabled)
	set(&d.BatchSize, s.BatchSize)
	set(&d.BatchingWindow, s.BatchingWindow)
	set(&d.Factor, s.Factor)
	set(&d.TumblingWindow, s.TumblingWindow)
	set(&d.Bisect, s.Bisect)
	set(&d.OnFailure, s.OnFailure)
	set(&d.Filters, s.Filters)
	if s.Unbounded {
		d.MaximumConcurrency = 0
	}
	set(&d.MaximumConcurrency, s.MaximumConcurrency)
	if s.MaximumRecordAge != nil {
		d.MaximumRecordAge = max(*s.MaximumRecordAge, 0)
	}
	if s.RetryLimit != nil {
		d.RetryLimit = nil
		if *s.RetryLimit != Unlimited {
			limit := *s.RetryLimit
			d.RetryLimit = &limit
		}
	}
	if s.ResponseTypes != nil {
		d.ReportItemFailures = len(*s.ResponseTypes) > 0
	}
	if s.Metrics != nil {
		d.EventCount = len(*s.Metrics) > 0
	}
	return d
}

func set[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}

// parseSource tells the service of an event source's ARN.
func parseSource(arn string) (service string, err error) {
	parsed, err := catalog.ParseARN(arn)
	if err != nil || parsed.Service != "kinesis" && parsed.Service != "dynamodb" && parsed.Service != "sqs" {
		return "", errorf(InvalidParameter, "Unrecognized event source.")
	}
	return parsed.Service, nil
}
