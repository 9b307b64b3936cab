package template

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// Resolver says what resources and imports stand for. An answer of KindUnknown means that it
// is not known yet; functions of it are unknown too. An error that is a Problems
// is reported as it is, any other with the line of the reference.
type Resolver interface {
	Ref(logicalID string, line int) (*Node, error)
	Attribute(logicalID, name string, line int) (*Node, error)
	// Import gives the value that another stack exports under a name.
	Import(name string, line int) (*Node, error)
}

// Eval computes a value: functions are replaced by their results, and what
// AWS::NoValue removes is gone. The result is nil when n is removed as a whole.
// id names the resource or output that the problems are about. The error is a
// Problems; the value comes with it, unknown where it could not be computed.
func (b *Bound) Eval(id string, n *Node, refs Resolver) (*Node, error) {
	var problems Problems
	e := evaluator{b: b, refs: refs, problems: &problems, id: id}
	value := e.eval(n)
	return value, problems.Err()
}

// pseudoParameters are the names that every template can refer to.
var pseudoParameters = map[string]func(Setting) *Node{
	"AWS::AccountId":        func(s Setting) *Node { return String(0, s.Identity.Account) },
	"AWS::Region":           func(s Setting) *Node { return String(0, s.Identity.Region) },
	"AWS::Partition":        func(s Setting) *Node { return String(0, s.Identity.Partition) },
	"AWS::URLSuffix":        func(Setting) *Node { return String(0, "amazonaws.com") },
	"AWS::StackName":        func(s Setting) *Node { return String(0, s.StackName) },
	"AWS::StackId":          func(s Setting) *Node { return String(0, s.StackID) },
	"AWS::NotificationARNs": func(Setting) *Node { return List(0) },
	"AWS::NoValue":          func(Setting) *Node { return nil },
}

// evaluator computes values for one resource, output or condition.
type evaluator struct {
	b        *Bound
	refs     Resolver // nil inside conditions and rules
	problems *Problems
	id       string
	deciding map[string]bool // conditions under way, against cycles
	rule     bool            // in a rule
	grown    int             // bytes that functions and loops have added
}

// maxGrowth bounds in bytes what functions may add to one resource, so that a
// small template cannot ask for a huge value.
const maxGrowth = 1 << 20

// itemSize is what an item of a list takes beside its text.
const itemSize = 64

// grow accounts for a value that a function made out of little, and returns it.
func (e *evaluator) grow(n *Node) *Node {
	if n == nil {
		return nil
	}
	size := len(n.Text)
	for _, item := range n.Items {
		size += itemSize + len(item.Text)
	}
	if !e.affords(n.Line, size) {
		return Unknown(n.Line, "")
	}
	return n
}

// affords accounts for bytes that a function or a loop is about to add, and reports whether it
// may.
func (e *evaluator) affords(line, size int) bool {
	before := e.grown
	e.grown += size
	if e.grown > maxGrowth && before <= maxGrowth {
		e.fail(line, "Template error: functions and loops add more than %d bytes", maxGrowth)
	}
	return e.grown <= maxGrowth
}

// fail notes a problem; what it returns stands for the value that is missing.
func (e *evaluator) fail(line int, format string, args ...any) *Node {
	e.problems.Add(line, e.id, format, args...)
	return Unknown(line, "")
}

func (e *evaluator) eval(n *Node) *Node {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case KindList:
		list := List(n.Line)
		for _, item := range n.Items {
			if v := e.eval(item); v != nil {
				list.Items = append(list.Items, v)
			}
		}
		return list
	case KindMap:
		if len(n.Entries) == 1 {
			if key := n.Entries[0].Key; key == "Ref" || strings.HasPrefix(key, "Fn::") {
				return e.call(key, n.Entries[0].Value)
			}
		}
		object := Map(n.Line)
		for _, entry := range n.Entries {
			if v := e.eval(entry.Value); v != nil {
				object.Entries = append(object.Entries, Entry{Key: entry.Key, Line: entry.Line, Value: v})
			}
		}
		return object
	default:
		return n
	}
}

