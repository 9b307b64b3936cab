package queue

import (
	"crypto/md5" //nolint:gosec // the digest that clients of the service check
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Message is what is sent to a queue.
type Message struct {
	Body       string
	Attributes map[string]Attribute
	// Delay hides the message for so many seconds; nil means as long as the queue
	// says.
	Delay *int
	// Group and DeduplicationID are nil when they are not given.
	Group, DeduplicationID *string
	// TraceHeader is the system attribute AWSTraceHeader, "" for none.
	TraceHeader string
	// Sender identifies the sender to receivers; "" is the account.
	Sender string
}

// Attribute is a message attribute: Binary if the type says so, else a string.
type Attribute struct {
	Type   string // String, Number or Binary, and after a dot what the sender likes
	String string
	Binary []byte
}

const (
	maxAttributes     = 10
	maxAttributeName  = 256
	maxBatch          = 10
	maxBatchBytes     = 1 << 20
	maxEntryID        = 80
	maxFIFOIdentifier = 128
)

func (a Attribute) isBinary() bool { return kindOf(a.Type) == "Binary" }

// kindOf is a type without what follows the first dot.
func kindOf(attributeType string) string {
	kind, _, _ := strings.Cut(attributeType, ".")
	return kind
}

// size is what counts towards the limit of a message.
func (m *Message) size() int {
	n := len(m.Body)
	for name, a := range m.Attributes {
		n += len(name) + len(a.Type)
		if a.isBinary() {
			n += len(a.Binary)
		} else {
			n += len(a.String)
		}
	}
	return n
}

// validText reports whether s holds only the characters that a message may.
func validText(s string) bool {
	for i, r := range s {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
		case r < ' ' || r == 0xFFFE || r == 0xFFFF:
			return false
		case r == 0xFFFD && !strings.HasPrefix(s[i:], "\uFFFD"): // not valid UTF-8
			return false
		}
	}
	return true
}

const allowedCharacters = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"

// check judges what does not depend on the queue.
func (m *Message) check() error {
	if m.Body == "" {
		return errorf(MissingParameter, "The request must contain the parameter MessageBody.")
	}
	if !validText(m.Body) {
		return errorf(InvalidContents, allowedCharacters)
	}
	if len(m.Attributes) > maxAttributes {
		return errorf(InvalidValue, "Number of message attributes [%d] exceeds the allowed maximum [%d].", len(m.Attributes), maxAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		if err := m.Attributes[name].check(name); err != nil {
			return err
		}
	}
	return nil
}

var attributeName = regexp.MustCompile(`^[\p{L}\p{Nd}_.-]+$`)

func (a Attribute) check(name string) error {
	lower := strings.ToLower(name)
	kind := kindOf(a.Type)
	switch {
	case len(name) > maxAttributeName:
		return errorf(InvalidValue, "Message (user) attribute names must be shorter than 256 Bytes")
	case !attributeName.MatchString(name):
		return errorf(InvalidValue, "Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. ")
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
		return errorf(InvalidValue, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.")
	case a.Type == "":
		return errorf(InvalidValue, "The message attribute '%s' must contain non-empty message attribute type.", name)
	case len(a.Type) > maxAttributeName:
		return errorf(InvalidValue, "Message (user) attribute types must be shorter than 256 Bytes")
	case kind != "String" && kind != "Number" && kind != "Binary":
		return errorf(InvalidValue, "The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
	case kind == "Binary" && len(a.Binary) == 0 || kind != "Binary" && a.String == "":
		return errorf(InvalidValue, "Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kindOfValue(kind))
	case kind == "Number" && !isNumber(a.String):
		return errorf(InvalidValue, "Can't cast the value of message (user) attribute '%s' to a number.", name)
	case kind != "Binary" && !validText(a.String):
		return errorf(InvalidValue, allowedCharacters)
	}
	return nil
}

func kindOfValue(kind string) string {
	if kind == "Binary" {
		return kind
	}
	return "String"
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && !strings.ContainsAny(s, "xXpPnNiI_")
}

// BodyMD5 is the digest of a body, in hexadecimal.
func BodyMD5(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// AttributesMD5 is the digest of message attributes, in hexadecimal; "" for none.
// Each attribute adds, in order of names, its name, its type, a byte for the kind
// of value and the value, with a length of four bytes before each text.
func AttributesMD5(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	text := func(s string) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...) }
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		text(name)
		text(a.Type)
		if a.isBinary() {
			b = append(b, 2)
			text(string(a.Binary))
		} else {
			b = append(b, 1)
			text(a.String)
		}
	}
	sum := md5.Sum(b) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// checkIdentifier judges a group or deduplication id: 1 to 128 letters, digits and
// punctuation marks of ASCII.
func checkIdentifier(parameter string, id *string) error {
	if id == nil {
		return nil
	}
	outside := func(r rune) bool { return r <= ' ' || r > '~' }
	if *id == "" || len(*id) > maxFIFOIdentifier || strings.ContainsFunc(*id, outside) {
		return invalid(parameter, *id, parameter+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	return nil
}
