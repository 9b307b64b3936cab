package function

import (
	"context"
	"iter"
	"slices"
)

// Tail returns the last events of a group over all streams, at most limit, in
// order of time. With before it returns the last of those that stand before that
// position. A group that does not exist yet has none.
func (l *Logs) Tail(_ context.Context, group string, before *LogPosition, limit int) ([]LogEvent, error) {
	if err := l.flush(); err != nil {
		return nil, err
	}
	names, err := l.streamNames(LogFilter{Group: group})
	if err != nil {
		return nil, nil
	}
	upper := LogPosition{Time: 1<<64 - 1}
	if before != nil {
		upper = *before
	}
	r, err := l.newLogReader(group, LogPosition{}, upper)
	if err != nil {
		return nil, err
	}
	defer r.it.Close()
	var events []LogEvent
	size := 0
	for ok := r.start(true); ok && len(events) < limit; ok = r.move(true) {
		e, number, err := r.event()
		if err != nil {
			return nil, err
		}
		if size += len(e.Text) + eventOverhead; size > maxReadBytes && len(events) > 0 {
			break
		}
		e.Stream = names[number]
		events = append(events, e)
	}
	slices.Reverse(events)
	return events, r.it.Close()
}

// FollowFrom returns the events of a group from a position on, those that exist
// and then those that are written, in groups, until ctx ends.
func (l *Logs) FollowFrom(ctx context.Context, group string, from LogPosition) iter.Seq[[]LogEvent] {
	return func(yield func([]LogEvent) bool) {
		f := &follower{wake: make(chan struct{}, 1)}
		if !l.addFollower(group, f) {
			return
		}
		defer l.removeFollower(group, f)
		for {
			// What was written wakes; what is read comes from the store, so that
			// nothing is missed and nothing comes twice.
			_, closed := f.take()
			for {
				events, next, err := l.Filter(ctx, LogFilter{Group: group, After: &from, Limit: 1000})
				if err != nil || len(events) == 0 {
					break // the group does not exist yet, or is gone
				}
				from = events[len(events)-1].Position.Next()
				if !yield(events) {
					return
				}
				if next == nil {
					break
				}
			}
			if closed || ctx.Err() != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-f.wake:
			}
		}
	}
}
