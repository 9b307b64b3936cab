package replay

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Key names a counter: a kind of event and the start of a bucket of time, in UTC.
type Key struct {
	Event string
	Hour  time.Time
}

// Counts are counters by their keys.
type Counts map[Key]int64

// header is the first line of a file of counts.
var header = []string{"EventName", "EventHour", "EventCount"}

// ReadCounts reads counts from comma-separated lines: event, hour, count.
func ReadCounts(text []byte) (Counts, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = len(header)
	counts := Counts{}
	for first := true; ; first = false {
		fields, err := r.Read()
		if err == io.EOF {
			return counts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read counts: %w", err)
		}
		if first && slices.Equal(fields, header) {
			continue
		}
		n, err := strconv.ParseInt(fields[2], 10, 64)
		if err == nil {
			err = counts.Add(fields[0], fields[1], n)
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("read counts, line %d: %w", line, err)
		}
	}
}

// Add adds n to a counter whose bucket is written as in the table.
func (c Counts) Add(event, hour string, n int64) error {
	t, err := time.Parse(layout, hour)
	if err != nil {
		return fmt.Errorf("counter %s: %w", event, err)
	}
	c[Key{event, t}] += n
	return nil
}

// Count counts events in buckets of a length.
func Count(events []Event, bucket time.Duration) Counts {
	counts := Counts{}
	for _, e := range events {
		counts[Key{e.Name, e.Time.Truncate(bucket)}]++
	}
	return counts
}

// Total is the sum of all counters.
func (c Counts) Total() int64 {
	var total int64
	for _, n := range c {
		total += n
	}
	return total
}

// Hours returns the counters summed by hour.
func (c Counts) Hours() Counts {
	hours := Counts{}
	for k, n := range c {
		hours[Key{k.Event, k.Hour.Truncate(time.Hour)}] += n
	}
	return hours
}

// Shift returns the counters as if everything had happened later by d.
func (c Counts) Shift(d time.Duration) Counts {
	shifted := make(Counts, len(c))
	for k, n := range c {
		shifted[Key{k.Event, k.Hour.Add(d)}] = n
	}
	return shifted
}

// Minus returns by how much the counters differ from what they were before.
func (c Counts) Minus(before Counts) Counts {
	grown := maps.Clone(c)
	for k, n := range before {
		if grown[k] -= n; grown[k] == 0 {
			delete(grown, k)
		}
	}
	return grown
}

// Difference is a counter that is not what it should be.
type Difference struct {
	Key
	Want, Got int64
}

// String tells the difference in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s at %s: %d, want %d", d.Event, d.Hour.Format(layout), d.Got, d.Want)
}

// Compare returns the counters that differ, by event and hour. A counter that is
// missing counts as 0.
func Compare(want, got Counts) []Difference {
	var differences []Difference
	for k, n := range want {
		if got[k] != n {
			differences = append(differences, Difference{k, n, got[k]})
		}
	}
	for k, n := range got {
		if _, ok := want[k]; !ok && n != 0 {
			differences = append(differences, Difference{k, 0, n})
		}
	}
	slices.SortFunc(differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), a.Hour.Compare(b.Hour))
	})
	return differences
}
