package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestLogIsWrittenAhead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "000001.log")
	fs := withWrittenLog(vfs.Default)
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Preallocate(0, 4*zerosAhead); err != nil {
		t.Fatal(err)
	}
	log := f.(*logFile)
	first := appendLog(t, log, 'a', 1000, 2*zerosAhead)
	if log.prepared <= log.next {
		t.Errorf("%d bytes are prepared of %d written in small syncs", log.prepared, log.next)
	}
	checkLog(t, name, first, 4*zerosAhead)
	if end := written(log); end < log.prepared-zerosAhead {
		t.Errorf("written up to %d, of %d prepared", end, log.prepared)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	again := filepath.Join(dir, "000002.log")
	if f, err = fs.ReuseForWrite(name, again, vfs.WriteCategoryUnspecified); err != nil {
		t.Fatal(err)
	}
	log = f.(*logFile)
	if log.prepared < 2*zerosAhead {
		t.Errorf("%d bytes of a log that is used again count as written", log.prepared)
	}
	second := appendLog(t, log, 'b', 1000, zerosAhead)
	checkLog(t, again, append(second, first[len(second):]...), 4*zerosAhead)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLogOfLargeSyncsIsNotWrittenAhead(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "000001.log")
	f, err := withWrittenLog(vfs.Default).Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	data := appendLog(t, f.(*logFile), 'a', largeSync, 4*zerosAhead)
	checkLog(t, name, data, len(data))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// appendLog writes total bytes, some in each sync, and returns what it wrote.
func appendLog(t *testing.T, f *logFile, b byte, each, total int) []byte {
	t.Helper()
	var all []byte
	for len(all) < total {
		p := bytes.Repeat([]byte{b}, each)
		n, err := f.Write(p)
		if err == nil {
			err = f.SyncData()
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p[:n]...)
	}
	return all
}

// checkLog checks that a file holds data and then zeros.
func checkLog(t *testing.T, name string, data []byte, size int) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(got, data) || len(bytes.Trim(got[len(data):], "\x00")) > 0 || len(got) < size {
		t.Errorf("%s has %d bytes, not the data and zeros up to %d", name, len(got), size)
	}
}
