// Package exposition shows what the program measures of itself in Prometheus
// format, from the same meter that feeds the metrics of the CloudWatch API.
//
// A series becomes a summary without quantiles, so `_sum` and `_count` are
// counters since the start of the process: weir_aws_kinesis_incoming_records_sum
// {StreamName="..."}. Series that are not counts or bytes, such as ages and
// latencies, have a gauge `_last` with the last observation besides. The unit
// ends the name unless it is Count or stands there already.
package exposition

import (
	"log/slog"
	"net/http"
	"strings"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weirstream/weir/internal/meter"
)

// Handler serves the series of the meter, figures of the process and the Go
// runtime, and what more collects. A nil log discards.
func Handler(m *meter.Meter, log *slog.Logger, more ...prometheus.Collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(more...)
	registry.MustRegister(
		Collector(m),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	opts := promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}
	if log != nil {
		// For each family of a scrape that was broken off there is a line: not for people.
		opts.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	}
	return promhttp.HandlerFor(registry, opts)
}

// Collector collects the series of the meter.
func Collector(m *meter.Meter) prometheus.Collector { return collector{m} }

type collector struct{ meter *meter.Meter }

// Describe sends nothing: series come and go.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the series' totals.
func (c collector) Collect(out chan<- prometheus.Metric) {
	seen := map[string]bool{} // names that fall together would fail the whole page
	c.meter.Each(func(s *meter.Series) {
		name := fullName(s)
		labels, values := make([]string, 0, len(s.Dimensions)), make([]string, 0, len(s.Dimensions))
		id := name
		for _, d := range s.Dimensions {
			labels = append(labels, labelName(d.Name))
			values = append(values, strings.ToValidUTF8(d.Value, "\uFFFD"))
			id += "\x00" + labels[len(labels)-1] + "\x00" + d.Value
		}
		if seen[id] {
			return
		}
		seen[id] = true
		help := s.Namespace + " " + s.Name
		count, sum, last := s.Totals()
		out <- constSummary(prometheus.NewDesc(name, help, labels, nil), uint64(count), sum, values)
		if isGauge(s.Unit) {
			out <- constGauge(prometheus.NewDesc(name+"_last", help+", last value", labels, nil), last, values)
		}
	})
}

func constSummary(desc *prometheus.Desc, count uint64, sum float64, labels []string) prometheus.Metric {
	metric, err := prometheus.NewConstSummary(desc, count, sum, nil, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return metric
}

func constGauge(desc *prometheus.Desc, v float64, labels []string) prometheus.Metric {
	metric, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return metric
}

func isGauge(unit string) bool { return unit != "Count" && !strings.HasSuffix(unit, "ytes") }

// fullName is weir_<namespace>_<name>[_<unit>].
func fullName(s *meter.Series) string {
	name := "weir_" + sanitize(strings.ToLower(s.Namespace)) + "_" + snake(s.Name)
	unit := sanitize(strings.ToLower(s.Unit))
	if unit == "" || unit == "count" || unit == "none" || strings.HasSuffix(name, unit) {
		return name
	}
	return name + "_" + unit
}

// snake turns GetRecords.IteratorAge into get_records_iterator_age.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && isWord(runes[i-1]) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return sanitize(b.String())
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isWord(r) {
			return r
		}
		return '_'
	}, s)
}

func labelName(name string) string {
	name = sanitize(name)
	if name == "" || unicode.IsDigit(rune(name[0])) {
		return "_" + name
	}
	return name
}
