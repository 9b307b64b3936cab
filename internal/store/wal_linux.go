package store

import (
	"path/filepath"
	"runtime"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
)

// withAllocatedLog returns a file system on which the write-ahead log has its
// full size from the start. The engine reserves the space too, but leaves the
// size alone, so that every sync also has to write the inode with the new size:
// a second write to the device, and a third of the time of a sync. The engine
// reads the zeros behind the last record as the end of the log, as it must after
// a crash and in a log file that is used again.
func withAllocatedLog(fs vfs.FS) vfs.FS { return logFS{fs} }

type logFS struct{ vfs.FS }

// Create makes a file; a log file gets its size as it is reserved.
func (fs logFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err != nil || filepath.Ext(name) != ".log" {
		return f, err
	}
	return logFile{f}, nil
}

// Unwrap returns the file system below, as the engine asks for it.
func (fs logFS) Unwrap() vfs.FS { return fs.FS }

type logFile struct{ vfs.File }

// Preallocate reserves a range and extends the file over it. The engine goes on
// without when it fails.
func (f logFile) Preallocate(offset, length int64) error {
	return unix.Fallocate(int(f.Fd()), 0, offset, length)
}

// SyncData brings the log to the disk. Those whom the sync before has made ready
// run first: otherwise they would wait, behind the processor that is in the kernel
// now, until the scheduler takes their queue away from it.
func (f logFile) SyncData() error {
	runtime.Gosched()
	return f.File.SyncData()
}
