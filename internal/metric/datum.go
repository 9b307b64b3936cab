package metric

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Dimension is a name and value that, with others, identifies a metric.
type Dimension struct{ Name, Value string }

// Datum is what PutMetricData takes for one metric: a single value, several
// values with counts, or statistics of values.
type Datum struct {
	Name       string
	Dimensions []Dimension
	Time       time.Time // zero means the time of receipt
	Unit       string    // "" means None
	Resolution int       // seconds: 1 or 60; 0 means 60
	Value      *float64
	Values     []float64
	Counts     []float64 // as long as Values, or empty for one each
	Statistics *StatisticSet
}

// StatisticSet summarises observations of which the single values are not sent.
type StatisticSet struct{ Count, Sum, Min, Max float64 }

// Units are the units a datum can have, in the order of the model.
var Units = []string{
	"Seconds", "Microseconds", "Milliseconds",
	"Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
	"Bits", "Kilobits", "Megabits", "Gigabits", "Terabits",
	"Percent", "Count",
	"Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second",
	"Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second",
	"Count/Second", "None",
}

const (
	maxData       = 1000
	maxValues     = 150
	maxDimensions = 30
	maxNameLength = 255
	maxDimValue   = 1024

	oldestDatum = 14 * 24 * time.Hour
	newestDatum = 2 * time.Hour
)

// maxValue bounds the magnitude of a value.
var maxValue = math.Ldexp(1, 360)

// check validates the datum that is the n-th of its call, counted from 1.
func (d *Datum) check(n int, now time.Time) error {
	path := fmt.Sprintf("MetricData.member.%d.", n)
	for _, err := range []error{
		checkText(path+"MetricName", d.Name, maxNameLength),
		checkDimensions(path, d.Dimensions),
		d.checkTime(path, now),
		d.checkShape(path),
	} {
		if err != nil {
			return err
		}
	}
	if d.Unit != "" && !slices.Contains(Units, d.Unit) {
		return errorf(InvalidValue, "The parameter %sUnit must be a value in the set [ %s ].", path, strings.Join(Units, ", "))
	}
	if d.Resolution != 0 && d.Resolution != 1 && d.Resolution != 60 {
		return errorf(InvalidValue, "The parameter %sStorageResolution must be 1 or 60.", path)
	}
	return d.checkNumbers(path)
}

func (d *Datum) checkTime(path string, now time.Time) error {
	switch {
	case d.Time.IsZero():
		return nil
	case d.Time.Before(now.Add(-oldestDatum)):
		return errorf(InvalidValue, "The parameter %sTimestamp must specify a time within the past two weeks", path)
	case d.Time.After(now.Add(newestDatum)):
		return errorf(InvalidValue, "The parameter %sTimestamp must specify a time no more than two hours in the future", path)
	}
	return nil
}

func (d *Datum) checkShape(path string) error {
	exclusive := func(other string) error {
		return errorf(InvalidCombination, "The parameters %sValue and %s%s are mutually exclusive and you have specified both.", path, path, other)
	}
	switch {
	case d.Value != nil && d.Values != nil:
		return exclusive("Values")
	case d.Value != nil && d.Statistics != nil:
		return exclusive("StatisticValues")
	case d.Value == nil && len(d.Values) == 0 && d.Statistics == nil:
		return errorf(MissingParameter, "At least one of the parameters %[1]sValue, %[1]sValues and %[1]sStatisticValues must be specified.", path)
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return errorf(InvalidValue, "The parameters %sValues and %sCounts must be of the same size.", path, path)
	case len(d.Values) > maxValues:
		return errorf(InvalidValue, "The parameter %sValues must have no more than %d values.", path, maxValues)
	}
	return nil
}

