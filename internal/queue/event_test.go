package queue

import (
	"encoding/json"
	"testing"
)

// TestEventDigest checks that the digest of the attributes is null, and there, when
// a message has none.
func TestEventDigest(t *testing.T) {
	t.Parallel()
	word := "x"
	sum := AttributesMD5(map[string]Attribute{"a": {Type: "String", String: word}})
	for _, test := range []struct {
		attributes map[string]Attribute
		want       any
	}{
		{nil, nil},
		{map[string]Attribute{"a": {Type: "String", String: word}}, sum},
	} {
		r := Received{Body: "b", Attributes: test.attributes}
		event, err := r.AppendEvent(nil, "arn:aws:sqs:us-east-1:000000000000:q", "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(event, &got); err != nil {
			t.Fatal(err)
		}
		if sum, ok := got["md5OfMessageAttributes"]; !ok || sum != test.want {
			t.Errorf("%s: not %v", event, test.want)
		}
	}
}
