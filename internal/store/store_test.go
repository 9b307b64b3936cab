package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func open(t *testing.T, fs vfs.FS) *DB {
	t.Helper()
	db, err := Open("data", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestCommitIsAtomicAndDurable(t *testing.T) {
	t.Parallel()
	fs := vfs.NewCrashableMem()
	db := open(t, fs)
	tx := db.Begin()
	tx.Set([]byte("\x20a"), []byte("1"))
	tx.Set([]byte("\x20b"), []byte("2"))
	var order []string
	tx.OnApply(func() { order = append(order, "applied") })
	tx.OnDurable(func() { order = append(order, "durable") })
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "applied durable" {
		t.Errorf("hooks ran as %q", got)
	}
	// What was never synced is lost by the crash, all else is there.
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, crashed)
	defer db.Close()
	for key, want := range map[string]string{"\x20a": "1", "\x20b": "2"} {
		v, ok, err := db.Get([]byte(key))
		if err != nil || !ok || string(v) != want {
			t.Errorf("%q after the crash: %q %v %v", key, v, ok, err)
		}
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	t.Parallel()
	db := open(t, vfs.NewMem())
	defer db.Close()
	tx := db.Begin()
	tx.Set([]byte("\x20a"), []byte("1"))
	tx.Discard()
	tx.Discard()
	if _, ok, _ := db.Get([]byte("\x20a")); ok {
		t.Error("discarded write is visible")
	}
	if err := tx.Commit(); !errors.Is(err, errTxEnded) {
		t.Errorf("commit after discard: %v", err)
	}
}

func TestViewReadsItsWrites(t *testing.T) {
	t.Parallel()
	db := open(t, vfs.NewMem())
	defer db.Close()
	tx := db.BeginView()
	defer tx.Discard()
	tx.Set([]byte("\x20a"), []byte("1"))
	if v, ok, err := tx.Get([]byte("\x20a")); string(v) != "1" || !ok || err != nil {
		t.Errorf("own write: %q %v %v", v, ok, err)
	}
	if _, ok, _ := db.Get([]byte("\x20a")); ok {
		t.Error("others see the write before commit")
	}
}

func TestConcurrentCommitsAllSurvive(t *testing.T) {
	t.Parallel()
	fs := vfs.NewCrashableMem()
	db := open(t, fs)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				tx := db.Begin()
				tx.Set(fmt.Appendf(nil, "\x20%d-%d", w, i), []byte("v"))
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, crashed)
	defer db.Close()
	it, err := db.Scan([]byte("\x20"), []byte("\x21"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	if err := it.Close(); err != nil || n != 320 {
		t.Errorf("%d of 320 commits after the crash, %v", n, err)
	}
}

func TestLayoutVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[uint32]string{LayoutVersion + 1: "by a newer Weir", 0: "by an older Weir"} {
		fs := vfs.NewMem()
		db := open(t, fs)
		tx := db.Begin()
		tx.Set(append(Key(DomainMeta, 6), "layout"...), binary.BigEndian.AppendUint32(nil, version))
		if err := errors.Join(tx.Commit(), db.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open("data", Options{FS: fs}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// TestSecondProcessIsRefused opens one directory in two processes: the test runs
// itself as the second.
func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("WEIR_TEST_OPEN"); dir != "" {
		_, err := Open(dir, Options{})
		fmt.Println("locked:", errors.Is(err, ErrLocked), err)
		return
	}
	dir := filepath.Join(t.TempDir(), "data")
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("same process: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSecondProcessIsRefused$") // #nosec G204 -- the test binary
	cmd.Env = append(os.Environ(), "WEIR_TEST_OPEN="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("locked: true")) {
		t.Errorf("other process: %v\n%s", err, out)
	}
}

func TestStringKeysKeepOrder(t *testing.T) {
	t.Parallel()
	sorted := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00a", "a", "a\x00", "a\x00b", "aa", "b", "\xff", "\xff\xff"}
	for i, s := range sorted {
		k := AppendString(nil, s)
		back, rest, err := CutString(append(bytes.Clone(k), "rest"...))
		if err != nil || string(back) != s || string(rest) != "rest" {
			t.Errorf("%q came back as %q, %q, %v", s, back, rest, err)
		}
		if i > 0 && bytes.Compare(AppendString(nil, sorted[i-1]), k) >= 0 {
			t.Errorf("%q does not sort before %q", sorted[i-1], s)
		}
	}
}

func FuzzCutString(f *testing.F) {
	f.Add([]byte("a\x00\x01b"))
	f.Add([]byte("\x00\xff\x00\x01"))
	f.Fuzz(func(t *testing.T, k []byte) {
		s, rest, err := CutString(k)
		if err == nil && !bytes.Equal(append(AppendString(nil, s), rest...), k) {
			t.Errorf("%x became %x and %x", k, s, rest)
		}
	})
}

func TestPrefixEnd(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a": "b", "a\xff": "b", "\xff\xff": "", "a\x00": "a\x01"} {
		if got := PrefixEnd([]byte(in)); string(got) != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
