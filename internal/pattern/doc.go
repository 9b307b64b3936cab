// Package pattern decides whether an event is wanted. It owns the event
// patterns that filters of event source mappings, rules of event buses and
// filter policies of topics are written in: JSON objects of the shape of the
// event, with arrays of wanted values at their leaves.
//
// A pattern is compiled once and then matched against the raw JSON text of any
// number of events, in one pass and without building values of it.
//
// # Meaning
//
// A pattern is first written out as alternatives without $or (branches). A
// branch wants, for each of a set of paths, one of a list of values (a
// condition). An event matches if it satisfies all conditions of one branch.
//
//   - A path is the names of the members on the way, joined by dots. A dot in a
//     name, of the pattern or of the event, is the same as another level.
//   - A field is a string, number, true, false or null. Objects are not fields:
//     what the pattern does not name does not exist for it.
//   - An array stands for its elements; any of them may satisfy a condition. But
//     of an array of objects only one is looked at: conditions on fields of its
//     objects must be satisfied by one of them together, and {"exists":false}
//     beside them speaks of that one. An empty array is no field.
//   - Of members with the same path the last counts in the pattern; in the event
//     any of them may satisfy the condition.
//   - Text that is not JSON, or that nests deeper than 1,000 levels, matches
//     nothing.
//
// # How it works
//
// Every condition of every branch has a bit. The paths are a trie of names
// whose nodes hold the conditions. A match walks the event and the trie
// together and notes two sets of bits: conditions whose field was seen, and
// those that a field satisfied. In an array of objects each object gets sets of
// its own, and the bits of a branch are passed on only from an object that
// satisfies all that the branch wants below this point of the trie. At the end
// a branch holds if each of its conditions was satisfied or, when it allows the
// field to be absent, was not seen.
//
// The time of a match is linear in the length of the event, times the number
// of branches for each object in an array.
package pattern

// Dialect is the variant of the language that a service understands. They
// differ in their operators, their limits and the words of their errors.
type Dialect uint8

// The dialects.
const (
	// Lambda is for filters of event source mappings. Numbers are equal if their
	// texts are: 300 and 300.0 differ.
	Lambda Dialect = iota
	// EventBridge is for rules of event buses. It has all operators.
	EventBridge
	// MessageBody is for filter policies of topics on the JSON body of messages. Of
	// numbers, five digits after the decimal point count.
	MessageBody
	// MessageAttributes is for filter policies on the attributes of messages, with
	// numbers as in MessageBody.
	MessageAttributes
)

// grammar is what sets a dialect apart.
type grammar struct {
	wildcard   bool // {"wildcard": ...}
	cidr       bool // {"cidr": ...}
	foldEnds   bool // {"prefix": {"equals-ignore-case": ...}}, likewise suffix
	exceptEnds bool // {"anything-but": {"prefix": ...}} with all operators and lists
	exceptText bool // {"anything-but": {"prefix": "text"}} and nothing else
	numbers    comparison
	topic      bool // limits of filter policies
	flat       bool // no nested objects
}

var grammars = [...]grammar{
	Lambda:            {foldEnds: true, numbers: byText},
	EventBridge:       {wildcard: true, cidr: true, foldEnds: true, exceptEnds: true},
	MessageBody:       {cidr: true, exceptText: true, numbers: byDecimals, topic: true},
	MessageAttributes: {cidr: true, exceptText: true, numbers: byDecimals, topic: true, flat: true},
}
