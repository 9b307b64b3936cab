package stack

import (
	"context"
	"fmt"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/store"
)

// Code packages are kept by the stack, so that an update can be rolled back to
// code that its function no longer has.

const (
	packageChunk = 1 << 20
	// maxPackage is the largest code package in bytes, that of Lambda unpacked.
	maxPackage = 250 << 20
)

func packageKey(sha256 string) []byte {
	k := store.AppendString(store.Key(store.DomainStack, 90), "package")
	return store.AppendString(k, sha256)
}

// storePackage writes a package under its SHA-256 unless it is there. A package
// nobody refers to is removed by dropPackages, so hold packagesMu until a record
// does.
func (s *Stacks) storePackage(sha256 string, zip []byte) error {
	chunkKey := func(i int) []byte { return store.AppendUint32(packageKey(sha256), uint32(i)) }
	// The first chunk is written last: where it is, the package is whole.
	_, ok, err := s.cfg.DB.Get(chunkKey(0))
	if err != nil || ok {
		return err
	}
	for i := (len(zip)+packageChunk-1)/packageChunk - 1; i >= 0; i-- {
		tx := s.cfg.DB.Begin()
		tx.Set(chunkKey(i), zip[i*packageChunk:min(len(zip), (i+1)*packageChunk)])
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("store code package: %w", err)
		}
	}
	return nil
}

// loadPackage is the resource.Providers.Package of a stack.
func (s *Stacks) loadPackage(_ context.Context, sha256 string) ([]byte, error) {
	prefix := packageKey(sha256)
	it, err := s.cfg.DB.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var zip []byte
	for ok := it.First(); ok; ok = it.Next() {
		zip = append(zip, it.Value()...)
	}
	if len(zip) == 0 {
		return nil, fmt.Errorf("code package %s: %w", sha256, resource.ErrNotFound)
	}
	return zip, it.Close()
}

// dropPackages removes the packages that no stack refers to.
func (s *Stacks) dropPackages() error {
	s.packagesMu.Lock()
	defer s.packagesMu.Unlock()
	used := map[string]bool{}
	for _, rec := range s.records.All() {
		for _, d := range []*deployment{rec.Current, rec.Target} {
			if d == nil {
				continue
			}
			for _, sha256 := range d.Packages {
				used[sha256] = true
			}
		}
	}
	prefix := store.AppendString(store.Key(store.DomainStack, 10), "package")
	it, err := s.cfg.DB.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	tx := s.cfg.DB.Begin()
	defer tx.Discard()
	for ok := it.First(); ok; {
		name, _, err := store.CutString(it.Key()[len(prefix):])
		if err != nil {
			return fmt.Errorf("code packages: %w", err)
		}
		first := packageKey(string(name))
		if !used[string(name)] {
			tx.DeleteRange(first, store.PrefixEnd(first))
		}
		ok = it.Seek(store.PrefixEnd(first))
	}
	return tx.Commit()
}
