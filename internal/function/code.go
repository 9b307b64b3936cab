package function

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/weirstream/weir/internal/store"
)

// Limits of a code package, as on AWS but for the number of entries.
const (
	// MaxZipBytes bounds a code package in a request.
	MaxZipBytes = 52428800
	// MaxUnzippedBytes bounds what it may unpack to.
	MaxUnzippedBytes = 262144000
	maxZipEntries    = 100_000

	codeChunkBytes = 1 << 20
	// codeTxBytes keeps a transaction of chunks well under the size of the
	// store's write buffer.
	codeTxBytes = 8 << 20
)

var (
	errBadZip           = invalidf("Could not unzip uploaded file. Please check your file, then try to upload again.")
	errTooLargeUnzipped = invalidf("Unzipped size must be smaller than %d bytes", MaxUnzippedBytes)
)

// checkPackage opens a zip and makes sure that it can be unpacked safely and
// within bounds.
func checkPackage(pkg []byte) (*zip.Reader, error) {
	if len(pkg) > MaxUnzippedBytes {
		return nil, errTooLargeUnzipped
	}
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		return nil, because(errBadZip, err)
	}
	if len(r.File) == 0 {
		return nil, invalidf("Uploaded file must be a non-empty zip")
	}
	if len(r.File) > maxZipEntries {
		return nil, invalidf("The zip has %d entries; at most %d are allowed", len(r.File), maxZipEntries)
	}
	var total uint64
	for _, f := range r.File {
		if err := checkEntry(f); err != nil {
			return nil, err
		}
		total += f.UncompressedSize64
		if f.UncompressedSize64 > MaxUnzippedBytes || total > MaxUnzippedBytes {
			return nil, errTooLargeUnzipped
		}
	}
	return r, nil
}

func checkEntry(f *zip.File) error {
	name := strings.TrimSuffix(f.Name, "/")
	if name == "" || strings.Contains(name, "\\") || strings.ContainsRune(name, 0) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return because(errBadZip, fmt.Errorf("entry %q is outside of the package", f.Name))
	}
	if mode := f.Mode(); !mode.IsDir() && !mode.IsRegular() && mode.Type() != fs.ModeSymlink {
		return because(errBadZip, fmt.Errorf("entry %q is neither file, folder nor link", f.Name))
	}
	return nil
}

func packageKey(sum []byte) []byte { return append(store.Key(store.DomainCode, len(sum)+4), sum...) }

// savePackage writes a package to the store unless it is there, and returns its
// SHA-256 in hexadecimal. Nothing refers to it yet; what is never referred to is
// dropped on the next start.
func savePackage(db *store.DB, pkg []byte) (string, error) {
	sum := sha256.Sum256(pkg)
	name := hex.EncodeToString(sum[:])
	prefix := packageKey(sum[:])
	// The last chunk is written last, so its presence vouches for all.
	last := max(0, (len(pkg)-1)/codeChunkBytes)
	if _, ok, err := db.Get(store.AppendUint32(prefix, uint32(last))); ok || err != nil {
		return name, err
	}
	tx := db.Begin()
	for i := 0; i <= last; i++ {
		chunk := pkg[i*codeChunkBytes : min(len(pkg), (i+1)*codeChunkBytes)]
		tx.Set(store.AppendUint32(prefix[:len(prefix):len(prefix)], uint32(i)), chunk)
		if tx.Len() < codeTxBytes || i == last {
			continue
		}
		if err := tx.Commit(); err != nil {
			return "", fmt.Errorf("save code package: %w", err)
		}
		tx = db.Begin()
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("save code package: %w", err)
	}
	return name, nil
}

// loadPackage reads a package from the store.
func loadPackage(db *store.DB, name string) ([]byte, error) {
	sum, err := hex.DecodeString(name)
	if err != nil {
		return nil, fmt.Errorf("code package %q: %w", name, err)
	}
	prefix := packageKey(sum)
	it, err := db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var pkg []byte
	for ok := it.First(); ok; ok = it.Next() {
		pkg = append(pkg, it.Value()...)
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("read code package: %w", err)
	}
	if got := sha256.Sum256(pkg); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("code package %s is missing or damaged in the data directory", name)
	}
	return pkg, nil
}

