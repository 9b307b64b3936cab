package main

import (
	"strings"
	"testing"
	"time"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := report{
		Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Warmup: "2s", Duration: "5s", Repetitions: 3,
		Machine:     machine{CPUs: 2, CPUModel: "X", MemoryGB: 8, Go: "go1.26", Commit: "abc", System: "linux/amd64", Fsync: 230 * time.Microsecond},
		Targets:     []about{{"weir", "0.1", "on disk", 0}, {"peer", "1", "in memory", 1000}, {"other", "2", "in memory", 0}},
		Unavailable: []about{{"gone", "3", "npm is\nnot installed.", 0}},
		NoPipeline:  []about{{Name: "this, that", Keeps: "need something else"}},
		Failed:      []outcome{{"put", "peer", "status 500"}, {"put", "other", "lost 3"}},
	}
	r.add("put", "weir", []figure{
		{Measure: "Puts", Unit: "records/s", Runs: []float64{3e5, 1e5, 2e5}},
		{Measure: "Puts", Aspect: "latency p50", Unit: "ms", Runs: []float64{1.234}},
	})
	r.add("put", "other", []figure{{Measure: "Puts", Unit: "records/s", Runs: []float64{12.34}}})
	r.add("idle", "peer", []figure{{Measure: "Memory", Aspect: "idle", Unit: "MB", Runs: []float64{0.5}}})
	want := `| measure | unit | weir | peer | other |
| --- | --- | ---: | ---: | ---: |
| Puts | records/s | 200,000 | failed | 12.3 † |
| · latency p50 | ms | 1.23 | failed | failed |
| Memory, idle | MB | – | 0.500 | – |

- weir 0.1 keeps data on disk.
- peer 1 keeps data in memory. Its functions count 1,000 records instead of 600,000.
- other 2 keeps data in memory.
- gone 3 is not available: npm is not installed.
- No pipeline with this, that: need something else.
- peer failed at put: status 500.
- other failed at put: lost 3.
`
	head, rest, _ := strings.Cut(r.markdown(), "\n\n")
	if !strings.HasPrefix(rest, want) {
		t.Errorf("got\n%s", rest)
	}
	for _, fact := range []string{"2026-01-02", "commit abc", "go1.26", "2 CPUs (X)", "0.23 ms", "3 × 5s"} {
		if !strings.Contains(head, fact) {
			t.Errorf("%q is not in %s", fact, head)
		}
	}
	if err := r.failure("weir"); err != nil {
		t.Error(err)
	}
	if err := r.failure("peer"); err == nil || err.Error() != "peer failed at put" {
		t.Error(err)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0.000", 0.0456: "0.046", 1.005: "1.00", 23.45: "23.4", 999.6: "1,000", 1234567: "1,234,567"} {
		if got := number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
