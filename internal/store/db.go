package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options configure Open. The zero value is the production configuration.
type Options struct {
	// FS replaces the file system, for tests that inject faults or crash.
	FS vfs.FS
	// Logger receives background errors of the engine; nil discards them.
	Logger *slog.Logger
	// CacheBytes bounds the block cache; 0 means 32 MiB.
	CacheBytes int64
}

// ErrLocked says that another process has the directory open.
var ErrLocked = errors.New("data directory is in use by another process")

// DB is an open data directory.
type DB struct {
	pebble *pebble.DB
	cache  *pebble.Cache
	space  *space

	closeOnce sync.Once
	closeErr  error
}

// Open opens the data directory dir, creating it when it does not exist.
//
// It fails with ErrLocked when another process has it open, with ErrDiskFull when the
// disk has no room for it and with ErrDamaged when files of it are missing or not what
// was written, and refuses a directory that was written with another layout version.
func Open(dir string, opts Options) (*DB, error) {
	fs := opts.FS
	if fs == nil {
		fs = vfs.Default
	}
	dir = filepath.Clean(dir)
	room := newSpace(fs, dir, opts.Logger)
	opening := &openingFS{FS: patientFS{fs, room}}
	fs = opening
	if opts.FS == nil {
		fs = withWrittenLog(fs)
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	if err := room.checkStart(); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		return nil, opening.explain(dir, err)
	}
	defer lock.Close() // the engine has its own hold of it
	used, err := inspect(fs, dir)
	if err != nil {
		return nil, err
	}
	cacheBytes := opts.CacheBytes
	if cacheBytes == 0 {
		cacheBytes = 32 << 20
	}
	cache := pebble.NewCache(cacheBytes)
	engine, err := pebble.Open(dir, engineOptions(fs, lock, cache, engineLogger{opts.Logger}))
	if err != nil {
		cache.Unref()
		return nil, opening.explain(dir, err)
	}
	db := &DB{pebble: engine, cache: cache, space: room}
	if err := db.checkLayout(used); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", dir, err), db.Close())
	}
	if err := opening.release(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func engineOptions(fs vfs.FS, lock *pebble.Lock, cache *pebble.Cache, log engineLogger) *pebble.Options {
	return &pebble.Options{
		FS:                 fs,
		Lock:               lock,
		Cache:              cache,
		FormatMajorVersion: pebble.FormatNewest,
		// Larger than the default 4 MiB so that a burst of records is flushed in
		// few large sorted runs; it grows on use, an idle server does not pay it.
		MemTableSize:                32 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		MaxOpenFiles:                512,
		// The space of a range that was deleted comes back once its deletion is in a
		// file, which a server without load would not write for long.
		FlushDelayDeleteRange: 10 * time.Second,
		Logger:                log,
		EventListener:         log.events(),
	}
}

func isLockError(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && !os.IsPermission(err) ||
		err.Error() == "lock held by current process"
}

// checkLayout compares the layout's version. The version is the first thing that is
// written to a directory, so it is never missing from one that was used before or
// that has anything in it.
func (db *DB) checkLayout(used bool) error {
	key := append(Key(DomainMeta, 6), "layout"...)
	value, ok, err := db.Get(key)
	if err != nil {
		return err
	}
	if !ok {
		if empty, err := db.empty(); err != nil || used || !empty {
			return errors.Join(err, fmt.Errorf("%w: what was written first is missing, so a log (*.log) is, or the list of files (MANIFEST-*) is cut off; bring it back from a copy", ErrDamaged))
		}
		tx := db.Begin()
		tx.Set(key, binary.BigEndian.AppendUint32(nil, LayoutVersion))
		if err := tx.Commit(); err != nil {
			return err
		}
		// From now on the directory has a table, by which a loss can be told from a first
		// start, and a log in the engine's newest format, which shows damage in its middle.
		if err := db.pebble.Flush(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		return nil
	}
	if len(value) != 4 {
		return errors.New("layout version is unreadable; this is not a Weir data directory or it is damaged")
	}
	switch v := binary.BigEndian.Uint32(value); {
	case v == LayoutVersion:
		return nil
	case v > LayoutVersion:
		return fmt.Errorf("written by a newer Weir (layout %d, this one reads %d): start that one, or name another directory", v, LayoutVersion)
	default:
		return fmt.Errorf("written by an older Weir (layout %d, this one reads %d): start that one, or name another directory", v, LayoutVersion)
	}
}

func (db *DB) empty() (bool, error) {
	it, err := db.Scan([]byte{0}, []byte{0xff})
	if err != nil {
		return false, err
	}
	return !it.First(), it.Close()
}

// Close releases the directory. It waits for the engine's background work; a
// second call returns what the first one did.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		db.space.release()
		db.closeErr = db.pebble.Close()
		db.cache.Unref()
	})
	return db.closeErr
}

// Get returns a copy of the value of key. It sees applied transactions, also
// those whose sync is still under way.
func (db *DB) Get(key []byte) (value []byte, ok bool, err error) {
	return get(db.pebble, key)
}

