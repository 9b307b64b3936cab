package metric

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func openMetrics(tb testing.TB) *Metrics {
	tb.Helper()
	db := openStore(tb, vfs.NewMem())
	m, err := Open(Config{DB: db})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Error(err)
		}
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return m
}

func hosts(n int) []Datum {
	data := make([]Datum, n)
	for i := range data {
		v := float64(i)
		data[i] = Datum{Name: "Load", Dimensions: []Dimension{{"Host", fmt.Sprintf("h%05d", i)}}, Value: &v}
	}
	return data
}

// Thousands of metrics are listed page by page, each exactly once, in order.
func TestListPages(t *testing.T) {
	t.Parallel()
	m := openMetrics(t)
	for range 2 {
		for data := hosts(2600); len(data) > 0; {
			n := min(len(data), maxData)
			if err := m.Put(t.Context(), "Fleet", data[:n]); err != nil {
				t.Fatal(err)
			}
			data = data[n:]
		}
	}
	var pages, next int
	for token := ""; ; {
		found, more, err := m.List(t.Context(), ListFilter{Namespace: "Fleet", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range found {
			if want := fmt.Sprintf("h%05d", next); id.Dimensions[0].Value != want {
				t.Fatalf("metric %d is of %s, want %s", next, id.Dimensions[0].Value, want)
			}
			next++
		}
		pages++
		if token = more; token == "" {
			break
		}
	}
	if next != 2600 || pages != 6 {
		t.Errorf("%d metrics on %d pages, want 2600 on 6", next, pages)
	}
	if _, _, err := m.List(t.Context(), ListFilter{Token: "?"}); err == nil {
		t.Error("a made-up token was accepted")
	}
}

func TestTooManyData(t *testing.T) {
	t.Parallel()
	m := openMetrics(t)
	err := m.Put(t.Context(), "Fleet", hosts(maxData+1))
	if e, ok := err.(*Error); !ok || e.Code != InvalidValue {
		t.Errorf("%d data: %v", maxData+1, err)
	}
	one := hosts(2)
	one[1].Unit = "Furlongs"
	if err := m.Put(t.Context(), "Fleet", one); err == nil {
		t.Error("a bad datum was accepted")
	}
	if found, _, _ := m.List(t.Context(), ListFilter{}); len(found) != 0 {
		t.Errorf("refused calls left metrics: %v", found)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, n := range []int{1, 20, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := openMetrics(b)
			data := hosts(n)
			for b.Loop() {
				if err := m.Put(b.Context(), "Fleet", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Every label that is accepted can be expanded.
func FuzzLabel(f *testing.F) {
	for _, s := range []string{"plain", "${LABEL} ${MAX}", "${MIN_TIME}", "${PROP('Dim.a')}", "${AVG_TIME}", "${MAX_TIME_TIME}", "${", "${}"} {
		f.Add(s)
	}
	at := time.Unix(1e9, 0)
	f.Fuzz(func(_ *testing.T, label string) {
		if checkLabel("", label) != nil {
			return
		}
		q := &DataQuery{Label: label, Metric: ID{Dimensions: []Dimension{{"a", "b"}}}}
		expandLabel(q, &DataResult{}, "fallback", nil)
		expandLabel(q, &DataResult{Times: []time.Time{at, at}, Values: []float64{1, 2}}, "fallback", nil)
	})
}

func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	for range 30 {
		d := Datum{Statistics: &StatisticSet{Count: math.NaN(), Sum: math.NaN(), Min: math.NaN(), Max: math.NaN()}}
		if err := d.checkNumbers(""); err == nil || !strings.Contains(err.Error(), "StatisticValues.SampleCount") {
			t.Fatal(err)
		}
	}
}
