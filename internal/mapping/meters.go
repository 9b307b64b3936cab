package mapping

import "github.com/weirstream/weir/internal/meter"

// meters are the metrics of one run of a mapping: of its function, and of the
// mapping itself when it asks for them.
type meters struct {
	iteratorAge      *meter.Series
	deliveryFailures *meter.Series

	polled, filtered, invoked, failed, drops, reported, deleted *meter.Series // nil when not asked for
}

func newMeters(m *meter.Meter, def Definition) meters {
	function := meter.Dimension{Name: "FunctionName", Value: def.FunctionName}
	all := meters{
		iteratorAge:      m.Series("AWS/Lambda", "IteratorAge", "Milliseconds", function),
		deliveryFailures: m.Series("AWS/Lambda", "DestinationDeliveryFailures", "Count", function),
	}
	if !def.EventCount {
		return all
	}
	of := ofMapping(def.UUID)
	names := map[string]**meter.Series{
		"PolledEventCount": &all.polled, "FilteredOutEventCount": &all.filtered, "InvokedEventCount": &all.invoked,
		"FailedInvokeEventCount": &all.failed,
	}
	if def.OfQueue() {
		names["DeletedEventCount"] = &all.deleted
	} else {
		names["DroppedEventCount"], names["OnFailureDestinationDeliveredEventCount"] = &all.drops, &all.reported
	}
	for name, series := range names {
		*series = m.Series("AWS/Lambda", name, "Count", of)
	}
	return all
}

// forgetMeters drops what was counted for a mapping itself.
func forgetMeters(m *meter.Meter, uuid string) { m.Forget("AWS/Lambda", ofMapping(uuid)) }

func ofMapping(uuid string) meter.Dimension {
	return meter.Dimension{Name: "EventSourceMappingUUID", Value: uuid}
}

// observe counts n records; a series that was not asked for is nil and ignores it.
func observe(s *meter.Series, n int) { s.Observe(float64(n)) }

func (m *meters) read(polled, filtered int) {
	observe(m.polled, polled)
	observe(m.filtered, filtered)
}

// deletes counts messages of a queue that were deleted.
func (m *meters) deletes(n int) { observe(m.deleted, n) }

func (m *meters) dropped(n int)   { observe(m.drops, n) }
func (m *meters) delivered(n int) { observe(m.reported, n) }

func (m *meters) undelivered(n int) {
	m.deliveryFailures.Observe(1)
	observe(m.drops, n)
}
