package queue

import (
	"encoding/json"
	"testing"
)

// TestEventDigest checks how events show the digest of a message's attributes.
func TestEventDigest(t *testing.T) {
	t.Parallel()
	some := map[string]Attribute{"a": {Type: "String", String: "x"}}
	for _, test := range []struct {
		attributes map[string]Attribute
		windowed   bool
		there      bool
		want       any
	}{
		{nil, false, false, nil},
		{nil, true, true, nil},
		{some, false, true, AttributesMD5(some)},
		{some, true, true, AttributesMD5(some)},
	} {
		r := Received{Body: "b", Attributes: test.attributes}
		event, err := r.AppendEvent(nil, "arn:aws:sqs:us-east-1:000000000000:q", "us-east-1", test.windowed)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(event, &got); err != nil {
			t.Fatal(err)
		}
		if sum, ok := got["md5OfMessageAttributes"]; ok != test.there || sum != test.want {
			t.Errorf("%+v: %s", test, event)
		}
	}
}
