package template

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a template.
type Problem struct {
	// Line is where, counted from 1; 0 when no line is to blame.
	Line int
	// LogicalID names the resource, output or parameter, "" when none is to blame.
	LogicalID string
	// Message says what, in CloudFormation's words where it has some.
	Message string
	// Hint says what to do about it, "" when the message says enough.
	Hint string
}

// String is the problem on one line: line, name, message, hint.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.LogicalID != "" {
		b.WriteString(p.LogicalID)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" (")
		b.WriteString(p.Hint)
		b.WriteString(")")
	}
	return b.String()
}

// Problems is an error that lists everything that is wrong with a template.
type Problems []Problem

// Error gives one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Add notes a problem.
func (ps *Problems) Add(line int, logicalID, format string, args ...any) {
	*ps = append(*ps, Problem{Line: line, LogicalID: logicalID, Message: fmt.Sprintf(format, args...)})
}

// Err returns the problems in the order of their lines, each once, or nil when
// there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(sorted)
}
