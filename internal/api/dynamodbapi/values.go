package dynamodbapi

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// The SDK's values become those of the domain by way of their JSON notation, so that
// one parser knows the rules of values and the texts that refuse them. This path is
// for requests that a fast decoder left alone.

// item converts an item. The error is an attr.InvalidError.
func item(m map[string]types.AttributeValue) (table.Item, error) {
	it, err := attr.ParseItemJSON(appendItem(nil, m))
	return it, withoutJoin(err)
}

// value converts a value. The error is an attr.InvalidError.
func value(v types.AttributeValue) (table.Value, error) {
	it, err := attr.ParseItemJSON(append(appendValue([]byte(`{"v":`), v), '}'))
	return it.Get("v"), withoutJoin(err)
}

// withoutJoin returns the InvalidError in err, as it is.
func withoutJoin(err error) error {
	var invalid *attr.InvalidError
	if errors.As(err, &invalid) {
		return invalid
	}
	return err
}

func appendItem(dst []byte, m map[string]types.AttributeValue) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = awsjson.AppendString(dst, name)
		dst = append(dst, ':')
		dst = appendValue(dst, m[name])
	}
	return append(dst, '}')
}

func appendValue(dst []byte, v types.AttributeValue) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return append(awsjson.AppendString(append(dst, `{"S":`...), v.Value), '}')
	case *types.AttributeValueMemberN:
		return append(awsjson.AppendString(append(dst, `{"N":`...), v.Value), '}')
	case *types.AttributeValueMemberB:
		return append(appendBlob(append(dst, `{"B":`...), v.Value), '}')
	case *types.AttributeValueMemberBOOL:
		return append(strconv.AppendBool(append(dst, `{"BOOL":`...), v.Value), '}')
	case *types.AttributeValueMemberNULL:
		return append(dst, `{"NULL":true}`...)
	case *types.AttributeValueMemberSS:
		return appendList(dst, "SS", v.Value, awsjson.AppendString)
	case *types.AttributeValueMemberNS:
		return appendList(dst, "NS", v.Value, awsjson.AppendString)
	case *types.AttributeValueMemberBS:
		return appendList(dst, "BS", v.Value, appendBlob)
	case *types.AttributeValueMemberL:
		return appendList(dst, "L", v.Value, appendValue)
	case *types.AttributeValueMemberM:
		return append(appendItem(append(dst, `{"M":`...), v.Value), '}')
	case *types.UnknownUnionMember:
		return appendAmbiguous(dst, v.Tag)
	}
	return append(dst, `{}`...)
}

func appendBlob(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

func appendList[T any](dst []byte, kind string, elements []T, appendElement func([]byte, T) []byte) []byte {
	dst = append(dst, `{"`+kind+`":[`...)
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendElement(dst, e)
	}
	return append(dst, `]}`...)
}

// appendAmbiguous writes a value that had several types, whose names tag lists, or a
// set with null among its members, if tag is one name. The values are lost, which shows
// only in which of several errors is reported.
func appendAmbiguous(dst []byte, tag string) []byte {
	if !strings.Contains(tag, ",") {
		return append(dst, `{"`+tag+`":[null]}`...)
	}
	examples := map[string]string{
		"S": `""`, "N": `"0"`, "B": `""`, "BOOL": "true", "NULL": "true",
		"SS": `[""]`, "NS": `["0"]`, "BS": `[""]`, "L": "[]", "M": "{}",
	}
	dst = append(dst, '{')
	for i, kind := range strings.Split(tag, ",") {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `"`+kind+`":`+examples[kind]...)
	}
	return append(dst, '}')
}

// sdkItem converts an item to the SDK's form, nil if it is empty.
func sdkItem(it table.Item) map[string]types.AttributeValue {
	if it.Empty() {
		return nil
	}
	return sdkMap(it)
}

// sdkMap is sdkItem for an item that may be empty.
func sdkMap(it table.Item) map[string]types.AttributeValue {
	m := map[string]types.AttributeValue{}
	for name, v := range it.All() {
		m[string(name)] = sdkValue(v)
	}
	return m
}

func sdkItems(items []table.Item) []map[string]types.AttributeValue {
	list := make([]map[string]types.AttributeValue, len(items))
	for i, it := range items {
		list[i] = sdkMap(it)
	}
	return list
}

func sdkValue(v table.Value) types.AttributeValue {
	switch v.Kind() {
	case attr.String:
		return &types.AttributeValueMemberS{Value: string(v.Text())}
	case attr.Number:
		return &types.AttributeValueMemberN{Value: v.NumberText()}
	case attr.Binary:
		return &types.AttributeValueMemberB{Value: v.Text()}
	case attr.Bool:
		return &types.AttributeValueMemberBOOL{Value: v.Truth()}
	case attr.Null:
		return &types.AttributeValueMemberNULL{Value: true}
	case attr.StringSet:
		return &types.AttributeValueMemberSS{Value: elements(v, func(e table.Value) string { return string(e.Text()) })}
	case attr.NumberSet:
		return &types.AttributeValueMemberNS{Value: elements(v, table.Value.NumberText)}
	case attr.BinarySet:
		return &types.AttributeValueMemberBS{Value: elements(v, table.Value.Text)}
	case attr.List:
		return &types.AttributeValueMemberL{Value: elements(v, sdkValue)}
	case attr.Map:
		return &types.AttributeValueMemberM{Value: sdkMap(v.Item())}
	}
	return nil
}

func elements[T any](v table.Value, convert func(table.Value) T) []T {
	list := []T{}
	for e := range v.Elements() {
		list = append(list, convert(e))
	}
	return list
}

// scope converts the placeholders of a request; absent parameters stay nil.
func scope(names map[string]string, values map[string]types.AttributeValue) expr.Scope {
	var s expr.Scope
	if names != nil {
		s.Names = make([]expr.Name, 0, len(names))
		for _, k := range slices.Sorted(maps.Keys(names)) {
			s.Names = append(s.Names, expr.Name{Placeholder: k, Name: names[k]})
		}
	}
	if values != nil {
		s.Values = make([]expr.Value, 0, len(values))
		for _, k := range slices.Sorted(maps.Keys(values)) {
			v, err := value(values[k])
			s.Values = append(s.Values, expr.Value{Placeholder: k, Value: v, Invalid: err})
		}
	}
	return s
}
