package table

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

func createTable(t testing.TB, tables *Tables, name string, view StreamView, key ...KeyAttribute) {
	t.Helper()
	spec := Spec{Name: name, BillingMode: payPerRequest, Attributes: key}
	for i, k := range key {
		spec.Key = append(spec.Key, KeyElement{k.Name, []string{"HASH", "RANGE"}[i]})
	}
	if view != "" {
		spec.Stream = &StreamSpec{Enabled: true, View: view}
	}
	if _, err := tables.CreateTable(spec); err != nil {
		t.Fatal(err)
	}
}

var (
	hashKey  = KeyAttribute{"pk", "S"}
	rangeKey = KeyAttribute{"sk", "N"}
)

func itemOf(attributes ...any) Item {
	var list []attr.Attribute
	for i := 0; i < len(attributes); i += 2 {
		var v Value
		switch x := attributes[i+1].(type) {
		case string:
			v = attr.StringValue(x)
		case int:
			v = attr.IntValue(int64(x))
		case []byte:
			v = attr.BinaryValue(x)
		}
		list = append(list, attr.Attribute{Name: attributes[i].(string), Value: v})
	}
	return attr.NewItem(list...)
}

var addOne = "ADD n :one"

func addRequest(table string, key Item) *UpdateRequest {
	return &UpdateRequest{Table: table, Key: key, Expressions: Expressions{
		Texts: expr.Texts{Update: &addOne},
		Scope: expr.Scope{Values: []expr.Value{{Placeholder: ":one", Value: attr.IntValue(1)}}},
	}}
}

func get(t testing.TB, tables *Tables, table string, key Item) Item {
	t.Helper()
	res, err := tables.GetItem(&GetRequest{Table: table, Key: key, Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	return res.Item
}

// TestCounters adds to a few items from many goroutines: no update is lost, and the
// stream tells of each, in order.
func TestCounters(t *testing.T) {
	t.Parallel()
	tables := newTables(t)
	createTable(t, tables, "t", NewAndOldImages, hashKey)
	const workers, rounds, counters = 16, 50, 3
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				key := itemOf("pk", fmt.Sprint((w+i)%counters))
				if _, err := tables.UpdateItem(addRequest("t", key)); err != nil {
					t.Error(err)
				}
				get(t, tables, "t", key)
			}
		})
	}
	wg.Wait()
	sum := int64(0)
	for c := range counters {
		n, _ := get(t, tables, "t", itemOf("pk", fmt.Sprint(c))).Get("n").Int()
		sum += n
	}
	if sum != workers*rounds {
		t.Errorf("sum is %d, want %d", sum, workers*rounds)
	}
	if d, _ := tables.DescribeTable("t"); d.Items != counters {
		t.Errorf("%d items", d.Items)
	}
	checkChanges(t, tables, workers*rounds)
}

