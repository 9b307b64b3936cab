package metric

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultLabels are what queries without a label of their own are called: the
// metric's name, and where several share it, the statistic and period in which
// they differ.
func defaultLabels(queries []DataQuery) []string {
	byName := map[string][]int{}
	for i, q := range queries {
		byName[q.Metric.Name] = append(byName[q.Metric.Name], i)
	}
	labels := make([]string, len(queries))
	for name, same := range byName {
		differ := func(part func(DataQuery) string) bool {
			return slices.ContainsFunc(same, func(i int) bool { return part(queries[i]) != part(queries[same[0]]) })
		}
		stat := func(q DataQuery) string { return q.Stat }
		period := func(q DataQuery) string { return strconv.FormatInt(q.Period, 10) }
		for _, part := range []func(DataQuery) string{stat, period} {
			if !differ(part) {
				continue
			}
			for _, i := range same {
				labels[i] += " " + part(queries[i])
			}
		}
		for _, i := range same {
			labels[i] = name + labels[i]
		}
	}
	return labels
}

const maxPlaceholders = 5

var (
	placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)
	property    = regexp.MustCompile(`^PROP\('(MetricName|Namespace|Period|Stat|Dim\.[^']*)'\)$`)
)

// summaries are the placeholders of a label that stand for a figure of the
// result, as an index into its values in order of time, or -1 when it has none.
var summaries = map[string]func(values []float64) (v float64, at int){
	"AVG":             func(v []float64) (float64, int) { return sum(v) / float64(len(v)), -1 },
	"SUM":             func(v []float64) (float64, int) { return sum(v), -1 },
	"DATAPOINT_COUNT": func(v []float64) (float64, int) { return float64(len(v)), -1 },
	"MAX":             func(v []float64) (float64, int) { i := slices.Index(v, slices.Max(v)); return v[i], i },
	"MIN":             func(v []float64) (float64, int) { i := slices.Index(v, slices.Min(v)); return v[i], i },
	"FIRST":           func(v []float64) (float64, int) { return v[0], 0 },
	"LAST":            func(v []float64) (float64, int) { return v[len(v)-1], len(v) - 1 },
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

// checkLabel refuses the placeholders that expandLabel does not know.
func checkLabel(path, label string) error {
	found := placeholder.FindAllStringSubmatch(label, -1)
	if len(found) > maxPlaceholders {
		return errorf(Validation, "The parameter %sLabel must not have more than %d dynamic expressions.", path, maxPlaceholders)
	}
	for _, f := range found {
		name := f[1]
		_, known := summaries[strings.TrimSuffix(name, "_TIME")]
		if strings.HasSuffix(name, "_TIME") && slices.Contains([]string{"AVG_TIME", "SUM_TIME", "DATAPOINT_COUNT_TIME"}, name) {
			known = false
		}
		if !known && name != "LABEL" && !property.MatchString(name) {
			return errorf(Validation, "The dynamic label expression ${%s} in %sLabel is not implemented.", name, path)
		}
	}
	return nil
}

// expandLabel fills the placeholders of a query's label from its result, whose
// values are still in order of time.
func expandLabel(q *DataQuery, r *DataResult, fallback string, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return placeholder.ReplaceAllStringFunc(q.Label, func(expr string) string {
		name := expr[2 : len(expr)-1]
		if name == "LABEL" {
			return fallback
		}
		if p := property.FindStringSubmatch(name); p != nil {
			return q.property(p[1])
		}
		if len(r.Values) == 0 {
			return "-"
		}
		v, at := summaries[strings.TrimSuffix(name, "_TIME")](r.Values)
		if strings.HasSuffix(name, "_TIME") {
			return r.Times[at].In(zone).Format("2006-01-02T15:04:05Z07:00")
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	})
}

func (q *DataQuery) property(name string) string {
	switch name {
	case "MetricName":
		return q.Metric.Name
	case "Namespace":
		return q.Metric.Namespace
	case "Period":
		return fmt.Sprint(q.Period)
	case "Stat":
		return q.Stat
	}
	dim, ok := strings.CutPrefix(name, "Dim.")
	if i := slices.IndexFunc(q.Metric.Dimensions, func(d Dimension) bool { return d.Name == dim }); ok && i >= 0 {
		return q.Metric.Dimensions[i].Value
	}
	return "-"
}
