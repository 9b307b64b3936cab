package api_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/weirstream/weir/internal/api"
)

func TestConstraints(t *testing.T) {
	t.Parallel()
	name := api.MustPattern("[a-z]+|x1")
	for _, c := range []struct {
		what  string
		check func(c *api.Constraints)
		want  string
	}{
		{"required", func(c *api.Constraints) { c.Required("a", false); c.Required("b", true) }, "Value null at 'a' failed to satisfy constraint: Member must not be null"},
		{"absent", func(c *api.Constraints) {
			c.Length("a", nil, 1, 2)
			c.Pattern("a", nil, name)
			c.Range("a", nil, 1, 2)
			c.BlobLength("a", nil, 1, 2)
			c.MapSize("a", nil, 1, 2)
			api.Enum(c, "a", "", "x")
		}, ""},
		{"short", func(c *api.Constraints) { c.Length("a", aws.String(""), 1, 2) }, "Value '' at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"long", func(c *api.Constraints) { c.Length("a", aws.String("abc"), 1, 2) }, "Value 'abc' at 'a' failed to satisfy constraint: Member must have length less than or equal to 2"},
		{"no limit", func(c *api.Constraints) { c.Length("a", aws.String("abc"), 1, api.NoLimit) }, ""},
		{"UTF-16", func(c *api.Constraints) { c.Length("a", aws.String("é😀"), 3, 3) }, ""},
		{"blob", func(c *api.Constraints) { c.BlobLength("a", make([]byte, 3), 0, 2) }, "Value 'java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]' at 'a' failed to satisfy constraint: Member must have length less than or equal to 2"},
		{"pattern", func(c *api.Constraints) { c.Pattern("a", aws.String("x1y"), name) }, "Value 'x1y' at 'a' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+|x1"},
		{"line end", func(c *api.Constraints) { c.Pattern("a", aws.String("x\n"), name) }, "Value 'x\n' at 'a' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+|x1"},
		{"low", func(c *api.Constraints) { c.Range("a", aws.Int32(0), 1, math.MaxInt64) }, "Value '0' at 'a' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"high", func(c *api.Constraints) { c.Range64("a", 1<<40, math.MinInt64, 9) }, "Value '1099511627776' at 'a' failed to satisfy constraint: Member must have value less than or equal to 9"},
		{"enum", func(c *api.Constraints) { api.Enum(c, "a", "X", "B", "A") }, "Value 'X' at 'a' failed to satisfy constraint: Member must satisfy enum value set: [B, A]"},
		{"list", func(c *api.Constraints) {
			c.ListSize("a", 2, 0, 1, func(i int) string { return string(rune('x' + i)) })
		}, "Value '[x, y]' at 'a' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{"elements", func(c *api.Constraints) { c.ElementLengths("a", []string{"x", ""}, 1, 128) }, "Value '[x, ]' at 'a' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"},
		{"map", func(c *api.Constraints) { c.MapSize("a", map[string]string{}, 1, 9) }, "Value '{}' at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"keys", func(c *api.Constraints) { c.KeyLengths("a", map[string]string{"k": "v", "abc": "w"}, 1, 2) }, "Value '{abc=w, k=v}' at 'a' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 2, Member must have length greater than or equal to 1]"},
		{"values", func(c *api.Constraints) { c.ValueLengths("a", map[string]string{"k": "abc"}, 1, 2) }, "Value '{k=abc}' at 'a' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2, Member must have length greater than or equal to 1]"},
	} {
		var cs api.Constraints
		c.check(&cs)
		got := strings.TrimPrefix(cs.Message(), "1 validation error detected: ")
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}

func TestConstraintsTogether(t *testing.T) {
	t.Parallel()
	var c api.Constraints
	if c.Err() != nil {
		t.Error("an error without a violation")
	}
	for range 12 {
		c.Required(api.MemberPath("records", 1, "data"), false)
	}
	var e *api.Error
	if !errors.As(c.Err(), &e) || e.Code != "ValidationException" {
		t.Fatalf("got %v", c.Err())
	}
	if !strings.HasPrefix(e.Message, "10 validation errors detected: Value null at 'records.2.member.data' failed") || strings.Count(e.Message, "; ") != 9 {
		t.Errorf("got %s", e.Message)
	}
	if got := api.EntryPath("requestItems", "abc", "keys"); got != "requestItems.abc.member.keys" {
		t.Errorf("got %s", got)
	}
}
