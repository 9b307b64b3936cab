package main

import (
	"math"
	"slices"
	"time"
)

// median returns the middle value, the mean of the two middle ones if their
// number is even, and NaN without values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// percentile returns the smallest value that at least the fraction p of the sorted
// values does not exceed, 0 without values.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// milliseconds is a duration as reports show it.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
