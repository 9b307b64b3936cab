package table

import (
	"github.com/weirstream/weir/internal/table/attr"
)

// Value is one attribute value.
type Value = attr.Value

// Item is a set of named attributes.
type Item = attr.Item

// AppendItemJSON appends the DynamoDB JSON notation of an item.
func AppendItemJSON(dst []byte, it Item) []byte { return attr.AppendItemJSON(dst, it) }

// ParseItemJSON reads an item in DynamoDB JSON notation.
func ParseItemJSON(src []byte) (Item, error) { return attr.ParseItemJSON(src) }
