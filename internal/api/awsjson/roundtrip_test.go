package awsjson_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/sdktest"
)

// TestEveryInput writes every input of every service as its client would and
// reads it back.
func TestEveryInput(t *testing.T) {
	t.Parallel()
	inputs, err := sdktest.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	if len(inputs) < 300 {
		t.Fatalf("only %d inputs found", len(inputs))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	dec := awsjson.Decoder{Dialect: awsjson.Plain}
	for _, in := range inputs {
		for range 5 {
			want := in.Fill(rnd)
			var s awsjson.Serializer
			want.Interface().(smithy.Serializable).Serialize(&s)
			if !json.Valid(s.Bytes()) {
				t.Fatalf("%s: not JSON: %s", in.Operation, s.Bytes())
			}
			got := reflect.New(in.Go)
			if err := dec.Decode(s.Bytes(), in.Shape, got.Elem()); err != nil {
				t.Fatalf("%s: %v in %s", in.Operation, err, s.Bytes())
			}
			if !reflect.DeepEqual(got.Interface(), want.Interface()) {
				var again awsjson.Serializer
				got.Interface().(smithy.Serializable).Serialize(&again)
				t.Fatalf("%s: %s\n was read as %s", in.Operation, s.Bytes(), again.Bytes())
			}
		}
	}
}
