package replay

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func load(t *testing.T) ([]Event, Counts) {
	t.Helper()
	lines, err := os.ReadFile("../data/web-events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	events, err := Read(lines)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("../data/web-events-hourly.csv")
	if err != nil {
		t.Fatal(err)
	}
	counts, err := ReadCounts(table)
	if err != nil {
		t.Fatal(err)
	}
	return events, counts
}

// TestDataAgree holds the two files of data against each other: one was counted
// from the same log by another program.
func TestDataAgree(t *testing.T) {
	t.Parallel()
	events, want := load(t)
	if len(events) != 10_000 || len(want) != 467 || want.Total() != 10_000 {
		t.Errorf("%d events, %d counters, %d in total", len(events), len(want), want.Total())
	}
	for _, bucket := range []time.Duration{time.Hour, 15 * time.Minute, time.Minute} {
		if differences := Compare(want, Count(events, bucket).Hours()); len(differences) > 0 {
			t.Errorf("buckets of %v: %v", bucket, differences)
		}
	}
}

// TestShiftedCountsAreShiftedBack is what the check of a replay relies on.
func TestShiftedCountsAreShiftedBack(t *testing.T) {
	t.Parallel()
	events, want := load(t)
	shift := Shift(events, time.Date(2026, 11, 21, 21, 30, 0, 0, time.UTC))
	var lines []byte
	for _, e := range events {
		lines = append(append(lines, e.Data(shift)...), '\n')
	}
	shifted, err := Read(lines)
	if err != nil {
		t.Fatal(err)
	}
	if differences := Compare(want, Count(shifted, time.Hour).Shift(-shift)); len(differences) > 0 {
		t.Errorf("%v", differences)
	}
	if got, want := shifted[0].Time, events[0].Time.Add(shift); !got.Equal(want) {
		t.Errorf("the first event is at %v, want %v", got, want)
	}
}

func TestDataKeepsTheRestOfTheEvent(t *testing.T) {
	t.Parallel()
	const line = `{"event":"asset","utc_timestamp":"2015-05-17T10:05:03","page":"/a \"b\"","status":200}`
	events, err := Read([]byte("\n" + line + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(events[0].Data(0)); got != line {
		t.Errorf("got %s", got)
	}
	want := strings.Replace(line, "2015-05-17T10", "2015-05-18T09", 1)
	if got := events[0].Data(23 * time.Hour); string(got) != want || !json.Valid(got) {
		t.Errorf("got %s", got)
	}
}

func TestShift(t *testing.T) {
	t.Parallel()
	newest := time.Date(2015, 5, 20, 21, 5, 59, 0, time.UTC)
	events := []Event{{Time: newest}, {Time: newest.Add(-time.Hour)}}
	for now, want := range map[time.Time]time.Duration{
		newest:                       0,
		newest.Add(59 * time.Minute): 0,
		newest.Add(time.Hour):        time.Hour,
		newest.Add(100*time.Hour + 5*time.Minute): 100 * time.Hour,
		newest.Add(-time.Second):                  -time.Hour,
		newest.Add(-time.Hour):                    -time.Hour,
		newest.Add(-time.Hour - time.Second):      -2 * time.Hour,
	} {
		got := Shift(events, now)
		if got != want {
			t.Errorf("at %v: %v, want %v", now, got, want)
		}
		if age := now.Sub(newest.Add(got)); age < 0 || age >= time.Hour {
			t.Errorf("at %v the newest event is %v old", now, age)
		}
	}
}

func TestPlayTakesItsTime(t *testing.T) {
	t.Parallel()
	events, _ := load(t)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var last time.Duration
		calls, records, progress := 0, 0, 0
		err := Play(t.Context(), events, Options{
			Speed: 84 * 60, // 84 hours in a minute
			Put: func(_ context.Context, batch []Record) error {
				calls++
				records += len(batch)
				last = time.Since(began)
				if len(batch) == 0 || len(batch) > maxBatch {
					t.Errorf("a batch of %d", len(batch))
				}
				return nil
			},
			Progress: func(done int) { progress = done },
		})
		if err != nil || records != len(events) || progress != len(events) {
			t.Errorf("%d records, progress %d: %v", records, progress, err)
		}
		if want := Span(events) / (84 * 60); last < want-time.Second || last > want+time.Second {
			t.Errorf("it took %v, want %v", last, want)
		}
		if calls < 300 {
			t.Errorf("only %d batches", calls)
		}
	})
}

func TestPlayAsFastAsPossible(t *testing.T) {
	t.Parallel()
	events, _ := load(t)
	var keys []string
	var names []string
	err := Play(t.Context(), events, Options{Put: func(_ context.Context, batch []Record) error {
		for _, r := range batch {
			keys = append(keys, r.PartitionKey)
			names = append(names, string(r.Data))
		}
		return nil
	}})
	if err != nil || len(names) != len(events) || names[7] != string(events[7].Data(0)) || slices.Contains(keys, "") {
		t.Errorf("%d records: %v", len(names), err)
	}
}

func TestPlayStops(t *testing.T) {
	t.Parallel()
	events, _ := load(t)
	broken := errors.New("broken")
	err := Play(t.Context(), events, Options{Put: func(context.Context, []Record) error { return broken }})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "put events 1 to 500") {
		t.Errorf("got %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := Play(ctx, events, Options{Speed: 1, Put: func(context.Context, []Record) error { return nil }})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	counts := func(pairs ...any) Counts {
		c := Counts{}
		for i := 0; i < len(pairs); i += 3 {
			if err := c.Add(pairs[i].(string), pairs[i+1].(string), int64(pairs[i+2].(int))); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	const ten, eleven = "2015-05-17T10:00:00", "2015-05-17T11:00:00"
	got := Compare(counts("a", ten, 1, "a", eleven, 2, "b", ten, 3), counts("a", ten, 1, "a", eleven, 4, "c", ten, 5, "d", ten, 0))
	var texts []string
	for _, d := range got {
		texts = append(texts, d.String())
	}
	want := []string{"a at 2015-05-17T11:00:00: 4, want 2", "b at 2015-05-17T10:00:00: 0, want 3", "c at 2015-05-17T10:00:00: 5, want 0"}
	if !slices.Equal(texts, want) {
		t.Errorf("got %q", texts)
	}
	grown := counts("a", ten, 5, "b", ten, 3).Minus(counts("a", ten, 2, "b", ten, 3))
	if len(Compare(counts("a", ten, 3), grown)) > 0 || len(grown) != 1 {
		t.Errorf("got %v", grown)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, lines := range []string{"x", `{"event":"a"}`, `{"utc_timestamp":"today"}`, `{"utc_timestamp": "2015-05-17T10:05:03"}`} {
		if _, err := Read([]byte(lines)); err == nil {
			t.Errorf("%s was read", lines)
		}
	}
	for _, lines := range []string{"a,b", "a,2015-05-17T10:00:00,x", "a,today,1"} {
		if _, err := ReadCounts([]byte(lines)); err == nil {
			t.Errorf("%s was read", lines)
		}
	}
}
