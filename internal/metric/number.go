package metric

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// decimal is a number written as the service writes it, in its texts and in its
// JSON: always with a fraction (21.0), with an exponent from 10 million up and
// below a thousandth (1.0E7).
type decimal float64

func (d decimal) String() string {
	v := float64(d)
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'f', -1, 64)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		return withFraction(strconv.FormatFloat(v, 'f', -1, 64))
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa + "E" + exponent
	}
	return withFraction(mantissa) + "E" + strconv.Itoa(e)
}

func withFraction(digits string) string {
	if strings.Contains(digits, ".") {
		return digits
	}
	return digits + ".0"
}

// MarshalJSON writes the number; what JSON has no number for becomes a string.
func (d decimal) MarshalJSON() ([]byte, error) {
	if v := float64(d); math.IsNaN(v) || math.IsInf(v, 0) {
		return json.Marshal(d.String())
	}
	return []byte(d.String()), nil
}
