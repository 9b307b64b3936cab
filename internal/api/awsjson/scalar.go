package awsjson

import (
	"bytes"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/jsonscan"
)

func (d *decoder) scalar(s *shape.Slot, v reflect.Value, got jsonscan.Kind) {
	ok := false
	switch s.Kind {
	case shape.String:
		if ok = got == jsonscan.String; ok {
			s.Settle(v).SetString(string(d.scan.String()))
		}
	case shape.Blob:
		if ok = got == jsonscan.String; ok {
			d.blob(s, v)
		}
	case shape.Bool:
		ok = d.boolean(s, v, got)
	case shape.Byte, shape.Short, shape.Integer, shape.Long:
		if ok = got == jsonscan.Number; ok {
			place := s.Settle(v)
			place.SetInt(Int(d.scan.Number(), place.Type().Bits()))
		}
	case shape.Float, shape.Double:
		ok = d.float(s, v, got)
	case shape.Time:
		ok = d.timestamp(s, v, got)
	}
	if !ok {
		d.refuse(s, got, false)
	}
}

func (d *decoder) blob(s *shape.Slot, v reflect.Value) {
	text := d.scan.String()
	b, err := jsonscan.AppendBase64(make([]byte, 0, len(text)/4*3), text)
	if err != nil {
		d.note(Mismatch{Want: s.Type, Got: jsonscan.String, Text: string(text), Base64: err})
		return
	}
	s.Settle(v).SetBytes(b)
}

func (d *decoder) boolean(s *shape.Slot, v reflect.Value, got jsonscan.Kind) bool {
	switch got {
	case jsonscan.True, jsonscan.False:
		s.Settle(v).SetBool(d.scan.Bool())
		return true
	case jsonscan.String:
		if !d.Dialect.WordsForBool {
			return false
		}
		text := string(d.scan.String())
		switch strings.ToUpper(text) {
		case "TRUE", "YES", "1":
			s.Settle(v).SetBool(true)
		case "FALSE", "NO", "0":
			s.Settle(v).SetBool(false)
		default:
			d.note(Mismatch{Want: s.Type, Got: got, Text: `"` + text + `"`})
		}
		return true
	}
	return false
}

// Int returns the integer that a JSON number stands for in a field of the given
// size: fractions are cut off, what does not fit is clamped.
func Int(text []byte, size int) int64 {
	least, most := int64(math.MinInt64)>>(64-size), int64(math.MaxInt64)>>(64-size)
	if n, ok := shortInt(text); ok {
		return min(max(n, least), most)
	}
	f, _ := strconv.ParseFloat(string(text), 64) // out of range gives an infinity
	f = math.Trunc(f)
	switch {
	case f <= float64(least):
		return least
	case f >= float64(most):
		return most
	}
	return int64(f)
}

// shortInt parses an integer of at most 18 digits.
func shortInt(text []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) > 18 {
		n, err := strconv.ParseInt(string(text), 10, 64)
		return n, err == nil
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		n = -n
	}
	return n, true
}

func (d *decoder) float(s *shape.Slot, v reflect.Value, got jsonscan.Kind) bool {
	switch got {
	case jsonscan.Number:
		f, _ := strconv.ParseFloat(string(d.scan.Number()), 64) // out of range gives an infinity
		s.Settle(v).SetFloat(f)
		return true
	case jsonscan.String:
		raw := d.scan.Raw()
		switch string(raw) {
		case `"NaN"`, `"Infinity"`, `"-Infinity"`:
			f, _ := strconv.ParseFloat(string(raw[1:len(raw)-1]), 64)
			s.Settle(v).SetFloat(f)
		default:
			d.note(Mismatch{Want: s.Type, Got: got, Text: string(raw)})
		}
		return true
	}
	return false
}

func (d *decoder) timestamp(s *shape.Slot, v reflect.Value, got jsonscan.Kind) bool {
	switch {
	case got == jsonscan.Number && s.Time != shape.DateTime && s.Time != shape.HTTPDate:
		f, _ := strconv.ParseFloat(string(d.scan.Number()), 64)
		s.Settle(v).Set(reflect.ValueOf(shape.TimeOf(f)))
		return true
	case got == jsonscan.String && s.Time != shape.ProtocolTime && s.Time != shape.EpochSeconds:
		t, err := parseTime(string(d.scan.String()), s.Time)
		if err != nil {
			d.note(Mismatch{Want: s.Type, Got: got})
			return true
		}
		s.Settle(v).Set(reflect.ValueOf(t))
		return true
	}
	return false
}

func parseTime(text string, f shape.TimeFormat) (time.Time, error) {
	if f == shape.HTTPDate {
		return time.Parse(time.RFC1123, text)
	}
	return time.Parse(time.RFC3339Nano, text)
}