func (e *evaluator) call(function string, arg *Node) *Node {
	switch function {
	case "Ref":
		return e.ref(arg.Line, arg.Text)
	case "Fn::GetAtt":
		return e.getAtt(arg)
	case "Fn::Sub":
		return e.sub(arg)
	case "Fn::Join":
		return e.join(arg)
	case "Fn::Select":
		return e.selectItem(arg)
	case "Fn::Split":
		return e.split(arg)
	case "Fn::FindInMap":
		return e.findInMap(arg)
	case "Fn::Base64":
		return e.base64(arg)
	case "Fn::GetAZs":
		return e.zones(arg)
	case "Fn::Cidr":
		return e.cidr(arg)
	case "Fn::If":
		return e.choose(arg)
	case "Fn::Length":
		return e.length(arg)
	case "Fn::ToJsonString":
		return e.toJSON(arg)
	case "Fn::ImportValue":
		return e.importValue(arg)
	default:
		return e.fail(arg.Line, "Template error: %s cannot be used here, only in the Conditions block of the template", function)
	}
}

func (e *evaluator) ref(line int, name string) *Node {
	if value, ok := e.b.parameters[name]; ok {
		return e.grow(at(value, line))
	}
	if pseudo, ok := pseudoParameters[name]; ok {
		return at(pseudo(e.b.setting), line)
	}
	if e.refs == nil {
		return e.fail(line, unresolvedInConditions, name)
	}
	return e.resolved(line)(e.refs.Ref(name, line))
}

// at is the value as seen from the line that refers to it.
func at(n *Node, line int) *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Line = line
	return &c
}

func (e *evaluator) resolved(line int) func(*Node, error) *Node {
	return func(n *Node, err error) *Node {
		var ps Problems
		switch {
		case err == nil:
			return e.grow(at(n, line))
		case errors.As(err, &ps):
			for _, p := range ps {
				if p.LogicalID == "" {
					p.LogicalID = e.id
				}
				*e.problems = append(*e.problems, p)
			}
			return Unknown(line, "")
		default:
			return e.fail(line, "%v", err)
		}
	}
}

// splitGetAtt takes the argument of Fn::GetAtt apart.
func splitGetAtt(n *Node) (id string, attribute *Node, message string) {
	if n.Kind == KindString {
		id, name, ok := strings.Cut(n.Text, ".")
		if !ok || id == "" || name == "" {
			return "", nil, "Template error: if specifying one argument to Fn::GetAtt, that argument must be a non-empty string in format <LogicalId>.<Attribute>"
		}
		return id, String(n.Line, name), ""
	}
	if n.Kind != KindList || len(n.Items) != 2 || n.Items[0].Kind != KindString || n.Items[0].Text == "" ||
		n.Items[1].Kind == KindString && n.Items[1].Text == "" {
		return "", nil, "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
	}
	return n.Items[0].Text, n.Items[1], ""
}

func (e *evaluator) getAtt(arg *Node) *Node {
	id, attribute, message := splitGetAtt(arg)
	if message != "" {
		return e.fail(arg.Line, "%s", message)
	}
	name := e.eval(attribute)
	if !name.IsScalar() {
		return e.fail(arg.Line, "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")
	}
	if e.refs == nil {
		return e.fail(arg.Line, unresolvedInConditions, id)
	}
	return e.resolved(arg.Line)(e.refs.Attribute(id, name.Text, arg.Line))
}

func (e *evaluator) join(arg *Node) *Node {
	const message = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
	if arg.Kind != KindList || len(arg.Items) != 2 || !arg.Items[0].IsScalar() {
		return e.fail(arg.Line, message)
	}
	list := e.eval(arg.Items[1])
	if list != nil && list.Kind == KindUnknown {
		return list
	}
	if list == nil || list.Kind != KindList {
		return e.fail(arg.Line, message)
	}
	parts, size := make([]string, 0, len(list.Items)), 0
	for _, item := range list.Items {
		if item.Kind == KindUnknown {
			return at(item, arg.Line)
		}
		if !item.IsScalar() {
			return e.fail(arg.Line, message)
		}
		parts = append(parts, item.Text)
		size += len(item.Text) + len(arg.Items[0].Text)
	}
	if !e.affords(arg.Line, size) {
		return Unknown(arg.Line, "")
	}
	return String(arg.Line, strings.Join(parts, arg.Items[0].Text))
}

