package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// languageExtensions is the transform that Parse applies itself.
const languageExtensions = "AWS::LanguageExtensions"

// extensions are the functions that only that transform makes known.
var extensions = map[string]bool{"Fn::Length": true, "Fn::ToJsonString": true}

const (
	loopPrefix     = "Fn::ForEach::"
	needsExtension = "it needs 'Transform: " + languageExtensions + "'"
	badLoop        = "Transform AWS::LanguageExtensions failed with: Fn::ForEach layout is incorrect."
	noPolicy       = "Transform AWS::LanguageExtensions failed with: AWS::NoValue is not supported for DeletionPolicy or UpdateReplacePolicy"
	maxLoopDepth   = 5
	// maxLoopNodes bounds how many values loops may make of a template.
	maxLoopNodes = 1 << 18
)

// extension unrolls the loops of a template, and computes what is text without it.
type extension struct {
	evaluator evaluator // with parameters, mappings and, later, conditions
	s         *structure
	resources *Node // before their loops are unrolled
	nodes     int
}

// placeholder is the identifier of a loop with its value in one round.
type placeholder struct{ loop, name, value string }

// extend returns the template with its loops unrolled and the policies and conditions
// of its resources computed, nil when that is too much. What depends on parameters that are
// missing is left out.
func (s *structure) extend(root *Node, parameters map[string]string, setting Setting) *Node {
	known := structure{t: &Template{Mappings: map[string]*Node{}, Conditions: map[string]*Node{}, Extended: true}}
	for _, e := range root.Entries {
		if e.Key == "Parameters" || e.Key == "Mappings" {
			known.section(e)
		}
	}
	b := &Bound{Template: known.t, setting: setting, conditions: map[string]bool{}}
	b.parameters, b.texts, _ = known.t.values(parameters)
	if b.parameters == nil {
		b.parameters = map[string]*Node{}
	}
	for _, p := range known.t.Parameters {
		if b.parameters[p.Name] == nil {
			b.parameters[p.Name] = Unknown(p.Line, p.Name)
		}
	}
	x := extension{evaluator: evaluator{b: b}, s: s, resources: root.Get("Resources")}
	out := Map(root.Line)
	out.Entries = slices.Clone(root.Entries)
	for _, section := range []string{"Conditions", "Resources", "Outputs"} { // resources may be about conditions
		i := slices.IndexFunc(out.Entries, func(e Entry) bool { return e.Key == section })
		if i < 0 {
			continue
		}
		out.Entries[i].Value = x.unroll(out.Entries[i].Value, nil)
		if section == "Conditions" {
			known.section(out.Entries[i])
		}
	}
	if x.tooMuch() {
		return nil
	}
	for _, section := range []string{"Resources", "Outputs"} {
		if members := out.Get(section); members != nil {
			for i, e := range members.Entries {
				members.Entries[i].Value = x.withAttributes(e)
			}
		}
	}
	return out
}

// unroll copies a value without its loops and with placeholders replaced.
func (x *extension) unroll(n *Node, with []placeholder) *Node {
	if len(with) > 0 {
		x.nodes++
	}
	if x.nodes > maxLoopNodes {
		if x.nodes == maxLoopNodes+1 {
			x.s.problems.Add(n.Line, "", "Template error: the loops make more than %d values", maxLoopNodes)
		}
		return String(n.Line, "")
	}
	out := *n
	switch n.Kind {
	case KindString:
		out.Text = x.fill(n.Line, n.Text, with)
	case KindList:
		out.Items = nil
		for _, item := range n.Items {
			out.Items = append(out.Items, x.unroll(item, with))
		}
	case KindMap:
		if len(n.Entries) == 1 && n.Entries[0].Key == "Ref" {
			i := slices.IndexFunc(with, func(p placeholder) bool { return p.name == n.Entries[0].Value.Text })
			if i >= 0 {
				return String(n.Line, with[i].value)
			}
		}
		out.Entries = x.entries(n, with)
		x.refuseTwins(out.Entries)
		x.resolveName(&out)
	}
	return &out
}

