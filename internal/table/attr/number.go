package attr

import (
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// Limits of numbers: significant digits, and the power of ten of the first one.
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// Parts of the binary form, see the package comment.
const (
	pairBias   = 65   // added to E
	headerZero = 0x80 // header of zero, and of the smallest positive numbers
	terminator = 0x00
)

const (
	msgNotNumeric = "The parameter cannot be converted to a numeric value"
	msgPrecision  = "Attempting to store more than 38 significant digits in a Number"
	msgOverflow   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	msgUnderflow  = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)

// NumberValue returns the N that a decimal text stands for, or an InvalidError.
func NumberValue(text string) (Value, error) {
	enc, err := appendNumber([]byte{byte(Number)}, []byte(text))
	if err != nil {
		return Value{}, err
	}
	return Value{enc}, nil
}

// IntValue returns an N.
func IntValue(i int64) Value { return Value{appendInt([]byte{byte(Number)}, i)} }

// decimal is a number as its digits and the power of ten of the first one. The
// first and the last digit are not zero; no digits mean zero.
type decimal struct {
	negative bool
	digits   []byte // 0 to 9
	exponent int
	buf      [maxDigits]byte
}

// appendNumber appends the payload of the N that text stands for.
func appendNumber(dst, text []byte) ([]byte, error) {
	if i, ok := shortInt(text); ok {
		return appendInt(dst, i), nil
	}
	var d decimal
	if err := d.parse(text); err != nil {
		return dst, err
	}
	return d.append(dst), nil
}

// shortInt parses an integer of few digits, which is what most numbers are.
func shortInt(text []byte) (int64, bool) {
	digits := text
	if len(text) > 0 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 17 {
		return 0, false
	}
	i := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		i = i*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		return -i, true
	}
	return i, true
}

func (d *decimal) parse(text []byte) error {
	if len(text) == 0 {
		return Invalidf(msgNotNumeric)
	}
	rest := text
	if c := rest[0]; c == '-' || c == '+' {
		d.negative = c == '-'
		rest = rest[1:]
	}
	significant, rest, ok := d.parseMantissa(rest)
	if !ok {
		return Invalidf(msgNotNumeric+": %s", text)
	}
	exponent, ok := parseExponent(rest)
	if !ok {
		return Invalidf(msgNotNumeric+": %s", text)
	}
	d.exponent += exponent
	switch {
	case significant == 0:
		*d = decimal{}
	case significant > maxDigits:
		return Invalidf(msgPrecision)
	case d.exponent > maxExponent:
		return Invalidf(msgOverflow)
	case d.exponent < minExponent:
		return Invalidf(msgUnderflow)
	}
	return nil
}

// parseMantissa reads digits with an optional point. It returns how many of them
// are significant, also when that is more than d.digits can hold.
func (d *decimal) parseMantissa(text []byte) (significant int, rest []byte, ok bool) {
	found, point := false, false
	seen := 0 // digits from the first that is not zero on
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		found = true
		if c == '0' && seen == 0 {
			if point {
				d.exponent--
			}
			continue
		}
		seen++
		if !point {
			d.exponent++
		}
		if c != '0' {
			significant = seen
		}
		if seen <= maxDigits {
			d.buf[seen-1] = c - '0'
		}
	}
	d.exponent--
	d.digits = d.buf[:min(significant, maxDigits)]
	return significant, text[i:], found
}

// parseExponent reads an optional exponent, which must be all of text.
func parseExponent(text []byte) (int, bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	exponent := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		// Far beyond the supported range it does not matter how far.
		exponent = min(exponent*10+int(c-'0'), 1<<40)
	}
	if negative {
		return -exponent, true
	}
	return exponent, true
}

// floorHalf is i/2 rounded down.
func floorHalf(i int) int { return i >> 1 }

