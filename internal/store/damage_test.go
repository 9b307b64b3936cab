package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/record"
)

// TestDamageIsRefused takes files away from a directory, and changes some, and expects
// that it is refused, with the file's name, and that nothing of it is deleted.
func TestDamageIsRefused(t *testing.T) {
	t.Parallel()
	flip := func(at func(size int) int) func(string) error {
		return func(name string) error {
			b, err := os.ReadFile(name) // #nosec G304 -- of the test
			if err == nil {
				b[at(len(b))] ^= 0xff
				err = os.WriteFile(name, b, 0o600)
			}
			return err
		}
	}
	early := flip(func(int) int { return 30 })
	late := flip(func(size int) int { return size - 1 })
	half := func(name string) error {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		return os.Truncate(name, info.Size()/2)
	}
	for _, c := range []struct {
		name    string
		flushed bool // whether what was written is in a table, not in the log only
		files   string
		damage  func(string) error
		want    string
	}{
		{"logs are wrong", false, "*.log", early, ".log"},
		{"logs are missing", false, "*.log", os.Remove, "*.log"},
		{"logs of tables are missing", true, "*.log", os.Remove, "*.log"},
		{"a table is missing", true, "*.sst", os.Remove, "sstable"},
		{"a table is short", true, "*.sst", half, ".sst"},
		{"the list is wrong", true, "MANIFEST-*", late, "MANIFEST-"},
		{"the list is wrong at its beginning", true, "MANIFEST-*", early, "MANIFEST-"},
		{"the list is short", true, "MANIFEST-*", half, "MANIFEST-"},
		{"the list is missing", true, "MANIFEST-*", os.Remove, "MANIFEST-"},
		{"the marker is missing", true, "marker.manifest.*", os.Remove, "marker.manifest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			fill(t, dir, c.flushed)
			files, err := filepath.Glob(filepath.Join(dir, c.files))
			if err != nil || len(files) == 0 {
				t.Fatalf("no %s, %v", c.files, err)
			}
			for _, name := range files {
				if err := c.damage(name); err != nil {
					t.Fatal(err)
				}
			}
			tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(dir, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("opening: %v", err)
			}
			for _, name := range tables {
				if _, err := os.Stat(name); err != nil {
					t.Errorf("after opening: %v", err)
				}
			}
		})
	}
}

// fill makes a directory with some keys.
func fill(t *testing.T, dir string, flushed bool) {
	t.Helper()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		tx := db.Begin()
		tx.Set(append(Key(DomainItem, 8), fmt.Sprint(i)...), []byte(strings.Repeat("x", 1000)))
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if flushed {
		if err := db.pebble.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if !flushed {
		return
	}
	// Opened again, so that the log of what is in the table goes.
	if db, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLostBeginningIsDamage(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	fill(t, dir, true)
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	tx := db.Begin()
	tx.Delete(append(Key(DomainMeta, 6), "layout"...))
	if err := errors.Join(tx.Commit(), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("opening: %v", err)
	}
}

// TestTornListIsNotDamage leaves of the last record of a list what a power failure may:
// some sectors of it, and expects that only what follows makes this damage.
func TestTornListIsNotDamage(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := record.NewWriter(&file)
	var begins []int // of records
	for range 40 {
		begins = append(begins, file.Len())
		if _, err := w.WriteRecord(bytes.Repeat([]byte{'x'}, 3000)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole, last := file.Bytes(), begins[len(begins)-1]
	look := func(list []byte) (l listCheck) {
		for block := range slices.Chunk(list, listBlock) {
			l.read(block)
		}
		return l
	}
	if l := look(whole); l != (listCheck{}) {
		t.Fatalf("whole: %+v", l)
	}
	for at := last; at < len(whole); at++ {
		if l := look(whole[:at]); l.damaged {
			t.Errorf("cut off at %d: %+v", at, l)
		}
	}
	for from := 0; from < len(whole); from += 512 {
		torn := bytes.Clone(whole)
		end := min(len(torn), from+512)
		clear(torn[from:end])
		header := from%listBlock == 0 || slices.ContainsFunc(begins, func(b int) bool { return b < end && b+listHeader > from })
		switch l := look(torn); {
		case from >= last && l.damaged:
			t.Errorf("of the last record, from %d, the sector at %d is missing: %+v", last, from, l)
		case end <= last && !header && !l.damaged:
			t.Errorf("the sector at %d is missing: %+v", from, l)
		}
	}
}

// The length of the last record may be missing although its end has been written. What
// is read where another record seems to begin is no damage.
func TestTornLengthIsNotDamage(t *testing.T) {
	t.Parallel()
	const sector = 512
	for header := sector - listHeader; header < sector; header++ {
		var file bytes.Buffer
		w := record.NewWriter(&file)
		for _, payload := range []int{header - listHeader, 3 * sector} {
			if _, err := w.WriteRecord(bytes.Repeat([]byte{1}, payload)); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		list := bytes.Clone(file.Bytes())
		clear(list[header:sector])
		var l listCheck
		if l.read(list); l != (listCheck{torn: true}) {
			t.Errorf("the header from %d to the end of the sector is missing: %+v", header, l)
		}
	}
}
