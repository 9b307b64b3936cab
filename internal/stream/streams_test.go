package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// fixture is a set of streams over a store in memory that can be reopened.
type fixture struct {
	t  *testing.T
	fs vfs.FS
	db *store.DB
	*Streams
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, fs: vfs.NewMem()}
	f.open()
	t.Cleanup(f.close)
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	db, err := store.Open("data", store.Options{FS: f.fs})
	if err != nil {
		f.t.Fatal(err)
	}
	logs, err := NewLogs(db)
	if err != nil {
		f.t.Fatal(err)
	}
	f.db = db
	if f.Streams, err = Open(Config{DB: db, Logs: logs, Identity: catalog.DefaultIdentity}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) close() {
	f.t.Helper()
	if err := errors.Join(f.Streams.Close(), f.db.Close()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) reopen() {
	f.close()
	f.open()
}

func (f *fixture) create(name string, shards int) *Stream {
	f.t.Helper()
	st, err := f.Create(context.Background(), CreateSpec{Name: name, Shards: shards})
	if err != nil {
		f.t.Fatal(err)
	}
	return st
}

func put(t *testing.T, st *Stream, keysAndData ...string) []Placed {
	t.Helper()
	var entries []Entry
	for i := 0; i < len(keysAndData); i += 2 {
		entries = append(entries, Entry{PartitionKey: keysAndData[i], Data: []byte(keysAndData[i+1])})
	}
	placed, err := st.PutRecords(context.Background(), entries)
	if err != nil {
		t.Fatal(err)
	}
	return placed
}

func (f *fixture) get(st *Stream, shard uint32, start Start) string {
	f.t.Helper()
	it, err := st.Iterator(context.Background(), shard, start)
	if err != nil {
		f.t.Fatal(err)
	}
	b, err := f.GetRecords(context.Background(), it.String(), 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return datas(b.Records)
}

func datas(recs []Record) string {
	var parts []string
	for _, r := range recs {
		parts = append(parts, string(r.Data))
	}
	return strings.Join(parts, " ")
}

func wantError(t *testing.T, err error, kind Kind, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Message, text) {
		t.Errorf("got %v, want kind %d with %q", err, kind, text)
	}
}

func TestStartingPositions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		st := f.create("s", 1)
		empty, err := st.Iterator(context.Background(), 0, Start{Type: Latest})
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		time.Sleep(time.Second)
		first := put(t, st, "k", "a")[0].Sequence.String()
		time.Sleep(time.Second)
		middle := time.Now()
		second := put(t, st, "k", "b", "k", "c")[0].Sequence.String()

		for _, c := range []struct {
			start Start
			want  string
		}{
			{Start{Type: TrimHorizon}, "a b c"},
			{Start{Type: Latest}, ""},
			{Start{Type: AtSequence, Sequence: first}, "a b c"},
			{Start{Type: AfterSequence, Sequence: first}, "b c"},
			{Start{Type: AtSequence, Sequence: second}, "b c"},
			{Start{Type: AtSequence, Sequence: st.Definition().Shards[0].First().String()}, "a b c"},
			{Start{Type: AtTimestamp, Timestamp: before.Add(-time.Hour)}, "a b c"},
			{Start{Type: AtTimestamp, Timestamp: middle}, "b c"},
			{Start{Type: AtTimestamp, Timestamp: middle.Add(-time.Millisecond)}, "b c"},
		} {
			if got := f.get(st, 0, c.start); got != c.want {
				t.Errorf("%+v: got %q, want %q", c.start, got, c.want)
			}
		}
		b, err := f.GetRecords(context.Background(), empty.String(), 0)
		if err != nil || datas(b.Records) != "a b c" {
			t.Errorf("iterator taken before the puts: %v %v", b, err)
		}

		_, err = st.Iterator(context.Background(), 0, Start{Type: AtTimestamp, Timestamp: time.Now().Add(time.Minute)})
		wantError(t, err, InvalidArgument, "cannot be greater than the currentTimestampInMillis")
		_, err = st.Iterator(context.Background(), 0, Start{Type: Latest, Sequence: first})
		wantError(t, err, InvalidArgument, "Request specified LATEST and also a StartingSequenceNumber.")
		_, err = st.Iterator(context.Background(), 0, Start{Type: AtSequence})
		wantError(t, err, InvalidArgument, "Request specified AT_SEQUENCE_NUMBER and no StartingSequenceNumber.")
	})
}

func TestIteratorExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		st := f.create("s", 1)
		it, err := st.Iterator(context.Background(), 0, Start{Type: TrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(IteratorLifetime)
		if _, err := f.GetRecords(context.Background(), `"`+it.String()+`"`, 0); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		_, err = f.GetRecords(context.Background(), it.String(), 0)
		wantError(t, err, ExpiredIterator, "further in the future than the tolerated delay of 300000 milliseconds.")
		_, err = f.GetRecords(context.Background(), "rubbish", 0)
		wantError(t, err, InvalidArgument, "Invalid ShardIterator.")
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		st := f.create("s", 1)
		put(t, st, "k", "a", "k", "b")
		time.Sleep(20 * time.Hour)
		last := put(t, st, "k", "c")[0].Sequence
		time.Sleep(5 * time.Hour)
		if got := f.get(st, 0, Start{Type: TrimHorizon}); got != "c" {
			t.Errorf("after 25 h: %q", got)
		}
		if p, err := st.Log().Horizon(0); p != 3 || err != nil {
			t.Errorf("horizon %d %v", p, err)
		}
		time.Sleep(25 * time.Hour)
		if got := f.get(st, 0, Start{Type: AfterSequence, Sequence: last.String()}); got != "" {
			t.Errorf("after 50 h: %q", got)
		}
		f.reopen()
		st, err := f.Get("s")
		if err != nil {
			t.Fatal(err)
		}
		if next := put(t, st, "k", "d")[0].Sequence; next.Counter != last.Counter+1 {
			t.Errorf("counter went from %d to %d over an empty shard and a restart", last.Counter, next.Counter)
		}
		if got := f.get(st, 0, Start{Type: TrimHorizon}); got != "d" {
			t.Errorf("after the restart: %q", got)
		}
	})
}

func TestRestartKeepsRecordsAndOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	st := f.create("s", 3)
	put(t, st, "a", "1", "b", "2", "e", "3", "f", "4")
	it, err := st.Iterator(context.Background(), 1, Start{Type: TrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	f.reopen()
	b, err := f.GetRecords(context.Background(), it.String(), 1)
	if err != nil || datas(b.Records) != "2" || b.Behind == 0 {
		t.Fatalf("%+v %v", b, err)
	}
	b, err = f.GetRecords(context.Background(), b.Next.String(), 0)
	if err != nil || datas(b.Records) != "4" || b.Behind != 0 {
		t.Fatalf("%+v %v", b, err)
	}
}

func TestConcurrentPutsAreOrdered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	st := f.create("s", 2)
	const writers, each = 20, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := st.PutRecord(context.Background(), Entry{PartitionKey: fmt.Sprint(w), Data: fmt.Appendf(nil, "%d-%d", w, i)}, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for shard := range uint32(2) {
		recs, _, err := st.Log().Read(shard, 1, 1e6, 1e9)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range recs {
			if r.Position != Position(i+1) {
				t.Fatalf("position %d at index %d", r.Position, i)
			}
			var w, n int
			if _, err := fmt.Sscanf(string(r.Data), "%d-%d", &w, &n); err != nil {
				t.Fatal(err)
			}
			if seen[r.PartitionKey] != n {
				t.Errorf("writer %d: record %d came where %d was expected", w, n, seen[r.PartitionKey])
			}
			seen[r.PartitionKey]++
		}
	}
	if len(seen) != writers {
		t.Errorf("%d of %d writers", len(seen), writers)
	}
}

func TestWaitIsWokenByAppend(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	st := f.create("s", 1)
	woken := make(chan error, 1)
	go func() { woken <- st.Log().Wait(context.Background(), 0, 1) }()
	put(t, st, "k", "a")
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	go func() { woken <- st.Log().Wait(context.Background(), 0, 2) }()
	if err := f.Delete(context.Background(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; !errors.Is(err, ErrNoLog) {
		t.Errorf("after the stream was deleted: %v", err)
	}
}

func TestReadsBeyondTheTail(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	st := f.create("s", 1)
	data := strings.Repeat("x", 1<<20-1)
	for range 20 { // more than a tail holds
		put(t, st, "k", data)
	}
	for p := Position(1); p <= 20; p++ {
		recs, next, err := st.Log().Read(0, p, 3, 10<<20)
		if err != nil || len(recs) != min(3, int(21-p)) || recs[0].Position != p || next != p+Position(len(recs)) || len(recs[0].Data) != len(data) {
			t.Fatalf("from %d: %d records, next %d, %v", p, len(recs), next, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a, b := f.create("a", 2), f.create("b", 1)
	ctx := context.Background()
	_, err := f.Create(ctx, CreateSpec{Name: "a", Shards: 1})
	wantError(t, err, InUse, "Stream a under account 000000000000 already exists.")
	_, err = f.Get("nope")
	wantError(t, err, NotFound, "Stream nope under account 000000000000 not found.")
	_, err = a.Iterator(ctx, 7, Start{Type: Latest})
	wantError(t, err, NotFound, "Shard shardId-000000000007 in stream a under account 000000000000 does not exist")
	_, err = a.Iterator(ctx, 0, Start{Type: AtSequence, Sequence: a.Definition().Shards[1].First().String()})
	wantError(t, err, InvalidArgument, "It encodes shardId-000000000001, while it was used in a call to a shard with shardId-000000000000")
	_, err = a.Iterator(ctx, 0, Start{Type: AtSequence, Sequence: "9"})
	wantError(t, err, InvalidArgument, "It encodes shardId-000000000009, while it was used in a call to a shard with shardId-000000000000")
	for number, text := range map[string]string{
		"0": "StartingSequenceNumber 21267647932558653966460912964485513216 used in GetShardIterator on shard shardId-000000000000 in stream a under account 000000000000 is invalid because it did not come from this stream.",
		"323974270430642978495705530411780079616":  "StartingSequenceNumber 26227199374821822965252748908982894592 used in GetShardIterator on shard shardId-000000000000 in stream a under account 000000000000 is invalid because it did not come from this stream.",
		"26227199374822427428162556223570313216":   "StartingSequenceNumber 26227199374822427428162556223570313216 used in GetShardIterator on shard shardId-000000000000 in stream a under account 000000000000 is invalid.",
		"340282366920938463463374607431768211456":  "StartingSequenceNumber 340282366920938463463374607431768211456 used in GetShardIterator on shard shardId-000000000000 in stream a under account 000000000000 is invalid.",
		Sequence{Counter: endCounter + 1}.String(): " is invalid.",
		Sequence{Shard: 0x80000000}.String():       " is invalid.",
	} {
		_, err = a.Iterator(ctx, 0, Start{Type: AtSequence, Sequence: number})
		wantError(t, err, InvalidArgument, text)
	}
	_, err = b.PutRecord(ctx, Entry{PartitionKey: "k"}, Sequence{ShardCreated: 1, Time: time.Now().Unix() + 1000}.String())
	wantError(t, err, InvalidArgument, "ExclusiveMinimumSequenceNumber")
	_, err = b.PutRecord(ctx, Entry{PartitionKey: "k", Data: make([]byte, 1<<20)}, "")
	wantError(t, err, Validation, "less than or equal to 1048576")
	it, _ := b.Iterator(ctx, 0, Start{Type: Latest})
	if err := f.Delete(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	_, err = f.GetRecords(ctx, it.String(), 0)
	wantError(t, err, NotFound, "Shard shardId-000000000000 in stream b under account 000000000000 does not exist")
}

func BenchmarkPutRecords(b *testing.B) {
	db, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	logs, err := NewLogs(db)
	if err != nil {
		b.Fatal(err)
	}
	streams, err := Open(Config{DB: db, Logs: logs, Identity: catalog.DefaultIdentity})
	if err != nil {
		b.Fatal(err)
	}
	defer streams.Close()
	st, err := streams.Create(context.Background(), CreateSpec{Name: "s", Shards: 4})
	if err != nil {
		b.Fatal(err)
	}
	entries := make([]Entry, 500)
	for i := range entries {
		entries[i] = Entry{PartitionKey: fmt.Sprintf("key-%d", i), Data: make([]byte, 200)}
	}
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := st.PutRecords(context.Background(), entries); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
}
