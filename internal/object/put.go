package object

import (
	"context"
	"io"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	maxPutBytes = 5 << 30
	// maxDelete is how many keys one call of Delete takes.
	maxDelete = 1000
)

// Origin is the request that changes an object, for the events that tell of it.
// The zero value is this program itself.
type Origin struct {
	RequestID string // x-amz-request-id
	HostID    string // x-amz-id-2
	SourceIP  string
	Principal string // access key ID
}

// Put is an object to write.
type Put struct {
	Bucket, Key string
	Body        io.Reader
	Meta        Meta
	Expected    Expected
	Condition   Condition
	Origin      Origin
	// Form marks an upload by a form of a browser, which has an event of its own.
	Form bool
}

// Condition is what must hold of the object that is there before a write.
type Condition struct {
	IfMatch     string // its entity tag, without quotes, or "*" for any; "" for no condition
	IfNoneMatch bool   // that there is none
}

func (c Condition) check(key string, old Object, exists bool) error {
	switch {
	case c.IfNoneMatch && exists:
		return preconditionFailed("If-None-Match")
	case c.IfMatch != "" && !exists:
		return noSuchKey(key)
	case c.IfMatch != "" && c.IfMatch != "*" && c.IfMatch != old.ETag:
		return preconditionFailed("If-Match")
	}
	return nil
}

// Put writes an object with what body has, and returns when it is on disk. One of
// the same key is replaced.
func (b *Buckets) Put(ctx context.Context, bucket, key string, body io.Reader, meta Meta) error {
	_, err := b.Write(ctx, Put{Bucket: bucket, Key: key, Body: body, Meta: meta, Expected: Expected{Size: -1}})
	return err
}

// Write is Put with everything that a client can ask for.
func (b *Buckets) Write(ctx context.Context, p Put) (Object, error) {
	if err := b.writable(p.Bucket, p.Key, p.Meta); err != nil {
		return Object{}, err
	}
	// What the condition says now saves reading a body in vain; it counts when the
	// object is entered.
	old, exists, err := b.lookup(p.Bucket, p.Key)
	if err != nil {
		return Object{}, err
	}
	if err := p.Condition.check(p.Key, old, exists); err != nil {
		return Object{}, err
	}
	d, err := newDigests(p.Expected)
	if err != nil {
		return Object{}, err
	}
	id, size, err := b.files.write(ctx, p.Body, d, maxPutBytes)
	if err != nil {
		return Object{}, err
	}
	sum, err := d.verify(size)
	if err != nil {
		b.discard(id)
		return Object{}, err
	}
	o := Object{Key: p.Key, Size: size, ETag: etagOf(d.md5.Sum(nil)), Meta: p.Meta, Checksum: sum, Content: id}
	kind := CreatedPut
	if p.Form {
		kind = CreatedPost
	}
	o, err = b.enter(ctx, p.Bucket, o, p.Condition, kind, p.Origin)
	if err != nil {
		b.discard(id)
		return Object{}, err
	}
	b.files.settled(id)
	return o, nil
}

func (b *Buckets) writable(bucket, key string, meta Meta) error {
	if !b.Exists(bucket) {
		return noSuchBucket(bucket)
	}
	if err := checkKey(key); err != nil {
		return err
	}
	return meta.check()
}

// enter makes a file that was written the content of an object.
func (b *Buckets) enter(ctx context.Context, bucket string, o Object, c Condition, kind Kind, origin Origin) (Object, error) {
	err := b.change(ctx, func(tx *store.Tx) error {
		def, ok := b.buckets.Get(bucket)
		if !ok {
			return noSuchBucket(bucket)
		}
		old, exists, err := b.lookup(bucket, o.Key)
		if err != nil {
			return err
		}
		if err := c.check(o.Key, old, exists); err != nil {
			return err
		}
		o.Modified = now()
		tx.Set(idKey(whatFile, o.Content), nil)
		if err := b.setIn(tx, bucket, o, old, exists); err != nil {
			return err
		}
		return b.announceIn(tx, def, kind, o, origin)
	})
	return o, err
}

// discard removes a file that was not entered.
func (b *Buckets) discard(id ID) {
	if err := b.files.discard(id); err != nil {
		b.log.Warn("an unused file stays until the next start", "file", id.String(), "error", err)
	}
}

