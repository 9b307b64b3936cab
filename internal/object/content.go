package object

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Content is an object with its bytes. Reading it reads them all, from the start;
// close it.
type Content struct {
	Object Object

	b        *Buckets
	segments []segment
	all      io.ReadCloser
	closed   bool
}

// segment is a file that is a part of the bytes.
type segment struct {
	file ID
	size int64
}

// Get returns an object with its bytes, which stay readable until it is closed,
// whatever happens to the object.
func (b *Buckets) Get(ctx context.Context, bucket, key string) (*Content, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !b.Exists(bucket) {
		return nil, noSuchBucket(bucket)
	}
	c, err := b.lease(bucket, key)
	if err != nil {
		return nil, err
	}
	if err := c.load(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Head returns what is known of an object.
func (b *Buckets) Head(ctx context.Context, bucket, key string) (Object, error) {
	if err := ctx.Err(); err != nil {
		return Object{}, err
	}
	if !b.Exists(bucket) {
		return Object{}, noSuchBucket(bucket)
	}
	o, ok, err := b.lookup(bucket, key)
	if err == nil && !ok {
		err = noSuchKey(key)
	}
	return o, err
}

// lease finds an object and keeps its bytes from being removed.
func (b *Buckets) lease(bucket, key string) (*Content, error) {
	b.changing.Lock()
	defer b.changing.Unlock()
	o, ok, err := b.lookup(bucket, key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noSuchKey(key)
	}
	b.sweeper.lease(o.Content)
	return &Content{Object: o, b: b}, nil
}

// load finds the files of an object.
func (c *Content) load() error {
	if c.Object.Parts == 0 {
		c.segments = []segment{{c.Object.Content, c.Object.Size}}
		return nil
	}
	parts, err := c.b.partsOf(c.Object.Content)
	if err != nil {
		return err
	}
	for _, p := range parts {
		c.segments = append(c.segments, segment{p.File, p.Size})
	}
	return nil
}

// Part returns the range of a part, numbered from 1 in the order of the bytes; ok
// is false when there is none.
func (c *Content) Part(n int) (offset, length int64, ok bool) {
	if n < 1 || n > len(c.segments) {
		return 0, 0, false
	}
	for _, s := range c.segments[:n-1] {
		offset += s.size
	}
	return offset, c.segments[n-1].size, true
}

// Read implements io.Reader over all bytes.
func (c *Content) Read(p []byte) (int, error) {
	if c.all == nil {
		c.all = c.Range(0, c.Object.Size)
	}
	return c.all.Read(p)
}

// Range returns a reader of length bytes from offset, which must lie within the
// object. Close it before the content.
func (c *Content) Range(offset, length int64) io.ReadCloser {
	return &rangeReader{files: c.b.files, segments: c.segments, skip: offset, left: length}
}

// Close lets go of the bytes. A second call does nothing.
func (c *Content) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	var err error
	if c.all != nil {
		err = c.all.Close()
	}
	c.b.sweeper.release(c.Object.Content)
	return err
}

// rangeReader reads from one file after the other.
type rangeReader struct {
	files    *files
	segments []segment // still to be read, the one of file first
	skip     int64     // of the first segment
	left     int64     // in all
	file     vfs.File
	at       int64 // next byte of file
}

// Read implements io.Reader.
func (r *rangeReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if err := r.position(); err != nil {
		return 0, err
	}
	room := min(int64(len(p)), r.left, r.segments[0].size-r.at)
	n, err := r.file.ReadAt(p[:room], r.at)
	r.at += int64(n)
	r.left -= int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF || err == nil && room > 0 {
		err = fmt.Errorf("file %s of an object is shorter than it was: %w", r.segments[0].file, io.ErrUnexpectedEOF)
	}
	return 0, err
}

// position opens the file that the next byte is in.
func (r *rangeReader) position() error {
	for r.file == nil || r.at == r.segments[0].size {
		if r.file != nil {
			if err := r.Close(); err != nil {
				return err
			}
			r.segments = r.segments[1:]
		}
		for len(r.segments) > 0 && r.skip >= r.segments[0].size {
			r.skip -= r.segments[0].size
			r.segments = r.segments[1:]
		}
		if len(r.segments) == 0 {
			return io.ErrUnexpectedEOF
		}
		var err error
		if r.file, err = r.files.open(r.segments[0].file); err != nil {
			return err
		}
		r.at, r.skip = r.skip, 0
	}
	return nil
}

// Close closes the file that is open.
func (r *rangeReader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// Read returns the bytes of an object of at most limit bytes.
func (b *Buckets) Read(ctx context.Context, bucket, key string, limit int64) ([]byte, error) {
	c, err := b.Get(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if c.Object.Size > limit {
		return nil, errorf(EntityTooLarge, "The object has more than %d bytes", limit).with("MaxSizeAllowed", limit)
	}
	body := make([]byte, c.Object.Size)
	if _, err := io.ReadFull(c, body); err != nil {
		return nil, err
	}
	return body, nil
}
