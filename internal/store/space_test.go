package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func set(db *DB, key string) error {
	tx := db.Begin()
	tx.Set([]byte(key), []byte("v"))
	return tx.Commit()
}

func TestFullDiskTakesOnlyWhatDeletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		room := func(bytes uint64) {
			fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes, TotalBytes: 100 << 30})
			time.Sleep(2 * lookEvery)
		}
		room(50 << 30)
		db := open(t, fs)
		defer db.Close()
		if err := set(db, "\x20a"); err != nil || db.Full() {
			t.Fatal(err, db.Full())
		}
		room(reserve - 1)
		if err := set(db, "\x20b"); !errors.Is(err, ErrDiskFull) || !db.Full() {
			t.Errorf("a write to the full disk: %v, full: %v", err, db.Full())
		}
		if _, ok, err := db.Get([]byte("\x20b")); ok || err != nil {
			t.Errorf("what was refused is there: %v %v", ok, err)
		}
		tx := db.Begin()
		tx.Delete([]byte("\x20a"))
		if err := tx.Commit(); err != nil {
			t.Errorf("a deletion on the full disk: %v", err)
		}
		room(reserve)
		if err := set(db, "\x20b"); err != nil || db.Full() {
			t.Errorf("a write when there is space again: %v, full: %v", err, db.Full())
		}
	})
}

func TestFullDiskIsToldAtStart(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 3 << 20, TotalBytes: 1 << 30})
	_, err := Open("data", Options{FS: fs})
	if !errors.Is(err, ErrDiskFull) || !strings.Contains(err.Error(), "data has 3 MiB free, starting needs 16 MiB") {
		t.Errorf("%v", err)
	}
}

// TestWritesWaitForSpace fills the disk under an open store, although nobody could
// foresee it: what was accepted is not lost, and commits go on when there is space.
func TestWritesWaitForSpace(t *testing.T) {
	t.Parallel()
	for _, lack := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE} {
		t.Run(lack.Error(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testWritesWait(t, lack, false) })
		})
	}
	t.Run("a log that is used again", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { testWritesWait(t, syscall.ENOSPC, true) })
	})
}

// testWritesWait fills the disk when the log is a new file, or one used again.
func testWritesWait(t *testing.T, lack error, reuse bool) {
	fs := &filledFS{FS: vfs.NewMem(), lack: lack}
	db := open(t, fs)
	for i := 0; reuse && fs.reused.Load() == 0; i++ {
		tx := db.Begin()
		tx.Set(fmt.Appendf(nil, "\x21%02d", i%10), make([]byte, 1<<20))
		if err := tx.Commit(); err != nil || i == 1000 {
			t.Fatal("no log is used again", err)
		}
		synctest.Wait()
	}
	fs.full.Store(true)
	done := make(chan error, 1)
	go func() {
		for i := range 16 { // more than the engine holds back in memory
			tx := db.Begin()
			tx.Set(fmt.Appendf(nil, "\x20%02d", i), make([]byte, 1<<20))
			if err := tx.Commit(); err != nil {
				done <- fmt.Errorf("commit %d: %w", i, err)
				return
			}
		}
		done <- nil
	}()
	time.Sleep(10 * retryEvery)
	select {
	case err := <-done:
		t.Fatalf("commits did not wait: %v", err)
	default:
	}
	if tried := fs.refused.Load(); tried > 100 {
		t.Errorf("%d writes were tried in %v", tried, 10*retryEvery)
	}
	fs.full.Store(false)
	if err := <-done; err != nil && !errors.Is(err, ErrDiskFull) {
		t.Error(err)
	}
	if _, ok, err := db.Get([]byte("\x2000")); !ok || err != nil {
		t.Errorf("the first write: %v %v", ok, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// filledFS lacks something for writes while it is full.
type filledFS struct {
	vfs.FS
	lack    error
	full    atomic.Bool
	refused atomic.Int64
	reused  atomic.Int64
}

func (fs *filledFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return filledFile{f, fs}, nil
}

func (fs *filledFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldName, newName, category)
	if err != nil {
		return nil, err
	}
	fs.reused.Add(1)
	return filledFile{f, fs}, nil
}

type filledFile struct {
	vfs.File
	fs *filledFS
}

func (f filledFile) Write(p []byte) (int, error) {
	if f.fs.full.Load() {
		f.fs.refused.Add(1)
		return 0, f.fs.lack
	}
	return f.File.Write(p)
}

// TestSpaceOfDeletedRangeComesBack deletes most of what there is and then does nothing.
func TestSpaceOfDeletedRangeComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := open(t, vfs.NewMem())
		defer db.Close()
		value := make([]byte, 1<<20)
		if _, err := rand.Read(value); err != nil { // so that it cannot be compressed
			t.Fatal(err)
		}
		for i := range 64 {
			tx := db.Begin()
			tx.Set(fmt.Appendf(nil, "\x20%02d", i), value)
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // for what is being written to tables
		before := db.pebble.Metrics().Total().TablesSize
		tx := db.Begin()
		tx.DeleteRange([]byte("\x20"), []byte("\x21"))
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if after := db.pebble.Metrics().Total().TablesSize; before < 4<<20 || after > 1<<20 {
			t.Errorf("tables had %d bytes and have %d", before, after)
		}
	})
}
