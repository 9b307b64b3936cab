package object

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
)

const (
	// folderFiles is how many files a folder has at most, and how many numbers are
	// reserved at a time.
	folderFiles = 1024
	// copyBytes is how much of a body is in memory at a time.
	copyBytes = 256 << 10
)

// category marks the writes for the statistics of the file system, which nobody
// reads.
const category = vfs.WriteCategoryUnspecified

// files are the bytes of objects and parts.
type files struct {
	fs      vfs.FS
	dir     string
	db      *store.DB
	buffers sync.Pool

	mu       sync.Mutex
	next     ID // the next number
	reserved ID // numbers below may be used
	// pending are the numbers given out whose file was neither entered nor removed.
	pending map[ID]bool
}

func reservationKey() []byte { return append(store.Key(store.DomainObject, 1), whatReservation) }

// openFiles opens the folder dir and removes what a crash left behind.
func openFiles(fs vfs.FS, dir string, db *store.DB) (*files, error) {
	f := &files{fs: fs, dir: dir, db: db, pending: map[ID]bool{}}
	f.buffers.New = func() any { b := make([]byte, copyBytes); return &b }
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := f.syncFolder(fs.PathDir(dir)); err != nil {
		return nil, err
	}
	doc, ok, err := db.Get(reservationKey())
	if err != nil || !ok {
		return f, err
	}
	if len(doc) != 16 {
		return nil, errors.New("the reservation of file numbers is malformed")
	}
	low := ID(binary.BigEndian.Uint64(doc))
	f.next = ID(binary.BigEndian.Uint64(doc[8:]))
	f.reserved = f.next
	for id := low - low%folderFiles; id < f.next; id += folderFiles {
		if err := f.tidy(id); err != nil {
			return nil, fmt.Errorf("%s: %w", f.folder(id), err)
		}
	}
	return f, nil
}

// tidy removes the files of a folder that were not entered in the store.
func (f *files) tidy(first ID) error {
	folder := f.folder(first)
	names, err := f.fs.List(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		id, ok := parseID(name)
		if !ok {
			continue // not ours
		}
		_, entered, err := f.db.Get(idKey(whatFile, id))
		if err != nil {
			return err
		}
		if !entered {
			if err := f.fs.Remove(f.path(id)); err != nil {
				return err
			}
		}
	}
	return f.syncFolder(folder)
}

func (f *files) syncFolder(dir string) error {
	d, err := f.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *files) folder(id ID) string {
	return f.fs.PathJoin(f.dir, strconv.FormatUint(uint64(id/folderFiles), 16))
}

func (f *files) path(id ID) string { return f.fs.PathJoin(f.folder(id), id.String()) }

// number gives out a number. That it may be in use is on disk first, so that the
// next start knows which files to look at.
func (f *files) number() (ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == f.reserved {
		if err := f.reserve(); err != nil {
			return 0, fmt.Errorf("reserve file numbers: %w", err)
		}
	}
	id := f.next
	f.next++
	f.pending[id] = true
	return id, nil
}

func (f *files) reserve() error {
	low := f.next
	for id := range f.pending {
		low = min(low, id)
	}
	upTo := f.next - f.next%folderFiles + folderFiles
	if err := f.fs.MkdirAll(f.folder(f.next), 0o700); err != nil {
		return err
	}
	if err := f.syncFolder(f.dir); err != nil {
		return err
	}
	tx := f.db.Begin()
	tx.Set(reservationKey(), binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(low)), uint64(upTo)))
	if err := tx.Commit(); err != nil {
		return err
	}
	f.reserved = upTo
	return nil
}

// settled says that a file was entered in the store or removed.
func (f *files) settled(id ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pending, id)
}

// write makes a file of what src has, at most limit bytes, and returns when it is
// on disk. What is read also goes to sink. The caller calls settled or discard.
func (f *files) write(ctx context.Context, src io.Reader, sink io.Writer, limit int64) (id ID, size int64, err error) {
	if f.db.Full() {
		return 0, 0, store.ErrDiskFull // it could not be entered
	}
	if id, err = f.number(); err != nil {
		return id, 0, err
	}
	file, err := f.fs.Create(f.path(id), category)
	if err != nil {
		return id, 0, err
	}
	size, err = f.fill(ctx, file, src, sink, limit)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = f.syncFolder(f.folder(id))
	}
	if err != nil {
		return id, 0, errors.Join(err, f.discard(id))
	}
	return id, size, nil
}

func (f *files) fill(ctx context.Context, file vfs.File, src io.Reader, sink io.Writer, limit int64) (size int64, err error) {
	buf := f.buffers.Get().(*[]byte)
	defer f.buffers.Put(buf)
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := src.Read(*buf)
		if size += int64(n); size > limit {
			return 0, errorf(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size").with("MaxSizeAllowed", limit)
		}
		if _, werr := sink.Write((*buf)[:n]); werr != nil {
			return 0, werr
		}
		if _, werr := file.Write((*buf)[:n]); werr != nil {
			return 0, fmt.Errorf("write object: %w", werr)
		}
		if err == io.EOF {
			return size, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// discard removes a file that was not entered.
func (f *files) discard(id ID) error {
	err := f.remove(id)
	if err == nil {
		f.settled(id)
	}
	return err
}

func (f *files) open(id ID) (vfs.File, error) { return f.fs.Open(f.path(id)) }

// remove removes a file; one that does not exist is no error. It is on disk once
// the folder is synced.
func (f *files) remove(id ID) error {
	if err := f.fs.Remove(f.path(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// syncRemoved makes removals final.
func (f *files) syncRemoved(ids []ID) error {
	synced := map[ID]bool{}
	for _, id := range ids {
		folder := id / folderFiles
		if synced[folder] {
			continue
		}
		if err := f.syncFolder(f.folder(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		synced[folder] = true
	}
	return nil
}
