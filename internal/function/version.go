package function

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
)

// Publishing says what of a function is to be published, and how.
type Publishing struct {
	// Description, if not nil, is that of the version; else it is the function's.
	Description *string
	// CodeSHA256, if not "", must be that of the function's code, in base64.
	CodeSHA256 string
	// RevisionID, if not "", must be the function's current one.
	RevisionID string
}

// VersionName returns the number of a published version, or LatestVersion.
func (d Definition) VersionName() string { return cmp.Or(d.Version, LatestVersion) }

// Reference returns the name of a function, with the number of a version.
func (d Definition) Reference() string {
	if d.Version == "" {
		return d.Name
	}
	return versionKey(d.Name, d.Version)
}

// versionKey is the name of a version in its collection.
func versionKey(name, version string) string { return name + ":" + version }

// isVersion tells the number of a version from the name of an alias.
func isVersion(qualifier string) bool {
	return strings.Trim(qualifier, "0123456789") == "" && qualifier != ""
}

// Publish makes a version of a function as it is now. If nothing has changed since
// the last version, that one is returned.
func (f *Functions) Publish(ctx context.Context, ref string, p Publishing) (Definition, error) {
	var version Definition
	_, err := f.changeIn(ref, p.RevisionID, func(tx *store.Tx, def *Definition) error {
		if current := base64.StdEncoding.EncodeToString(def.CodeDigest()); p.CodeSHA256 != "" && p.CodeSHA256 != current {
			return invalidf("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", p.CodeSHA256, current)
		}
		var err error
		version, err = f.publishIn(tx, def, p.Description)
		return err
	})
	if err != nil {
		return Definition{}, err
	}
	return version, ctx.Err()
}

// publishIn makes a version of a definition, and notes that in the definition.
func (f *Functions) publishIn(tx *store.Tx, def *Definition, description *string) (Definition, error) {
	digest, err := def.digest()
	if err != nil {
		return Definition{}, err
	}
	last, ok := f.versions.Get(versionKey(def.Name, strconv.Itoa(def.LastVersion)))
	if ok && last.PublishedFrom == digest {
		return last, nil
	}
	def.LastVersion++
	def.RevisionID = uuid.NewString()
	version := *def
	touch(&version)
	version.Version, version.PublishedFrom = strconv.Itoa(def.LastVersion), digest
	version.LastVersion, version.ReservedConcurrency = 0, nil
	version.Policy, version.PolicyRevisionID = nil, ""
	set(&version.Description, description)
	return version, f.versions.PutIn(tx, versionKey(def.Name, version.Version), version)
}

// digest stands for all of a definition that a version preserves.
func (d Definition) digest() (string, error) {
	d.Version, d.LastVersion, d.PublishedFrom = "", 0, ""
	d.RevisionID, d.Generation, d.LastModified = "", 0, time.Time{}
	d.Tags, d.ReservedConcurrency, d.Policy, d.PolicyRevisionID = nil, nil, nil, ""
	doc, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("digest of function %s: %w", d.Name, err)
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:]), nil
}

// Versions returns the definitions of a function and of its versions: $LATEST, and
// then by number.
func (f *Functions) Versions(ref string) ([]Definition, error) {
	name, _, err := f.locate(ref)
	if err != nil {
		return nil, err
	}
	def, ok := f.defs.Get(name)
	if !ok {
		return nil, f.notFound(name, "")
	}
	return append([]Definition{def}, f.versionsOf(name)...), nil
}

// ListVersions returns all functions in order of their names, each followed by its
// versions.
func (f *Functions) ListVersions() []Definition {
	all := slices.Concat(f.defs.All(), f.versions.All())
	slices.SortFunc(all, func(a, b Definition) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compareVersions(a, b))
	})
	return all
}

// compareVersions orders by number.
func compareVersions(a, b Definition) int {
	return cmp.Or(cmp.Compare(len(a.Version), len(b.Version)), cmp.Compare(a.Version, b.Version))
}

// versionsOf returns the published versions of a function by number.
func (f *Functions) versionsOf(name string) []Definition {
	versions := slices.DeleteFunc(f.versions.All(), func(d Definition) bool { return d.Name != name })
	slices.SortFunc(versions, compareVersions)
	return versions
}

// find returns what a qualifier means: a function, a version of it, or the main
// version of an alias.
func (f *Functions) find(name, qualifier string) (Definition, bool) {
	def, ok := f.defs.Get(name)
	if !ok || qualifier == "" || qualifier == LatestVersion {
		return def, ok
	}
	version := qualifier
	if !isVersion(qualifier) {
		alias, ok := f.aliases.Get(versionKey(name, qualifier))
		if !ok {
			return def, false
		}
		if version = alias.Version; version == LatestVersion {
			return def, true
		}
	}
	found, ok := f.versions.Get(versionKey(name, version))
	found.Tags = def.Tags // they are the function's
	return found, ok
}

// deleteVersion removes a version; one that does not exist is no error.
func (f *Functions) deleteVersion(ctx context.Context, name, version string) error {
	def, ok := f.versions.Get(versionKey(name, version))
	if !ok {
		return ctx.Err()
	}
	var users []string
	for _, a := range f.aliasesOf(name) {
		if _, more := a.Weights[version]; more || a.Version == version {
			users = append(users, a.Name)
		}
	}
	if len(users) > 0 {
		return errorf(ErrConflict, "Unable to delete version because the following aliases reference it: [%s]", strings.Join(users, ", "))
	}
	tx := f.db.Begin()
	f.versions.DeleteIn(tx, versionKey(name, version))
	f.dropEventInvokeConfigIn(tx, name, version)
	f.dropCodeIn(tx, def)
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("delete version %s of function %s: %w", version, name, err)
	}
	f.forgetVersion(name, version)
	return ctx.Err()
}
