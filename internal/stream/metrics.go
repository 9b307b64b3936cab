package stream

import (
	"time"

	"github.com/weirstream/weir/internal/meter"
)

const namespace = "AWS/Kinesis"

// streamSeries are the metrics of one stream, dimension StreamName.
type streamSeries struct {
	incomingBytes, incomingRecords                    *meter.Series
	putBytes, putLatency, putSuccess                  *meter.Series
	putsBytes, putsLatency, putsSuccess               *meter.Series
	putsTotal, putsSuccessful                         *meter.Series
	getBytes, getRecs, getLatency, getSuccess, getAge *meter.Series
}

func (s *streamSeries) open(m *meter.Meter, stream string) {
	series := func(name, unit string) *meter.Series {
		return m.Series(namespace, name, unit, meter.Dimension{Name: "StreamName", Value: stream})
	}
	s.incomingBytes = series("IncomingBytes", "Bytes")
	s.incomingRecords = series("IncomingRecords", "Count")
	s.putBytes = series("PutRecord.Bytes", "Bytes")
	s.putLatency = series("PutRecord.Latency", "Milliseconds")
	s.putSuccess = series("PutRecord.Success", "Count")
	s.putsBytes = series("PutRecords.Bytes", "Bytes")
	s.putsLatency = series("PutRecords.Latency", "Milliseconds")
	s.putsSuccess = series("PutRecords.Success", "Count")
	s.putsTotal = series("PutRecords.TotalRecords", "Count")
	s.putsSuccessful = series("PutRecords.SuccessfulRecords", "Count")
	s.getBytes = series("GetRecords.Bytes", "Bytes")
	s.getRecs = series("GetRecords.Records", "Count")
	s.getLatency = series("GetRecords.Latency", "Milliseconds")
	s.getSuccess = series("GetRecords.Success", "Count")
	s.getAge = series("GetRecords.IteratorAgeMilliseconds", "Milliseconds")
}

func (s *streamSeries) putRecord(e Entry, ok bool, took time.Duration) {
	s.putLatency.Observe(milliseconds(took))
	s.putSuccess.Observe(oneIf(ok))
	if !ok {
		return
	}
	s.putBytes.Observe(float64(sizeOf([]Entry{e})))
}

func (s *streamSeries) putRecords(entries []Entry, ok bool, took time.Duration) {
	s.putsLatency.Observe(milliseconds(took))
	s.putsSuccess.Observe(oneIf(ok))
	s.putsTotal.Observe(float64(len(entries)))
	if !ok {
		return
	}
	s.putsSuccessful.Observe(float64(len(entries)))
	s.putsBytes.Observe(float64(sizeOf(entries)))
}

// incoming measures records that are in the stream now, by whatever way they came.
func (s *streamSeries) incoming(entries []Entry) {
	s.incomingBytes.Observe(float64(sizeOf(entries)))
	s.incomingRecords.Observe(float64(len(entries)))
}

// sizeOf is what entries count as, in bytes.
func sizeOf(entries []Entry) int {
	size := 0
	for _, e := range entries {
		size += len(e.Data) + len(e.PartitionKey)
	}
	return size
}

func (s *streamSeries) getRecords(b *Batch, took time.Duration) {
	s.getLatency.Observe(milliseconds(took))
	s.getSuccess.Observe(1)
	size := 0
	for _, r := range b.Records {
		size += len(r.Data) + len(r.PartitionKey)
	}
	s.getRecs.Observe(float64(len(b.Records)))
	s.getBytes.Observe(float64(size))
	s.getAge.Observe(milliseconds(iteratorAge(b.Records, b.Behind)))
}

// consumerSeries are the metrics of one consumer, dimensions StreamName and
// ConsumerName.
type consumerSeries struct {
	success, eventBytes, eventRecords, eventSuccess, eventBehind *meter.Series
}

func (s *consumerSeries) open(m *meter.Meter, stream, consumer string) {
	series := func(name, unit string) *meter.Series {
		return m.Series(namespace, name, unit, meter.Dimension{Name: "StreamName", Value: stream}, meter.Dimension{Name: "ConsumerName", Value: consumer})
	}
	s.success = series("SubscribeToShard.Success", "Count")
	s.eventBytes = series("SubscribeToShardEvent.Bytes", "Bytes")
	s.eventRecords = series("SubscribeToShardEvent.Records", "Count")
	s.eventSuccess = series("SubscribeToShardEvent.Success", "Count")
	s.eventBehind = series("SubscribeToShardEvent.MillisBehindLatest", "Milliseconds")
}

func (s *consumerSeries) subscribed(ok bool) { s.success.Observe(oneIf(ok)) }

func (s *consumerSeries) event(e Pushed, ok bool) {
	s.eventSuccess.Observe(oneIf(ok))
	if !ok {
		return
	}
	size := 0
	for _, r := range e.Records {
		size += len(r.Data) + len(r.PartitionKey)
	}
	s.eventBytes.Observe(float64(size))
	s.eventRecords.Observe(float64(len(e.Records)))
	s.eventBehind.Observe(milliseconds(e.Behind))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func oneIf(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}