// Scan iterates over the keys in [lower, upper). Close the iterator.
func (db *DB) Scan(lower, upper []byte) (*Iterator, error) {
	return scan(db.pebble, lower, upper)
}

// Snapshot is a frozen view of the database. Close it.
func (db *DB) Snapshot() *Snapshot { return &Snapshot{db.pebble.NewSnapshot()} }

// Sync returns when everything that was committed before is on disk.
func (db *DB) Sync() error {
	if err := db.pebble.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("store sync: %w", err)
	}
	return nil
}

// DiskUsage returns the bytes on disk, the write-ahead log included.
func (db *DB) DiskUsage() uint64 { return db.pebble.Metrics().DiskSpaceUsage() }

// Full reports whether transactions are refused with ErrDiskFull. It looks at the
// disk.
func (db *DB) Full() bool {
	db.space.look()
	return db.space.full.Load()
}

// Snapshot is a frozen view of a DB.
type Snapshot struct{ snap *pebble.Snapshot }

// Get is like DB.Get, at the time of the snapshot.
func (s *Snapshot) Get(key []byte) (value []byte, ok bool, err error) { return get(s.snap, key) }

// Scan is like DB.Scan, at the time of the snapshot.
func (s *Snapshot) Scan(lower, upper []byte) (*Iterator, error) { return scan(s.snap, lower, upper) }

// Close releases the snapshot.
func (s *Snapshot) Close() error { return s.snap.Close() }

func get(r pebble.Reader, key []byte) ([]byte, bool, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("store get: %w", err)
	}
	out := append(make([]byte, 0, len(v)), v...)
	return out, true, closer.Close()
}

func scan(r pebble.Reader, lower, upper []byte) (*Iterator, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, fmt.Errorf("store scan: %w", err)
	}
	return &Iterator{it}, nil
}

// Iterator walks a range of keys. Its position is undefined until one of First,
// Last, Seek and SeekBefore is called. Key and Value are valid until the next
// move.
type Iterator struct{ it *pebble.Iterator }

// First moves to the smallest key and reports whether there is one.
func (i *Iterator) First() bool { return i.it.First() }

// Last moves to the greatest key and reports whether there is one.
func (i *Iterator) Last() bool { return i.it.Last() }

// Seek moves to the first key at or after key.
func (i *Iterator) Seek(key []byte) bool { return i.it.SeekGE(key) }

// SeekBefore moves to the last key before key.
func (i *Iterator) SeekBefore(key []byte) bool { return i.it.SeekLT(key) }

// Next moves to the next key.
func (i *Iterator) Next() bool { return i.it.Next() }

// Prev moves to the previous key.
func (i *Iterator) Prev() bool { return i.it.Prev() }

// Valid reports whether the iterator stands on a key.
func (i *Iterator) Valid() bool { return i.it.Valid() }

// Key returns the current key, valid until the next move.
func (i *Iterator) Key() []byte { return i.it.Key() }

// Value returns the current value, valid until the next move.
func (i *Iterator) Value() []byte { return i.it.Value() }

// Close releases the iterator and returns the first error it met. A second call
// does nothing, so that it can be deferred as well: the engine recycles iterators,
// and closing one twice would close another reader's.
func (i *Iterator) Close() error {
	if i.it == nil {
		return nil
	}
	err := i.it.Close()
	i.it = nil
	return err
}

type engineLogger struct{ log *slog.Logger }

func (l engineLogger) Infof(string, ...any) {}

func (l engineLogger) Errorf(format string, args ...any) {
	if l.log != nil {
		l.log.Error("store: " + fmt.Sprintf(format, args...))
	}
}

func (l engineLogger) events() *pebble.EventListener {
	return &pebble.EventListener{BackgroundError: l.backgroundError, DataCorruption: l.dataCorruption}
}

// dataCorruption ends the process when a file is found that is not what was written.
// Nothing of it can be answered, and merging it with others would spread the damage.
func (l engineLogger) dataCorruption(info pebble.DataCorruptionInfo) {
	l.end(fmt.Sprintf("%v: %s: %v", ErrDamaged, info.Path, info.Details))
}

// backgroundError logs what the engine will try again. What may pass is logged by the
// one who waits for it, less often.
func (l engineLogger) backgroundError(err error) {
	if !passing(err) {
		l.Errorf("background error: %v", err)
	}
}

// Fatalf is called when the engine cannot keep its promises any more, for
// example when the disk refuses a write of the log. Going on would acknowledge
// what is not on disk, so the process ends; the log replays on the next start.
func (l engineLogger) Fatalf(format string, args ...any) {
	l.end("the data directory cannot be written: " + fmt.Sprintf(format, args...))
}

// end ends the process with one line; what follows are stacks of the engine.
func (l engineLogger) end(reason string) {
	reason, _, _ = strings.Cut(reason, "\n")
	l.Errorf("%s", reason)
	fmt.Fprintln(os.Stderr, "weir: "+reason)
	os.Exit(70)
}
