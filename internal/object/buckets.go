package object

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// Config of [Open].
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	Log      *slog.Logger // nil discards
	// Dir is the folder of the files.
	Dir string
	// FS replaces the file system, for tests that crash.
	FS vfs.FS
	// Functions, Topics and Queues take the events that buckets are configured to
	// tell them; nil refuses such configurations.
	Functions, Topics, Queues Target
}

// Bucket is the definition of a bucket.
type Bucket struct {
	Name string
	// Location is the location constraint of its creation; "" is us-east-1.
	Location string            `json:",omitempty"`
	Tags     map[string]string `json:",omitempty"`
	// Policy is a JSON document that is kept and not enforced.
	Policy        string        `json:",omitempty"`
	Notifications Notifications `json:",omitzero"`
	Created       time.Time
}

// Buckets holds buckets and objects. Its methods can be called concurrently.
type Buckets struct {
	cfg     Config
	db      *store.DB
	log     *slog.Logger
	buckets *catalog.Collection[Bucket]
	files   *files
	sweeper *sweeper
	outbox  *outbox

	// changing serialises changes until they are applied; it is not held while they
	// are synced or while bytes are written.
	changing  sync.Mutex
	sequence  uint64 // of the last change, for sequencers
	closeOnce sync.Once
}

// maxBuckets is the service's quota of buckets of an account.
const maxBuckets = 10_000

// Open loads the buckets, puts the files in order and goes on with what is to be
// removed and delivered.
func Open(cfg Config) (*Buckets, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.FS == nil {
		cfg.FS = vfs.Default
	}
	b := &Buckets{cfg: cfg, db: cfg.DB, log: cfg.Log}
	var err error
	if b.buckets, err = catalog.Load[Bucket](cfg.DB, "bucket"); err != nil {
		return nil, fmt.Errorf("buckets: %w", err)
	}
	if b.files, err = openFiles(cfg.FS, cfg.Dir, cfg.DB); err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	if b.sweeper, err = openSweeper(b); err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	if b.outbox, err = openOutbox(b); err != nil {
		b.sweeper.close()
		return nil, fmt.Errorf("events of buckets: %w", err)
	}
	return b, nil
}

// Close interrupts deliveries and returns when they have ended; they are made when
// the store is opened again.
func (b *Buckets) Close() error {
	b.closeOnce.Do(func() {
		b.outbox.close()
		b.sweeper.close()
	})
	return nil
}

// Region returns the region of the buckets.
func (b *Buckets) Region() string { return b.cfg.Identity.Region }

// Account returns the account that owns the buckets.
func (b *Buckets) Account() string { return b.cfg.Identity.Account }

// change runs f with a transaction, no other change in between, and returns when
// it is on disk.
func (b *Buckets) change(ctx context.Context, f func(tx *store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := b.db.Begin()
	defer tx.Discard()
	apply := func() error {
		b.changing.Lock()
		defer b.changing.Unlock()
		if err := f(tx); err != nil {
			return err
		}
		return tx.Apply()
	}
	if err := apply(); err != nil {
		return err
	}
	return tx.Wait()
}

// CreateBucket creates a bucket with tags, which may be nil. One that exists is an
// error of the code BucketExists.
func (b *Buckets) CreateBucket(ctx context.Context, name, location string, tags map[string]string) error {
	if !validBucketName(name) {
		return errorf(InvalidBucketName, "The specified bucket is not valid.").with("BucketName", name)
	}
	if err := checkTags(tags, maxBucketTags); err != nil {
		return err
	}
	return b.change(ctx, func(tx *store.Tx) error {
		if _, ok := b.buckets.Get(name); ok {
			return errorf(BucketExists, "Your previous request to create the named bucket succeeded and you already own it.").with("BucketName", name)
		}
		if b.buckets.Len() >= maxBuckets {
			return errorf(TooManyBuckets, "You have attempted to create more buckets than allowed")
		}
		return b.buckets.PutIn(tx, name, Bucket{Name: name, Location: location, Tags: tags, Created: now()})
	})
}

// DeleteBucket removes an empty bucket, with the uploads to it that were not
// completed.
func (b *Buckets) DeleteBucket(ctx context.Context, name string) error {
	return b.change(ctx, func(tx *store.Tx) error {
		if _, ok := b.buckets.Get(name); !ok {
			return noSuchBucket(name)
		}
		prefix := objectPrefix(name)
		it, err := b.db.Scan(prefix, store.PrefixEnd(prefix))
		if err != nil {
			return err
		}
		defer it.Close()
		if it.First() {
			return errorf(BucketNotEmpty, "The bucket you tried to delete is not empty").with("BucketName", name)
		}
		if err := it.Close(); err != nil {
			return err
		}
		if err := b.abortAllIn(tx, name); err != nil {
			return err
		}
		b.buckets.DeleteIn(tx, name)
		return nil
	})
}

// Bucket returns a bucket's definition.
func (b *Buckets) Bucket(ctx context.Context, name string) (Bucket, error) {
	if err := ctx.Err(); err != nil {
		return Bucket{}, err
	}
	def, ok := b.buckets.Get(name)
	if !ok {
		return Bucket{}, noSuchBucket(name)
	}
	return def, nil
}

// Exists reports whether there is a bucket of a name.
func (b *Buckets) Exists(name string) bool {
	_, ok := b.buckets.Get(name)
	return ok
}

// Buckets returns the definitions in the order of their names.
func (b *Buckets) Buckets() []Bucket { return b.buckets.All() }

// SetTags replaces the tags of a bucket; nil removes them.
func (b *Buckets) SetTags(ctx context.Context, name string, tags map[string]string) error {
	if err := checkTags(tags, maxBucketTags); err != nil {
		return err
	}
	return b.changeBucket(ctx, name, func(def *Bucket) { def.Tags = tags })
}

// maxPolicy is the longest policy of a bucket in bytes.
const maxPolicy = 20 << 10

// SetPolicy keeps a policy for a bucket; "" removes it. Nothing enforces it.
func (b *Buckets) SetPolicy(ctx context.Context, name, policy string) error {
	if len(policy) > maxPolicy {
		return errorf(MalformedPolicy, "Policies must be valid JSON and the first byte must be '{'")
	}
	return b.changeBucket(ctx, name, func(def *Bucket) { def.Policy = policy })
}

func (b *Buckets) changeBucket(ctx context.Context, name string, f func(*Bucket)) error {
	return b.change(ctx, func(tx *store.Tx) error {
		def, ok := b.buckets.Get(name)
		if !ok {
			return noSuchBucket(name)
		}
		f(&def)
		return b.buckets.PutIn(tx, name, def)
	})
}

// now is the time as it is kept: the service tells it in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
