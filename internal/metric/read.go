package metric

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// point is the bucket of a period; start is the period's first Unix second.
type point struct {
	start int64
	*bucket
}

// window is a span of time cut into periods, all in Unix seconds. Periods are
// counted from its start.
type window struct{ start, end, period int64 }

// readWindow is the window that a read from start to end sees: the start is
// rounded down, coarser the longer ago it is. ok is false when data that old are
// not kept as fine as the period.
func readWindow(start, end time.Time, period int64, now time.Time) (w window, ok bool) {
	grain, divisor := int64(60), int64(60)
	switch age := now.Sub(start); {
	case age > resolutions[2].lifetime:
		grain, divisor = 3600, 3600
	case age > resolutions[1].lifetime:
		grain, divisor = 300, 300
	case age > resolutions[0].lifetime:
	default:
		divisor = 1
		grain = min(period, 60)
	}
	if period%divisor != 0 {
		return window{}, false
	}
	from := floorDiv(start.Unix(), grain) * grain
	// The end is exclusive: a bucket that starts in the second of a fractional end
	// still starts before it.
	to := end.Unix()
	if end.Nanosecond() > 0 {
		to++
	}
	return window{from, to, period}, true
}

func floorDiv(a, b int64) int64 { return int64(math.Floor(float64(a) / float64(b))) }

// points returns the periods of the window that have data, oldest first.
func (m *Metrics) points(s *series, w window) ([]point, error) {
	if w.end <= w.start || w.end <= 0 {
		return nil, nil
	}
	byStart := map[int64]*bucket{}
	for _, res := range resolutions {
		// A finer period sees data of one minute as they were put: in its period that
		// begins with the minute.
		if res.seconds > max(w.period, 60) || w.period > res.seconds && w.period%res.seconds != 0 {
			continue
		}
		if err := m.scanInto(byStart, s.id, res.seconds, w); err != nil {
			return nil, err
		}
	}
	points := make([]point, 0, len(byStart))
	for start, b := range byStart {
		points = append(points, point{start, b})
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.start, b.start) })
	return points, nil
}

func (m *Metrics) scanInto(byStart map[int64]*bucket, series uint64, resolution int64, w window) error {
	from := max(w.start, 0)
	it, err := m.db.Scan(bucketKey(series, resolution, from), bucketKey(series, resolution, w.end))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		b, err := decodeBucket(it.Value())
		if err != nil {
			return err
		}
		start := startOf(it.Key())
		start -= (start - w.start) % w.period
		if sum := byStart[start]; sum != nil {
			sum.merge(b)
		} else {
			byStart[start] = b
		}
	}
	return it.Close()
}

// newestOf returns the Unix second of a series' newest bucket, 0 when it has none.
func (m *Metrics) newestOf(s *series) (int64, error) {
	if t := s.newest.Load(); t != unknownNewest {
		return t, nil
	}
	// A concurrent Put may raise it: then its datapoint is found here as well, or
	// it finds the figure stored and raises that.
	newest := int64(0)
	for _, res := range resolutions {
		it, err := m.db.Scan(bucketKey(s.id, res.seconds, 0), store.PrefixEnd(store.AppendUint32(seriesPrefix(s.id), uint32(res.seconds))))
		if err != nil {
			return 0, err
		}
		if it.Last() {
			newest = max(newest, startOf(it.Key()))
		}
		if err := it.Close(); err != nil {
			return 0, err
		}
	}
	s.newest.CompareAndSwap(unknownNewest, newest)
	return newest, nil
}
