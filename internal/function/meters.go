package function

import (
	"sync/atomic"

	"github.com/weirstream/weir/internal/meter"
)

const metricNamespace = "AWS/Lambda"

// meters are the metrics of one function, or of all of them together.
type meters struct {
	invocations, errors, duration, throttles, concurrent *meter.Series

	inFlight atomic.Int64
	recent   recent
}

func newMeters(m *meter.Meter, dims ...meter.Dimension) *meters {
	return &meters{
		invocations: m.Series(metricNamespace, "Invocations", "Count", dims...),
		errors:      m.Series(metricNamespace, "Errors", "Count", dims...),
		duration:    m.Series(metricNamespace, "Duration", "Milliseconds", dims...),
		throttles:   m.Series(metricNamespace, "Throttles", "Count", dims...),
		concurrent:  m.Series(metricNamespace, "ConcurrentExecutions", "Count", dims...),
	}
}

// observe counts an invocation that has ended.
func (m *meters) observe(o outcome) {
	m.recent.note(o)
	m.invocations.Observe(1)
	m.duration.Observe(milliseconds(o.duration))
	failed := 0.0
	if o.failed {
		failed = 1
	}
	m.errors.Observe(failed)
}
