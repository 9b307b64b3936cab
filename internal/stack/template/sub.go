package template

import (
	"regexp"
	"strings"
)

// subPart is a piece of the text of Fn::Sub: literal text, or a variable.
type subPart struct {
	literal, variable string
	line              int // lines after the first line of the text
}

const subArguments = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"

// splitSub takes the argument of Fn::Sub apart: the text and the map of values,
// which may be nil.
func splitSub(n *Node) (text, values *Node, message string) {
	if n.Kind == KindString {
		return n, nil, ""
	}
	if n.Kind != KindList || len(n.Items) == 0 || len(n.Items) > 2 || n.Items[0].Kind != KindString {
		return nil, nil, subArguments
	}
	if len(n.Items) == 1 {
		return n.Items[0], nil, ""
	}
	if n.Items[1].Kind != KindMap {
		return nil, nil, subArguments
	}
	return n.Items[0], n.Items[1], ""
}

var subVariable = regexp.MustCompile(`^[A-Za-z0-9_.:]+$`)

// parseSub splits a text at its variables: ${A}, ${A.B}, and ${!A}, which stands
// for the text ${A}.
func parseSub(text string) (parts []subPart, message string) {
	line := 0
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			return append(parts, subPart{literal: text, line: line}), ""
		}
		end := strings.IndexByte(text[start:], '}')
		if end < 0 {
			return append(parts, subPart{literal: text, line: line}), ""
		}
		parts = append(parts, subPart{literal: text[:start], line: line})
		line += strings.Count(text[:start], "\n")
		name := text[start+2 : start+end]
		text = text[start+end+1:]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			parts = append(parts, subPart{literal: "${" + literal + "}", line: line})
			continue
		}
		name = strings.TrimSpace(name)
		if !subVariable.MatchString(name) {
			return nil, "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"
		}
		parts = append(parts, subPart{variable: name, line: line})
	}
}

func (e *evaluator) sub(arg *Node) *Node {
	text, values, message := splitSub(arg)
	if message != "" {
		return e.fail(arg.Line, "%s", message)
	}
	parts, message := parseSub(text.Text)
	if message != "" {
		return e.fail(text.Line, "%s", message)
	}
	var b strings.Builder
	var unknown *Node
	known := map[string]*Node{} // of values
	for _, part := range parts {
		if part.variable == "" {
			b.WriteString(part.literal)
			continue
		}
		value, again := known[part.variable]
		if !again {
			value = e.variable(text.Line+part.line, part.variable, values)
		}
		if values.Get(part.variable) != nil {
			known[part.variable] = value // so that what nests is computed once
		}
		if value != nil && !e.affords(text.Line+part.line, len(value.Text)) {
			return Unknown(arg.Line, "")
		}
		switch {
		case value != nil && value.Kind == KindUnknown:
			unknown = value
			b.WriteString(value.Text)
		case !value.IsScalar():
			return e.fail(text.Line+part.line, "Template error: variable %s in Fn::Sub expression does not resolve to a string", part.variable)
		default:
			b.WriteString(value.Text)
		}
	}
	if unknown != nil {
		return Unknown(arg.Line, b.String())
	}
	return String(arg.Line, b.String())
}

// variable is what a variable of Fn::Sub stands for; the map of values wins over
// logical names.
func (e *evaluator) variable(line int, name string, values *Node) *Node {
	if v := values.Get(name); v != nil {
		return e.eval(v)
	}
	id, attribute, ok := strings.Cut(name, ".")
	if !ok {
		return e.ref(line, name)
	}
	if e.refs == nil {
		return e.fail(line, unresolvedInConditions, id)
	}
	return e.resolved(line)(e.refs.Attribute(id, attribute, line))
}
