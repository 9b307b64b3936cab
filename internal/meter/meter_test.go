package meter

import (
	"testing"
)

func TestSeries(t *testing.T) {
	t.Parallel()
	m := New()
	a := m.Series("N", "x", "Count", Dimension{"b", "2"}, Dimension{"a", "1"})
	if b := m.Series("N", "x", "Count", Dimension{"a", "1"}, Dimension{"b", "2"}); a != b {
		t.Error("the order of dimensions makes another series")
	}
	a.Observe(3)
	a.ObserveN(1, 2)
	st, ok := a.Drain()
	if !ok || st.Count != 3 || st.Sum != 5 || st.Min != 1 || st.Max != 3 || len(st.Samples) != 2 {
		t.Errorf("%+v %v", st, ok)
	}
	if _, ok := a.Drain(); ok {
		t.Error("drained twice")
	}
	if count, sum, last := a.Totals(); count != 3 || sum != 5 || last != 1 {
		t.Error(count, sum, last)
	}
	m.Forget("N", Dimension{"a", "1"})
	m.Each(func(*Series) { t.Error("a forgotten series is still there") })
	var none *Meter
	none.Series("N", "x", "Count").Observe(1)
}

func TestSamplesAreBounded(t *testing.T) {
	t.Parallel()
	s := New().Series("N", "x", "None")
	for i := range 10 * maxSamples {
		s.Observe(float64(i))
	}
	if st, _ := s.Drain(); len(st.Samples) > maxSamples || st.Count != 10*maxSamples {
		t.Errorf("%d samples of %v", len(st.Samples), st.Count)
	}
}

func BenchmarkObserve(b *testing.B) {
	s := New().Series("N", "x", "None")
	for b.Loop() {
		s.Observe(1)
	}
}
