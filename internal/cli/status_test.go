package cli

import (
	"testing"

	"github.com/weirstream/weir/internal/console"
)

func TestParametersOfAMapping(t *testing.T) {
	t.Parallel()
	m := console.Mapping{BatchSize: 100, RetryLimit: -1, LastResult: "OK"}
	if got, want := parameters(m), "batch 100, OK"; got != want {
		t.Errorf("by default: %q, want %q", got, want)
	}
	m.RetryLimit, m.Filters, m.TumblingWindow = 1, []string{"{}"}, 30
	if got, want := parameters(m), "batch 100, windows of 30 s, 1 retry, 1 filter, OK"; got != want {
		t.Errorf("set: %q, want %q", got, want)
	}
}
