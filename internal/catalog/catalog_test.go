package catalog

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/store"
)

type thing struct{ Size int }

func TestCollectionSurvivesRestart(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	db, err := store.Open("data", store.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	things, err := Load[thing](db, "thing")
	if err != nil {
		t.Fatal(err)
	}
	others, err := Load[thing](db, "thing2")
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"b": 2, "a\x00": 1, "gone": 9} {
		if err := things.Put(name, thing{size}); err != nil {
			t.Fatal(err)
		}
	}
	if err := things.Delete("gone"); err != nil {
		t.Fatal(err)
	}
	tx := db.Begin()
	if err := others.PutIn(tx, "never", thing{}); err != nil {
		t.Fatal(err)
	}
	tx.Discard()
	if _, ok := others.Get("never"); ok {
		t.Error("a definition of a discarded transaction is there")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = store.Open("data", store.Options{FS: fs}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if things, err = Load[thing](db, "thing"); err != nil {
		t.Fatal(err)
	}
	if got := things.All(); len(got) != 2 || got[0].Size != 1 || got[1].Size != 2 {
		t.Errorf("after the restart: %+v", got)
	}
	if others, err = Load[thing](db, "thing2"); err != nil || others.Len() != 0 {
		t.Errorf("the other kind: %d, %v", others.Len(), err)
	}
}

func TestStoreBelongsToAnIdentity(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	claim := func(id, want Identity, then func(*store.DB)) {
		t.Helper()
		db, err := store.Open("data", store.Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if owner, err := id.Claim(db); err != nil || owner != want {
			t.Fatalf("%v claims the store: it belongs to %v, %v; want %v", id, owner, err, want)
		}
		then(db)
	}
	define := func(db *store.DB) {
		things, err := Load[thing](db, "thing")
		if err != nil {
			t.Fatal(err)
		}
		if err := things.Put("a", thing{1}); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(*store.DB) {}
	here := DefaultIdentity
	there := Identity{Partition: "aws", Region: "eu-west-1", Account: "111122223333"}
	claim(there, there, nothing)
	claim(here, here, define) // nothing had been defined
	claim(here, here, nothing)
	claim(there, here, nothing)
	claim(here, here, nothing)
}

// A store of which no owner is noted is that of those whose ARNs are in it.
func TestOwnerOfAnOlderStore(t *testing.T) {
	t.Parallel()
	here := DefaultIdentity
	there := Identity{Partition: "aws", Region: "eu-west-1", Account: "111122223333"}
	for _, c := range []struct {
		kind, field string
		of          []Identity
		want        Identity // when here claims it
	}{
		{"stream", "Name", []Identity{there}, here}, // has no ARN of its own
		{"queue", "ARN", []Identity{there}, there},
		{"topic", "ARN", []Identity{there}, there},
		{"table-stream", "ARN", []Identity{there}, there},
		{"mapping", "SourceARN", []Identity{there, there}, there},
		{"queue", "ARN", []Identity{here}, here},
		{"queue", "ARN", []Identity{there, here, there}, here},
	} {
		db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		defs, err := Load[map[string]string](db, c.kind)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range c.of {
			if err := defs.Put(string(rune('a'+i)), map[string]string{c.field: id.ARN("sqs", "q")}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // a claim that fails leaves no mark
			if owner, err := here.Claim(db); err != nil || owner != c.want {
				t.Errorf("%+v: %v %v", c, owner, err)
			}
		}
		if c.want == there {
			if owner, err := there.Claim(db); err != nil || owner != there {
				t.Errorf("%+v: its owner: %v %v", c, owner, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseARN(t *testing.T) {
	t.Parallel()
	const s = "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
	a, err := ParseARN(s)
	if err != nil || a.Resource != "function:f:$LATEST" || a.String() != s {
		t.Errorf("%+v %v", a, err)
	}
	for _, bad := range []string{"", "arn", "arn:aws:s3:::", "x:aws:s3:::b"} {
		if a, err := ParseARN(bad); err == nil {
			t.Errorf("%q became %+v", bad, a)
		}
	}
}
