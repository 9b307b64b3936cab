package metric

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// maxDistinct is the number of different values up to which a distribution is
// exact; beyond, it becomes a sketch.
const maxDistinct = 150

// sketchMapping fixes the sketch's bins: 1% relative accuracy. It is not written
// with each sketch, so a change needs a new form byte.
var sketchMapping = func() mapping.IndexMapping {
	m, err := mapping.NewLogarithmicMapping(0.01)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return m
}()

// weighted is a value that was observed weight times.
type weighted struct{ value, weight float64 }

// distribution knows how often which values were observed, none of them
// negative: exactly while they are few, within 1% when they are many.
type distribution struct {
	exact  []weighted // sorted by value; used while sketch is nil
	sketch *ddsketch.DDSketch
}

func (d *distribution) add(value, weight float64) {
	if d.sketch != nil {
		d.addToSketch(value, weight)
		return
	}
	i, found := slices.BinarySearchFunc(d.exact, value, func(w weighted, v float64) int { return cmp.Compare(w.value, v) })
	if found {
		d.exact[i].weight += weight
		return
	}
	if len(d.exact) < maxDistinct {
		d.exact = slices.Insert(d.exact, i, weighted{value, weight})
		return
	}
	d.sketch = ddsketch.NewDDSketchFromStoreProvider(sketchMapping, store.SparseStoreConstructor)
	for _, w := range d.exact {
		d.addToSketch(w.value, w.weight)
	}
	d.exact = nil
	d.addToSketch(value, weight)
}

func (d *distribution) addToSketch(value, weight float64) {
	if err := d.sketch.AddWithCount(value, weight); err != nil {
		// Only values outside the mapping and negative weights are refused, and
		// neither passes the checks of a datum.
		panic(fmt.Sprintf("metric: sketch refuses %v x %v: %v", value, weight, err))
	}
}

func (d *distribution) merge(o *distribution) {
	for _, w := range o.sorted() {
		d.add(w.value, w.weight)
	}
}

// sorted returns the values in ascending order; read-only.
func (d *distribution) sorted() []weighted {
	if d.sketch == nil {
		return d.exact
	}
	var all []weighted
	d.sketch.ForEach(func(value, count float64) bool {
		all = append(all, weighted{value, count})
		return false
	})
	slices.SortFunc(all, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	return all
}

// empty reports whether single values are unknown or none was observed.
func (d *distribution) empty() bool {
	return d == nil || d.sketch == nil && len(d.exact) == 0 || d.sketch != nil && d.sketch.IsEmpty()
}

func (d *distribution) clone() *distribution {
	if d == nil {
		return nil
	}
	c := &distribution{exact: slices.Clone(d.exact)}
	if d.sketch != nil {
		c.sketch = d.sketch.Copy()
	}
	return c
}

const (
	formSummary = 0
	formExact   = 1
	formSketch  = 2
)

func (d *distribution) form() byte {
	switch {
	case d == nil:
		return formSummary
	case d.sketch == nil:
		return formExact
	default:
		return formSketch
	}
}

func (d *distribution) append(b []byte) []byte {
	switch d.form() {
	case formExact:
		b = binary.AppendUvarint(b, uint64(len(d.exact)))
		for _, w := range d.exact {
			b = appendFloat(appendFloat(b, w.value), w.weight)
		}
	case formSketch:
		d.sketch.Encode(&b, true)
	}
	return b
}

var errBadBucket = errors.New("metric: malformed bucket")

func decodeDistribution(form byte, b []byte) (*distribution, error) {
	switch form {
	case formSummary:
		return nil, nil
	case formExact:
		return decodeExact(b)
	case formSketch:
		s, err := ddsketch.DecodeDDSketch(b, store.SparseStoreConstructor, sketchMapping)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBadBucket, err)
		}
		return &distribution{sketch: s}, nil
	default:
		return nil, errBadBucket
	}
}

func decodeExact(b []byte) (*distribution, error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > maxDistinct || uint64(len(b)-size) != n*16 {
		return nil, errBadBucket
	}
	b = b[size:]
	d := &distribution{exact: make([]weighted, n)}
	for i := range d.exact {
		d.exact[i] = weighted{readFloat(b), readFloat(b[8:])}
		b = b[16:]
		if i > 0 && !(d.exact[i-1].value < d.exact[i].value) {
			return nil, errBadBucket
		}
	}
	return d, nil
}

func appendFloat(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
}

func readFloat(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }
