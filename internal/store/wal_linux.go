package store

import (
	"io"
	"path/filepath"
	"runtime"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
)

// withWrittenLog returns a file system on which a sync of the write-ahead log writes
// nothing but data. The engine reserves the space of a new log, but leaves its size
// alone, and what was reserved counts as not written until data comes: each sync
// would have to write that the size and the extents have changed, a second write to
// the device and some 40% of the time of a sync. So the log has its full size from
// the start, and zeros are written ahead of the data. The engine reads zeros behind
// the last record as the end of the log, as it must after a crash; a log file that
// it uses again has been written already.
func withWrittenLog(fs vfs.FS) vfs.FS { return logFS{fs} }

type logFS struct{ vfs.FS }

// Create makes a file.
func (fs logFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err != nil || filepath.Ext(name) != ".log" {
		return f, err
	}
	return &logFile{File: f}, nil
}

// ReuseForWrite renames a log file that is not needed any more and opens it.
func (fs logFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldName, newName, category)
	if err != nil {
		return nil, err
	}
	return &logFile{File: f, prepared: written(f)}, nil
}

// written is up to where a file has been written. Its offset must be at the start.
func written(f vfs.File) int64 {
	fd := int(f.Fd())
	hole, err := unix.Seek(fd, 0, unix.SEEK_HOLE)
	if err != nil {
		return 0
	}
	if _, err := unix.Seek(fd, 0, io.SeekStart); err != nil {
		return 0
	}
	return hole
}

// Unwrap returns the file system below, as the engine asks for it.
func (fs logFS) Unwrap() vfs.FS { return fs.FS }

const (
	// zerosAhead is how much is written ahead at a time: large enough that hardly a
	// sync has to write zeros, small enough that such a sync takes hardly longer.
	zerosAhead = 256 << 10
	// largeSync is from when on the data of a sync costs more than the second write
	// that it would be spared: zeros would only double what is written.
	largeSync = 32 << 10
)

var zeros [zerosAhead]byte

// logFile is a log, written by one goroutine from start to end.
type logFile struct {
	vfs.File
	next     int64 // where the next data goes
	prepared int64 // up to where nothing is to be done
	since    int64 // next when prepared was last moved
	syncs    int64 // since then
}

// Preallocate reserves a range and extends the file over it. The engine goes on
// without when it fails.
func (f *logFile) Preallocate(offset, length int64) error {
	return unix.Fallocate(int(f.Fd()), 0, offset, length)
}

// Write implements io.Writer.
func (f *logFile) Write(p []byte) (int, error) {
	if end := f.next + int64(len(p)); end > f.prepared {
		f.prepare(end)
	}
	n, err := f.File.Write(p)
	f.next += int64(n)
	return n, err
}

// prepare writes zeros from end on if syncs have been small of late.
func (f *logFile) prepare(end int64) {
	small := f.next-f.since < f.syncs*largeSync
	f.since, f.syncs, f.prepared = f.next, 0, end+zerosAhead
	if small {
		_, _ = unix.Pwrite(int(f.Fd()), zeros[:], end) // what is wrong, the data's own write tells
	}
}

// SyncData brings the log to the disk. Those whom the sync before has made ready
// run first: otherwise they would wait, behind the processor that is in the kernel
// now, until the scheduler takes their queue away from it.
func (f *logFile) SyncData() error {
	f.syncs++
	runtime.Gosched()
	return f.File.SyncData()
}
