package object

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/weirstream/weir/internal/store"
)

const (
	whatObject  = 'o'
	whatUpload  = 'u'
	whatPart    = 'p'
	whatFile    = 'f'
	whatGarbage = 'g'
	whatEvent   = 'd'

	whatReservation = 'r'
)

// ID names the bytes of an object: a file, or an upload in parts.
type ID uint64

// String returns the ID in hexadecimal, 16 digits.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

func parseID(s string) (id ID, ok bool) {
	n, err := strconv.ParseUint(s, 16, 64)
	return ID(n), err == nil && ID(n).String() == s
}

// Meta is what a client says of an object.
type Meta struct {
	ContentType        string            `json:",omitempty"` // "" is binary/octet-stream
	ContentEncoding    string            `json:",omitempty"`
	ContentLanguage    string            `json:",omitempty"`
	ContentDisposition string            `json:",omitempty"`
	CacheControl       string            `json:",omitempty"`
	Expires            string            `json:",omitempty"` // as it was sent
	StorageClass       string            `json:",omitempty"` // "" is STANDARD
	User               map[string]string `json:",omitempty"` // names in lower case
	Tags               map[string]string `json:",omitempty"`
}

var storageClasses = map[string]bool{"": true, "STANDARD": true, "REDUCED_REDUNDANCY": true, "STANDARD_IA": true, "ONEZONE_IA": true, "GLACIER_IR": true, "INTELLIGENT_TIERING": true}

func (m Meta) check() error {
	size := 0
	for name, value := range m.User {
		size += len(name) + len(value)
	}
	if size > maxMetadata {
		return errorf(MetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size").with("Size", size).with("MaxSizeAllowed", maxMetadata)
	}
	if !storageClasses[m.StorageClass] {
		return errorf(InvalidStorageClass, "The storage class you specified is not valid").with("StorageClassRequested", m.StorageClass)
	}
	return checkTags(m.Tags, maxObjectTags)
}

// Object is what is known of an object.
type Object struct {
	Key      string `json:"-"`
	Size     int64
	ETag     string // without quotes
	Modified time.Time
	Meta     Meta      `json:",omitzero"`
	Checksum *Checksum `json:",omitempty"` // nil when none was asked for
	Parts    int       `json:",omitempty"` // of an upload in parts, else 0
	Content  ID
}

func objectPrefix(bucket string) []byte {
	k := append(store.Key(store.DomainObject, len(bucket)+4), whatObject)
	return store.AppendString(k, bucket)
}

func objectKey(bucket, key string) []byte { return append(objectPrefix(bucket), key...) }

func idKey(what byte, id ID) []byte {
	return store.AppendUint64(append(store.Key(store.DomainObject, 9), what), uint64(id))
}

// lookup reads an object; ok is false when there is none.
func (b *Buckets) lookup(bucket, key string) (o Object, ok bool, err error) {
	doc, ok, err := b.db.Get(objectKey(bucket, key))
	if err != nil || !ok {
		return Object{}, false, err
	}
	o, err = decodeObject(key, doc)
	return o, err == nil, err
}

func decodeObject(key string, doc []byte) (Object, error) {
	o := Object{Key: key}
	if err := json.Unmarshal(doc, &o); err != nil {
		return Object{}, fmt.Errorf("object %q: %w", key, err)
	}
	return o, nil
}

// setIn enters an object as part of tx. The bytes of the one that it replaces are
// removed later. The caller holds changing.
func (b *Buckets) setIn(tx *store.Tx, bucket string, o Object, old Object, replaces bool) error {
	doc, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("object %q: %w", o.Key, err)
	}
	tx.Set(objectKey(bucket, o.Key), doc)
	if replaces && old.Content != o.Content {
		b.sweeper.doomIn(tx, old.Content)
	}
	return nil
}

// etagOf is the entity tag of an object that was sent whole.
func etagOf(md5 []byte) string { return hex.EncodeToString(md5) }
