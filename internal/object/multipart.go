package object

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	maxPartNumber  = 10_000
	maxPartBytes   = 5 << 30
	minPartBytes   = 5 << 20
	maxObjectBytes = 5 << 40
)

// Upload is an upload in parts that is under way.
type Upload struct {
	ID        ID     `json:"-"`
	Bucket    string `json:"-"`
	Key       string `json:"-"`
	Meta      Meta   `json:",omitzero"`
	Initiated time.Time
	// Algorithm and Type of the checksum to keep; "" for none.
	Algorithm Algorithm    `json:",omitempty"`
	Type      ChecksumType `json:",omitempty"`
}

// Part is a part that was uploaded.
type Part struct {
	Number    int
	Size      int64
	ETag      string // without quotes
	Modified  time.Time
	Algorithm Algorithm // of the checksum; "" without one
	Checksum  string    // base64
}

// part is a part as it is stored.
type part struct {
	number    int
	File      ID
	Size      int64
	MD5       string // hexadecimal
	Modified  time.Time
	Algorithm Algorithm `json:",omitempty"`
	Checksum  string    `json:",omitempty"`
}

func (p part) public() Part {
	return Part{Number: p.number, Size: p.Size, ETag: p.MD5, Modified: p.Modified, Algorithm: p.Algorithm, Checksum: p.Checksum}
}

func uploadPrefix(bucket string) []byte {
	k := append(store.Key(store.DomainObject, len(bucket)+64), whatUpload)
	return store.AppendString(k, bucket)
}

func uploadKey(bucket, key string, id ID) []byte {
	return store.AppendUint64(store.AppendString(uploadPrefix(bucket), key), uint64(id))
}

func partKey(upload ID, number int) []byte {
	return store.AppendUint32(idKey(whatPart, upload), uint32(number))
}

// StartUpload begins an upload in parts.
func (b *Buckets) StartUpload(ctx context.Context, u Upload) (Upload, error) {
	if err := b.writable(u.Bucket, u.Key, u.Meta); err != nil {
		return Upload{}, err
	}
	if err := u.checkChecksum(); err != nil {
		return Upload{}, err
	}
	var err error
	if u.ID, err = b.files.number(); err != nil {
		return Upload{}, err
	}
	b.files.settled(u.ID) // an upload has no file of its own
	u.Initiated = now()
	doc, err := json.Marshal(u)
	if err != nil {
		return Upload{}, fmt.Errorf("upload: %w", err)
	}
	return u, b.change(ctx, func(tx *store.Tx) error {
		if !b.Exists(u.Bucket) {
			return noSuchBucket(u.Bucket)
		}
		tx.Set(uploadKey(u.Bucket, u.Key, u.ID), doc)
		return nil
	})
}

