package function

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
)

func TestUnpack(t *testing.T) {
	t.Parallel()
	pkg := zipOf(t,
		file{"bin/", fs.ModeDir | 0o755, ""},
		file{"bin/run", 0o755, "#!/bin/sh\n"},
		file{"lib/data.txt", 0o644, "data"},
		file{"no-mode", 0, "x"},
		file{"lib/link", fs.ModeSymlink | 0o777, "../bin/run"},
	)
	dir := filepath.Join(t.TempDir(), "group", "code")
	for range 2 { // the second time it is there already
		if err := unpack(pkg, dir); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]fs.FileMode{"bin/run": 0o755, "lib/data.txt": 0o644, "no-mode": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if content, err := os.ReadFile(filepath.Join(dir, "lib/link")); err != nil || string(content) != "#!/bin/sh\n" {
		t.Errorf("through the link: %q %v", content, err)
	}
	// A file that a power failure emptied is written again.
	if err := os.Truncate(filepath.Join(dir, "lib/data.txt"), 0); err != nil {
		t.Fatal(err)
	}
	if err := unpack(pkg, dir); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "lib/data.txt")); err != nil || string(content) != "data" {
		t.Errorf("after repair: %q %v", content, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "..", ".unpack-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnpackStaysInside(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]file{
		"parent":            {{"../evil", 0o644, "x"}},
		"absolute":          {{"/evil", 0o644, "x"}},
		"backslash":         {{`..\evil`, 0o644, "x"}},
		"inner parent":      {{"a/../../evil", 0o644, "x"}},
		"link out":          {{"link", fs.ModeSymlink | 0o777, "../../evil"}},
		"absolute link":     {{"link", fs.ModeSymlink | 0o777, "/etc"}},
		"through link":      {{"sub/link", fs.ModeSymlink | 0o777, "../.."}, {"sub/link/evil", 0o644, "x"}},
		"device":            {{"null", fs.ModeDevice | 0o666, ""}},
		"file as folder":    {{"a", 0o644, "x"}, {"a/b", 0o644, "x"}},
		"folder over files": {{"a/b", 0o644, "x"}, {"a", 0o644, "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := t.TempDir()
			err := unpack(zipOf(t, files...), filepath.Join(outside, "group", "code"))
			if !errors.Is(err, ErrInvalid) || err.Error() != "Could not unzip uploaded file. Please check your file, then try to upload again." {
				t.Errorf("got %v", err)
			}
			_ = filepath.WalkDir(outside, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					t.Errorf("%s was written", path)
				}
				return nil
			})
		})
	}
}

func TestPackageLimits(t *testing.T) {
	t.Parallel()
	claims := func(sizes ...uint64) []byte { // entries that say they are as large
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for i, size := range sizes {
			h := &zip.FileHeader{Name: string(rune('a' + i)), CompressedSize64: 1, UncompressedSize64: size}
			if out, err := w.CreateRaw(h); err != nil {
				t.Fatal(err)
			} else if _, err := out.Write([]byte{0}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	for name, c := range map[string]struct {
		pkg  []byte
		kind error
		text string
	}{
		"no zip":        {[]byte("this is no zip"), ErrInvalid, "Could not unzip uploaded file. Please check your file, then try to upload again."},
		"nothing":       {nil, ErrInvalid, "Could not unzip uploaded file. Please check your file, then try to upload again."},
		"empty":         {zipOf(t), ErrInvalid, "Uploaded file must be a non-empty zip"},
		"zip too large": {make([]byte, MaxUnzippedBytes+1), ErrInvalid, "Unzipped size must be smaller than 262144000 bytes"},
		"entry large":   {claims(MaxUnzippedBytes + 1), ErrInvalid, "Unzipped size must be smaller than 262144000 bytes"},
		"sum large":     {claims(MaxUnzippedBytes, 1), ErrInvalid, "Unzipped size must be smaller than 262144000 bytes"},
		"overflow":      {claims(1, 1<<64-1), ErrInvalid, "Unzipped size must be smaller than 262144000 bytes"},
	} {
		if _, err := checkPackage(c.pkg); !errors.Is(err, c.kind) || err.Error() != c.text {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLyingZip has an entry that is larger than it says.
func TestLyingZip(t *testing.T) {
	t.Parallel()
	pkg := zipOf(t, file{"f", 0o644, strings.Repeat("a", 1000)})
	at := bytes.Index(pkg, []byte("PK\x01\x02")) + 24 // uncompressed size in the directory
	copy(pkg[at:], []byte{1, 0, 0, 0})
	if err := unpack(pkg, filepath.Join(t.TempDir(), "g", "code")); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(zipOf(f, file{"a/b", 0o644, "x"}, file{"l", fs.ModeSymlink | 0o777, "a"}))
	f.Add(zipOf(f, file{"../b", 0o644, "x"}))
	f.Fuzz(func(t *testing.T, pkg []byte) {
		outside := t.TempDir()
		_ = unpack(pkg, filepath.Join(outside, "g", "code"))
		entries, err := os.ReadDir(outside)
		if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "g" {
			t.Fatalf("%v %v", entries, err)
		}
	})
}

func TestPackagesInTheStore(t *testing.T) {
	t.Parallel()
	db, err := store.Open("db", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, size := range []int{1, codeChunkBytes, codeChunkBytes + 1, 10*codeChunkBytes - 1} {
		pkg := bytes.Repeat([]byte{byte(size), 1}, size/2+1)[:size]
		name, err := savePackage(db, pkg)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := loadPackage(db, name); err != nil || !bytes.Equal(got, pkg) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
	names, err := storedPackages(db)
	if err != nil || len(names) != 4 {
		t.Fatalf("%v %v", names, err)
	}
	tx := db.Begin()
	dropPackageIn(tx, names[0])
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := loadPackage(db, names[0]); err == nil {
		t.Error("a package that was dropped can be read")
	}
	if names, err := storedPackages(db); err != nil || len(names) != 3 {
		t.Errorf("%v %v", names, err)
	}
}
