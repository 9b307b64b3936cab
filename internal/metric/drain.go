package metric

import (
	"context"
	"time"

	"github.com/weirstream/weir/internal/meter"
)

// drainEvery is how often the program's own measurements become datapoints. It
// divides a minute, so a drain falls on each minute's end and no observation is
// booked on the minute after it.
const drainEvery = 5 * time.Second

func (m *Metrics) drainForever(ctx context.Context, from *meter.Meter) {
	timer := time.NewTimer(drainEvery)
	defer timer.Stop()
	for {
		now := time.Now()
		timer.Reset(now.Truncate(drainEvery).Add(drainEvery).Sub(now))
		select {
		case <-timer.C:
			m.drain(from, time.Now().Add(-drainEvery))
		case <-ctx.Done():
			m.drain(from, time.Now())
			return
		}
	}
}

// drain writes what was measured since the last drain with time at. It does not
// wait for the disk: a crash loses seconds of measurements that the crash
// itself interrupts.
func (m *Metrics) drain(from *meter.Meter, at time.Time) {
	var entries []entry
	from.Each(func(s *meter.Series) {
		if st, ok := s.Drain(); ok {
			entries = append(entries, measured(s, st, at))
		}
	})
	if len(entries) == 0 {
		return
	}
	tx := m.db.Begin()
	changed, err := m.apply(tx, entries)
	if err != nil {
		m.log.Error("collect measurements", "error", err)
		return
	}
	m.announce(changed)
	if err := tx.Wait(); err != nil {
		m.log.Error("collect measurements", "error", err)
	}
}

func measured(s *meter.Series, st meter.Statistics, at time.Time) entry {
	dims := make([]Dimension, 0, len(s.Dimensions))
	for _, d := range s.Dimensions {
		dims = append(dims, Dimension(d))
	}
	return entry{
		metric: ID{Namespace: s.Namespace, Name: s.Name, Dimensions: dims},
		unit:   s.Unit, resolution: 60, time: at.Unix(),
		observe: func(b *bucket) { observeMeasured(b, st) },
	}
}

// observeMeasured adds exact statistics, and the samples standing for all
// observations.
func observeMeasured(b *bucket, st meter.Statistics) {
	b.summarise(st.Count, st.Sum, st.Min, st.Max)
	if st.Min < 0 {
		b.values = nil
	}
	if b.values == nil {
		return
	}
	sampled := 0.0
	for _, sample := range st.Samples {
		sampled += sample.Count
	}
	for _, sample := range st.Samples {
		b.values.add(sample.Value, sample.Count*st.Count/sampled)
	}
}
