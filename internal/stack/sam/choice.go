package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"

	"github.com/weirstream/weir/internal/stack/template"
)

// choice takes an Fn::If apart: the name of its condition and its two arms.
func choice(n *template.Node) (condition string, arms [2]*template.Node, ok bool) {
	if !isCall(n) || n.Entries[0].Key != "Fn::If" {
		return "", arms, false
	}
	args := n.Entries[0].Value
	if args.Kind != template.KindList || len(args.Items) != 3 || args.Items[0].Kind != template.KindString {
		return "", arms, false
	}
	return args.Items[0].Text, [2]*template.Node(args.Items[1:]), true
}

func choose(line int, condition string, arms [2]*template.Node) *template.Node {
	return template.Call(line, "Fn::If", template.List(line, template.String(line, condition), arms[0], arms[1]))
}

func noValue(line int) *template.Node { return ref(line, "AWS::NoValue") }

func isNoValue(n *template.Node) bool {
	return isCall(n) && n.Entries[0].Key == "Ref" && n.Entries[0].Value.Text == "AWS::NoValue"
}

// standIn puts made where a value is absent: where there is none at all, or in the
// arm of an Fn::If that is AWS::NoValue. needed says that made is used, if condition
// holds ("" always does).
func (x *expansion) standIn(value, made *template.Node) (out *template.Node, condition string, needed bool) {
	if value == nil || isNoValue(value) {
		return made, "", true
	}
	name, arms, ok := choice(value)
	switch {
	case !ok:
		return value, "", false
	case isNoValue(arms[0]) && isNoValue(arms[1]):
		return made, "", true
	case isNoValue(arms[0]):
		return choose(value.Line, name, [2]*template.Node{made, arms[1]}), name, true
	case isNoValue(arms[1]):
		return choose(value.Line, name, [2]*template.Node{arms[0], made}), x.not(value.Line, name), true
	default:
		return value, "", false
	}
}

// not returns the name of a condition that holds when another does not.
func (x *expansion) not(line int, name string) string {
	negated := "NOT" + name + shortHash(name)
	x.conditions[negated] = template.Call(line, "Fn::Not", template.List(line, holds(line, name)))
	return negated
}

// and returns the name of a condition that holds when two do, either of which may be
// "".
func (x *expansion) and(line int, a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	both := a + "AND" + b + shortHash(a+" "+b)
	x.conditions[both] = template.Call(line, "Fn::And", template.List(line, holds(line, a), holds(line, b)))
	return both
}

func holds(line int, condition string) *template.Node {
	return template.Call(line, "Condition", template.String(line, condition))
}

func shortHash(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:5])
}

// emitIf is emit with a further condition.
func (x *expansion) emitIf(condition string, source *template.Resource, id, kind string, line int, properties *template.Node) {
	x.emit(source, id, kind, line, properties).Condition = x.and(line, source.Condition, condition)
}

// checkIgnored reports what IgnoreGlobals of a resource cannot mean.
func (x *expansion) checkIgnored(r *template.Resource, globals, ignored *template.Node) {
	if ignored.Kind != template.KindList {
		x.problems.Add(ignored.Line, r.LogicalID, "Resource %s has invalid resource attribute 'IgnoreGlobals'.", r.LogicalID)
		return
	}
	for _, item := range ignored.Items {
		if !slices.ContainsFunc(globals.Entries, func(e template.Entry) bool { return e.Key == item.Text }) {
			x.problems.Add(item.Line, r.LogicalID, "Resource %s has invalid resource attribute 'IgnoreGlobals' on item '%s'.", r.LogicalID, item.Text)
		}
	}
}
