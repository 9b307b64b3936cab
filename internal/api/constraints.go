package api

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxViolations is how many violations AWS lists in one message.
const maxViolations = 10

// NoLimit stands for an absent upper bound in Length, ListSize and MapSize.
const NoLimit = -1

// Constraints collects violations of the declared constraints of a request, in
// AWS's wording. Paths are lower camel case with list positions from 1:
// "records.1.member.partitionKey" (see [MemberPath]). The zero value is ready;
// checks of absent (nil) optional values do nothing.
type Constraints struct {
	violations []string
}

// MemberPath returns the path of a member of a list's element:
// MemberPath("records", 0, "partitionKey") is "records.1.member.partitionKey".
// An empty member means the element itself.
func MemberPath(list string, index int, member string) string {
	s := list + "." + strconv.Itoa(index+1) + ".member"
	if member != "" {
		s += "." + member
	}
	return s
}

// EntryPath returns the path of a member of a map's value:
// EntryPath("requestItems", "abc", "keys") is "requestItems.abc.member.keys".
func EntryPath(mapPath, key, member string) string {
	s := mapPath + "." + key + ".member"
	if member != "" {
		s += "." + member
	}
	return s
}

// Add records a violation of a rule that the other methods do not cover. value
// is rendered as it is, in quotes.
func (c *Constraints) Add(path, value, rule string) {
	c.add("'"+value+"'", path, rule)
}

func (c *Constraints) add(rendered, path, rule string) {
	if len(c.violations) < maxViolations {
		c.violations = append(c.violations, "Value "+rendered+" at '"+path+"' failed to satisfy constraint: "+rule)
	}
}

// Required records a violation if a value is absent.
func (c *Constraints) Required(path string, present bool) {
	if !present {
		c.add("null", path, "Member must not be null")
	}
}

// Length bounds the length of a string, counted in UTF-16 units as the service
// does.
func (c *Constraints) Length(path string, value *string, minLen, maxLen int) {
	if value == nil {
		return
	}
	c.bounds(path, *value, UTF16Len(*value), minLen, maxLen, "length")
}

// BlobLength bounds the length of a blob in bytes.
func (c *Constraints) BlobLength(path string, value []byte, minLen, maxLen int) {
	if value == nil {
		return
	}
	n := strconv.Itoa(len(value))
	c.bounds(path, "java.nio.HeapByteBuffer[pos=0 lim="+n+" cap="+n+"]", len(value), minLen, maxLen, "length")
}

// Pattern demands that the whole of a string matches.
func (c *Constraints) Pattern(path string, value *string, p *Pattern) {
	if value != nil && !p.Match(*value) {
		c.Add(path, *value, "Member must satisfy regular expression pattern: "+p.text)
	}
}

// Range bounds a number; give math.MinInt64 or math.MaxInt64 where there is no
// bound.
func (c *Constraints) Range(path string, value *int32, minValue, maxValue int64) {
	if value != nil {
		c.Range64(path, int64(*value), minValue, maxValue)
	}
}

// Range64 is Range for a value that is present.
func (c *Constraints) Range64(path string, value, minValue, maxValue int64) {
	s := strconv.FormatInt(value, 10)
	if value < minValue {
		c.Add(path, s, "Member must have value greater than or equal to "+strconv.FormatInt(minValue, 10))
	}
	if value > maxValue {
		c.Add(path, s, "Member must have value less than or equal to "+strconv.FormatInt(maxValue, 10))
	}
}

// Enum demands one of the allowed values, listed in the order that the service
// prints them. An empty value is an absent one.
func Enum[S ~string](c *Constraints, path string, value S, allowed ...S) {
	if value == "" || slices.Contains(allowed, value) {
		return
	}
	c.Add(path, string(value), "Member must satisfy enum value set: ["+join(allowed)+"]")
}

// EnumList demands that every element of a list is one of the allowed values,
// reported once for the list.
func EnumList[S ~string](c *Constraints, path string, values []S, allowed ...S) {
	for _, value := range values {
		if !slices.Contains(allowed, value) {
			c.Add(path, "["+join(values)+"]", "Member must satisfy constraint: [Member must satisfy enum value set: ["+join(allowed)+"]]")
			return
		}
	}
}

