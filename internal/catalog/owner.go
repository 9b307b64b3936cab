package catalog

import (
	"bytes"
	"cmp"

	"github.com/weirstream/weir/internal/store"
)

// Claim notes whose the store is: definitions and what refers to them hold ARNs, with
// an account and a region that must stay what they are. It returns the owner, which is
// id unless things are defined in the store under another identity. Where no owner is
// noted, since an older Weir noted none, the ARNs tell.
func (id Identity) Claim(db *store.DB) (owner Identity, err error) {
	const server = "server"
	owners, err := Load[Identity](db, "identity")
	if err != nil {
		return Identity{}, err
	}
	owner, known := owners.Get(server)
	if known && owner == id {
		return id, nil
	}
	if known {
		used, err := definesAnything(db, owners.key(server))
		if err != nil || used {
			return owner, err
		}
	} else if owner, err = id.founder(db); err != nil || owner != id {
		return owner, err
	}
	return id, owners.Put(server, id)
}

// founder returns under whom those things in the store were made whose definitions hold
// ARNs. It is id if any was made so, or if there are none.
func (id Identity) founder(db *store.DB) (Identity, error) {
	founder := id
	for _, kind := range []string{"queue", "topic", "mapping", "table-stream"} {
		defs, err := Load[struct{ ARN, SourceARN string }](db, kind)
		if err != nil {
			return Identity{}, err
		}
		for _, d := range defs.All() {
			a, err := ParseARN(cmp.Or(d.ARN, d.SourceARN))
			if err != nil {
				continue
			}
			if founder = (Identity{a.Partition, a.Region, a.Account}); founder == id {
				return id, nil
			}
		}
	}
	return founder, nil
}

// definesAnything reports whether the catalog has a key besides except.
func definesAnything(db *store.DB, except []byte) (bool, error) {
	all := store.Key(store.DomainCatalog, 1)
	it, err := db.Scan(all, store.PrefixEnd(all))
	if err != nil {
		return false, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if !bytes.Equal(it.Key(), except) {
			return true, nil
		}
	}
	return false, it.Close()
}
