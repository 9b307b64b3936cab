package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
)

// Percentiles of many values stay within the sketch's accuracy, and buckets give
// the same whether values were observed in one or merged from several.
func TestManyValues(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 20_000)
	whole, parts := newBucket(), []*bucket{newBucket(), newBucket(), newBucket()}
	for i := range values {
		values[i] = math.Exp(random.NormFloat64() * 3)
		whole.observe(values[i], 1)
		parts[i%3].observe(values[i], 1)
	}
	merged := newBucket()
	for _, p := range parts {
		merged.merge(p)
	}
	slices.Sort(values)
	for _, name := range []string{"p1", "p50", "p90", "p99.9"} {
		stat, _ := ParseStat(name)
		p, _ := stat.percentile()
		want := values[int(math.Ceil(p*float64(len(values))-1e-6))-1]
		for _, b := range []*bucket{whole, merged} {
			if got, ok := stat.of(b); !ok || math.Abs(got-want) > 0.011*want {
				t.Errorf("%s = %v, want %v within 1%%", name, got, want)
			}
		}
	}
}

func TestBucketRoundTrip(t *testing.T) {
	t.Parallel()
	roundTrip := func(values []float64, set bool) bool {
		b := newBucket()
		for _, v := range values {
			b.observe(math.Mod(v, 1e6), 2)
		}
		if set {
			(&StatisticSet{Count: 3, Sum: 9, Min: 1, Max: 5}).observeInto(b)
		}
		again, err := decodeBucket(b.append(nil))
		return err == nil && slices.Equal(again.append(nil), b.append(nil))
	}
	if err := quick.Check(roundTrip, nil); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeBucket(f *testing.F) {
	b := newBucket()
	f.Add(b.append(nil))
	for i := range 2 * maxDistinct {
		b.observe(float64(i), 1)
		if i%100 == 3 {
			f.Add(b.append(nil))
		}
	}
	b.observe(-1, 1)
	f.Add(b.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeBucket(data)
		if err != nil {
			return
		}
		for _, name := range []string{"Average", "p90", "TM(10%:90%)", "WM(1:2)"} {
			stat, _ := ParseStat(name)
			stat.of(b)
		}
	})
}

func FuzzParseStat(f *testing.F) {
	for _, s := range []string{"Average", "p99.9", "tm90", "IQM", "TM(10%:90%)", "WM(:5)", "PR(1:)", "TC(5%:)", "p101", "TM(:)"} {
		f.Add(s)
	}
	b := newBucket()
	for i := range 10 {
		b.observe(float64(i), 1)
	}
	f.Fuzz(func(t *testing.T, name string) {
		stat, ok := ParseStat(name)
		if !ok {
			return
		}
		if stat.Name() != name {
			t.Fatalf("name %q became %q", name, stat.Name())
		}
		if v, ok := stat.of(b); ok && (math.IsNaN(v) || v < 0 || v > 100) {
			t.Fatalf("%s = %v", name, v)
		}
	})
}
