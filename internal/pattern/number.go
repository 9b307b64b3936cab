package pattern

import "bytes"

// decimal is a number of any size and precision, made for comparing. Its value
// is sign * 0.DDD... * 10^exp with the digits D, of which the first is not 0, in
// head and tail.
type decimal struct {
	sign int    // -1, 0 or 1
	exp  int    // saturates beyond ±maxExponent
	head uint64 // the first 19 digits
	tail []byte // the text after them, with or without a decimal point, or nil
}

const (
	headDigits  = 19
	maxExponent = 1 << 40
)

// comparison is how numbers are compared.
type comparison uint8

const (
	byValue    comparison = iota
	byDecimals            // by value, without the digits after the fifth decimal place
	byText                // equal if their texts are; in ranges by value
)

// places is how many digits after the point count in filter policies.
const places = 5

// read is parseDecimal for a number that is to be compared so.
func (c comparison) read(text []byte) decimal {
	d := parseDecimal(text)
	if c == byDecimals {
		return d.cut()
	}
	return d
}

var billion = parseDecimal([]byte("1000000000"))

// beyond reports whether the size of d, whatever its sign, is more than limit.
func (d decimal) beyond(limit decimal) bool {
	if d.sign < 0 {
		d.sign = 1
	}
	return d.compare(limit) > 0
}

// cut is d without the digits after its fifth decimal place.
func (d decimal) cut() decimal {
	keep := d.exp + places
	switch {
	case d.sign == 0 || keep <= 0:
		return decimal{}
	case keep >= headDigits:
		d.tail = trimZeros(firstDigits(d.tail, keep-headDigits))
		return d
	}
	unit := uint64(1)
	for range headDigits - keep {
		unit *= 10
	}
	d.head -= d.head % unit
	d.tail = nil
	return d
}

// firstDigits is the beginning of text with at most n digits.
func firstDigits(text []byte, n int) []byte {
	for i, c := range text {
		switch {
		case c == '.':
		case n == 0:
			return text[:i]
		default:
			n--
		}
	}
	return text
}

// parseDecimal reads a number as JSON writes it.
func parseDecimal(text []byte) decimal {
	d := decimal{sign: 1}
	if text[0] == '-' {
		d.sign = -1
		text = text[1:]
	}
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		d.exp = parseExponent(text[i+1:])
		text = text[:i]
	}
	taken, rest, fraction := 0, len(text), false
	for i, c := range text {
		switch {
		case c == '.':
			fraction = true
			continue
		case taken == headDigits:
			rest = min(rest, i)
		case taken > 0 || c != '0':
			d.head = d.head*10 + uint64(c-'0')
			taken++
		case fraction:
			d.exp-- // a zero between the point and the first digit
		}
		if !fraction && taken > 0 {
			d.exp++
		}
	}
	if taken == 0 {
		return decimal{}
	}
	for ; taken < headDigits; taken++ {
		d.head *= 10
	}
	d.tail = trimZeros(text[rest:])
	return d
}

func parseExponent(text []byte) int {
	sign := 1
	if text[0] == '-' || text[0] == '+' {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	n := 0
	for _, c := range text {
		if n = n*10 + int(c-'0'); n > maxExponent {
			n = maxExponent
		}
	}
	return sign * n
}

// trimZeros removes the zeros at the end of digits that do not count, which are
// those after the last other digit.
func trimZeros(digits []byte) []byte {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] != '0' && digits[i] != '.' {
			return digits[:i+1]
		}
	}
	return nil
}

// compare returns -1, 0 or 1 if d is less than, equal to or greater than other.
func (d decimal) compare(other decimal) int {
	switch {
	case d.sign != other.sign:
		return order(d.sign, other.sign)
	case d.exp != other.exp:
		return d.sign * order(d.exp, other.exp)
	case d.head != other.head:
		return d.sign * order(d.head, other.head)
	}
	return d.sign * compareDigits(d.tail, other.tail)
}

func order[T int | uint64](a, b T) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// compareDigits compares texts of digits of which each may have a point.
func compareDigits(a, b []byte) int {
	for {
		a, b = bytes.TrimPrefix(a, []byte(".")), bytes.TrimPrefix(b, []byte("."))
		switch {
		case len(a) == 0 || len(b) == 0:
			return order(len(a), len(b))
		case a[0] != b[0]:
			return order(int(a[0]), int(b[0]))
		}
		a, b = a[1:], b[1:]
	}
}
