package object

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/weirstream/weir/internal/store"
)

// Uploads returns up to limit uploads to keys with a prefix that follow a key and
// an upload ID, in order, and whether there are more.
func (b *Buckets) Uploads(ctx context.Context, bucket, prefix, afterKey, afterID string, limit int) (uploads []Upload, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if !b.Exists(bucket) {
		return nil, false, noSuchBucket(bucket)
	}
	if afterID != "" {
		if err := b.checkMarker(bucket, afterKey, afterID); err != nil {
			return nil, false, err
		}
	}
	err = b.eachUpload(bucket, prefix, func(u Upload) bool {
		if afterKey != "" && (u.Key < afterKey || u.Key == afterKey && (afterID == "" || u.ID.String() <= afterID)) {
			return true
		}
		if more = len(uploads) == limit; !more {
			uploads = append(uploads, u)
		}
		return !more
	})
	return uploads, more, err
}

// checkMarker refuses the ID of an upload that is none, or one to another key. That of
// an upload that has ended since it was listed is not known any more, and fine.
func (b *Buckets) checkMarker(bucket, key, uploadID string) error {
	_, ok := parseID(uploadID)
	err := b.eachUpload(bucket, "", func(u Upload) bool {
		ok = ok && (u.Key == key || u.ID.String() != uploadID)
		return ok
	})
	if err == nil && !ok {
		return errorf(InvalidArgument, "Invalid uploadId marker").with("ArgumentName", "upload-id-marker").with("ArgumentValue", uploadID)
	}
	return err
}

// eachUpload calls f for the uploads to keys with a prefix until it returns false.
func (b *Buckets) eachUpload(bucket, prefix string, f func(Upload) bool) error {
	root := uploadPrefix(bucket)
	lower := store.AppendString(root[:len(root):len(root)], prefix)
	lower = lower[:len(lower)-2] // without the end of the string
	it, err := b.db.Scan(lower, store.PrefixEnd(lower))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		key, rest, err := store.CutString(it.Key()[len(root):])
		if err != nil || len(rest) != 8 {
			return fmt.Errorf("upload %x: malformed: %w", it.Key(), err)
		}
		u := Upload{ID: ID(binary.BigEndian.Uint64(rest)), Bucket: bucket, Key: string(key)}
		if err := json.Unmarshal(it.Value(), &u); err != nil {
			return fmt.Errorf("upload %s: %w", u.ID, err)
		}
		if !f(u) {
			break
		}
	}
	return it.Close()
}
