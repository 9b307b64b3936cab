package api

import (
	"context"

	"github.com/fxamacker/cbor/v2"

	"github.com/weirstream/weir/internal/jsonscan"
)

// Given reports whether the request that ctx belongs to gives a value, not null,
// at a path of members. The structs of the SDK have no place for the difference
// between an absent and an empty choice, which the texts of errors know. It reads
// the document again, so it is for requests that are refused.
func Given(ctx context.Context, path ...string) bool {
	c, ok := ctx.Value(callerKey{}).(*Caller)
	if !ok {
		return false
	}
	if c.binary {
		return givenCBOR(c.document, path)
	}
	var s jsonscan.Scanner
	s.Reset(c.document)
	return givenJSON(&s, path)
}

func givenJSON(s *jsonscan.Scanner, path []string) bool {
	if len(path) == 0 {
		return s.Kind() != jsonscan.Null
	}
	if s.Kind() != jsonscan.Object || !s.Object() {
		return false
	}
	for member, more := s.Member(); more; member, more = s.Member() {
		if string(member) == path[0] {
			return givenJSON(s, path[1:])
		}
		s.Skip()
	}
	return false
}

func givenCBOR(document []byte, path []string) bool {
	for _, member := range path {
		var members map[string]cbor.RawMessage
		if cbor.Unmarshal(document, &members) != nil {
			return false
		}
		document = members[member]
	}
	const null = 0xf6
	return len(document) > 0 && document[0] != null
}