func (d *Datum) checkNumbers(path string) error {
	number := func(name string, v float64) error {
		if math.IsNaN(v) || math.Abs(v) > maxValue {
			return errorf(InvalidValue, "The value %v for parameter %s%s is invalid.", v, path, name)
		}
		return nil
	}
	if d.Value != nil {
		return number("Value", *d.Value)
	}
	for i, v := range d.Values {
		if err := number(fmt.Sprintf("Values.member.%d", i+1), v); err != nil {
			return err
		}
	}
	for i, c := range d.Counts {
		name := fmt.Sprintf("Counts.member.%d", i+1)
		if err := number(name, c); err != nil {
			return err
		}
		if c < 0 {
			return errorf(InvalidValue, "The parameter %s%s must not be negative.", path, name)
		}
	}
	if s := d.Statistics; s != nil {
		return s.check(path+"StatisticValues.", number)
	}
	return nil
}

func (s *StatisticSet) check(path string, number func(string, float64) error) error {
	figures := []struct {
		name  string
		value float64
	}{{"SampleCount", s.Count}, {"Sum", s.Sum}, {"Minimum", s.Min}, {"Maximum", s.Max}}
	for _, f := range figures {
		if err := number("StatisticValues."+f.name, f.value); err != nil {
			return err
		}
	}
	switch {
	case s.Count < 0:
		return errorf(InvalidValue, "The parameter %sSampleCount must not be negative.", path)
	case s.Min > s.Max:
		return errorf(InvalidValue, "The parameter %sMinimum must not be greater than %sMaximum.", path, path)
	}
	return nil
}

// observeInto adds the datum's observations to a bucket.
func (d *Datum) observeInto(b *bucket) {
	if d.Value != nil {
		b.observe(*d.Value, 1)
		return
	}
	for i, v := range d.Values {
		weight := 1.0
		if len(d.Counts) > 0 {
			weight = d.Counts[i]
		}
		if weight > 0 {
			b.observe(v, weight)
		}
	}
	if s := d.Statistics; s != nil && s.Count > 0 {
		s.observeInto(b)
	}
}

// observeInto adds the set to a bucket. A set of equal values is as good as the
// values; of any other the values are unknown.
func (s *StatisticSet) observeInto(b *bucket) {
	if s.Min == s.Max && s.Sum == s.Min*s.Count {
		b.observe(s.Min, s.Count)
		return
	}
	b.summarise(s.Count, s.Sum, s.Min, s.Max)
	b.values = nil
}

func checkDimensions(path string, dims []Dimension) error {
	if len(dims) > maxDimensions {
		return errorf(InvalidValue, "The parameter %sDimensions must have no more than %d dimensions.", path, maxDimensions)
	}
	for i, dim := range dims {
		path := fmt.Sprintf("%sDimensions.member.%d.", path, i+1)
		if err := checkText(path+"Name", dim.Name, maxNameLength); err != nil {
			return err
		}
		if err := checkText(path+"Value", dim.Value, maxDimValue); err != nil {
			return err
		}
		if strings.HasPrefix(dim.Name, ":") {
			return errorf(InvalidValue, "The value %s for parameter %sName must not start with a colon.", dim.Name, path)
		}
		if slices.ContainsFunc(dims[:i], func(d Dimension) bool { return d.Name == dim.Name }) {
			return errorf(InvalidValue, "The parameter %sName must be unique: %s is given twice.", path, dim.Name)
		}
	}
	return nil
}

// checkText refuses a name or value that is empty, blank, too long or not ASCII.
func checkText(parameter, s string, limit int) error {
	switch {
	case s == "":
		return errorf(MissingParameter, "The parameter %s is required.", parameter)
	case len(s) > limit:
		return errorf(InvalidValue, "The parameter %s must not be longer than %d characters.", parameter, limit)
	case strings.TrimSpace(s) == "":
		return errorf(InvalidValue, "The parameter %s must contain a character that is not blank.", parameter)
	}
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < ' ' || s[i] == 0x7f {
			return errorf(InvalidValue, "The value %s for parameter %s contains non-ASCII characters.", s, parameter)
		}
	}
	return nil
}

func checkNamespace(ns string) error {
	if err := checkText("Namespace", ns, maxNameLength); err != nil {
		return err
	}
	if ns[0] == ':' {
		return errorf(InvalidValue, "The value %s for parameter Namespace must not start with a colon.", ns)
	}
	return nil
}