// RequiredEnum is Enum for a value that must be there. given tells of an empty
// value whether the request has it.
func RequiredEnum[S ~string](c *Constraints, path string, value S, given func() bool, allowed ...S) {
	switch {
	case value != "":
		Enum(c, path, value, allowed...)
	case given():
		c.Add(path, "", "Member must satisfy enum value set: ["+join(allowed)+"]")
	default:
		c.Required(path, false)
	}
}

// ListSize bounds the number of elements of a list; render gives the text of
// each element for the message and is called only when there is a violation.
func (c *Constraints) ListSize(path string, n, minLen, maxLen int, render func(i int) string) {
	if n >= minLen && (maxLen == NoLimit || n <= maxLen) {
		return
	}
	elems := make([]string, n)
	for i := range elems {
		elems[i] = render(i)
	}
	c.bounds(path, "["+join(elems)+"]", n, minLen, maxLen, "length")
}

// MapSize bounds the number of entries of a map of strings.
func (c *Constraints) MapSize(path string, m map[string]string, minLen, maxLen int) {
	if m != nil && (len(m) < minLen || maxLen != NoLimit && len(m) > maxLen) {
		c.bounds(path, RenderMap(m), len(m), minLen, maxLen, "length")
	}
}

// ElementLengths bounds the length of every string in a list, reported once for
// the list.
func (c *Constraints) ElementLengths(path string, values []string, minLen, maxLen int) {
	if !allWithin(values, minLen, maxLen) {
		c.Add(path, "["+join(values)+"]", "Member must satisfy constraint: "+lengthRule(minLen, maxLen))
	}
}

// KeyLengths bounds the length of every key of a map, reported once.
func (c *Constraints) KeyLengths(path string, m map[string]string, minLen, maxLen int) {
	for k := range m {
		if !within(UTF16Len(k), minLen, maxLen) {
			c.Add(path, RenderMap(m), "Map keys must satisfy constraint: "+lengthRule(minLen, maxLen))
			return
		}
	}
}

// ValueLengths bounds the length of every value of a map, reported once.
func (c *Constraints) ValueLengths(path string, m map[string]string, minLen, maxLen int) {
	for _, v := range m {
		if !within(UTF16Len(v), minLen, maxLen) {
			c.Add(path, RenderMap(m), "Map value must satisfy constraint: "+lengthRule(minLen, maxLen))
			return
		}
	}
}

// Empty reports whether there is no violation so far.
func (c *Constraints) Empty() bool { return len(c.violations) == 0 }

// Message returns the text that lists the violations, "" if there are none.
func (c *Constraints) Message() string {
	switch n := len(c.violations); n {
	case 0:
		return ""
	case 1:
		return "1 validation error detected: " + c.violations[0]
	default:
		return strconv.Itoa(n) + " validation errors detected: " + strings.Join(c.violations, "; ")
	}
}

// Err returns nil if there is no violation, else a ValidationException (an
// *Error) that lists them.
func (c *Constraints) Err() error {
	if c.Empty() {
		return nil
	}
	return Validation(c.Message())
}

func (c *Constraints) bounds(path, rendered string, n, minLen, maxLen int, what string) {
	if n < minLen {
		c.Add(path, rendered, "Member must have "+what+" greater than or equal to "+strconv.Itoa(minLen))
	}
	if maxLen != NoLimit && n > maxLen {
		c.Add(path, rendered, "Member must have "+what+" less than or equal to "+strconv.Itoa(maxLen))
	}
}

func lengthRule(minLen, maxLen int) string {
	return "[Member must have length less than or equal to " + strconv.Itoa(maxLen) +
		", Member must have length greater than or equal to " + strconv.Itoa(minLen) + "]"
}

func within(n, minLen, maxLen int) bool { return n >= minLen && (maxLen == NoLimit || n <= maxLen) }

func allWithin(values []string, minLen, maxLen int) bool {
	for _, v := range values {
		if !within(UTF16Len(v), minLen, maxLen) {
			return false
		}
	}
	return true
}

// RenderMap renders a map of strings as the services print it, {k=v, k2=v2},
// keys in order.
func RenderMap(m map[string]string) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = k + "=" + m[k]
	}
	return "{" + join(keys) + "}"
}

func join[S ~string](values []S) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(v))
	}
	return b.String()
}

// UTF16Len is the length of s in UTF-16 units, in which the services count.
func UTF16Len(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			n++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		n += max(1, utf16.RuneLen(r))
	}
	return n
}
