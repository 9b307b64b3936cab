package object

import (
	"context"
	"strings"

	"github.com/weirstream/weir/internal/store"
)

// MaxKeys is how many keys and prefixes a page of a list has at most.
const MaxKeys = 1000

// Query says which keys of a bucket to list.
type Query struct {
	Prefix string
	// Delimiter, if any, makes one entry of all keys that have the same text up to
	// its next occurrence behind the prefix.
	Delimiter string
	After     string // keys and common prefixes that are greater
	Max       int    // entries, at most MaxKeys
}

// Page is a part of a list, in the order of the bytes.
type Page struct {
	Objects  []Object
	Prefixes []string
	// Next is the last entry, to go on after, if there are more; else "".
	Next string
}

// List lists keys of a bucket.
func (b *Buckets) List(ctx context.Context, bucket string, q Query) (Page, error) {
	if err := ctx.Err(); err != nil {
		return Page{}, err
	}
	if !b.Exists(bucket) {
		return Page{}, noSuchBucket(bucket)
	}
	root := objectPrefix(bucket)
	lower := append(root[:len(root):len(root)], q.Prefix...)
	it, err := b.db.Scan(lower, store.PrefixEnd(lower))
	if err != nil {
		return Page{}, err
	}
	defer it.Close()
	var page Page
	last := ""
	for ok := it.Seek(append(root[:len(root):len(root)], q.After...)); ok; {
		key := string(it.Key()[len(root):])
		common, isCommon := q.common(key)
		switch {
		case key == q.After && q.After != "", isCommon && common <= q.After:
		case len(page.Objects)+len(page.Prefixes) == min(q.Max, MaxKeys):
			page.Next = last
			return page, it.Close()
		case isCommon:
			page.Prefixes = append(page.Prefixes, common)
			last = common
		default:
			o, err := decodeObject(key, it.Value())
			if err != nil {
				return Page{}, err
			}
			page.Objects = append(page.Objects, o)
			last = key
		}
		if isCommon {
			ok = it.Seek(store.PrefixEnd(append(root[:len(root):len(root)], common...)))
		} else {
			ok = it.Next()
		}
	}
	return page, it.Close()
}

// common returns the prefix that stands for a key, if one does.
func (q Query) common(key string) (prefix string, ok bool) {
	if q.Delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(q.Prefix):], q.Delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(q.Prefix)+i+len(q.Delimiter)], true
}