// checkChanges reads the stream of table t and checks that each counter goes up by
// one from record to record.
func checkChanges(t *testing.T, tables *Tables, want int) {
	t.Helper()
	found, _ := tables.ListStreams("t", "", 1)
	d, err := tables.DescribeStream(found[0].ARN, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]int64{}
	total := 0
	for _, shard := range d.Shards {
		it, err := tables.GetShardIterator(d.ARN, shard.ID, TrimHorizon, "")
		if err != nil {
			t.Fatal(err)
		}
		for {
			_, changes, next, err := tables.GetRecords(it, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(changes) == 0 {
				break
			}
			total += len(changes)
			for _, c := range changes {
				pk := string(c.Keys.Get("pk").Text())
				n, _ := c.New.Get("n").Int()
				if old, _ := c.Old.Get("n").Int(); n != last[pk]+1 || old != last[pk] {
					t.Fatalf("%s goes from %d to %d after %d", pk, old, n, last[pk])
				}
				last[pk] = n
			}
			it = next
		}
	}
	if total != want {
		t.Errorf("%d changes, want %d", total, want)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean=%v", clean), func(t *testing.T) {
			t.Parallel()
			fs := vfs.NewCrashableMem()
			db, err := store.Open("data", store.Options{FS: fs})
			if err != nil {
				t.Fatal(err)
			}
			tables := openTables(t, db)
			createTable(t, tables, "other", "", hashKey)
			createTable(t, tables, "t", NewAndOldImages, hashKey)
			for range 7 {
				if _, err := tables.UpdateItem(addRequest("t", itemOf("pk", "a"))); err != nil {
					t.Fatal(err)
				}
			}
			after := fs
			if !clean {
				after = fs.CrashClone(vfs.CrashCloneCfg{})
			}
			if err := errors.Join(tables.Close(), db.Close()); err != nil {
				t.Fatal(err)
			}
			if db, err = store.Open("data", store.Options{FS: after}); err != nil {
				t.Fatal(err)
			}
			tables = openTables(t, db)
			defer func() {
				if err := errors.Join(tables.Close(), tables.Close(), db.Close()); err != nil {
					t.Error(err)
				}
			}()
			if _, err := tables.UpdateItem(addRequest("t", itemOf("pk", "a"))); err != nil {
				t.Fatal(err)
			}
			checkChanges(t, tables, 8)
			createTable(t, tables, "new", "", hashKey)
			if n := get(t, tables, "new", itemOf("pk", "a")); !n.Empty() {
				t.Errorf("a new table has %s", AppendItemJSON(nil, n))
			}
			awaitItems(t, tables, "t", 1)
		})
	}
}

// awaitItems waits until the items of a table have been counted.
func awaitItems(t *testing.T, tables *Tables, name string, want int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		d, err := tables.DescribeTable(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Items == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has %d items, want %d", name, d.Items, want)
		}
	}
}

