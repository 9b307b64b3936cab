package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The defaults and bounds of the parameters of queues.
const (
	defaultQueueBatch = 10
	// maxQuickBatch is the greatest batch size without a batching window, and of
	// FIFO queues.
	maxQuickBatch  = 10
	minConcurrency = 2
	maxConcurrency = 1000
)

// OfQueue reports whether the source is a queue.
func (d Definition) OfQueue() bool { return serviceOf(d.SourceARN) == "sqs" }

// checkQueueSpec refuses what only streams have. A default that is given is let
// pass.
func (s Spec) checkQueueSpec() error {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"ParallelizationFactor", s.Factor != nil && *s.Factor != 1},
		{"TumblingWindowInSeconds", s.TumblingWindow != nil && *s.TumblingWindow != 0},
		{"MaximumRecordAgeInSeconds", s.MaximumRecordAge != nil && *s.MaximumRecordAge != Unlimited},
		{"MaximumRetryAttempts", s.RetryLimit != nil && *s.RetryLimit != Unlimited},
		{"BisectBatchOnFunctionError", s.Bisect != nil && *s.Bisect},
		{"DestinationConfig", s.OnFailure != nil && *s.OnFailure != ""},
	} {
		if p.given {
			return errorf(InvalidParameter, "Unsupported %s parameter for given event source mapping type.", p.name)
		}
	}
	switch at := s.Starting; {
	case at != nil && at.Type != "":
		return errorf(InvalidParameter, "StartingPosition is not valid for SQS event sources.")
	case at != nil && !at.Timestamp.IsZero():
		return errTimestampAlone()
	}
	return nil
}

// checkFor judges a request to change a mapping by what its source is.
func (s Spec) checkFor(d Definition) error {
	if d.OfQueue() {
		return s.checkQueueSpec()
	}
	return nil
}

// checkQueue judges a definition whose source is a queue.
func (d Definition) checkQueue() error {
	if isFIFO(d.SourceARN) {
		if d.BatchSize > maxQuickBatch {
			return errorf(InvalidParameter, "Batch size of a FIFO queue must be at most %d", maxQuickBatch)
		}
		if d.BatchingWindow > 0 {
			return errorf(InvalidParameter, "Batching window is not supported for FIFO queues")
		}
	}
	if d.BatchSize > maxQuickBatch && d.BatchingWindow == 0 {
		return errorf(InvalidParameter, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	_, err := d.compileQueueFilters()
	return err
}

// defineQueue is define for a mapping of a queue.
func (m *Mappings) defineQueue(spec Spec) (Definition, error) {
	if err := spec.checkQueueSpec(); err != nil {
		return Definition{}, err
	}
	f, err := m.lookup(spec.Function)
	if err != nil {
		return Definition{}, err
	}
	def := spec.apply(Definition{
		UUID: uuid.NewString(), SourceARN: spec.SourceARN, Enabled: true, BatchSize: defaultQueueBatch,
		LastModified: time.Now().UnixMilli(), Tags: spec.Tags,
	}, &f)
	if err := def.check(); err != nil {
		return Definition{}, err
	}
	q, err := m.openQueue(spec.SourceARN)
	if errors.Is(err, ErrSourceGone) {
		return Definition{}, errorf(InvalidParameter, "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.")
	}
	if err != nil {
		return Definition{}, err
	}
	return def, checkTimeout(f, q)
}

// checkTimeout wants messages to be kept from others as long as a function may work on
// them.
func checkTimeout(f Function, q Queue) error {
	if hidden := q.VisibilityTimeout(); f.Timeout > hidden {
		return errorf(InvalidParameter, "Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", hidden/time.Second, f.Timeout/time.Second)
	}
	return nil
}

func (m *Mappings) openQueue(arn string) (Queue, error) {
	if m.cfg.Queues == nil {
		return nil, fmt.Errorf("there are no queues here: %w", ErrSourceGone)
	}
	return m.cfg.Queues.Queue(arn)
}

// queueName is the name of the queue with an ARN.
func queueName(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
