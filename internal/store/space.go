package store

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrDiskFull says that a transaction was refused because the disk of the data
// directory is nearly full. Transactions that delete are still taken, and all are
// again when there is space.
var ErrDiskFull = errors.New("the disk of the data directory is full")

const (
	// reserve is the free space below which nothing is written that could wait: room
	// for what is in memory and for the merging of files by which deleted data goes.
	// On a small disk it is a quarter of the disk.
	reserve = 256 << 20
	// startBytes is what opening a directory writes besides what its log holds.
	startBytes = 16 << 20
	// The free space is looked at once in lookEvery, and after lookBytes were written.
	lookEvery = time.Second
	lookBytes = 16 << 20
	// retryEvery is how often a write that found no space is tried again, and
	// complainEvery how often that is logged.
	retryEvery    = time.Second
	complainEvery = time.Minute
)

// space watches how much room the disk of a data directory has. Without room the
// engine would stall every commit and try to write its files again and again.
type space struct {
	fs  vfs.FS
	dir string
	log *slog.Logger

	began   time.Time
	looked  atomic.Int64 // when, in nanoseconds since began
	written atomic.Int64 // bytes since then
	full    atomic.Bool
	closing chan struct{}
	close   sync.Once
	warning atomic.Int64 // when a failed write of the engine was last logged
}

func newSpace(fs vfs.FS, dir string, log *slog.Logger) *space {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &space{fs: fs, dir: dir, log: log, began: time.Now(), closing: make(chan struct{})}
}

// admit refuses a transaction of size bytes when there is no room for it.
func (s *space) admit(size int, deletes bool) error {
	now := int64(time.Since(s.began))
	last := s.looked.Load()
	if written := s.written.Add(int64(size)); written > lookBytes || now-last > int64(lookEvery) {
		if s.looked.CompareAndSwap(last, now) {
			s.written.Store(0)
			s.look()
		}
	}
	if s.full.Load() && !deletes {
		return ErrDiskFull
	}
	return nil
}

// look asks the disk. One that cannot tell, such as the memory of tests, has room.
func (s *space) look() {
	usage, err := s.fs.GetDiskUsage(s.dir)
	full := err == nil && usage.AvailBytes < reserveOf(usage)
	if s.full.Swap(full) == full {
		return
	}
	if full {
		s.log.Error("the disk of the data directory is full: only what deletes is taken until there is space",
			"free", mebibytes(usage.AvailBytes), "needed", mebibytes(reserveOf(usage)))
		return
	}
	s.log.Info("the disk of the data directory has space again", "free", mebibytes(usage.AvailBytes))
}

func reserveOf(u vfs.DiskUsage) uint64 { return min(reserve, u.TotalBytes/4) }

func mebibytes(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }

// checkStart refuses to open a directory whose disk has no room for replaying its
// log: the engine would wait for it, and the server would never be ready.
func (s *space) checkStart() error {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil {
		return nil
	}
	names, err := s.fs.List(s.dir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	needed := uint64(startBytes)
	for _, name := range names {
		if filepath.Ext(name) != ".log" {
			continue
		}
		info, err := s.fs.Stat(s.fs.PathJoin(s.dir, name))
		if err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
		needed += uint64(info.Size())
	}
	// Not all of the reserve, of which the server itself may have used a part before it
	// was stopped; what the log needs in the end is less than its files.
	if needed = min(needed, reserveOf(usage)/4); usage.AvailBytes >= needed {
		return nil
	}
	return fmt.Errorf("%w: %s has %s free, starting needs %s", ErrDiskFull, s.dir, mebibytes(usage.AvailBytes), mebibytes(needed))
}

// wait is called when a write of the engine failed. It returns after a while, and
// reports whether it makes sense to try again.
func (s *space) wait(err error) bool {
	if outOfSpace(err) {
		s.full.Store(true)
	}
	s.complain(err)
	select {
	case <-time.After(retryEvery):
		return true
	case <-s.closing:
		return false
	}
}

func (s *space) complain(err error) {
	now := int64(time.Since(s.began))
	last := s.warning.Load()
	if last != 0 && now-last < int64(complainEvery) || !s.warning.CompareAndSwap(last, now) {
		return
	}
	s.log.Error("the data directory cannot be written: writes wait until it can be", "directory", s.dir, "error", err.Error())
}

// release ends waiting, for good.
func (s *space) release() { s.close.Do(func() { close(s.closing) }) }

// patientFS is a file system whose writes wait for space and file descriptors. The
// engine ends the process when it cannot write its log or its list of files, and tries
// again at once when it cannot write another file; both would be wrong for what may
// come back.
type patientFS struct {
	vfs.FS
	space *space
}

// Unwrap returns the file system below, as the engine asks for it.
func (fs patientFS) Unwrap() vfs.FS { return fs.FS }

// Create makes a file.
func (fs patientFS) Create(name string, category vfs.DiskWriteCategory) (f vfs.File, err error) {
	once := isTable(name)
	for {
		f, err = fs.FS.Create(name, category)
		if err == nil || !once && !passing(err) {
			break
		}
		if goOn := fs.space.wait(err); once || !goOn {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return patientFile{f, fs.space, once}, nil
}

// ReuseForWrite renames a log file that is not needed any more and opens it.
func (fs patientFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldName, newName, category)
	if err != nil {
		return nil, err
	}
	return patientFile{f, fs.space, false}, nil
}

func outOfSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// passing tells errors that can go away by themselves.
func passing(err error) bool {
	return outOfSpace(err) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// isTable tells the files that the engine writes anew when it fails to.
func isTable(name string) bool { return filepath.Ext(name) == ".sst" }

type patientFile struct {
	vfs.File
	space *space
	once  bool // do not try again: the engine does
}

// Write is io.Writer.
func (f patientFile) Write(p []byte) (written int, err error) {
	for {
		n, err := f.File.Write(p[written:])
		written += n
		if err == nil || !f.once && !passing(err) {
			return written, err
		}
		if goOn := f.space.wait(err); f.once || !goOn {
			return written, err
		}
	}
}
