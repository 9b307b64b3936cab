package queue

import "github.com/weirstream/weir/internal/meter"

const namespace = "AWS/SQS"

// series are the metrics of one queue, dimension QueueName.
type series struct {
	sent, sentSize, received, empty, deleted *meter.Series
	visible, inFlight, delayed, age          *meter.Series
}

func queueDimension(name string) meter.Dimension {
	return meter.Dimension{Name: "QueueName", Value: name}
}

func (s *series) open(m *meter.Meter, queue string) {
	open := func(name, unit string) *meter.Series {
		return m.Series(namespace, name, unit, queueDimension(queue))
	}
	s.sent = open("NumberOfMessagesSent", "Count")
	s.sentSize = open("SentMessageSize", "Bytes")
	s.received = open("NumberOfMessagesReceived", "Count")
	s.empty = open("NumberOfEmptyReceives", "Count")
	s.deleted = open("NumberOfMessagesDeleted", "Count")
	s.visible = open("ApproximateNumberOfMessagesVisible", "Count")
	s.inFlight = open("ApproximateNumberOfMessagesNotVisible", "Count")
	s.delayed = open("ApproximateNumberOfMessagesDelayed", "Count")
	s.age = open("ApproximateAgeOfOldestMessage", "Seconds")
}

func (s *series) wasSent(size int) {
	s.sent.Observe(1)
	s.sentSize.Observe(float64(size))
}

// measure notes how full the queue is; age is in seconds.
func (s *series) measure(c Counts, age float64) {
	s.visible.Observe(float64(c.Visible))
	s.inFlight.Observe(float64(c.InFlight))
	s.delayed.Observe(float64(c.Delayed))
	s.age.Observe(age)
}

func (qs *Queues) forgetSeries(name string) { qs.cfg.Meter.Forget(namespace, queueDimension(name)) }
