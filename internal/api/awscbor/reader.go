package awscbor

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// MaxDepth bounds how deep arrays and maps may nest.
const MaxDepth = 256

// ErrMalformed is wrapped by all errors of documents that are not CBOR.
var ErrMalformed = errors.New("malformed CBOR")

// Major types of RFC 8949.
const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// Additional information.
const (
	infoFalse      = 20
	infoTrue       = 21
	infoNull       = 22
	infoUndefined  = 23
	infoFloat16    = 25
	infoFloat32    = 26
	infoFloat64    = 27
	infoIndefinite = 31
)

const breakByte = 0xff

// head is the first part of a data item.
type head struct {
	major, info byte
	arg         uint64
}

func (h head) indefinite() bool { return h.info == infoIndefinite }

func (h head) null() bool {
	return h.major == majorSimple && (h.info == infoNull || h.info == infoUndefined)
}

func (h head) float() bool {
	return h.major == majorSimple && h.info >= infoFloat16 && h.info <= infoFloat64
}

// reader reads data items. Errors stick; after one every method returns zero
// values.
type reader struct {
	data  []byte
	pos   int
	depth int
	err   error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d", ErrMalformed, what, r.pos)
	}
	r.pos = len(r.data)
}

// take returns the next n bytes.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.data)-r.pos) {
		r.fail("unexpected end")
		return nil
	}
	b := r.data[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// rawHead reads one head, of a tag as well.
func (r *reader) rawHead() head {
	b := r.take(1)
	if b == nil {
		return head{major: majorSimple, info: infoNull}
	}
	h := head{major: b[0] >> 5, info: b[0] & 31}
	switch {
	case h.info < 24:
		h.arg = uint64(h.info)
	case h.info <= infoFloat64:
		for _, c := range r.take(1 << (h.info - 24)) {
			h.arg = h.arg<<8 | uint64(c)
		}
	case h.info != infoIndefinite || h.major < majorBytes || h.major > majorMap:
		r.fail("reserved head")
	}
	if h.major == majorSimple && h.info == 24 && h.arg < 32 {
		r.fail("reserved simple value")
	}
	return h
}

// head reads the next head that is not of a tag, and the innermost tag before
// it.
func (r *reader) head() (h head, tag uint64) {
	for h = r.rawHead(); h.major == majorTag; h = r.rawHead() {
		tag = h.arg
	}
	return h, tag
}

// enter begins an array or map and leave ends it.
func (r *reader) enter(h head) bool {
	if r.depth >= MaxDepth {
		r.fail("nested too deep")
		return false
	}
	if !h.indefinite() && h.arg > uint64(len(r.data)-r.pos) {
		r.fail("unexpected end")
		return false
	}
	r.depth++
	return true
}

func (r *reader) leave() { r.depth-- }

// more reports whether an array or map of which n items were read has another
// one.
func (r *reader) more(h head, n uint64) bool {
	if r.err != nil {
		return false
	}
	if !h.indefinite() {
		return n < h.arg
	}
	if r.pos >= len(r.data) {
		r.fail("unexpected end")
		return false
	}
	if r.data[r.pos] == breakByte {
		r.pos++
		return false
	}
	return true
}

// bytes reads the content of a byte or text string. It may point into the data.
func (r *reader) bytes(h head) []byte {
	if !h.indefinite() {
		b := r.take(h.arg)
		r.checkText(h, b)
		return b
	}
	var all []byte
	for r.more(h, 0) {
		chunk := r.rawHead()
		if chunk.major != h.major || chunk.indefinite() {
			r.fail("a chunk of the same kind of string is expected")
			return nil
		}
		b := r.take(chunk.arg)
		r.checkText(h, b)
		all = append(all, b...)
	}
	return all
}

func (r *reader) checkText(h head, b []byte) {
	if h.major == majorText && !utf8.Valid(b) {
		r.fail("text is not UTF-8")
	}
}

// number returns an integer or a float as a float.
func (h head) number() float64 {
	switch {
	case h.major == majorUint:
		return float64(h.arg)
	case h.major == majorNegative:
		return -1 - float64(h.arg)
	case h.info == infoFloat16:
		return float16(uint16(h.arg))
	case h.info == infoFloat32:
		return float64(math.Float32frombits(uint32(h.arg)))
	}
	return math.Float64frombits(h.arg)
}

func float16(bits uint16) float64 {
	exp, frac := int(bits>>10&31), float64(bits&0x3ff)
	var v float64
	switch exp {
	case 0:
		v = math.Ldexp(frac, -24)
	case 31:
		v = math.Inf(1)
		if frac != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(frac+1024, exp-25)
	}
	return math.Copysign(v, -float64(bits>>15&1)+0.5)
}

// integer returns a number as an integer of the given size: fractions are cut
// off, what does not fit is clamped.
func (h head) integer(size int) int64 {
	least, most := int64(math.MinInt64)>>(64-size), int64(math.MaxInt64)>>(64-size)
	switch {
	case h.major == majorUint && h.arg <= uint64(most):
		return int64(h.arg)
	case h.major == majorNegative && h.arg <= uint64(most):
		return -1 - int64(h.arg)
	}
	f := math.Trunc(h.number())
	switch {
	case math.IsNaN(f):
		return 0
	case f <= float64(least):
		return least
	case f >= float64(most):
		return most
	}
	return int64(f)
}

// skip steps over the rest of the item that begins with h.
func (r *reader) skip(h head) {
	switch h.major {
	case majorBytes, majorText:
		r.bytes(h)
	case majorArray, majorMap:
		if !r.enter(h) {
			return
		}
		for n := uint64(0); r.more(h, n); n++ {
			r.skipNext()
			if h.major == majorMap {
				r.skipNext()
			}
		}
		r.leave()
	}
}

func (r *reader) skipNext() {
	h, _ := r.head()
	r.skip(h)
}
