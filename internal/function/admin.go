package function

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
)

// Create makes a function of a definition and a code package (a zip). What
// the definition leaves open is filled in; it is returned as it is stored.
func (f *Functions) Create(ctx context.Context, def Definition, pkg []byte) (Definition, error) {
	def = def.withDefaults()
	if err := def.validate(); err != nil {
		return Definition{}, err
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	if _, ok := f.defs.Get(def.Name); ok {
		return Definition{}, errorf(ErrExists, "Function already exist: %s", def.Name)
	}
	if err := f.setCode(&def, pkg); err != nil {
		return Definition{}, err
	}
	touch(&def)
	def.LastVersion, _ = f.numbers.Get(def.Name) // numbers are not used again
	if err := f.defs.Put(def.Name, def); err != nil {
		return Definition{}, fmt.Errorf("create function %s: %w", def.Name, err)
	}
	f.findInterpreter(def)
	return def, ctx.Err()
}

// setCode stores a package, unpacks it and notes it in the definition.
func (f *Functions) setCode(def *Definition, pkg []byte) error {
	if _, err := checkPackage(pkg); err != nil {
		return err
	}
	rt, err := runtimeNamed(def.Runtime)
	if err != nil {
		return err
	}
	name, err := savePackage(f.db, pkg)
	if err != nil {
		return err
	}
	if err := f.unpackOnce(name, rt, func() ([]byte, error) { return pkg, nil }); err != nil {
		return err
	}
	def.CodeSHA256, def.CodeSize = name, int64(len(pkg))
	return nil
}

func touch(def *Definition) {
	def.RevisionID = uuid.NewString()
	def.Generation++
	def.LastModified = time.Now().UTC().Truncate(time.Millisecond)
}

// Get returns the definition of the function that ref names.
func (f *Functions) Get(ref string) (Definition, error) {
	if def, ok := f.defs.Get(ref); ok {
		return def, nil
	}
	name, qualifier, err := f.locate(ref)
	if err != nil {
		return Definition{}, err
	}
	def, ok := f.find(name, qualifier)
	if !ok {
		return Definition{}, f.notFound(name, qualifier)
	}
	return def, nil
}

// locate returns name and qualifier of a reference into this account and region.
func (f *Functions) locate(ref string) (name, qualifier string, err error) {
	// The usual forms, without the cost of a pattern.
	name = ref
	if rest, ok := strings.CutPrefix(ref, f.arnPrefix); ok {
		if name, qualifier, ok = strings.Cut(rest, ":"); ok && (qualifier == "" || strings.Contains(qualifier, ":")) {
			name = "" // malformed
		}
	}
	if _, ok := f.defs.Get(name); ok {
		return name, qualifier, nil
	}
	r, err := parseReference(ref)
	if err != nil {
		return "", "", err
	}
	if r.region != "" && r.region != f.identity.Region {
		return "", "", errorf(ErrNotFound, "Functions from '%s' are not reachable in this region ('%s')", r.region, f.identity.Region)
	}
	if r.account != "" && r.account != f.identity.Account {
		return "", "", f.notFound(r.name, r.qualifier)
	}
	return r.name, r.qualifier, nil
}

func (f *Functions) notFound(name, qualifier string) error {
	return errorf(ErrNotFound, "Function not found: %s", ARN(f.identity, name, qualifier))
}

// List returns all definitions in order of their names.
func (f *Functions) List() []Definition { return f.defs.All() }

var errRevision = errorf(ErrRevision, "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")

// change replaces the definition of a function under the lock for changes.
// revision, if not "", must be the current one.
func (f *Functions) change(ref, revision string, edit func(*Definition) error) (Definition, error) {
	return f.changeIn(ref, revision, func(_ *store.Tx, def *Definition) error { return edit(def) })
}

// changeIn is change for an edit that writes more than the definition.
func (f *Functions) changeIn(ref, revision string, edit func(*store.Tx, *Definition) error) (Definition, error) {
	f.changing.Lock()
	defer f.changing.Unlock()
	old, err := f.whole(ref)
	if err != nil {
		return Definition{}, err
	}
	if revision != "" && revision != old.RevisionID {
		return Definition{}, errRevision
	}
	def := old
	tx := f.db.Begin()
	defer tx.Discard()
	if err := edit(tx, &def); err != nil {
		return Definition{}, err
	}
	if err := f.defs.PutIn(tx, def.Name, def); err != nil {
		return Definition{}, err
	}
	if def.CodeSHA256 != old.CodeSHA256 {
		f.dropCodeIn(tx, old)
	}
	if err := tx.Commit(); err != nil {
		return Definition{}, fmt.Errorf("change function %s: %w", def.Name, err)
	}
	f.apply(old, def)
	return def, nil
}

// NewName returns the bare name in a reference to a function that is to be created.
// One into another region or account is refused.
func (f *Functions) NewName(ref string) (string, error) {
	r, err := parseReference(ref)
	if err != nil {
		return "", err
	}
	if r.account != "" && r.account != f.identity.Account {
		return "", errorf(ErrDenied, "")
	}
	name, _, err := f.locate(ref)
	return name, err
}

// whole returns the definition of a function that is meant as a whole.
func (f *Functions) whole(ref string) (Definition, error) {
	name, qualifier, err := f.locate(ref)
	if err != nil {
		return Definition{}, err
	}
	if qualifier != "" && qualifier != LatestVersion {
		return Definition{}, errNotWhole
	}
	def, ok := f.defs.Get(name)
	if !ok {
		return Definition{}, f.notFound(name, qualifier)
	}
	return def, nil
}

var errNotWhole = invalidf("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")

// apply lets what runs of a function know of a change.
func (f *Functions) apply(old, def Definition) {
	f.account.reserve(f.defs.All())
	f.mu.RLock()
	defer f.mu.RUnlock()
	fl := f.fleets[def.Name]
	if fl == nil {
		return
	}
	fl.define(def)
	for version, p := range fl.pools {
		switch {
		case version != LatestVersion && !sameDelivery(old.Tags, def.Tags):
			p.retag(def.Tags)
		case version == LatestVersion && def.Generation != old.Generation:
			p.define(def)
		}
	}
}

// dropCodeIn removes the packages of definitions that go, or get other packages,
// as far as nothing else uses them.
func (f *Functions) dropCodeIn(tx *store.Tx, gone ...Definition) {
	for _, old := range gone {
		used := slices.ContainsFunc(slices.Concat(f.defs.All(), f.versions.All()), func(def Definition) bool {
			return def.CodeSHA256 == old.CodeSHA256 && !slices.ContainsFunc(gone, func(d Definition) bool {
				return d.Name == def.Name && d.Version == def.Version
			})
		})
		if !used {
			dropPackageIn(tx, old.CodeSHA256)
		}
	}
}

// UpdateConfiguration changes parts of a definition. Invocations that run end
// as they began; all later ones run under the new definition.
func (f *Functions) UpdateConfiguration(ctx context.Context, ref string, update ConfigurationUpdate) (Definition, error) {
	return f.change(ref, update.RevisionID, func(def *Definition) error {
		changed := update.apply(*def)
		if err := changed.validate(); err != nil {
			return err
		}
		touch(&changed)
		*def = changed
		return ctx.Err()
	})
}

// CodeUpdate says what happens to the code of a function.
type CodeUpdate struct {
	Package []byte // a zip
	// RevisionID, if not "", must be the function's current one.
	RevisionID string
	// DryRun checks everything and changes nothing.
	DryRun bool
	// Publish makes a version of the function with its new code.
	Publish bool
}

// UpdateCode replaces the code package. It returns the function, or the version
// that was published.
func (f *Functions) UpdateCode(ctx context.Context, ref string, u CodeUpdate) (Definition, error) {
	if u.DryRun {
		def, err := f.whole(ref)
		if err != nil {
			return Definition{}, err
		}
		_, err = checkPackage(u.Package)
		return def, err
	}
	var version Definition
	def, err := f.changeIn(ref, u.RevisionID, func(tx *store.Tx, def *Definition) error {
		if err := f.setCode(def, u.Package); err != nil {
			return err
		}
		touch(def)
		if !u.Publish {
			return ctx.Err()
		}
		var err error
		version, err = f.publishIn(tx, def, nil)
		return err
	})
	if err == nil && u.Publish {
		return version, nil
	}
	return def, err
}

// Code returns the code package of a function, a zip.
func (f *Functions) Code(ref string) ([]byte, error) {
	def, err := f.Get(ref)
	if err != nil {
		return nil, err
	}
	return loadPackage(f.db, def.CodeSHA256)
}

// Delete removes a function with its versions and aliases, or the one version
// that ref names. Invocations that run end undisturbed; those that wait for an
// environment fail.
func (f *Functions) Delete(ctx context.Context, ref string) error {
	name, qualifier, err := f.locate(ref)
	if err != nil {
		return err
	}
	if qualifier == LatestVersion {
		return invalidf("$LATEST version cannot be deleted without deleting the function.")
	}
	if qualifier != "" && !isVersion(qualifier) {
		return invalidf("Deletion of aliases is not currently supported.")
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	def, ok := f.defs.Get(name)
	if !ok {
		return f.notFound(name, "")
	}
	if qualifier != "" {
		return f.deleteVersion(ctx, name, qualifier)
	}
	versions := f.versionsOf(name)
	tx := f.db.Begin()
	f.defs.DeleteIn(tx, name)
	if def.LastVersion > 0 {
		if err := f.numbers.PutIn(tx, name, def.LastVersion); err != nil {
			tx.Discard()
			return err
		}
	}
	for _, v := range versions {
		f.versions.DeleteIn(tx, versionKey(name, v.Version))
	}
	for _, a := range f.aliasesOf(name) {
		f.aliases.DeleteIn(tx, versionKey(name, a.Name))
	}
	f.dropEventInvokeConfigsIn(tx, name)
	f.dropCodeIn(tx, append(versions, def)...)
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("delete function %s: %w", name, err)
	}
	f.account.reserve(f.defs.All())
	f.forget(name)
	return ctx.Err()
}

// SetTags adds tags to a function, or replaces them.
func (f *Functions) SetTags(ref string, tags map[string]string) error {
	_, err := f.change(ref, "", func(def *Definition) error {
		merged := maps.Clone(def.Tags)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, tags)
		if err := validateTags(merged); err != nil {
			return err
		}
		def.setTags(merged)
		return nil
	})
	return err
}

// setTags replaces the tags, which makes a new revision. Environments know how the
// effects of their function count, so they are replaced when that changes.
func (d *Definition) setTags(tags map[string]string) {
	changed := !sameDelivery(d.Tags, tags)
	d.Tags, d.RevisionID = tags, uuid.NewString()
	if changed {
		touch(d)
	}
}

// RemoveTags removes the tags with the given keys; keys that are not there are
// no error.
func (f *Functions) RemoveTags(ref string, keys []string) error {
	_, err := f.change(ref, "", func(def *Definition) error {
		kept := maps.Clone(def.Tags)
		maps.DeleteFunc(kept, func(k, _ string) bool { return slices.Contains(keys, k) })
		def.setTags(kept)
		return nil
	})
	return err
}

// CodeDigest returns the SHA-256 of a definition's package in bytes.
func (d Definition) CodeDigest() []byte {
	sum, err := hex.DecodeString(d.CodeSHA256)
	if err != nil {
		return nil // written by savePackage, so it is hexadecimal
	}
	return sum
}
