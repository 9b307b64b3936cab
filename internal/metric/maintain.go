package metric

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	maintainEvery = time.Hour
	maintainFirst = time.Minute
	// maxRolled bounds the buckets that one transaction ages, and so the time that
	// writers wait.
	maxRolled = 2048
)

func (m *Metrics) maintainForever(ctx context.Context) {
	timer := time.NewTimer(maintainFirst)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if err := m.Maintain(ctx); err != nil && ctx.Err() == nil {
				m.log.Error("age datapoints", "error", err)
			}
			timer.Reset(maintainEvery)
		case <-ctx.Done():
			return
		}
	}
}

// Maintain ages datapoints: buckets of a second become minutes after 3 hours,
// minutes five minutes after 15 days, those hours after 63 days, and hours are
// dropped after 455 days, and with the last of them the series. It runs by
// itself every hour.
func (m *Metrics) Maintain(ctx context.Context) error {
	now := time.Now()
	for _, def := range m.index.defs.All() {
		for i := range resolutions {
			if err := m.age(ctx, def, i, now); err != nil {
				return fmt.Errorf("age series %d: %w", def.Series, err)
			}
		}
	}
	return nil
}

// age moves the buckets of a series that outlived their resolution to the next.
func (m *Metrics) age(ctx context.Context, def seriesDef, res int, now time.Time) error {
	cutoff := now.Add(-resolutions[res].lifetime).Unix()
	if res+1 < len(resolutions) {
		cutoff -= cutoff % resolutions[res+1].seconds
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := m.ageSome(def, res, cutoff)
		if err != nil || !more {
			return err
		}
	}
}

// ageSome ages up to maxRolled buckets that start before cutoff in one
// transaction.
func (m *Metrics) ageSome(def seriesDef, res int, cutoff int64) (more bool, err error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	tx := m.db.Begin()
	defer tx.Discard()
	seconds := resolutions[res].seconds
	old, more, err := m.oldBuckets(def.Series, res, cutoff)
	if err != nil || len(old) == 0 {
		return false, err
	}
	end := old[len(old)-1].start + 1
	tx.DeleteRange(bucketKey(def.Series, seconds, 0), bucketKey(def.Series, seconds, end))
	coarse := map[bucketID]*bucket{}
	if res+1 < len(resolutions) {
		if err := m.coarsen(coarse, def.Series, resolutions[res+1].seconds, old); err != nil {
			return false, err
		}
	} else if empty, err := m.emptyFrom(def.Series, end); err != nil {
		return false, err
	} else if empty {
		m.index.removeIn(tx, def)
	}
	for id, b := range coarse {
		tx.Set(bucketKey(id.series, id.resolution, id.start), b.append(nil))
	}
	if err := tx.Apply(); err != nil {
		return false, err
	}
	maps.DeleteFunc(m.hot, func(id bucketID, _ *bucket) bool {
		return id.series == def.Series && (id.resolution == seconds && id.start < end || coarse[id] != nil)
	})
	return more, tx.Wait()
}

// coarsen merges buckets into those of a coarser resolution.
func (m *Metrics) coarsen(into map[bucketID]*bucket, series uint64, resolution int64, old []point) error {
	for _, p := range old {
		id := bucketID{series, resolution, p.start - p.start%resolution}
		b := into[id]
		if b == nil {
			var err error
			if b, err = m.load(id); err != nil {
				return err
			}
			into[id] = b
		}
		b.merge(p.bucket)
	}
	return nil
}

// oldBuckets reads up to maxRolled buckets before cutoff.
func (m *Metrics) oldBuckets(series uint64, res int, cutoff int64) (old []point, more bool, err error) {
	seconds := resolutions[res].seconds
	it, err := m.db.Scan(bucketKey(series, seconds, 0), bucketKey(series, seconds, cutoff))
	if err != nil {
		return nil, false, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if len(old) == maxRolled {
			return old, true, it.Close()
		}
		b, err := decodeBucket(it.Value())
		if err != nil {
			return nil, false, err
		}
		old = append(old, point{startOf(it.Key()), b})
	}
	return old, false, it.Close()
}

// emptyFrom reports whether a series has no buckets but hourly ones that start
// before end.
func (m *Metrics) emptyFrom(series uint64, end int64) (bool, error) {
	last := resolutions[len(resolutions)-1].seconds
	for _, span := range [][2][]byte{
		{seriesPrefix(series), bucketKey(series, last, 0)},
		{bucketKey(series, last, end), store.PrefixEnd(seriesPrefix(series))},
	} {
		it, err := m.db.Scan(span[0], span[1])
		if err != nil {
			return false, err
		}
		found := it.First()
		if err := it.Close(); err != nil || found {
			return false, err
		}
	}
	return true, nil
}
