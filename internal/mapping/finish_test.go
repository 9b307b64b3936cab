package mapping

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// brokenIntake is an intake whose checkpoints cannot be written.
type brokenIntake struct {
	directIntake
	cause error
}

func (in *brokenIntake) settle(*lane, *Record, []Record, *window, Effects) error { return in.cause }

// TestLastCheckpointLost stops a lane that cannot write how far it came. The
// mapping stops all the same, and says what it could not keep.
func TestLastCheckpointLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		src := &fakeSource{retention: time.Hour, shards: map[string]*fakeShard{}}
		src.add("s")
		view := &fakeView{fakeSource: src}
		var log bytes.Buffer
		m, err := Open(Config{
			DB: db, Identity: catalog.DefaultIdentity, Invoker: goodFunction{}, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Sources: sourceFunc(func(string) (Source, error) { return view, nil }),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		v, err := m.Create(t.Context(), Spec{
			SourceARN: sourceARN, Function: "f", Starting: &StartingPosition{Type: TrimHorizon}, Enabled: ptr(false),
			Filters: &[]string{`{"partitionKey":[{"exists":true}]}`},
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		mp, err := m.get(v.UUID)
		if err != nil {
			t.Fatal(err)
		}
		filters, err := mp.def.compileFilters()
		if err != nil {
			t.Fatal(err)
		}
		records, err := view.Open("s")
		if err != nil {
			t.Fatal(err)
		}
		sr := newShardReader(&run{mp: mp, def: mp.def, filters: filters}, records, Shard{Key: "s", ID: "shard-1"}, progress{})
		cause := errors.New("no space left on device")
		ln := newLane(sr, &brokenIntake{directIntake{sr: sr, next: sr.start.next}, cause}, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stopped := ln.process(ctx)
		if err := ln.finish(stopped); !errors.Is(stopped, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("stopped with %v, finished with %v", stopped, err)
		}
		status, err := m.Status(v.UUID)
		if err != nil {
			t.Fatal(err)
		}
		want := "the last checkpoint was not kept: no space left on device"
		if len(status) != 1 || status[0].Problem != want || status[0].Activity != Stopped {
			t.Errorf("%+v", status)
		}
		if !strings.Contains(log.String(), "shard=shard-1 lane=0 error=\"no space left on device\"") {
			t.Errorf("logged: %s", &log)
		}
	})
}
