package mapping

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"
)

// fakeSource is a source in memory. It outlives the processes of a story.
type fakeSource struct {
	mu        sync.Mutex
	gone      bool
	retention time.Duration
	order     []string
	shards    map[string]*fakeShard
	wake      chan struct{}
}

type fakeShard struct {
	parents []string
	recs    []Record
	closed  bool
}

// tip is the position of the next record.
func (s *fakeShard) tip() uint64 {
	if len(s.recs) == 0 {
		return 1
	}
	return s.recs[len(s.recs)-1].Position + 1
}

func (f *fakeSource) add(id string) {
	f.order = append(f.order, id)
	f.shards[id] = &fakeShard{}
}

func (f *fakeSource) change(edit func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

func (f *fakeSource) put(shard string, recs []Record) {
	f.change(func() {
		s := f.shards[shard]
		for _, r := range recs {
			r.Position = s.tip()
			if r.Sub > 0 {
				r.Position--
			}
			s.recs = append(s.recs, r)
		}
	})
}

// reshard closes shards and opens children of them.
func (f *fakeSource) reshard(parents []string, children ...string) {
	f.change(func() {
		for _, child := range children {
			f.add(child)
			f.shards[child].parents = parents
		}
		for _, p := range parents {
			f.shards[p].closed = true
		}
	})
}

func (f *fakeSource) isGone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gone
}

// fakeView is a fakeSource as a stream or as the changes of a table.
type fakeView struct {
	*fakeSource
	table bool
}

func (f *fakeView) Shards() ([]Shard, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Shard
	for _, id := range f.order {
		out = append(out, Shard{Key: id, ID: id, Parents: f.shards[id].parents})
	}
	return out, nil
}

func (f *fakeView) Open(shard string) (ShardSource, error) { return &fakeReader{f, shard}, nil }

// fakeReader reads one shard of a fakeSource.
type fakeReader struct {
	*fakeView
	shard string
}

func (f *fakeReader) Start(at StartingPosition) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	recs := f.shards[f.shard].recs
	switch at.Type {
	case Latest:
		return f.shards[f.shard].tip(), nil
	case AtTimestamp:
		i := sort.Search(len(recs), func(i int) bool { return recs[i].Arrival >= at.Timestamp.UnixMilli() })
		if i < len(recs) {
			return recs[i].Position, nil
		}
		return f.shards[f.shard].tip(), nil
	}
	return 1, nil
}

func (f *fakeReader) Read(from uint64, maxRecords, maxBytes int) ([]Record, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return nil, 0, ErrSourceGone
	}
	var out []Record
	size := 0
	recs := f.shards[f.shard].recs
	for _, r := range recs[sort.Search(len(recs), func(i int) bool { return recs[i].Position >= from }):] {
		if len(out) == 0 && f.Expired(r) {
			from = r.Position + 1
			continue
		}
		if size += len(r.Data); r.Sub == 0 && (len(out) >= maxRecords || size > maxBytes && len(out) > 0) {
			break
		}
		out = append(out, r)
		from = r.Position + 1
	}
	return out, from, nil
}

func (f *fakeReader) Wait(ctx context.Context, from uint64) error {
	for {
		f.mu.Lock()
		s := f.shards[f.shard]
		if f.gone {
			f.mu.Unlock()
			return ErrSourceGone
		}
		if s.closed || s.tip() > from {
			f.mu.Unlock()
			return nil
		}
		if f.wake == nil {
			f.wake = make(chan struct{})
		}
		wake := f.wake
		f.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fakeReader) Done(from uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shards[f.shard]
	return s.closed && s.tip() <= from
}

func (f *fakeReader) Expired(r Record) bool {
	return time.Since(time.UnixMilli(r.Arrival)) > f.retention
}

func (f *fakeReader) SequenceNumber(r Record) string {
	return "4900" + strconv.FormatUint(r.Position, 10)
}

// AppendEvent makes an event of the members that filters and the function look at.
// Of a table, data that is JSON is the event.
func (f *fakeReader) AppendEvent(dst []byte, _ string, r Record) ([]byte, error) {
	number := f.SequenceNumber(r)
	if f.table && r.Data[0] == '{' {
		dst = fmt.Appendf(dst, `{"shard":%q,"number":%q,"data":"change %d",`, f.shard, number, r.Position)
		return append(dst, r.Data[1:]...), nil
	}
	return fmt.Appendf(dst, `{"shard":%q,"number":%q,"data":%q,"kinesis":{"partitionKey":%q}}`, f.shard, number, r.Data, r.Key), nil
}