// entries are the members of a map, those that loops make among them.
func (x *extension) entries(n *Node, with []placeholder) []Entry {
	var entries []Entry
	for _, e := range n.Entries {
		if x.tooMuch() {
			break
		}
		if strings.HasPrefix(e.Key, loopPrefix) {
			entries = append(entries, x.loop(e, with)...)
			continue
		}
		entries = append(entries, Entry{Key: x.fill(e.Line, e.Key, with), Line: e.Line, Value: x.unroll(e.Value, with)})
	}
	return entries
}

// resolveName computes the logical id that a Ref or an Fn::GetAtt is about, if it is not
// written down.
func (x *extension) resolveName(n *Node) {
	if len(n.Entries) != 1 {
		return
	}
	switch e := &n.Entries[0]; {
	case e.Key == "Ref" && e.Value.Kind == KindMap:
		e.Value = x.name(e.Value)
	case e.Key == "Fn::GetAtt" && e.Value.Kind == KindList && len(e.Value.Items) > 0 && e.Value.Items[0].Kind == KindMap:
		e.Value.Items[0] = x.name(e.Value.Items[0])
	default:
		return
	}
	if e := &n.Entries[0]; e.Value.HasUnknown() { // of a parameter that is missing
		*n = *Unknown(n.Line, "")
	}
}

// name computes a logical id; what is none stays as it is, to be refused.
func (x *extension) name(n *Node) *Node {
	if value := x.eval("", n, &x.s.problems); value != nil {
		return value
	}
	return n
}

func (x *extension) refuseTwins(entries []Entry) {
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Key] {
			x.s.problems = append(x.s.problems, duplicateKey(e.Line, e.Key))
		}
		seen[e.Key] = true
	}
}

func (x *extension) loop(e Entry, with []placeholder) []Entry {
	arg := e.Value
	if arg.Kind != KindList || len(arg.Items) != 3 || arg.Items[0].Kind != KindString || arg.Items[2].Kind != KindMap {
		x.s.problems = append(x.s.problems, Problem{Line: e.Line, Message: badLoop, Hint: "it takes an identifier, a list of values and a map"})
		return nil
	}
	name, loop := arg.Items[0].Text, strings.TrimPrefix(e.Key, loopPrefix)
	if hint := x.misnamed(loop, name, with); hint != "" {
		x.s.problems = append(x.s.problems, Problem{Line: e.Line, Message: badLoop, Hint: hint})
		return nil
	}
	var problems Problems
	values := x.eval("", x.unroll(arg.Items[1], with), &problems)
	x.s.problems = append(x.s.problems, problems...)
	x.s.t.partial = x.s.t.partial || len(problems) == 0 && values.HasUnknown()
	if len(problems) > 0 || values.HasUnknown() {
		return nil
	}
	if values == nil || values.Kind != KindList || slices.ContainsFunc(values.Items, func(n *Node) bool { return !n.IsScalar() }) {
		x.s.problems = append(x.s.problems, Problem{Line: arg.Items[1].Line, Message: badLoop, Hint: "it goes over a list of strings"})
		return nil
	}
	var entries []Entry
	for _, value := range values.Items {
		entries = append(entries, x.entries(arg.Items[2], append([]placeholder{{loop, name, value.Text}}, with...))...)
	}
	return entries
}

// misnamed says what is wrong with the name and the identifier of a loop and with where
// it stands, "" when nothing is.
func (x *extension) misnamed(loop, identifier string, outer []placeholder) string {
	named := func(p placeholder) bool { return p.loop == loop }
	identified := func(p placeholder) bool { return p.name == identifier }
	switch {
	case !alphanumeric.MatchString(identifier) || x.evaluator.b.Template.Parameter(identifier) != nil:
		return "the identifier must be alphanumeric, and not the name of a parameter"
	case slices.ContainsFunc(outer, identified):
		return "the identifier is that of a loop around it"
	case loop == "" || x.evaluator.b.Template.Parameter(loop) != nil || x.resources.Get(loop) != nil:
		return "a loop must have a name, and not that of a parameter or a resource"
	case slices.ContainsFunc(outer, named):
		return "its name is that of a loop around it"
	case len(outer) >= maxLoopDepth:
		return "loops nest at most 5 deep"
	default:
		return ""
	}
}

