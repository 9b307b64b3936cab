// Package attr owns attribute values: the data model of items, their order,
// their sizes, their binary form and their JSON notation.
//
// A [Value] and an [Item] hold their binary form and nothing else. What is read
// from the store is used as it is, an attribute that an operation does not touch
// is copied as bytes, and nothing is decoded before it is looked at. Values are
// immutable: no function modifies bytes that a Value refers to, and whoever hands
// bytes to [DecodeItem] or [DecodeValue] must not change them afterwards.
//
// The form is canonical: equal values have equal bytes. Attributes of items and
// maps are in byte order of their names, members of sets in the order of their
// bytes (which for numbers is numeric order), and a number has one form.
//
// # Layout
//
//	item    { name length uvarint, name, value length uvarint, value } ...
//	value   kind u8, payload
//	S       the UTF-8 bytes               B     the bytes
//	N       a number, see below           BOOL  00 or 01
//	NULL    nothing                       M     an item
//	L, SS, NS, BS   { value length uvarint, value } ...
//
// A number is a header, digit pairs and a terminator, so that the order of bytes
// is the order of numbers and no number is a prefix of another. The pairs are the
// digits in base 100, aligned at the decimal point, without zero pairs at either
// end; E is the power of 100 of the first one, from -65 to 62.
//
//	positive  80+65+E, then each pair plus 1, then 00
//	zero      80, then 00
//	negative  the positive form with every bit inverted
//
// Keys of the store hold numbers in this form, and strings and binary values as
// store.AppendString writes them.
package attr
