package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figure is one measured quantity of one target.
type figure struct {
	Scenario string
	Measure  string
	Aspect   string // of the measure, "" for the main one
	Unit     string
	Target   string
	Value    float64   // the median of Runs
	Runs     []float64 // one for each repetition
}

// outcome is a scenario that failed with a target, and why. If it has given
// figures all the same, it was the result of the load that was wrong.
type outcome struct{ Scenario, Target, Reason string }

// about describes a target in the report.
type about struct {
	Name, Version string
	Keeps         string // how it keeps data; of what was not measured, why
	Records       int    // in the stream of a pipeline, 0 for pipelineRecords
}

// report is everything that one run found out.
type report struct {
	Date        time.Time
	Machine     machine
	Python      interpreter
	Warmup      string
	Duration    string
	Repetitions int
	Targets     []about
	Unavailable []about // peers that could not be installed
	NoPipeline  []about // systems that cannot run functions from a stream here
	Figures     []figure
	Failed      []outcome
}

// add notes the figures of a scenario.
func (r *report) add(scenario, target string, figures []figure) {
	for _, f := range figures {
		f.Scenario, f.Target, f.Value = scenario, target, median(f.Runs)
		r.Figures = append(r.Figures, f)
	}
}

// failure is an error if a scenario failed at a target.
func (r *report) failure(target string) error {
	var failed []string
	for _, o := range r.Failed {
		if o.Target == target {
			failed = append(failed, o.Scenario)
		}
	}
	if failed == nil {
		return nil
	}
	return fmt.Errorf("%s failed at %s", target, strings.Join(failed, ", "))
}

// writeJSON writes the report for programs.
func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// markdown is the report for people: a line for each measure and a column for
// each target.
func (r *report) markdown() string {
	var b strings.Builder
	r.writeMachine(&b)
	b.WriteString("| measure | unit |")
	for _, t := range r.Targets {
		fmt.Fprintf(&b, " %s |", t.Name)
	}
	b.WriteString("\n| --- | --- |" + strings.Repeat(" ---: |", len(r.Targets)) + "\n")
	last := ""
	for _, line := range r.lines() {
		fmt.Fprintf(&b, "| %s | %s |", line.title(last), line.Unit)
		last = line.Measure
		for _, t := range r.Targets {
			fmt.Fprintf(&b, " %s |", r.cell(line, t.Name))
		}
		b.WriteByte('\n')
	}
	r.writeNotes(&b)
	return b.String()
}

func (r *report) writeMachine(b *strings.Builder) {
	m := r.Machine
	python := ""
	if r.Python.Path != "" {
		python = fmt.Sprintf(" Functions in Python run with %s, version %s.", r.Python.Path, r.Python.Version)
	}
	fmt.Fprintf(b, "Measured %s at commit %s with %s on %d CPUs (%s), %.0f GB of memory, %s; "+
		"servers, functions and load generator share them. Writing and syncing 4 KiB takes %.2f ms.%s "+
		"Each load ran %s to warm up and then %d × %s; figures are medians.\n\n",
		r.Date.Format(time.DateOnly), m.Commit, m.Go, m.CPUs, m.CPUModel, m.MemoryGB, m.System,
		milliseconds(m.Fsync), python, r.Warmup, r.Repetitions, r.Duration)
}

// lines are the different measures in the order in which they were first taken.
func (r *report) lines() []figure {
	var lines []figure
	for _, f := range r.Figures {
		if !slices.ContainsFunc(lines, f.sameLine) {
			lines = append(lines, f)
		}
	}
	return lines
}

// title names a line that follows one of the measure above.
func (f figure) title(above string) string {
	switch {
	case f.Aspect == "":
		return f.Measure
	case f.Measure == above:
		return "· " + f.Aspect
	default:
		return f.Measure + ", " + f.Aspect
	}
}

func (f figure) sameLine(g figure) bool { return f.Measure == g.Measure && f.Aspect == g.Aspect }

// cell is a target's value of a line, or why it has none.
func (r *report) cell(line figure, target string) string {
	failed := slices.ContainsFunc(r.Failed, func(o outcome) bool {
		return o.Scenario == line.Scenario && o.Target == target
	})
	for _, f := range r.Figures {
		switch {
		case f.Target != target || !f.sameLine(line):
		case failed:
			return number(f.Value) + " †"
		default:
			return number(f.Value)
		}
	}
	if failed {
		return "failed"
	}
	return "–"
}

func (r *report) writeNotes(b *strings.Builder) {
	b.WriteByte('\n')
	for _, t := range r.Targets {
		fmt.Fprintf(b, "- %s %s keeps data %s.", t.Name, t.Version, t.Keeps)
		if t.Records > 0 {
			fmt.Fprintf(b, " Its functions count %s records instead of %s.", thousands(float64(t.Records)), thousands(pipelineRecords))
		}
		b.WriteByte('\n')
	}
	for _, t := range r.Unavailable {
		fmt.Fprintf(b, "- %s %s is not available: %s.\n", t.Name, t.Version, oneLine(t.Keeps))
	}
	for _, t := range r.NoPipeline {
		fmt.Fprintf(b, "- No pipeline with %s: %s.\n", strings.TrimSpace(t.Name+" "+t.Version), t.Keeps)
	}
	for _, o := range r.Failed {
		fmt.Fprintf(b, "- %s failed at %s: %s.\n", o.Target, o.Scenario, oneLine(o.Reason))
	}
	b.WriteString("- –: not offered, or not measured in this run. †: measured, but the result was wrong, or not there in time (see above).\n")
}

// oneLine makes a message fit a list.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return strings.TrimSuffix(s, ".")
}

// number shows three significant digits, or all digits before the point.
func number(v float64) string {
	switch {
	case v >= 100:
		return thousands(v)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}

// thousands rounds to a whole number and groups its digits.
func thousands(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
