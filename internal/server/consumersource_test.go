package server

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
)

// aggregated packs records of one letter each, keys "k0" and "k1" in turn.
func aggregated(letters string) []byte {
	message := "\x0a\x02k0\x0a\x02k1"
	for i, letter := range letters {
		message += "\x1a\x05\x08" + string(rune(i%2)) + "\x1a\x01" + string(letter)
	}
	sum := md5.Sum([]byte(message))
	return []byte("\xf3\x89\x9a\xc2" + message + string(sum[:]))
}

func openStreams(t *testing.T) *stream.Streams {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := stream.NewLogs(db)
	if err != nil {
		t.Fatal(err)
	}
	streams, err := stream.Open(stream.Config{DB: db, Logs: logs, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(streams.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return streams
}

func openShard(t *testing.T, from sources, arn string) mapping.ShardSource {
	t.Helper()
	src, err := from.Open(arn)
	if err != nil {
		t.Fatal(err)
	}
	shards, err := src.Shards()
	if err != nil {
		t.Fatal(err)
	}
	shard, err := src.Open(shards[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	return shard
}

func letters(recs []mapping.Record) string {
	var b strings.Builder
	for _, r := range recs {
		b.Write(r.Data)
	}
	return b.String()
}

func TestMappingsOnConsumersGetTheRecordsInRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		streams := openStreams(t)
		st, err := streams.Create(ctx, stream.CreateSpec{Name: "s", Shards: 1})
		if err != nil {
			t.Fatal(err)
		}
		c, err := streams.RegisterConsumer(ctx, "s", "c", nil)
		if err != nil {
			t.Fatal(err)
		}
		container := aggregated("bcd")
		if _, err := st.PutRecords(ctx, []stream.Entry{
			{PartitionKey: "p", Data: []byte("a")}, {PartitionKey: "a", Data: container}, {PartitionKey: "p", Data: []byte("e")},
		}); err != nil {
			t.Fatal(err)
		}
		from := sources{streams: streams, region: "us-east-1"}
		plain := openShard(t, from, st.ARN())
		if recs, next, err := plain.Read(1, 10, 1<<20); err != nil || next != 4 || letters(recs) != "a"+string(container)+"e" {
			t.Errorf("through the stream: %q, next %d, %v", letters(recs), next, err)
		}
		arn := st.ConsumerARN(c)
		shard := openShard(t, from, arn)
		recs, next, err := shard.Read(1, 2, 1<<20)
		if err != nil || next != 3 || letters(recs) != "abcd" {
			t.Fatalf("through the consumer: %q, next %d, %v", letters(recs), next, err)
		}
		if last := recs[3]; last.Position != 2 || last.Sub != 2 || last.Key != "k0" {
			t.Errorf("last of the container: %+v", last)
		}
		event, err := shard.AppendEvent(nil, "role", recs[2])
		for _, part := range []string{`"partitionKey":"k1"`, `"data":"` + base64.StdEncoding.EncodeToString([]byte("c")) + `"`, `"eventSourceARN":"` + arn + `"`, shard.SequenceNumber(recs[1])} {
			if err != nil || !strings.Contains(string(event), part) {
				t.Errorf("event %s lacks %s, %v", event, part, err)
			}
		}
		waiting := make(chan error, 1)
		go func() { waiting <- shard.Wait(ctx, 4) }()
		synctest.Wait()
		if err := streams.DeregisterConsumer(ctx, arn); err != nil {
			t.Fatal(err)
		}
		if err := <-waiting; !errors.Is(err, mapping.ErrSourceGone) {
			t.Errorf("waiting when the consumer ended: %v", err)
		}
		_, _, err = shard.Read(1, 1, 1)
		_, openErr := from.Open(arn)
		if !errors.Is(err, mapping.ErrSourceGone) || !errors.Is(openErr, mapping.ErrSourceGone) {
			t.Errorf("after its end: %v, %v", err, openErr)
		}
	})
}
