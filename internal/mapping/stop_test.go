package mapping

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// heldSource is a source that can be made slow to list its shards.
type heldSource struct {
	fakeView
	hold chan struct{} // nil while it is not slow
}

func (s *heldSource) Shards() ([]Shard, error) {
	if s.hold != nil {
		<-s.hold
	}
	return s.fakeView.Shards()
}

func (s *heldSource) source(string) (Source, error) { return s, nil }

type sourceFunc func(arn string) (Source, error)

func (f sourceFunc) Open(arn string) (Source, error) { return f(arn) }

// goodFunction always succeeds.
type goodFunction struct{}

func (goodFunction) Lookup(string) (Function, error) {
	return Function{Name: "f", ARN: functionARN}, nil
}

func (goodFunction) Invoke(context.Context, string, []byte, func()) (Outcome, error) {
	return Outcome{}, nil
}

// TestStopWhileListing stops a mapping while it looks for the children of a shard
// that has ended. The other shards, of which it hears only then, must keep their
// checkpoints.
func TestStopWhileListing(t *testing.T) {
	t.Parallel()
	for range 10 { // as the one or the other may be heard of first
		synctest.Test(t, stopWhileListing)
	}
}

func stopWhileListing(t *testing.T) {
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	src := &heldSource{fakeView: fakeView{fakeSource: &fakeSource{retention: time.Hour, shards: map[string]*fakeShard{}}}}
	src.add("ends")
	src.add("goes on")
	m, err := Open(Config{DB: db, Identity: catalog.DefaultIdentity, Sources: sourceFunc(src.source), Invoker: goodFunction{}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	created, err := m.Create(t.Context(), Spec{
		SourceARN: sourceARN, Function: "f", Starting: &StartingPosition{Type: TrimHorizon},
		Filters: &[]string{`{"partitionKey":[{"exists":true}]}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	src.put("goes on", []Record{{Arrival: time.Now().UnixMilli(), Key: "k", Data: []byte("1")}})
	synctest.Wait()
	src.hold = make(chan struct{})
	src.change(func() { src.shards["ends"].closed = true })
	synctest.Wait()
	if _, err := m.Update(t.Context(), created.UUID, Spec{Enabled: ptr(false)}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	close(src.hold)
	if err := m.Settle(t.Context(), created.UUID); err != nil {
		t.Fatal(err)
	}
	points, err := loadProgress(db, created.UUID)
	if err != nil {
		t.Fatal(err)
	}
	if at := points["goes on"].next.at; at != 2 {
		t.Errorf("the checkpoint is at %d, not behind the record that was processed", at)
	}
}
