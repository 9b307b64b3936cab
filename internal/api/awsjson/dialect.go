package awsjson

import (
	"strings"

	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/jsonscan"
)

// Dialect is how a family of services reads and words.
type Dialect struct {
	// WordsForBool accepts strings such as "true" and "no" as booleans.
	WordsForBool bool

	text func(Mismatch) string
}

// Text words a mismatch.
func (d *Dialect) Text(m Mismatch) string { return d.text(m) }

// Mismatch describes a value that is not of the type that its place demands.
type Mismatch struct {
	Want    *shape.Type
	Got     jsonscan.Kind
	Element bool   // in a list or map
	Text    string // a number or a quoted string as written, a blob's text without quotes
	Base64  error  // why the string is no blob
}

// The dialects.
var (
	Plain    = &Dialect{text: plainText}
	Kinesis  = &Dialect{text: kinesisText, WordsForBool: true}
	DynamoDB = &Dialect{text: dynamoDBText, WordsForBool: true}
)

// typeNames are the Java names of scalar types.
var typeNames = map[shape.Kind]string{
	shape.String: "String", shape.Blob: "Blob", shape.Bool: "Boolean",
	shape.Byte: "Byte", shape.Short: "Short", shape.Integer: "Integer", shape.Long: "Long",
	shape.Float: "Float", shape.Double: "Double", shape.Time: "Date",
}

const (
	listStart   = "Start of list found where not expected"
	objectStart = "Start of structure or map found where not expected"
)

// containerText words what the plain and the Kinesis dialect have in common:
// mismatches in which a list, map or structure is wanted or found. It is empty
// for two scalars.
func containerText(m Mismatch) string {
	switch {
	case m.Got == jsonscan.Array:
		return listStart
	case m.Got == jsonscan.Object:
		return objectStart + "."
	case m.Want.Kind == shape.List:
		return "Expected list or null"
	case m.Want.Kind == shape.Map:
		return "Expected map or null"
	case m.Want.Kind == shape.Struct, m.Want.Kind == shape.Union:
		return "Expected null"
	}
	return ""
}

func plainText(m Mismatch) string {
	if s := containerText(m); s != "" {
		return s
	}
	const converted = " can not be converted to "
	switch {
	case m.Base64 != nil:
		return "'" + m.Text + "'" + converted + "a Blob: " + m.Base64.Error()
	case m.Want.Kind == shape.Time:
		return token(m) + converted + "milliseconds since epoch"
	case m.Want.Kind == shape.Integer:
		return token(m) + converted + "an Integer"
	}
	return token(m) + converted + "a " + typeNames[m.Want.Kind]
}

// token is the name that the services' JSON parser gives to a scalar.
func token(m Mismatch) string {
	switch m.Got {
	case jsonscan.String:
		return "STRING_VALUE"
	case jsonscan.True:
		return "TRUE_VALUE"
	case jsonscan.False:
		return "FALSE_VALUE"
	case jsonscan.Number:
		if strings.ContainsAny(m.Text, ".eE") {
			return "DECIMAL_VALUE"
		}
	}
	return "NUMBER_VALUE"
}

func kinesisText(m Mismatch) string {
	if s := containerText(m); s != "" {
		return s
	}
	const converted = " can not be converted to "
	switch {
	case m.Base64 != nil:
		return "'" + m.Text + "'" + converted + "a Blob: " + m.Base64.Error()
	case m.Want.Kind == shape.Bool && m.Got == jsonscan.String:
		return "'" + strings.ToUpper(strings.Trim(m.Text, `"`)) + "'" + converted + "an Boolean"
	case m.Want.Kind == shape.Time:
		return "class " + javaClass(m.Got) + converted + "milliseconds since epoch"
	case m.Want.Kind == shape.Blob:
		return "class " + javaClass(m.Got) + converted + "a Blob"
	}
	return "class " + javaClass(m.Got) + converted + "an " + typeNames[m.Want.Kind]
}

func javaClass(k jsonscan.Kind) string {
	switch k {
	case jsonscan.String:
		return "java.lang.String"
	case jsonscan.True, jsonscan.False:
		return "java.lang.Boolean"
	}
	return "com.amazon.coral.value.json.numbers.TruncatingBigNumber"
}

func dynamoDBText(m Mismatch) string {
	switch {
	case m.Base64 != nil && len(m.Text)%4 == 0:
		return "Invalid last non-pad Base64 character dectected"
	case m.Base64 != nil:
		return m.Base64.Error()
	case m.Got == jsonscan.Array:
		return "Unrecognized collection type " + collectionType(m.Want)
	case m.Got == jsonscan.Object:
		return objectStart
	case m.Want.Kind == shape.List, m.Want.Kind == shape.Map:
		return "Unexpected field type"
	case m.Want.Kind == shape.Struct, m.Want.Kind == shape.Union:
		if m.Element {
			return "Unexpected value type in payload"
		}
		return "Unexpected field type"
	case m.Want.Kind == shape.Blob:
		return "only base-64-encoded strings are convertible to bytes"
	case m.Want.Kind == shape.Bool && m.Got == jsonscan.String:
		return "Unexpected token received from parser"
	}
	return token(m) + " cannot be converted to " + typeNames[m.Want.Kind]
}

// collectionType names the wanted type as the service does when it finds a
// list.
func collectionType(t *shape.Type) string {
	if t.Kind == shape.Map {
		return javaType(t)
	}
	return "class " + javaType(t)
}

const dynamoDBPackage = "com.amazonaws.dynamodb.v20120810."

func javaType(t *shape.Type) string {
	switch t.Kind {
	case shape.Map:
		return "java.util.Map<java.lang.String, " + javaType(t.Elem.Type) + ">"
	case shape.List:
		return "java.util.List<" + javaType(t.Elem.Type) + ">"
	case shape.Struct, shape.Union:
		return dynamoDBPackage + t.Name
	case shape.Blob:
		return "java.nio.ByteBuffer"
	case shape.Time:
		return "java.util.Date"
	}
	return "java.lang." + typeNames[t.Kind]
}
