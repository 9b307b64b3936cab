package stream

import (
	"context"
	"slices"
	"time"
)

// A stream can change its mode maxModeChanges times within a day.
const maxModeChanges = 2

// day is the window in which changes of a stream are counted.
const day = 24 * time.Hour

// withinDay returns those of some times, epoch seconds, that are less than a day ago.
func withinDay(times []int64, now int64) []int64 {
	earliest := now - int64(day/time.Second)
	return slices.DeleteFunc(slices.Clone(times), func(at int64) bool { return at <= earliest })
}

// UpdateMode makes a stream Provisioned or OnDemand. Its shards stay as they are. To
// set the mode that it has changes nothing.
func (s *Streams) UpdateMode(_ context.Context, name, mode string) error {
	return s.change(name, func(_ *Stream, def *Definition) error {
		if def.Mode == mode {
			return nil
		}
		now := time.Now().Unix()
		recent := withinDay(def.ModeChanged, now)
		if len(recent) >= maxModeChanges {
			return errorf(LimitExceeded, "The mode of stream %s under account %s can be changed %d times within 24 hours.", name, s.cfg.Identity.Account, maxModeChanges)
		}
		def.Mode, def.ModeChanged = mode, append(recent, now)
		return nil
	})
}

// UpdateMaxRecordSize sets the size of the largest record that a stream takes, in KiB
// of data and partition key. Records that it has stay.
func (s *Streams) UpdateMaxRecordSize(_ context.Context, name string, kib int) error {
	if err := checkMaxRecord(kib); err != nil {
		return err
	}
	return s.change(name, func(_ *Stream, def *Definition) error {
		def.MaxRecordKiB = kib
		return nil
	})
}

// Limits are the quotas of an account in a region and how much of them is used.
type Limits struct {
	Shards        int // the most that there can be
	OpenShards    int
	OnDemand      int // streams in on-demand mode
	OnDemandLimit int // not enforced
}

// Limits returns the quotas and their use.
func (s *Streams) Limits() Limits {
	l := Limits{Shards: maxShards, OnDemandLimit: maxOnDemand}
	for _, st := range s.All() {
		l.OpenShards += st.OpenShards()
		if st.Definition().Mode == OnDemand {
			l.OnDemand++
		}
	}
	return l
}
