package awsjson_test

import (
	"math"
	"testing"

	"github.com/weirstream/weir/internal/api/awsjson"
)

func TestAppendFloat(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.0", 1: "1.0", -3: "-3.0", 0.5: "0.5", 1e20: "100000000000000000000.0", 1e21: "1e+21", 1e-7: "1e-07",
		math.Inf(-1): `"-Infinity"`,
	} {
		if got := string(awsjson.AppendFloat(nil, v)); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}