// append appends the binary form.
func (d *decimal) append(dst []byte) []byte {
	if len(d.digits) == 0 {
		return append(dst, headerZero, terminator)
	}
	start := len(dst)
	dst = append(dst, byte(headerZero+pairBias+floorHalf(d.exponent)))
	digits := d.digits
	if d.exponent&1 == 0 { // the first digit is the second of its pair
		dst = append(dst, digits[0]+1)
		digits = digits[1:]
	}
	for len(digits) > 0 {
		pair := digits[0] * 10
		if len(digits) > 1 {
			pair += digits[1]
		}
		dst = append(dst, pair+1)
		digits = digits[min(2, len(digits)):]
	}
	dst = append(dst, terminator)
	if d.negative {
		invert(dst[start:])
	}
	return dst
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

// appendInt appends the binary form of an integer.
func appendInt(dst []byte, i int64) []byte {
	if i == 0 {
		return append(dst, headerZero, terminator)
	}
	u := uint64(i)
	if i < 0 {
		u = -u
	}
	var pairs [10]byte // base 100, least significant first
	n := 0
	for ; u > 0; u /= 100 {
		pairs[n] = byte(u % 100)
		n++
	}
	start := len(dst)
	dst = append(dst, byte(headerZero+pairBias+n-1))
	low := 0
	for pairs[low] == 0 {
		low++
	}
	for k := n - 1; k >= low; k-- {
		dst = append(dst, pairs[k]+1)
	}
	dst = append(dst, terminator)
	if i < 0 {
		invert(dst[start:])
	}
	return dst
}

// maxIntPairs is how many digit pairs fit in an int64 with room for a sum.
const maxIntPairs = 9

// integer returns the number of a payload if it is an integer of few digits.
func integer(payload []byte) (int64, bool) {
	negative := payload[0] < headerZero
	flip := byte(0)
	if negative {
		flip = 0xff
	}
	pairs := payload[1 : len(payload)-1]
	if len(pairs) == 0 {
		return 0, true
	}
	whole := int(payload[0]^flip) - headerZero - pairBias + 1 // pairs before the point
	if whole < len(pairs) || whole > maxIntPairs {
		return 0, false
	}
	i := int64(0)
	for _, p := range pairs {
		i = i*100 + int64((p^flip)-1)
	}
	for range whole - len(pairs) {
		i *= 100
	}
	if negative {
		return -i, true
	}
	return i, true
}

// load takes the number apart that a payload holds.
func (d *decimal) load(payload []byte) {
	d.negative = payload[0] < headerZero
	flip := byte(0)
	if d.negative {
		flip = 0xff
	}
	pairs := payload[1 : len(payload)-1]
	d.digits = d.buf[:0]
	if len(pairs) == 0 {
		return
	}
	d.exponent = 2*(int(payload[0]^flip)-headerZero-pairBias) + 1
	for i, p := range pairs {
		p = (p ^ flip) - 1
		switch {
		case i == 0 && p < 10:
			d.exponent--
			d.digits = append(d.digits, p)
		case i == len(pairs)-1 && p%10 == 0:
			d.digits = append(d.digits, p/10)
		default:
			d.digits = append(d.digits, p/10, p%10)
		}
	}
}

// appendText appends the plain decimal notation of the number of a payload.
func appendText(dst, payload []byte) []byte {
	if i, ok := integer(payload); ok {
		return strconv.AppendInt(dst, i, 10)
	}
	var d decimal
	d.load(payload)
	if d.negative {
		dst = append(dst, '-')
	}
	if d.exponent < 0 {
		dst = append(dst, '0', '.')
		dst = appendZeros(dst, -d.exponent-1)
	}
	for i, digit := range d.digits {
		if i > 0 && i == d.exponent+1 {
			dst = append(dst, '.')
		}
		dst = append(dst, '0'+digit)
	}
	return appendZeros(dst, d.exponent+1-len(d.digits))
}

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

// NumberText returns the plain decimal notation of an N, without exponent and
// without needless zeros, and "" for other kinds.
func (v Value) NumberText() string {
	if v.Kind() != Number {
		return ""
	}
	return string(appendText(nil, v.payload()))
}

// Int returns the number of an N that is an integer of at most 18 digits.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	return integer(v.payload())
}

// numberSize counts a byte for each digit pair, one more, and one for the sign of
// a negative number.
func numberSize(payload []byte) int {
	size := len(payload) - 1
	if payload[0] < headerZero {
		size++
	}
	return size
}

// exact computes without rounding: the digits of a sum lie between the powers of
// ten of the largest and the smallest number.
var exact = apd.Context{
	Precision:   maxExponent - minExponent + 2*maxDigits,
	MaxExponent: apd.MaxExponent,
	MinExponent: apd.MinExponent,
	Traps:       apd.DefaultTraps,
}

// Add returns the sum of two N, or an InvalidError when it is out of range.
func Add(v, w Value) (Value, error) { return combine(v, w, 1) }

// Subtract returns the difference of two N, or an InvalidError when it is out of
// range.
func Subtract(v, w Value) (Value, error) { return combine(v, w, -1) }

func combine(v, w Value, sign int64) (Value, error) {
	a, ok := integer(v.payload())
	b, ok2 := integer(w.payload())
	if ok && ok2 {
		return IntValue(a + sign*b), nil
	}
	x, _, err := apd.NewFromString(v.NumberText())
	if err != nil {
		return Value{}, err
	}
	y, _, err := apd.NewFromString(w.NumberText())
	if err != nil {
		return Value{}, err
	}
	if sign < 0 {
		y.Negative = !y.Negative
	}
	if _, err := exact.Add(x, x, y); err != nil {
		return Value{}, err
	}
	x.Reduce(x)
	if x.NumDigits() > maxDigits {
		return Value{}, Invalidf(msgOverflow) // what the service says of digits here, too
	}
	return NumberValue(x.Text('f'))
}
