package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrDamaged says that files of a data directory are missing or are not what was
// written.
var ErrDamaged = errors.New("the data directory is damaged")

// inspect refuses a directory that the engine cannot have left like this. The engine
// itself takes a damaged list of files for one that ends there, and missing logs for
// none; it would begin with what remains and delete files that are not listed.
// It reports whether the directory holds tables, and so was in use before.
func inspect(fs vfs.FS, dir string) (used bool, err error) {
	names, err := fs.List(dir)
	if err != nil {
		return false, fmt.Errorf("data directory: %w", err)
	}
	var opened, logs, list bool
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "OPTIONS-"): // written last when a directory is opened
			opened = true
		case strings.HasPrefix(name, "marker.manifest."):
			list = true
		case filepath.Ext(name) == ".log":
			logs = true
		case isTable(name):
			used = true
		}
	}
	if opened && !logs {
		return used, fmt.Errorf("%w: no log (*.log) is left in %s", ErrDamaged, dir)
	}
	if opened && !list {
		return used, fmt.Errorf("%w: %s is missing", ErrDamaged, fs.PathJoin(dir, "marker.manifest.*"))
	}
	return used, checkList(fs, dir)
}

// checkList reads the engine's list of files. Each of its records is synced before the
// next, so a crash may have cut off or left out parts of the last one; what else is
// wrong comes of something else.
func checkList(fs vfs.FS, dir string) error {
	desc, err := pebble.Peek(dir, fs)
	if err != nil || !desc.Exists {
		return nil // opening tells what is wrong, or begins anew
	}
	f, err := fs.Open(desc.ManifestFilename)
	if err != nil {
		return nil // the same
	}
	defer f.Close()
	var list listCheck
	block := make([]byte, listBlock)
	for {
		n, err := io.ReadFull(f, block)
		list.read(block[:n])
		if err != nil {
			break
		}
	}
	if list.damaged {
		return fmt.Errorf("%w: %s: a checksum is wrong", ErrDamaged, desc.ManifestFilename)
	}
	return nil
}

// listCheck looks at the chunks of which the blocks of a list are made.
type listCheck struct {
	torn    bool // a chunk is missing or wrong as a crash may have left it, if no record follows
	damaged bool
}

const (
	listBlock  = 32 << 10 // of which the engine makes logs and lists
	listHeader = 7        // a checksum, a length of two bytes, a kind

	// kinds of chunks: a whole record is 1, a middle of one 3
	recordBegin = 2
	recordEnd   = 4
)

// read looks at a block, up to the end of what was written there.
func (l *listCheck) read(block []byte) {
	for at := 0; at+listHeader <= len(block); {
		chunk := block[at:]
		sum, kind := binary.LittleEndian.Uint32(chunk), chunk[6]
		if kind == 0 || kind > recordEnd { // not written, or a kind that is not known here
			l.torn = l.torn || kind == 0
			return
		}
		end := at + listHeader + int(binary.LittleEndian.Uint16(chunk[4:]))
		switch c := crc32.Checksum(block[at+6:min(end, len(block))], castagnoli); {
		case (c>>15|c<<17)+0xa282ead8 == sum:
			l.damaged = l.damaged || l.torn && kind <= recordBegin
		case end > len(block) || hasHole(block, at, end):
			l.torn = true
		default: // after a chunk that is torn, another need not begin here
			l.damaged = l.damaged || !l.torn
		}
		at = end
	}
}

// hasHole reports whether a part of a chunk that lies in one sector of the disk is zero:
// it was not written when the machine failed.
func hasHole(block []byte, from, to int) bool {
	const sector = 512
	for from < to {
		end := min(to, from/sector*sector+sector)
		if len(bytes.Trim(block[from:end], "\x00")) == 0 {
			return true
		}
		from = end
	}
	return false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openingFS is the file system of an engine that is being opened. It remembers which
// log, or file of options, was read last, as the engine's errors do not name it, and
// keeps tables that the engine deletes until it is clear that the directory is whole.
type openingFS struct {
	vfs.FS
	mu   sync.Mutex
	read string
	kept []string // tables to delete
	done bool
}

// Unwrap returns the file system below, as the engine asks for it.
func (fs *openingFS) Unwrap() vfs.FS { return fs.FS }

// Open opens a file for reading.
func (fs *openingFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if filepath.Ext(name) == ".log" || strings.HasPrefix(filepath.Base(name), "OPTIONS-") {
		fs.mu.Lock()
		fs.read = name
		fs.mu.Unlock()
	}
	return fs.FS.Open(name, opts...)
}

// Remove deletes a file.
func (fs *openingFS) Remove(name string) error {
	fs.mu.Lock()
	keep := !fs.done && isTable(name)
	if keep {
		fs.kept = append(fs.kept, name)
	}
	fs.mu.Unlock()
	if keep {
		return nil
	}
	return fs.FS.Remove(name)
}

// release deletes the tables that were to be deleted meanwhile.
func (fs *openingFS) release() error {
	fs.mu.Lock()
	kept := fs.kept
	fs.kept, fs.done = nil, true
	fs.mu.Unlock()
	for _, name := range kept {
		if err := fs.FS.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("data directory: %w", err)
		}
	}
	return nil
}

// explain says what to think of an error of the engine.
func (fs *openingFS) explain(dir string, err error) error {
	err = oneLine{err}
	switch text := err.Error(); {
	case isLockError(err):
		return fmt.Errorf("%w: %s", ErrLocked, dir)
	case strings.Contains(text, "unknown format major version"):
		return fmt.Errorf("data directory %s: written by a newer Weir: start that one, or name another directory (%w)", dir, err)
	case strings.Contains(text, "replaying WAL"), strings.Contains(text, "key=value"):
		fs.mu.Lock()
		defer fs.mu.Unlock()
		return fmt.Errorf("%w: %s: %w", ErrDamaged, fs.read, err)
	case strings.Contains(text, "objstorage"), strings.Contains(text, "size mismatch"), strings.Contains(text, "manifest"):
		return fmt.Errorf("%w: %s: %w", ErrDamaged, dir, err)
	}
	return fmt.Errorf("open data directory %s: %w", dir, err)
}

// oneLine is an error of the engine, which may tell of several files, as one line.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }

func (e oneLine) Unwrap() error { return e.error }