// dropPackageIn removes a package from the store as part of tx.
func dropPackageIn(tx *store.Tx, name string) {
	sum, err := hex.DecodeString(name)
	if err != nil {
		return // not a name that savePackage gave out
	}
	prefix := packageKey(sum)
	tx.DeleteRange(prefix, store.PrefixEnd(prefix))
}

// storedPackages lists the packages in the store.
func storedPackages(db *store.DB) ([]string, error) {
	lower := store.Key(store.DomainCode, 0)
	it, err := db.Scan(lower, store.PrefixEnd(lower))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var names []string
	for ok := it.First(); ok; {
		key := it.Key()
		if len(key) < 1+sha256.Size {
			return nil, fmt.Errorf("code package key of %d bytes", len(key))
		}
		sum := bytes.Clone(key[:1+sha256.Size])
		names = append(names, hex.EncodeToString(sum[1:]))
		next := store.PrefixEnd(sum)
		ok = next != nil && it.Seek(next)
	}
	return names, it.Close()
}

// unpack makes the folder dir hold what the package holds. It works in a
// folder beside dir, so that dir is complete whenever it exists.
func unpack(pkg []byte, dir string) error {
	r, err := checkPackage(pkg)
	if err != nil {
		return err
	}
	if unpacked(r, dir) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("unpack code package: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".unpack-")
	if err != nil {
		return fmt.Errorf("unpack code package: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := extract(r, tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("unpack code package: %w", err)
	}
	// A folder that was cut short by a power failure goes away here.
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("unpack code package: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("unpack code package: %w", err)
	}
	return nil
}

// unpacked reports whether dir already holds every file of the package in its
// full size.
func unpacked(r *zip.Reader, dir string) bool {
	if _, err := os.Stat(dir); err != nil {
		return false
	}
	for _, f := range r.File {
		if !f.Mode().IsRegular() {
			continue
		}
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Name)))
		if err != nil || info.Size() != int64(f.UncompressedSize64) {
			return false
		}
	}
	return true
}

// extract writes the entries under dir. All of it goes through an os.Root, so
// that no name and no link can lead outside.
func extract(r *zip.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack code package: %w", err)
	}
	defer root.Close()
	budget := int64(MaxUnzippedBytes)
	for _, f := range r.File {
		n, err := extractEntry(root, f, budget)
		if err != nil {
			return err
		}
		budget -= n
	}
	return nil
}

func extractEntry(root *os.Root, f *zip.File, budget int64) (int64, error) {
	name := filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))
	mode := f.Mode()
	if mode.IsDir() {
		return 0, badZip(root.MkdirAll(name, 0o755))
	}
	if parent := filepath.Dir(name); parent != "." {
		if err := root.MkdirAll(parent, 0o755); err != nil {
			return 0, badZip(err)
		}
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, badZip(err)
	}
	content, err := f.Open()
	if err != nil {
		return 0, badZip(err)
	}
	defer content.Close()
	if mode.Type() == fs.ModeSymlink {
		return 0, badZip(extractLink(root, name, content))
	}
	return extractFile(root, name, mode.Perm(), content, budget)
}

func extractFile(root *os.Root, name string, perm fs.FileMode, content io.Reader, budget int64) (int64, error) {
	if perm == 0 {
		perm = 0o644 // written by a tool that keeps no modes
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm|0o600)
	if err != nil {
		return 0, badZip(err)
	}
	n, err := io.Copy(file, io.LimitReader(content, budget+1))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return n, badZip(err)
	}
	if n > budget {
		return n, invalidf("Unzipped size must be smaller than %d bytes", MaxUnzippedBytes)
	}
	// The mode that was asked for, whatever the umask says; the owner can always
	// read, as the cache must be.
	return n, badZip(root.Chmod(name, perm|0o600))
}

func extractLink(root *os.Root, name string, content io.Reader) error {
	target, err := io.ReadAll(io.LimitReader(content, 4096))
	if err != nil {
		return err
	}
	slashed := string(target)
	if path.IsAbs(slashed) || !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(filepath.ToSlash(name)), slashed))) {
		return fmt.Errorf("link %q leads outside of the package", name)
	}
	return root.Symlink(slashed, name)
}

// badZip blames a failure on the package, unless it is the disk's.
func badZip(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EIO) {
		return fmt.Errorf("unpack code package: %w", err)
	}
	return because(errBadZip, err)
}