// Delete removes objects, at most 1,000. Those that do not exist are no error.
func (b *Buckets) Delete(ctx context.Context, bucket string, keys []string, origin Origin) error {
	return b.delete(ctx, bucket, keys, Condition{}, origin)
}

// DeleteIf removes an object if a condition holds.
func (b *Buckets) DeleteIf(ctx context.Context, bucket, key string, c Condition, origin Origin) error {
	return b.delete(ctx, bucket, []string{key}, c, origin)
}

func (b *Buckets) delete(ctx context.Context, bucket string, keys []string, c Condition, origin Origin) error {
	if len(keys) > maxDelete {
		return errorf(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return b.change(ctx, func(tx *store.Tx) error {
		def, ok := b.buckets.Get(bucket)
		if !ok {
			return noSuchBucket(bucket)
		}
		done := map[string]bool{}
		for _, key := range keys {
			old, exists, err := b.lookup(bucket, key)
			if err != nil {
				return err
			}
			if err := c.check(key, old, exists); err != nil {
				return err
			}
			if done[key] {
				continue
			}
			if exists {
				tx.Delete(objectKey(bucket, key))
				b.sweeper.doomIn(tx, old.Content)
			}
			// The service tells of keys without an object, too.
			if err := b.announceIn(tx, def, RemovedDelete, Object{Key: key}, origin); err != nil {
				return err
			}
			done[key] = true
		}
		return nil
	})
}

// Copy is an object to write with the bytes of another.
type Copy struct {
	Bucket, Key string
	// Source is the object to copy; its holder closes it.
	Source *Content
	// Meta replaces that of the source, unless it is nil; Tags likewise.
	Meta *Meta
	Tags *map[string]string
	// Algorithm is the checksum to keep; "" is that of the source.
	Algorithm Algorithm
	Condition Condition
	Origin    Origin
}

// Copy writes an object with the bytes of another.
func (b *Buckets) Copy(ctx context.Context, c Copy) (Object, error) {
	from := c.Source.Object
	if from.Size > maxPutBytes {
		return Object{}, errorf(InvalidRequest, "The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxPutBytes))
	}
	meta := from.Meta
	if c.Meta != nil {
		meta = *c.Meta
		meta.Tags = from.Meta.Tags
	}
	if c.Tags != nil {
		meta.Tags = *c.Tags
	}
	algorithm := c.Algorithm
	if algorithm == "" && from.Checksum != nil {
		algorithm = from.Checksum.Algorithm
	}
	if err := b.writable(c.Bucket, c.Key, meta); err != nil {
		return Object{}, err
	}
	d, err := newDigests(Expected{Algorithm: algorithm, Size: from.Size})
	if err != nil {
		return Object{}, err
	}
	id, size, err := b.files.write(ctx, c.Source, d, maxPutBytes)
	if err != nil {
		return Object{}, err
	}
	sum, err := d.verify(size)
	if err == nil {
		o := Object{Key: c.Key, Size: size, ETag: etagOf(d.md5.Sum(nil)), Meta: meta, Checksum: sum, Content: id}
		if o, err = b.enter(ctx, c.Bucket, o, c.Condition, CreatedCopy, c.Origin); err == nil {
			b.files.settled(id)
			return o, nil
		}
	}
	b.discard(id)
	return Object{}, err
}

// SetObjectTags replaces the tags of an object; nil removes them.
func (b *Buckets) SetObjectTags(ctx context.Context, bucket, key string, tags map[string]string, origin Origin) error {
	if err := checkTags(tags, maxObjectTags); err != nil {
		return err
	}
	return b.change(ctx, func(tx *store.Tx) error {
		def, ok := b.buckets.Get(bucket)
		if !ok {
			return noSuchBucket(bucket)
		}
		o, exists, err := b.lookup(bucket, key)
		if err != nil {
			return err
		}
		if !exists {
			return noSuchKey(key)
		}
		kind := TaggingPut
		if tags == nil {
			kind = TaggingDelete
		}
		o.Meta.Tags = tags
		if err := b.setIn(tx, bucket, o, o, true); err != nil {
			return err
		}
		return b.announceIn(tx, def, kind, o, origin)
	})
}

// sequencer orders the changes of a key: 18 hexadecimal digits, later ones greater.
// The caller holds changing.
func (b *Buckets) sequencer() uint64 {
	b.sequence = max(b.sequence+1, uint64(time.Now().UnixNano()))
	return b.sequence
}
