package mapping

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// benchSource is a stream whose shards have all their records in memory.
type benchSource struct {
	shards int
	recs   []Record
}

func newBenchSource(shards, records int) *benchSource {
	s := &benchSource{shards: shards}
	for i := range records {
		data := fmt.Appendf(nil, `{"kind":"k%d","user":"user-%04d","pad":"%0150d"}`, i%10, i%1000, i)
		s.recs = append(s.recs, Record{Position: uint64(i + 1), Arrival: time.Now().UnixMilli(), Key: "user-" + strconv.Itoa(i%1000), Data: data})
	}
	return s
}

func (s *benchSource) Shards() (all []Shard, _ error) {
	for i := range s.shards {
		id := fmt.Sprintf("shardId-%012d", i)
		all = append(all, Shard{Key: id, ID: id})
	}
	return all, nil
}

func (s *benchSource) Open(string) (ShardSource, error) { return benchShard{s}, nil }

type benchShard struct{ *benchSource }

func (s benchShard) Start(StartingPosition) (uint64, error) { return 1, nil }

func (s benchShard) Read(from uint64, maxRecords, _ int) ([]Record, uint64, error) {
	recs := s.recs[from-1 : min(int(from)-1+maxRecords, len(s.recs))]
	return append(make([]Record, 0, len(recs)), recs...), from + uint64(len(recs)), nil
}

func (s benchShard) Wait(ctx context.Context, from uint64) error {
	if from <= uint64(len(s.recs)) {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s benchShard) Done(uint64) bool               { return false }
func (s benchShard) Expired(Record) bool            { return false }
func (s benchShard) SequenceNumber(r Record) string { return strconv.FormatUint(r.Position, 10) }
func (s benchShard) AppendEvent(dst []byte, _ string, r Record) ([]byte, error) {
	dst = append(dst, `{"kinesis":{"data":"`...)
	dst = append(dst, r.Data[1:len(r.Data)-1]...) // about the cost of base64, which is the source's
	return append(dst, `"}}`...), nil
}

// benchInvoker answers at once.
type benchInvoker struct {
	mu      sync.Mutex
	batches int
}

func (b *benchInvoker) Lookup(string) (Function, error) {
	return Function{Name: "f", ARN: functionARN, Role: "arn:aws:iam::000000000000:role/r"}, nil
}

func (b *benchInvoker) Invoke(context.Context, string, []byte, func()) (Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.batches++
	return Outcome{Payload: []byte(`null`), ExecutedVersion: "$LATEST"}, nil
}

type benchSources struct{ src Source }

func (b benchSources) Open(string) (Source, error) { return b.src, nil }

func openBench(b testing.TB, src Source, in Invoker) (*store.DB, *Mappings) {
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		b.Fatal(err)
	}
	m, err := Open(Config{DB: db, Identity: catalog.DefaultIdentity, Sources: benchSources{src}, Invoker: in})
	if err != nil {
		b.Fatal(err)
	}
	m.Start()
	return db, m
}

// BenchmarkMapping processes 200,000 records of 200 bytes in batches of 1,000 with a
// function that answers at once, so it shows the cost of the mapping alone.
func BenchmarkMapping(b *testing.B) {
	const records = 200_000
	factor := 10
	for _, bench := range []struct {
		name string
		spec Spec
		want int
	}{
		{"factor=1", Spec{}, records},
		{"factor=10", Spec{Factor: &factor}, records},
		{"filter", Spec{Filters: &[]string{`{"data":{"kind":["k1","k2"]}}`}}, records / 5},
		{"report", Spec{ResponseTypes: &[]string{reportItemFailures}}, records},
	} {
		b.Run(bench.name, func(b *testing.B) {
			src := newBenchSource(1, records)
			in := &benchInvoker{}
			db, m := openBench(b, src, in)
			batch := 1000
			spec := bench.spec
			spec.SourceARN, spec.Function, spec.BatchSize = sourceARN, "f", &batch
			spec.Starting = &StartingPosition{Type: TrimHorizon}
			b.ReportAllocs()
			for b.Loop() {
				v, err := m.Create(context.Background(), spec)
				if err != nil {
					b.Fatal(err)
				}
				for delivered := uint64(0); delivered < uint64(bench.want); {
					time.Sleep(time.Millisecond)
					if v, err = m.Get(v.UUID); err != nil {
						b.Fatal(err)
					}
					delivered = v.Delivered
				}
				if _, err := m.Delete(context.Background(), v.UUID); err != nil {
					b.Fatal(err)
				}
				if err := m.Settle(context.Background(), v.UUID); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(in.batches)/float64(b.N), "batches/op")
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// TestIdleCost: a thousand shards in which nothing happens cost a goroutine and a
// few KB each, and nobody wakes up for them.
func TestIdleCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newBenchSource(1000, 0)
		db, m := openBench(t, src, &benchInvoker{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()
		if _, err := m.Create(context.Background(), Spec{SourceARN: sourceARN, Function: "f", Starting: &StartingPosition{Type: Latest}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		runtime.GC()
		runtime.ReadMemStats(&after)
		goroutines = runtime.NumGoroutine() - goroutines
		bytes := int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)
		t.Logf("%d goroutines, %d bytes for a shard", goroutines, bytes/1000)
		if goroutines > 1010 {
			t.Errorf("%d goroutines for 1000 shards", goroutines)
		}
		if bytes > 1000*16<<10 {
			t.Errorf("%d bytes for 1000 shards", bytes)
		}
		runtime.ReadMemStats(&before)
		time.Sleep(time.Hour)
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > 100_000 {
			t.Errorf("%d allocations in an idle hour", n)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
