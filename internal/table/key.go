package table

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
)

// KeyAttribute is one part of a key.
type KeyAttribute struct {
	Name string
	Type string // S, N or B
}

func (k KeyAttribute) kind() attr.Kind { return attr.KindOf(k.Type) }

// Limits of key attributes in bytes.
const (
	maxHashKeyBytes  = 2048
	maxRangeKeyBytes = 1024
)

// schema is how a table finds its items.
type schema struct {
	id    uint64         // of the table
	parts []KeyAttribute // hash key, and range key if there is one
}

// rangeKey returns the range key, if there is one.
func (s *schema) rangeKey() (KeyAttribute, bool) {
	if len(s.parts) < 2 {
		return KeyAttribute{}, false
	}
	return s.parts[1], true
}

var errKeyMismatch = attr.Invalidf("The provided key element does not match the schema")

// checkKey refuses an item that is not exactly a key of the table.
func (s *schema) checkKey(key Item) error {
	if key.Len() != len(s.parts) {
		return errKeyMismatch
	}
	for i, part := range s.parts {
		v := key.Get(part.Name)
		if v.Kind() != part.kind() {
			return errKeyMismatch
		}
		if err := checkKeyValue(part, v, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// checkItem refuses an item that lacks a valid key.
func (s *schema) checkItem(it Item) error {
	for i, part := range s.parts {
		v := it.Get(part.Name)
		switch {
		case !v.Exists():
			return invalidParameter("Missing the key %s in the item", part.Name)
		case v.Kind() != part.kind():
			return invalidParameter("Type mismatch for key %s expected: %s actual: %s", part.Name, part.Type, v.Kind())
		}
		if err := checkKeyValue(part, v, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// isEmptyText reports whether v is an S or B without a byte, which no key can be.
func isEmptyText(v Value) bool {
	return v.Kind() != attr.Number && len(v.Text()) == 0
}

func textName(v Value) string {
	if v.Kind() == attr.Binary {
		return "binary"
	}
	return "string"
}

func checkKeyValue(part KeyAttribute, v Value, isHash bool) error {
	switch n := len(v.Text()); {
	case isEmptyText(v):
		return attr.Invalidf("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", textName(v), part.Name)
	case isHash && n > maxHashKeyBytes:
		return invalidParameter("Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case !isHash && n > maxRangeKeyBytes:
		return invalidParameter("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

// keyOf returns the key attributes of an item.
func (s *schema) keyOf(it Item) Item {
	if len(s.parts) == 1 {
		return attr.NewItem(attr.Attribute{Name: s.parts[0].Name, Value: it.Get(s.parts[0].Name)})
	}
	return attr.NewItem(
		attr.Attribute{Name: s.parts[0].Name, Value: it.Get(s.parts[0].Name)},
		attr.Attribute{Name: s.parts[1].Name, Value: it.Get(s.parts[1].Name)},
	)
}

// prefixLen is the length of what precedes the key attributes in a store key.
const prefixLen = 1 + 8 + 4

// tablePrefix returns what all items of a table have in front.
func tablePrefix(id uint64) []byte {
	return store.AppendUint64(store.Key(store.DomainItem, 8), id)
}

// storeKey returns the key under which the store has an item with the given key
// attributes, which must be valid.
func (s *schema) storeKey(it Item) []byte {
	key := s.partition(it.Get(s.parts[0].Name))
	if part, ok := s.rangeKey(); ok {
		key = appendKeyValue(key, it.Get(part.Name))
	}
	return key
}

// partition returns what all items with a hash key have in front.
func (s *schema) partition(hashKey Value) []byte {
	key := make([]byte, 0, prefixLen+len(hashKey.Encoded())+32)
	key = append(key, byte(store.DomainItem))
	key = store.AppendUint64(key, s.id)
	key = append(key, 0, 0, 0, 0)
	key = appendKeyValue(key, hashKey)
	store.AppendUint32(key[:prefixLen-4], scatter(key[prefixLen:]))
	return key
}

// scatter is the hash by which partitions are ordered.
func scatter(hashKey []byte) uint32 { return uint32(xxhash.Sum64(hashKey) >> 32) }

// scatterOf returns the hash in a store key.
func scatterOf(storeKey []byte) uint32 {
	h, _, _ := store.CutUint32(storeKey[prefixLen-4:])
	return h
}

func appendKeyValue(key []byte, v Value) []byte {
	if v.Kind() == attr.Number {
		return append(key, v.Encoded()[1:]...)
	}
	return store.AppendString(key, v.Text())
}

// appendKeyPrefix appends what the written form of every S or B begins with that
// itself begins with v.
func appendKeyPrefix(key []byte, v Value) []byte {
	key = appendKeyValue(key, v)
	return key[:len(key)-2] // without the end mark
}

// after returns the smallest key greater than the given one.
func after(key []byte) []byte { return append(bytes.Clone(key), 0) }