func (e *evaluator) selectItem(arg *Node) *Node {
	const message = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
	if arg.Kind != KindList || len(arg.Items) != 2 {
		return e.fail(arg.Line, message)
	}
	index, list := e.eval(arg.Items[0]), e.eval(arg.Items[1])
	if index == nil || list == nil {
		return e.fail(arg.Line, message)
	}
	if index.Kind == KindUnknown || list.Kind == KindUnknown {
		return Unknown(arg.Line, index.Text+list.Text)
	}
	i, err := strconv.Atoi(index.Text)
	if err != nil || list.Kind != KindList || i < 0 || i >= len(list.Items) {
		return e.fail(arg.Line, message)
	}
	return at(list.Items[i], arg.Line)
}

func (e *evaluator) split(arg *Node) *Node {
	const message = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."
	if arg.Kind != KindList || len(arg.Items) != 2 || !arg.Items[0].IsScalar() || arg.Items[0].Text == "" {
		return e.fail(arg.Line, message)
	}
	text := e.eval(arg.Items[1])
	if text != nil && text.Kind == KindUnknown {
		return text
	}
	if !text.IsScalar() {
		return e.fail(arg.Line, message)
	}
	if !e.affords(arg.Line, len(text.Text)+itemSize*(1+strings.Count(text.Text, arg.Items[0].Text))) {
		return Unknown(arg.Line, "")
	}
	list := List(arg.Line)
	for _, part := range strings.Split(text.Text, arg.Items[0].Text) {
		list.Items = append(list.Items, String(arg.Line, part))
	}
	return list
}

func (e *evaluator) findInMap(arg *Node) *Node {
	const message = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
	if arg.Kind != KindList || len(arg.Items) < 3 {
		return e.fail(arg.Line, message)
	}
	var instead *Node
	if len(arg.Items) > 3 {
		instead = arg.Items[3].Get("DefaultValue")
		if len(arg.Items) > 4 || instead == nil || !e.b.Template.Extended {
			return e.fail(arg.Line, message)
		}
	}
	var names [3]string
	for i, item := range arg.Items[:3] {
		v := e.eval(item)
		if v != nil && v.Kind == KindUnknown {
			return v
		}
		if !v.IsScalar() {
			return e.fail(item.Line, message)
		}
		names[i] = v.Text
	}
	value := e.b.Template.Mappings[names[0]].Get(names[1]).Get(names[2])
	if value == nil && instead != nil {
		return e.eval(instead)
	}
	if value == nil {
		return e.fail(arg.Line, "Template error: Unable to get mapping for %s", strings.Join(names[:], "::"))
	}
	return e.grow(at(value, arg.Line))
}

func (e *evaluator) base64(arg *Node) *Node {
	text := e.eval(arg)
	if text != nil && text.Kind == KindUnknown {
		return text
	}
	if !text.IsScalar() {
		return e.fail(arg.Line, "Template error: every Fn::Base64 object must have a String-typed value.")
	}
	return e.grow(String(arg.Line, base64.StdEncoding.EncodeToString([]byte(text.Text))))
}

func (e *evaluator) zones(arg *Node) *Node {
	region := e.eval(arg)
	if !region.IsScalar() {
		return e.fail(arg.Line, "Template error: every Fn::GetAZs object must have a String-typed value.")
	}
	name := region.Text
	if name == "" {
		name = e.b.setting.Identity.Region
	}
	list := List(arg.Line)
	for _, suffix := range []string{"a", "b", "c"} {
		list.Items = append(list.Items, String(arg.Line, name+suffix))
	}
	return e.grow(list)
}
