package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Violation is a value outside of what the model of the API allows for a parameter,
// whatever the mapping is. Such violations are told together, before anything else.
type Violation struct {
	Path  string // of the parameter, as "batchSize"
	Value string
	Rule  string // as AWS words it
}

// Violations returns all of them, none when the request keeps to the model.
func (s Spec) Violations() []Violation {
	var found []Violation
	for _, r := range []struct {
		path      string
		v         *int
		low, high int
	}{
		{"batchSize", s.BatchSize, 1, maxBatchSize},
		{"maximumBatchingWindowInSeconds", s.BatchingWindow, 0, maxBatchingWindow},
		{"parallelizationFactor", s.Factor, 1, maxFactor},
		{"maximumRecordAgeInSeconds", s.MaximumRecordAge, Unlimited, maxRecordAge},
		{"maximumRetryAttempts", s.RetryLimit, Unlimited, maxRetryAttempts},
		{"tumblingWindowInSeconds", s.TumblingWindow, 0, maxTumblingWindow},
		{"scalingConfig.maximumConcurrency", s.MaximumConcurrency, minConcurrency, maxConcurrency},
	} {
		switch {
		case r.v == nil:
		case *r.v < r.low:
			found = append(found, Violation{r.path, strconv.Itoa(*r.v), fmt.Sprintf("Member must have value greater than or equal to %d", r.low)})
		case *r.v > r.high:
			found = append(found, Violation{r.path, strconv.Itoa(*r.v), fmt.Sprintf("Member must have value less than or equal to %d", r.high)})
		}
	}
	positions := []string{Latest, AtTimestamp, TrimHorizon}
	if at := s.Starting; at != nil && at.Type != "" && !slices.Contains(positions, at.Type) {
		found = append(found, Violation{"startingPosition", at.Type, "Member must satisfy " + enum(positions)})
	}
	found = appendList(found, "functionResponseTypes", s.ResponseTypes, 1, reportItemFailures)
	found = appendList(found, "metricsConfig.metrics", s.Metrics, 3, eventCount, "ErrorCount", "KafkaMetrics")
	return s.appendFilters(found)
}

func enum(values []string) string { return "enum value set: [" + strings.Join(values, ", ") + "]" }

// appendList judges a list of at most so many of the values that there are.
func appendList(found []Violation, path string, values *[]string, most int, allowed ...string) []Violation {
	if values == nil {
		return found
	}
	text := "[" + strings.Join(*values, ", ") + "]"
	if len(*values) > most {
		found = append(found, Violation{path, text, fmt.Sprintf("Member must have length less than or equal to %d", most)})
	}
	for _, v := range *values {
		if !slices.Contains(allowed, v) {
			return append(found, Violation{path, text, "Member must satisfy constraint: [Member must satisfy " + enum(allowed) + "]"})
		}
	}
	return found
}

func (s Spec) appendFilters(found []Violation) []Violation {
	if s.Filters == nil {
		return found
	}
	for i, p := range *s.Filters {
		if len(utf16.Encode([]rune(p))) > maxPatternLength {
			path := fmt.Sprintf("filterCriteria.filters.%d.member.pattern", i+1)
			found = append(found, Violation{path, p, fmt.Sprintf("Member must have length less than or equal to %d", maxPatternLength)})
		}
	}
	return found
}

// checkModel returns an error that lists the violations, nil when there are none.
func (s Spec) checkModel() error {
	found := s.Violations()
	if len(found) == 0 {
		return nil
	}
	texts := make([]string, len(found))
	for i, v := range found {
		texts[i] = fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", v.Value, v.Path, v.Rule)
	}
	what := "error"
	if len(found) > 1 {
		what = "errors"
	}
	return errorf(Validation, "%d validation %s detected: %s", len(found), what, strings.Join(texts, "; "))
}