func (u *Upload) checkChecksum() error {
	if err := u.Algorithm.check(); err != nil {
		return err
	}
	switch {
	case u.Algorithm == "" && u.Type != "":
		return errorf(InvalidRequest, "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	case u.Algorithm == "":
	case u.Type == "" && u.Algorithm == CRC64NVME:
		u.Type = FullObject
	case u.Type == "":
		u.Type = Composite
	case u.Type == FullObject && !u.Algorithm.isCRC(), u.Type == Composite && u.Algorithm == CRC64NVME:
		return errorf(InvalidRequest, "The %s checksum type cannot be used with the %s checksum algorithm.", u.Type, strings.ToLower(string(u.Algorithm)))
	case u.Type != FullObject && u.Type != Composite:
		return errorf(InvalidRequest, "Value for x-amz-checksum-type header is invalid.")
	}
	return nil
}

// Upload returns an upload that is under way.
func (b *Buckets) Upload(ctx context.Context, bucket, key, uploadID string) (Upload, error) {
	if err := ctx.Err(); err != nil {
		return Upload{}, err
	}
	if !b.Exists(bucket) {
		return Upload{}, noSuchBucket(bucket)
	}
	id, ok := parseID(uploadID)
	if !ok {
		return Upload{}, noSuchUpload(uploadID)
	}
	doc, ok, err := b.db.Get(uploadKey(bucket, key, id))
	if err != nil {
		return Upload{}, err
	}
	if !ok {
		return Upload{}, noSuchUpload(uploadID)
	}
	u := Upload{ID: id, Bucket: bucket, Key: key}
	if err := json.Unmarshal(doc, &u); err != nil {
		return Upload{}, fmt.Errorf("upload %s: %w", uploadID, err)
	}
	return u, nil
}

// underWay fails if an upload was completed or ended. The caller holds changing.
func (b *Buckets) underWay(u Upload) error {
	_, ok, err := b.db.Get(uploadKey(u.Bucket, u.Key, u.ID))
	if err == nil && !ok {
		return noSuchUpload(u.ID.String())
	}
	return err
}

func byNumber(p part, number int) int { return p.number - number }

// WritePart uploads a part, replacing one of the same number.
func (b *Buckets) WritePart(ctx context.Context, u Upload, number int, body io.Reader, want Expected) (Part, error) {
	if number < 1 || number > maxPartNumber {
		return Part{}, errorf(InvalidArgument, "Part number must be an integer between 1 and %d, inclusive", maxPartNumber).
			with("ArgumentName", "partNumber").with("ArgumentValue", number)
	}
	if want.Algorithm == "" {
		want.Algorithm = u.Algorithm
	} else if u.Algorithm != "" && want.Algorithm != u.Algorithm {
		return Part{}, errorf(InvalidRequest, "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(string(u.Algorithm)), strings.ToLower(string(want.Algorithm)))
	}
	d, err := newDigests(want)
	if err != nil {
		return Part{}, err
	}
	id, size, err := b.files.write(ctx, body, d, maxPartBytes)
	if err != nil {
		return Part{}, err
	}
	sum, err := d.verify(size)
	if err != nil {
		b.discard(id)
		return Part{}, err
	}
	p := part{number: number, File: id, Size: size, MD5: etagOf(d.md5.Sum(nil)), Modified: now()}
	if sum != nil {
		p.Algorithm, p.Checksum = sum.Algorithm, sum.Value
	}
	if err := b.enterPart(ctx, u, p); err != nil {
		b.discard(id)
		return Part{}, err
	}
	b.files.settled(id)
	return p.public(), nil
}

func (b *Buckets) enterPart(ctx context.Context, u Upload, p part) error {
	doc, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("part %d: %w", p.number, err)
	}
	return b.change(ctx, func(tx *store.Tx) error {
		if err := b.underWay(u); err != nil {
			return err
		}
		key := partKey(u.ID, p.number)
		replaced, ok, err := b.db.Get(key)
		if err != nil {
			return err
		}
		if ok {
			var old part
			if err := json.Unmarshal(replaced, &old); err != nil {
				return fmt.Errorf("part %d: %w", p.number, err)
			}
			b.sweeper.doomIn(tx, old.File)
		}
		tx.Set(key, doc)
		tx.Set(idKey(whatFile, p.File), nil)
		return nil
	})
}

// partsOf returns the parts of an upload that is under way or completed, in order.
func (b *Buckets) partsOf(upload ID) ([]part, error) {
	prefix := idKey(whatPart, upload)
	it, err := b.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var parts []part
	for ok := it.First(); ok; ok = it.Next() {
		rest := it.Key()[len(prefix):]
		if len(rest) != 4 {
			return nil, fmt.Errorf("key %x: malformed", it.Key())
		}
		p := part{number: int(binary.BigEndian.Uint32(rest))}
		if err := json.Unmarshal(it.Value(), &p); err != nil {
			return nil, fmt.Errorf("part %d: %w", p.number, err)
		}
		parts = append(parts, p)
	}
	return parts, it.Close()
}

// Parts returns up to limit parts of an upload with numbers above after, and
// whether there are more.
func (b *Buckets) Parts(ctx context.Context, u Upload, after, limit int) (parts []Part, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	return b.pageOfParts(u.ID, after, limit)
}

// Parts is Parts of the upload that the object was made of; there are none if it was
// sent whole.
func (c *Content) Parts(after, limit int) (parts []Part, more bool, err error) {
	if c.Object.Parts == 0 {
		return nil, false, nil
	}
	return c.b.pageOfParts(c.Object.Content, after, limit)
}

func (b *Buckets) pageOfParts(id ID, after, limit int) (parts []Part, more bool, err error) {
	all, err := b.partsOf(id)
	if err != nil {
		return nil, false, err
	}
	for _, p := range all {
		if p.number <= after {
			continue
		}
		if len(parts) == limit {
			return parts, true, nil
		}
		parts = append(parts, p.public())
	}
	return parts, false, nil
}

// Completion makes an object of an upload.
type Completion struct {
	Upload Upload
	// Parts are those to use; a checksum is compared when it is given.
	Parts []Part
	// Checksum is that of the object, base64; "" is not compared.
	Checksum string
	// Algorithm is that of Checksum.
	Algorithm Algorithm
	// Type is that of the checksum; "" is not compared.
	Type ChecksumType
	// Size of the object in bytes; nil is not compared.
	Size      *int64
	Condition Condition
	Origin    Origin
}

// CompleteUpload makes an object of an upload. The parts that are not used are
// removed.
func (b *Buckets) CompleteUpload(ctx context.Context, c Completion) (Object, error) {
	var o Object
	err := b.change(ctx, func(tx *store.Tx) error {
		u := c.Upload
		def, ok := b.buckets.Get(u.Bucket)
		if !ok {
			return noSuchBucket(u.Bucket)
		}
		if err := b.underWay(u); err != nil {
			return err
		}
		stored, err := b.partsOf(u.ID)
		if err != nil {
			return err
		}
		used, err := c.choose(stored)
		if err != nil {
			return err
		}
		if o, err = c.assemble(used); err != nil {
			return err
		}
		old, exists, err := b.lookup(u.Bucket, u.Key)
		if err != nil {
			return err
		}
		if err := c.Condition.check(u.Key, old, exists); err != nil {
			return err
		}
		for _, p := range stored {
			if _, ok := slices.BinarySearchFunc(used, p.number, byNumber); !ok {
				tx.Delete(partKey(u.ID, p.number))
				b.sweeper.doomIn(tx, p.File)
			}
		}
		tx.Delete(uploadKey(u.Bucket, u.Key, u.ID))
		if err := b.setIn(tx, u.Bucket, o, old, exists); err != nil {
			return err
		}
		return b.announceIn(tx, def, CreatedComplete, o, c.Origin)
	})
	return o, err
}

// Completed returns the object that an upload has become, as long as nothing has
// replaced it; a client may complete an upload again when it missed the answer. The
// error is of the code NoSuchUpload if there is no such object.
func (b *Buckets) Completed(ctx context.Context, bucket, key, uploadID string) (Object, error) {
	var o Object
	err := b.change(ctx, func(tx *store.Tx) error {
		old, exists, err := b.lookup(bucket, key)
		if err != nil {
			return err
		}
		if !exists || old.Parts == 0 || old.Content.String() != uploadID {
			return noSuchUpload(uploadID)
		}
		o = old
		// The completion may still be on its way to the disk. What is written after
		// it is not there before it.
		return b.setIn(tx, bucket, old, old, true)
	})
	return o, err
}

// choose finds the parts that a completion lists.
func (c Completion) choose(stored []part) ([]part, error) {
	if len(c.Parts) == 0 || len(c.Parts) > maxPartNumber {
		return nil, errorf(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if c.Type != "" && c.Type != c.Upload.Type {
		return nil, errorf(InvalidRequest, "The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", cmp.Or(c.Upload.Type, "null"))
	}
	invalid := errorf(InvalidPart, "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
		with("UploadId", c.Upload.ID)
	used := make([]part, 0, len(c.Parts))
	if !slices.IsSortedFunc(c.Parts, func(p, q Part) int { return cmp.Or(p.Number-q.Number, -1) }) {
		return nil, errorf(InvalidPartOrder, "The list of parts was not in ascending order. Parts must be ordered by part number.").with("UploadId", c.Upload.ID)
	}
	for i, want := range c.Parts {
		at, ok := slices.BinarySearchFunc(stored, want.Number, byNumber)
		if ok && stored[at].MD5 == want.ETag && want.Checksum != "" && c.Upload.Algorithm != "" && want.Algorithm != c.Upload.Algorithm {
			return nil, errorf(BadDigest, "The %s you specified for part %d did not match what we received.", strings.ToLower(string(want.Algorithm)), want.Number)
		}
		if !ok || stored[at].MD5 != want.ETag || want.Checksum != "" && (c.Upload.Algorithm == "" || want.Checksum != stored[at].Checksum) {
			return nil, invalid.with("PartNumber", want.Number).with("ETag", want.ETag)
		}
		if c.Upload.Type == Composite && want.Checksum == "" {
			return nil, errorf(InvalidRequest, "The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
				strings.ToLower(string(c.Upload.Algorithm)), want.Number)
		}
		if i < len(c.Parts)-1 && stored[at].Size < minPartBytes {
			return nil, errorf(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size").
				with("ProposedSize", stored[at].Size).with("MinSizeAllowed", minPartBytes).with("PartNumber", want.Number).with("ETag", want.ETag)
		}
		used = append(used, stored[at])
	}
	return used, nil
}

// assemble describes the object that parts make.
func (c Completion) assemble(parts []part) (Object, error) {
	u := c.Upload
	o := Object{Key: u.Key, Modified: now(), Meta: u.Meta, Parts: len(parts), Content: u.ID}
	sums := md5.New()
	for _, p := range parts {
		o.Size += p.Size
		raw, err := hex.DecodeString(p.MD5)
		if err != nil {
			return Object{}, fmt.Errorf("part %d: %w", p.number, err)
		}
		sums.Write(raw)
	}
	if c.Size != nil && *c.Size != o.Size {
		return Object{}, errorf(InvalidRequest, "The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *c.Size, o.Size)
	}
	if o.Size > maxObjectBytes {
		return Object{}, errorf(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size").with("ProposedSize", o.Size).with("MaxSizeAllowed", int64(maxObjectBytes))
	}
	o.ETag = fmt.Sprintf("%x-%d", sums.Sum(nil), len(parts))
	var err error
	switch u.Type {
	case Composite:
		o.Checksum, err = composite(u.Algorithm, parts)
	case FullObject:
		o.Checksum, err = fullObject(u.Algorithm, parts)
	}
	if err != nil {
		return Object{}, err
	}
	if c.Checksum != "" && !c.agrees(o) {
		return Object{}, errorf(BadDigest, "The %s you specified did not match the calculated checksum.", strings.ToLower(string(u.Algorithm)))
	}
	return o, nil
}

// agrees reports whether the checksum that a completion gives is that of the object.
// The service takes a CRC without a type for one of checksums.
func (c Completion) agrees(o Object) bool {
	switch {
	case o.Checksum == nil:
		return true
	case c.Algorithm != o.Checksum.Algorithm:
		return false
	case o.Checksum.Type == FullObject && c.Type == "" && c.Algorithm != CRC64NVME:
		return false
	}
	return c.Checksum == o.Checksum.Value || c.Checksum+fmt.Sprintf("-%d", o.Parts) == o.Checksum.Value
}

// AbortUpload ends an upload and removes its parts.
func (b *Buckets) AbortUpload(ctx context.Context, u Upload) error {
	return b.change(ctx, func(tx *store.Tx) error {
		if err := b.underWay(u); err != nil {
			return err
		}
		tx.Delete(uploadKey(u.Bucket, u.Key, u.ID))
		b.sweeper.doomIn(tx, u.ID)
		return nil
	})
}

// abortAllIn ends all uploads to a bucket as part of tx.
func (b *Buckets) abortAllIn(tx *store.Tx, bucket string) error {
	return b.eachUpload(bucket, "", func(u Upload) (more bool) {
		tx.Delete(uploadKey(bucket, u.Key, u.ID))
		b.sweeper.doomIn(tx, u.ID)
		return true
	})
}
