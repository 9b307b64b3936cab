package attr

import (
	"encoding/base64"
	"unicode/utf8"
)

// AppendJSON appends the DynamoDB JSON notation of a value, such as {"S":"text"}.
func AppendJSON(dst []byte, v Value) []byte {
	kind := v.Kind()
	if kind == Missing {
		return append(dst, "null"...)
	}
	dst = append(dst, '{', '"')
	dst = append(dst, kindNames[kind]...)
	dst = append(dst, '"', ':')
	switch kind {
	case Bool:
		if v.Truth() {
			dst = append(dst, "true"...)
		} else {
			dst = append(dst, "false"...)
		}
	case Null:
		dst = append(dst, "true"...)
	case Map:
		dst = AppendItemJSON(dst, v.Item())
	case List:
		dst = appendElements(dst, v, AppendJSON)
	case StringSet, NumberSet, BinarySet:
		dst = appendElements(dst, v, appendScalarJSON)
	default:
		dst = appendScalarJSON(dst, v)
	}
	return append(dst, '}')
}

// AppendItemJSON appends the DynamoDB JSON notation of an item, such as
// {"name":{"S":"text"}}.
func AppendItemJSON(dst []byte, it Item) []byte {
	dst = append(dst, '{')
	first := true
	for name, v := range it.All() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendJSONString(dst, name)
		dst = append(dst, ':')
		dst = AppendJSON(dst, v)
	}
	return append(dst, '}')
}

func appendElements(dst []byte, v Value, appendElement func([]byte, Value) []byte) []byte {
	dst = append(dst, '[')
	first := true
	for e := range v.Elements() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendElement(dst, e)
	}
	return append(dst, ']')
}

// appendScalarJSON appends an S, N or B without its descriptor.
func appendScalarJSON(dst []byte, v Value) []byte {
	switch v.Kind() {
	case String:
		return appendJSONString(dst, v.payload())
	case Number:
		dst = append(dst, '"')
		return append(appendText(dst, v.payload()), '"')
	default:
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, v.payload()), '"')
	}
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
		} else {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
