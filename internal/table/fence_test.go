package table

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// gateFS is a file system whose syncs wait while the gate is shut.
type gateFS struct {
	vfs.FS
	gate atomic.Pointer[chan struct{}] // nil while open
}

func (fs *gateFS) shut() (open func()) {
	gate := make(chan struct{})
	fs.gate.Store(&gate)
	return func() {
		fs.gate.Store(nil)
		close(gate)
	}
}

func (fs *gateFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	return &gateFile{f, fs}, err
}

func (fs *gateFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldName, newName, category)
	return &gateFile{f, fs}, err
}

type gateFile struct {
	vfs.File
	fs *gateFS
}

func (f *gateFile) wait() {
	if gate := f.fs.gate.Load(); gate != nil {
		<-*gate
	}
}

func (f *gateFile) Sync() error {
	f.wait()
	return f.File.Sync()
}

func (f *gateFile) SyncData() error {
	f.wait()
	return f.File.SyncData()
}

func (f *gateFile) SyncTo(n int64) (bool, error) {
	f.wait()
	return f.File.SyncTo(n)
}

// TestNothingIsToldBeforeItIsOnDisk lets the disk hang after a write was applied.
// Others can write the same item meanwhile, but nobody gets an answer that shows it.
func TestNothingIsToldBeforeItIsOnDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := &gateFS{FS: vfs.NewMem()}
		db, err := store.Open("data", store.Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		tables := openTables(t, db)
		defer func() {
			if err := errors.Join(tables.Close(), db.Close()); err != nil {
				t.Error(err)
			}
		}()
		createTable(t, tables, "t", NewAndOldImages, hashKey)
		key := itemOf("pk", "a")
		one := "n = :one"
		condition := Expressions{
			Texts: expr.Texts{Condition: &one},
			Scope: expr.Scope{Values: []expr.Value{{Placeholder: ":one", Value: attr.IntValue(0)}}},
		}
		var answers atomic.Int32
		start := func(what string, f func() error) {
			go func() {
				if err := f(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				answers.Add(1)
			}()
			synctest.Wait()
		}
		open := fs.shut()
		for range 2 {
			start("update", func() error { _, err := tables.UpdateItem(addRequest("t", key)); return err })
		}
		start("get", func() error { _, err := tables.GetItem(&GetRequest{Table: "t", Key: key}); return err })
		start("scan", func() error { _, err := tables.Scan(&ScanRequest{Table: "t"}); return err })
		start("failed condition", func() error {
			_, err := tables.DeleteItem(&DeleteRequest{Table: "t", Key: key, Expressions: condition})
			if failed := (*ConditionError)(nil); !errors.As(err, &failed) {
				return errors.Join(err, errors.New("the condition holds"))
			}
			return nil
		})
		if n := answers.Load(); n != 0 {
			t.Errorf("%d answers before anything is on disk", n)
		}
		if it, _, err := readItem(db, tables.tables["t"].storeKey(key)); err != nil || !it.Get("n").Equal(attr.IntValue(2)) {
			t.Errorf("the item is %s, %v: the second update waits for the first", AppendItemJSON(nil, it), err)
		}
		open()
		synctest.Wait()
		if n := answers.Load(); n != 5 {
			t.Errorf("%d answers", n)
		}
	})
}
