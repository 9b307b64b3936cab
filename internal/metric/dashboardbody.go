package metric

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	maxWidgets         = 500
	maxWidgetMetrics   = 500
	maxDashboardMetric = 2500
)

// bodyCheck gathers what is wrong (problems) and what is odd (warnings) with a
// dashboard body.
type bodyCheck struct {
	problems, warnings []Problem
	metrics            int
}

func (c *bodyCheck) problem(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, args...)})
}

// checkDashboard looks at a body as far as the service documents its structure.
func checkDashboard(body string) (problems, warnings []Problem) {
	var c bodyCheck
	var doc any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		return []Problem{{"", "The field DashboardBody must be a valid JSON object"}}, nil
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return []Problem{{"", "The field DashboardBody must be a valid JSON object"}}, nil
	}
	c.unknown("", root, "widgets", "start", "end", "periodOverride", "variables")
	c.oneOf("/periodOverride", root["periodOverride"], "auto", "inherit")
	widgets, ok := root["widgets"]
	if !ok {
		c.problem("", "Should have required property 'widgets'")
		return c.problems, c.warnings
	}
	list, ok := widgets.([]any)
	if !ok {
		c.problem("/widgets", "Should be array")
		return c.problems, c.warnings
	}
	if len(list) > maxWidgets {
		c.problem("/widgets", "Should NOT have more than %d items", maxWidgets)
		return c.problems, c.warnings
	}
	for i, w := range list {
		c.widget(fmt.Sprintf("/widgets/%d", i), w)
	}
	if c.metrics > maxDashboardMetric {
		c.problem("/widgets", "Should NOT have more than %d metrics", maxDashboardMetric)
	}
	return c.problems, c.warnings
}

// required are the properties that a widget of a type must have. Types that are
// not here have none.
var required = map[string][]string{
	"metric":   {"region"},
	"text":     {"markdown"},
	"log":      {"query", "region"},
	"alarm":    {"alarms"},
	"custom":   {"endpoint"},
	"explorer": {},
}

func (c *bodyCheck) widget(path string, widget any) {
	w, ok := widget.(map[string]any)
	if !ok {
		c.problem(path, "Should be object")
		return
	}
	c.unknown(path, w, "type", "x", "y", "width", "height", "properties")
	for _, side := range []string{"x", "y", "width", "height"} {
		c.integer(path+"/"+side, w[side])
	}
	kind, ok := w["type"].(string)
	if !ok {
		c.problem(path, "Should have required property 'type'")
		return
	}
	needs, known := required[kind]
	if !known {
		c.problem(path+"/type", "Should be equal to one of the allowed values")
		return
	}
	props, ok := w["properties"].(map[string]any)
	if !ok {
		c.problem(path, "Should have required property 'properties'")
		return
	}
	path += "/properties"
	for _, name := range needs {
		if _, ok := props[name]; !ok {
			c.problem(path, "Should have required property '%s'", name)
		}
	}
	if kind == "metric" {
		c.metricWidget(path, props)
	}
	if kind == "text" {
		c.text(path+"/markdown", props["markdown"])
		c.oneOf(path+"/background", props["background"], "solid", "transparent")
	}
}

func (c *bodyCheck) metricWidget(path string, props map[string]any) {
	c.text(path+"/region", props["region"])
	c.text(path+"/title", props["title"])
	c.oneOf(path+"/view", props["view"], "timeSeries", "singleValue", "gauge", "bar", "pie", "table")
	c.integer(path+"/period", props["period"])
	if stat, ok := props["stat"].(string); ok {
		if _, known := ParseStat(stat); !known {
			c.problem(path+"/stat", "Should be equal to one of the allowed values")
		}
	}
	rows, ok := props["metrics"]
	if !ok {
		if _, alarms := props["annotations"]; !alarms {
			c.problem(path, "Should have required property 'metrics'")
		}
		return
	}
	list, ok := rows.([]any)
	if !ok {
		c.problem(path+"/metrics", "Should be array")
		return
	}
	if len(list) > maxWidgetMetrics {
		c.problem(path+"/metrics", "Should NOT have more than %d items", maxWidgetMetrics)
		return
	}
	c.metrics += len(list)
	for i, row := range list {
		c.row(fmt.Sprintf("%s/metrics/%d", path, i), row)
	}
}

// rowOptions are the members of the object that may end a row of metrics.
var rowOptions = []string{
	"id", "label", "stat", "period", "color", "yAxis", "visible", "region", "accountId", "expression",
}

// row checks a row of metrics: strings for namespace, name and dimensions, or dots
// that repeat the row above, and at last an object with options.
func (c *bodyCheck) row(path string, row any) {
	cells, ok := row.([]any)
	if !ok {
		c.problem(path, "Should be array")
		return
	}
	if len(cells) == 0 {
		c.problem(path, "Should NOT have fewer than 1 items")
		return
	}
	names := cells
	if options, ok := cells[len(cells)-1].(map[string]any); ok {
		names = cells[:len(cells)-1]
		for name := range options {
			if !slices.Contains(rowOptions, name) {
				c.problem(path, "Should NOT have more than %d items", len(names))
				return
			}
		}
	}
	repeated := false
	for i, cell := range names {
		text, ok := cell.(string)
		if !ok {
			c.problem(fmt.Sprintf("%s/%d", path, i), `Invalid metric field type, only "String" type is allowed`)
			return
		}
		repeated = repeated || text == "..."
	}
	if !repeated && len(names) > 0 && len(names)%2 != 0 {
		c.problem(path, "Should have a value for each dimension")
	}
}

func (c *bodyCheck) integer(path string, v any) {
	if v == nil {
		return
	}
	if n, ok := v.(float64); !ok || n != float64(int64(n)) || n < 0 {
		c.problem(path, "Should be integer")
	}
}

func (c *bodyCheck) text(path string, v any) {
	if _, ok := v.(string); v != nil && !ok {
		c.problem(path, "Should be string")
	}
}

func (c *bodyCheck) oneOf(path string, v any, allowed ...string) {
	if s, ok := v.(string); v != nil && (!ok || !slices.Contains(allowed, s)) {
		c.problem(path, "Should be equal to one of the allowed values")
	}
}

func (c *bodyCheck) unknown(path string, object map[string]any, known ...string) {
	for name := range object {
		if !slices.Contains(known, name) {
			c.warnings = append(c.warnings, Problem{path + "/" + pointer.Replace(name), "Should NOT have additional properties"})
		}
	}
	slices.SortFunc(c.warnings, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
}

// pointer escapes a name in a JSON pointer.
var pointer = strings.NewReplacer("~", "~0", "/", "~1")
