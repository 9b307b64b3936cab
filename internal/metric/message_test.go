package metric

import "testing"

func TestStatisticCode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"SampleCount": "SAMPLE_COUNT", "Average": "AVERAGE", "": ""} {
		if got := statisticCode(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
