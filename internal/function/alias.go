package function

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"
)

// Alias is a name for a version of a function, or for two that share its
// invocations. It is a value: updates replace it whole.
type Alias struct {
	Function    string
	Name        string
	Version     string // a number, or LatestVersion
	Description string
	// Weights are the shares, 0 to 1, of the invocations that go to other versions
	// than Version; there is at most one.
	Weights    map[string]float64 `json:",omitempty"`
	RevisionID string

	Policy           []Statement `json:",omitempty"`
	PolicyRevisionID string      `json:",omitempty"`
}

// AliasUpdate changes parts of an alias; nil leaves a part as it is.
type AliasUpdate struct {
	Version, Description *string
	Weights              *map[string]float64
	// RevisionID, if not "", must be the alias's current one.
	RevisionID string
}

// pick chooses the version that an invocation runs.
func (a Alias) pick(random float64) string {
	for version, weight := range a.Weights {
		if random < weight {
			return version
		}
	}
	return a.Version
}

// CreateAlias gives a version of a function a name.
func (f *Functions) CreateAlias(ctx context.Context, ref string, a Alias) (Alias, error) {
	name, _, err := f.locate(ref)
	if err != nil {
		return Alias{}, err
	}
	a.Function = name
	f.changing.Lock()
	defer f.changing.Unlock()
	if err := f.checkAlias(a); err != nil {
		return Alias{}, err
	}
	if _, ok := f.aliases.Get(versionKey(name, a.Name)); ok {
		return Alias{}, errorf(ErrExists, "Alias already exists: %s", ARN(f.identity, name, a.Name))
	}
	return f.putAlias(ctx, a)
}

// putAlias stores an alias in a new revision.
func (f *Functions) putAlias(ctx context.Context, a Alias) (Alias, error) {
	a.RevisionID = uuid.NewString()
	if err := f.aliases.Put(versionKey(a.Function, a.Name), a); err != nil {
		return Alias{}, fmt.Errorf("alias %s of function %s: %w", a.Name, a.Function, err)
	}
	return a, ctx.Err()
}

// checkAlias makes sure that an alias means what exists.
func (f *Functions) checkAlias(a Alias) error {
	if _, ok := f.find(a.Function, a.Version); !ok {
		return f.notFound(a.Function, a.Version)
	}
	if len(a.Weights) > 1 {
		return invalidf("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for version := range a.Weights {
		switch _, ok := f.versions.Get(versionKey(a.Function, version)); {
		case version == a.Version:
			return invalidf("Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
		case a.Version == LatestVersion:
			return invalidf("$LATEST is not supported for an alias pointing to more than 1 version")
		case !ok:
			return f.notFound(a.Function, version)
		}
	}
	return nil
}

// Alias returns an alias of a function.
func (f *Functions) Alias(ref, alias string) (Alias, error) {
	name, _, err := f.locate(ref)
	if err != nil {
		return Alias{}, err
	}
	a, ok := f.aliases.Get(versionKey(name, alias))
	if !ok {
		return Alias{}, f.noAlias(name, alias)
	}
	return a, nil
}

func (f *Functions) noAlias(name, alias string) error {
	return errorf(ErrNotFound, "Cannot find alias arn: %s", ARN(f.identity, name, alias))
}

// Aliases returns the aliases of a function in order of their names.
func (f *Functions) Aliases(ref string) ([]Alias, error) {
	name, _, err := f.locate(ref)
	if err != nil {
		return nil, err
	}
	if _, ok := f.defs.Get(name); !ok {
		return nil, f.notFound(name, "")
	}
	return f.aliasesOf(name), nil
}

func (f *Functions) aliasesOf(name string) []Alias {
	return slices.DeleteFunc(f.aliases.All(), func(a Alias) bool { return a.Function != name })
}

// UpdateAlias changes parts of an alias. Invocations that run end as they began.
func (f *Functions) UpdateAlias(ctx context.Context, ref, alias string, u AliasUpdate) (Alias, error) {
	name, _, err := f.locate(ref)
	if err != nil {
		return Alias{}, err
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	a, ok := f.aliases.Get(versionKey(name, alias))
	if !ok {
		return Alias{}, errorf(ErrNotFound, "Alias not found: %s", ARN(f.identity, name, alias))
	}
	if u.RevisionID != "" && u.RevisionID != a.RevisionID {
		return Alias{}, errRevision
	}
	set(&a.Version, u.Version)
	set(&a.Description, u.Description)
	if u.Weights != nil {
		a.Weights = maps.Clone(*u.Weights)
	}
	if err := f.checkAlias(a); err != nil {
		return Alias{}, err
	}
	return f.putAlias(ctx, a)
}

// DeleteAlias removes an alias; one that does not exist is no error.
func (f *Functions) DeleteAlias(ctx context.Context, ref, alias string) error {
	name, _, err := f.locate(ref)
	if err != nil {
		return err
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	if _, ok := f.defs.Get(name); !ok {
		return f.notFound(name, "")
	}
	tx := f.db.Begin()
	f.aliases.DeleteIn(tx, versionKey(name, alias))
	f.dropEventInvokeConfigIn(tx, name, alias)
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("delete alias %s of function %s: %w", alias, name, err)
	}
	f.forgetQualifier(name, alias)
	return ctx.Err()
}

// resolve returns the version that an invocation with a qualifier runs.
func (f *Functions) resolve(name, qualifier string) (string, error) {
	if qualifier == "" || qualifier == LatestVersion {
		return LatestVersion, nil
	}
	if isVersion(qualifier) {
		return qualifier, nil
	}
	a, ok := f.aliases.Get(versionKey(name, qualifier))
	if !ok {
		return "", f.notFound(name, qualifier)
	}
	if len(a.Weights) == 0 {
		return a.Version, nil
	}
	return a.pick(rand.Float64()), nil
}