func (x *extension) eval(id string, n *Node, problems *Problems) *Node {
	x.evaluator.id, x.evaluator.problems, x.evaluator.deciding = id, problems, map[string]bool{}
	return x.evaluator.eval(n)
}

// affords is that of evaluator, for what loops add.
func (x *extension) affords(line, size int) bool {
	x.evaluator.id, x.evaluator.problems = "", &x.s.problems
	return x.evaluator.affords(line, size)
}

// tooMuch reports whether the loops have made more than a template may hold, or needed
// functions that did.
func (x *extension) tooMuch() bool { return x.nodes > maxLoopNodes || x.evaluator.grown > maxGrowth }

var notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)

// fill replaces ${Name} by the value of a placeholder, and &{Name} by its letters and
// digits.
func (x *extension) fill(line int, text string, with []placeholder) string {
	if len(with) > 0 && !x.affords(line, len(text)) {
		return ""
	}
	if !strings.Contains(text, "{") {
		return text
	}
	for _, p := range with {
		text = x.replace(line, text, "${"+p.name+"}", p.value)
		if variable := "&{" + p.name + "}"; strings.Contains(text, variable) {
			text = x.replace(line, text, variable, notAlphanumeric.ReplaceAllString(p.value, ""))
		}
	}
	return text
}

func (x *extension) replace(line int, text, variable, value string) string {
	n := strings.Count(text, variable)
	if n == 0 || !x.affords(line, n*len(value)) {
		return text
	}
	return strings.ReplaceAll(text, variable, value)
}

// withAttributes is a resource or an output whose policies and condition are text.
func (x *extension) withAttributes(member Entry) *Node {
	out := Map(member.Value.Line)
	if member.Value.Kind != KindMap {
		return member.Value
	}
	for _, e := range member.Value.Entries {
		policy := e.Key == "DeletionPolicy" || e.Key == "UpdateReplacePolicy"
		if e.Value.Kind == KindMap && (policy || e.Key == "Condition") {
			value := x.eval(member.Key, e.Value, &x.s.problems)
			switch {
			case value.HasUnknown():
				continue
			case value == nil && policy:
				x.s.problems.Add(e.Line, member.Key, "%s", noPolicy)
				continue
			case value != nil:
				e.Value = value
			}
		}
		out.Entries = append(out.Entries, e)
	}
	return out
}

// length computes Fn::Length.
func (e *evaluator) length(arg *Node) *Node {
	list := e.eval(arg)
	if list != nil && list.Kind == KindUnknown {
		return list
	}
	if list == nil || list.Kind != KindList {
		return e.fail(arg.Line, "Template error: every Fn::Length object requires a list, or a function that returns one")
	}
	return &Node{Kind: KindNumber, Text: strconv.Itoa(len(list.Items)), Line: arg.Line}
}

// toJSON computes Fn::ToJsonString.
func (e *evaluator) toJSON(arg *Node) *Node {
	value := e.eval(arg)
	if value != nil && value.Kind == KindUnknown {
		return value
	}
	if value == nil || value.Kind != KindMap && value.Kind != KindList {
		return e.fail(arg.Line, "Template error: every Fn::ToJsonString object requires an object or an array")
	}
	text, err := value.MarshalJSON()
	if err != nil {
		return e.fail(arg.Line, "%v", err)
	}
	if value.HasUnknown() {
		return e.grow(Unknown(arg.Line, string(text)))
	}
	return e.grow(String(arg.Line, string(text)))
}
