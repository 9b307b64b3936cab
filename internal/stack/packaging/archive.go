package packaging

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/flate"
)

// maxUnpacked is how large the files of a package may be together, as in Lambda.
const maxUnpacked = 250 << 20

// epoch is the time of every entry: the earliest that zip can express.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// skipped are names of files and folders that are never packed.
var skipped = []string{".git", "__pycache__", ".aws-sam", ".DS_Store", ".pytest_cache"}

// archive is a zip that is being written.
type archive struct {
	buf  bytes.Buffer
	zip  *zip.Writer
	room int64
}

func newArchive() *archive {
	a := &archive{room: maxUnpacked}
	a.zip = zip.NewWriter(&a.buf)
	a.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	return a
}

func (a *archive) finish() ([]byte, error) {
	if err := a.zip.Close(); err != nil {
		return nil, err
	}
	return a.buf.Bytes(), nil
}

// add packs a regular file under a name with slashes.
func (a *archive) add(name, file string, mode fs.FileMode) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch}
	header.SetMode(mode.Perm())
	w, err := a.zip.CreateHeader(header)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(f, a.room+1))
	if err != nil {
		return err
	}
	if a.room -= n; a.room < 0 {
		return fmt.Errorf("the files are larger than %d bytes together", maxUnpacked)
	}
	return nil
}

// zipFolder packs what is in a folder.
func zipFolder(dir string) ([]byte, error) {
	a := newArchive()
	if err := a.addFolder("", dir, nil); err != nil {
		return nil, err
	}
	return a.finish()
}

// addFolder packs a folder under a prefix. Links are followed; within are the
// folders on the way here, so that a link to one of them is refused.
func (a *archive) addFolder(prefix, dir string, within []string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if slices.Contains(within, real) {
		return fmt.Errorf("%s is a link to a folder that it is in", dir)
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, file := path.Join(prefix, e.Name()), filepath.Join(dir, e.Name())
		if slices.Contains(skipped, e.Name()) || filepath.Ext(name) == ".pyc" {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		switch {
		case info.IsDir():
			err = a.addFolder(name, file, append(within, real))
		case info.Mode().IsRegular():
			err = a.add(name, file, info.Mode())
		default:
			err = fmt.Errorf("%s is neither a file nor a folder", file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// zipFile packs a single file.
func zipFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	a := newArchive()
	if err := a.add(filepath.Base(file), file, info.Mode()); err != nil {
		return nil, err
	}
	return a.finish()
}