// TestParallelScan checks that the segments of a scan cover every item once, page by
// page.
func TestParallelScan(t *testing.T) {
	t.Parallel()
	tables := newTables(t)
	createTable(t, tables, "t", "", hashKey, rangeKey)
	const items = 300
	for i := range items {
		if _, err := tables.PutItem(&PutRequest{Table: "t", Item: itemOf("pk", fmt.Sprint(i/3), "sk", i%3)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, segments := range []int{0, 1, 2, 7, 1_000_000} {
		seen := map[string]bool{}
		for segment := range min(max(1, segments), 100) {
			r := &ScanRequest{Table: "t", Segment: segment, Segments: segments, Limit: 7}
			for {
				p, err := tables.Scan(r)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range p.Items {
					if id := string(it.Encoded()); seen[id] {
						t.Fatalf("%d segments: %s comes twice", segments, AppendItemJSON(nil, it))
					} else {
						seen[id] = true
					}
				}
				if p.Last.Empty() {
					break
				}
				r.Start, r.HasStart = p.Last, true
			}
		}
		if segments <= 100 && len(seen) != items {
			t.Errorf("%d segments have %d items, want %d", segments, len(seen), items)
		}
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	for _, segments := range []int{1, 2, 3, 7, 1000, 999_999, 1_000_000} {
		for segment := 0; segment < segments; segment += max(1, segments/50) {
			start := segmentStart(segment, segments)
			if !inSegment(start, segment, segments) || segment > 0 && inSegment(start-1, segment, segments) {
				t.Errorf("segment %d of %d does not start at %d", segment, segments, start)
			}
		}
	}
}

// TestPageBytes checks that a page ends with the item that makes it 1 MB.
func TestPageBytes(t *testing.T) {
	t.Parallel()
	tables := newTables(t)
	createTable(t, tables, "t", "", hashKey, rangeKey)
	payload := strings.Repeat("x", 300<<10)
	for i := range 6 {
		if _, err := tables.PutItem(&PutRequest{Table: "t", Item: itemOf("pk", "a", "sk", i, "payload", payload)}); err != nil {
			t.Fatal(err)
		}
	}
	keys := "pk = :p"
	r := &QueryRequest{Table: "t", CountOnly: true, Expressions: Expressions{
		Texts: expr.Texts{KeyCondition: &keys},
		Scope: expr.Scope{Values: []expr.Value{{Placeholder: ":p", Value: attr.StringValue("a")}}},
	}}
	p, err := tables.Query(r)
	if err != nil || p.Count != 4 || len(p.Items) != 0 || !p.Last.Equal(itemOf("pk", "a", "sk", 3)) {
		t.Fatalf("%d items, last %s, %v", p.Count, AppendItemJSON(nil, p.Last), err)
	}
	r.Start, r.HasStart = p.Last, true
	if p, err = tables.Query(r); err != nil || p.Count != 2 || !p.Last.Empty() {
		t.Fatalf("%d items, last %s, %v", p.Count, AppendItemJSON(nil, p.Last), err)
	}
	if want := float64((2*(300<<10) + 2*(2+1+2+7) + 4 + 4095) / 4096 / 2); p.Units < want {
		t.Errorf("%g units, want at least %g", p.Units, want)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	tables := newTables(t)
	createTable(t, tables, "t", "", hashKey, KeyAttribute{"sk", "S"})
	put := func(pk, sk string, payload int) error {
		_, err := tables.PutItem(&PutRequest{Table: "t", Item: itemOf("pk", pk, "sk", sk, "x", strings.Repeat("x", payload))})
		return err
	}
	overhead := len("pk") + len("sk") + len("x") + 2 // keys of one byte
	check := func(what string, err error, want string) {
		t.Helper()
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("full item", put("a", "b", maxItemBytes-overhead), "")
	check("item too large", put("a", "b", maxItemBytes-overhead+1), "Item size has exceeded the maximum allowed size")
	check("long hash key", put(strings.Repeat("p", 2048), "b", 0), "")
	check("hash key too long", put(strings.Repeat("p", 2049), "b", 0),
		"One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	check("long range key", put("a", strings.Repeat("s", 1024), 0), "")
	check("range key too long", put("a", strings.Repeat("s", 1025), 0),
		"One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	_, err := tables.UpdateItem(addRequest("t", itemOf("pk", "a", "sk", "b")))
	check("update makes it too large", err, "Item size to update has exceeded the maximum allowed size")
	_, err = tables.BatchWriteItem([]BatchWriteTable{{Table: "t", Writes: []BatchWrite{{Put: true, Item: itemOf("pk", "a", "sk", "b", "x", strings.Repeat("x", maxItemBytes))}}}})
	check("batch", err, "Item size has exceeded the maximum allowed size")
}

// TestStreamLifetime checks, in virtual time, what expires when.
func TestStreamLifetime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		tables := openTables(t, db)
		defer func() {
			if err := errors.Join(tables.Close(), db.Close()); err != nil {
				t.Error(err)
			}
		}()
		stream := func(name string) *ChangeStream {
			t.Helper()
			createTable(t, tables, name, KeysOnly, hashKey)
			if _, err := tables.PutItem(&PutRequest{Table: name, Item: itemOf("pk", "a")}); err != nil {
				t.Fatal(err)
			}
			found, _ := tables.ListStreams(name, "", 10)
			s, err := tables.ChangeStream(found[0].ARN)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		gone, kept := stream("gone"), stream("kept")
		if _, err := tables.DeleteTable("gone"); err != nil {
			t.Fatal(err)
		}
		id := kept.shardID(kept.shardOf(tables.tables["kept"].storeKey(itemOf("pk", "a"))))
		it, err := tables.GetShardIterator(kept.ARN(), id, TrimHorizon, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(iteratorLifetime + time.Second)
		if _, _, _, err := tables.GetRecords(it, 10); !errors.Is(err, ErrExpiredIterator) {
			t.Errorf("old iterator: %v", err)
		}
		time.Sleep(streamRetention - time.Hour)
		if _, err := tables.ChangeStream(gone.ARN()); err != nil {
			t.Errorf("stream of a deleted table: %v", err)
		}
		time.Sleep(time.Hour)
		if _, err := tables.GetShardIterator(kept.ARN(), id, AtSequenceNumber, SequenceNumber(1)); !errors.Is(err, ErrTrimmed) {
			t.Errorf("expired record: %v", err)
		}
		if _, err := tables.ChangeStream(kept.ARN()); err != nil {
			t.Errorf("stream of a table: %v", err)
		}
		var notFound *NotFoundError
		if _, err := tables.ChangeStream(gone.ARN()); !errors.As(err, &notFound) {
			t.Errorf("expired stream: %v", err)
		}
		if _, ok := tables.streams.Get(gone.ARN()); ok {
			t.Error("the expired stream was not removed")
		}
	})
}

func TestEventRecord(t *testing.T) {
	t.Parallel()
	tables := newTables(t)
	createTable(t, tables, "t", NewAndOldImages, hashKey)
	for range 2 {
		if _, err := tables.UpdateItem(addRequest("t", itemOf("pk", "k"))); err != nil {
			t.Fatal(err)
		}
	}
	found, _ := tables.ListStreams("t", "", 1)
	s, err := tables.ChangeStream(found[0].ARN)
	if err != nil {
		t.Fatal(err)
	}
	shard := s.shardOf(tables.tables["t"].storeKey(itemOf("pk", "k")))
	recs, _, err := s.Log().Read(shard, 1, 10, 1<<20)
	if err != nil || len(recs) != 2 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	got, err := s.AppendEventRecord(nil, shard, recs[1])
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"eventID":"%s","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",`+
		`"dynamodb":{"ApproximateCreationDateTime":%d.0,"Keys":{"pk":{"S":"k"}},"NewImage":{"n":{"N":"2"},"pk":{"S":"k"}},"OldImage":{"n":{"N":"1"},"pk":{"S":"k"}},`+
		`"SequenceNumber":"100000000000000000002","SizeBytes":15,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"%s"}`,
		changeID(s.log.ID(), shard, 2), recs[1].Arrival/1000, s.ARN())
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSequenceNumbers(t *testing.T) {
	t.Parallel()
	for _, p := range []stream.Position{0, 1, 1 << 40, 1<<64 - 1} {
		s := SequenceNumber(p)
		if back, ok := ParseSequenceNumber(s); len(s) != 21 || !ok || back != p {
			t.Errorf("%d is %s is %d", p, s, back)
		}
	}
	for _, s := range []string{"", "1", "000000000000000000001", "199999999999999999999", "1000000000000000000-1", "1000000000000000000001"} {
		if _, ok := ParseSequenceNumber(s); ok {
			t.Errorf("%q was accepted", s)
		}
	}
}

func FuzzDecodeChange(f *testing.F) {
	f.Add(encodeChange(NewAndOldImages, itemOf("pk", "a"), &verdict{old: itemOf("pk", "a", "n", 1), new: itemOf("pk", "a", "n", 2), existed: true, exists: true}))
	f.Add(encodeChange(KeysOnly, itemOf("pk", "a"), &verdict{exists: true}))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decodeChange(data)
		if item := ChangedItem(stream.Record{Data: data}); err == nil && !bytes.Equal(item, c.Keys.Encoded()) {
			t.Errorf("the changed item is %x, its key %x", item, c.Keys.Encoded())
		}
		if err != nil {
			return
		}
		c.Size()
	})
}

func FuzzParseIterator(f *testing.F) {
	f.Add(iterator{arn: "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x", shard: 1, next: 2, issued: time.UnixMilli(3)}.String())
	f.Fuzz(func(t *testing.T, s string) {
		it, err := parseIterator(s)
		if err != nil {
			return
		}
		if again, err := parseIterator(it.String()); err != nil || again != it {
			t.Fatalf("%q is %+v, then %+v, %v", s, it, again, err)
		}
	})
}
