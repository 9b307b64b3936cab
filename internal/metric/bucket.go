package metric

import "math"

// bucket summarises the observations of one span of time. Buckets merge, so the
// order in which observations arrive does not matter.
type bucket struct {
	count, sum, min, max float64
	// values is nil when single values are not known or one was negative; then
	// there are no percentiles.
	values *distribution
}

func newBucket() *bucket {
	return &bucket{min: math.Inf(1), max: math.Inf(-1), values: &distribution{}}
}

// observe adds weight observations of a value.
func (b *bucket) observe(value, weight float64) {
	b.summarise(weight, value*weight, value, value)
	if value < 0 {
		b.values = nil
	}
	if b.values != nil {
		b.values.add(value, weight)
	}
}

// summarise adds observations of which only statistics are known. It leaves
// values alone.
func (b *bucket) summarise(count, sum, low, high float64) {
	b.count += count
	b.sum += sum
	b.min, b.max = min(b.min, low), max(b.max, high)
}

func (b *bucket) merge(o *bucket) {
	b.summarise(o.count, o.sum, o.min, o.max)
	if o.values == nil {
		b.values = nil
	}
	if b.values != nil {
		b.values.merge(o.values)
	}
}

func (b *bucket) clone() *bucket {
	c := *b
	c.values = b.values.clone()
	return &c
}

const bucketHead = 1 + 4*8

func (b *bucket) append(dst []byte) []byte {
	dst = append(dst, b.values.form())
	for _, v := range []float64{b.count, b.sum, b.min, b.max} {
		dst = appendFloat(dst, v)
	}
	return b.values.append(dst)
}

func decodeBucket(b []byte) (*bucket, error) {
	if len(b) < bucketHead {
		return nil, errBadBucket
	}
	values, err := decodeDistribution(b[0], b[bucketHead:])
	if err != nil {
		return nil, err
	}
	return &bucket{
		count: readFloat(b[1:]), sum: readFloat(b[9:]), min: readFloat(b[17:]), max: readFloat(b[25:]),
		values: values,
	}, nil
}
