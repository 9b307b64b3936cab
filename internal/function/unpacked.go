package function

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// cleanEvery is how often unpacked code that nothing uses is looked for, and how long
// it is kept after it was asked for: a function that is being created, and an
// environment that is being started, are not yet known by then.
const cleanEvery = time.Minute

// unpacks remembers which packages are unpacked.
type unpacks struct {
	mu    sync.Mutex
	ready map[string]*unpackOnce
}

type unpackOnce struct {
	mu   sync.Mutex
	done bool
	used time.Time // last, guarded by the mutex of unpacks
}

// unpackOnce makes sure that a package is unpacked for a runtime. A failure is
// not remembered.
func (f *Functions) unpackOnce(name string, rt runtimeSpec, load func() ([]byte, error)) error {
	dir := f.codePath(name, rt)
	f.unpacks.mu.Lock()
	once := f.unpacks.ready[dir]
	if once == nil {
		once = &unpackOnce{}
		f.unpacks.ready[dir] = once
	}
	once.used = time.Now()
	f.unpacks.mu.Unlock()
	once.mu.Lock()
	defer once.mu.Unlock()
	if once.done {
		return nil
	}
	pkg, err := load()
	if err != nil {
		return err
	}
	if err := unpack(pkg, dir); err != nil {
		return err
	}
	once.done = true
	return nil
}

func (f *Functions) codePath(name string, rt runtimeSpec) string {
	return filepath.Join(f.codeDir, rt.unpackGroup(), name)
}

// unpackedCode returns the folder of a function's code, unpacking it if it is
// not there.
func (f *Functions) unpackedCode(def Definition, rt runtimeSpec) (string, error) {
	err := f.unpackOnce(def.CodeSHA256, rt, func() ([]byte, error) { return loadPackage(f.db, def.CodeSHA256) })
	return f.codePath(def.CodeSHA256, rt), err
}

// dropUnusedFolders removes the unpacked code that no definition and no environment
// uses, once it has not been asked for in a while.
func (f *Functions) dropUnusedFolders(now time.Time) {
	used := map[string]bool{}
	for _, def := range slices.Concat(f.defs.All(), f.versions.All()) {
		used[def.CodeSHA256] = true
	}
	for _, e := range f.environments() {
		used[e.def.CodeSHA256] = true
	}
	f.unpacks.mu.Lock()
	defer f.unpacks.mu.Unlock() // nobody begins to unpack meanwhile
	for dir, once := range f.unpacks.ready {
		name := filepath.Base(dir)
		switch {
		case now.Sub(once.used) < cleanEvery:
			used[name] = true
		case !used[name]:
			delete(f.unpacks.ready, dir)
		}
	}
	// Folders of other names are those that are being filled.
	keep := func(name string) bool { return used[name] || len(name) != 2*sha256.Size }
	if err := f.dropFolders(keep); err != nil {
		f.log.Warn("cannot clean up unpacked code", "error", err)
	}
}

// dropFolders removes the folders of the cache but those of packages to keep.
func (f *Functions) dropFolders(keep func(name string) bool) error {
	folders, err := filepath.Glob(filepath.Join(f.codeDir, "*", "*"))
	if err != nil {
		return err
	}
	var problems error
	for _, folder := range folders {
		name := filepath.Base(folder)
		if name == "node_modules" || keep(name) || filepath.Base(filepath.Dir(folder)) == bootstrapGroup {
			continue
		}
		problems = errors.Join(problems, os.RemoveAll(folder))
	}
	return problems
}
