package resource

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/stack/template"
)

// object reads the members of a map of properties and notes what is wrong with
// them. Values that are not known yet read as zero and are never wrong.
type object struct {
	id       string // of the resource
	path     string // "" or "A.B" for a nested object
	line     int
	node     *template.Node
	problems *template.Problems
	used     map[string]bool
}

func newObject(id string, n *template.Node, line int, problems *template.Problems) *object {
	if n == nil {
		n = template.Map(line)
	}
	if line == 0 {
		line = n.Line
	}
	return &object{id: id, node: n, line: line, problems: problems, used: map[string]bool{}}
}

func (o *object) fail(line int, format string, args ...any) {
	o.problems.Add(line, o.id, format, args...)
}

func (o *object) name(member string) string {
	if o.path == "" {
		return member
	}
	return o.path + "." + member
}

// get returns a member, nil when it is absent or unknown.
func (o *object) get(member string) *template.Node {
	o.used[member] = true
	n := o.node.Get(member)
	if n == nil || n.Kind == template.KindUnknown {
		return nil
	}
	return n
}

func (o *object) has(member string) bool { return o.node.Get(member) != nil }

// require reports members that are missing.
func (o *object) require(members ...string) {
	for _, m := range members {
		if !o.has(m) {
			o.fail(o.line, "Property validation failure: [The property {/%s} is required]", strings.ReplaceAll(o.name(m), ".", "/"))
		}
	}
}

func (o *object) text(member string) string {
	n := o.get(member)
	if n == nil {
		return ""
	}
	if !n.IsScalar() {
		o.wrongKind(n, member, "String")
		return ""
	}
	return n.Text
}

func (o *object) wrongKind(n *template.Node, member, kind string) {
	o.fail(n.Line, "Value of property %s must be of type %s", o.name(member), kind)
}

// oneOf reads a text that must be one of some values.
func (o *object) oneOf(member string, values ...string) string {
	text := o.text(member)
	if n := o.get(member); n.IsScalar() && !slices.Contains(values, text) {
		o.fail(n.Line, "Properties validation failed for resource %s with message: #/%s: %s is not a valid enum value",
			o.id, strings.ReplaceAll(o.name(member), ".", "/"), text)
	}
	return text
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]*$`)

// chosenName reads a name of letters, digits, '_', '.' and '-'.
func (o *object) chosenName(member string, shortest, longest int) string {
	n, text := o.get(member), o.text(member)
	if !n.IsScalar() {
		return text
	}
	wrong := ""
	switch {
	case len(text) < shortest:
		wrong = fmt.Sprintf("expected minLength: %d, actual: %d", shortest, len(text))
	case len(text) > longest:
		wrong = fmt.Sprintf("expected maxLength: %d, actual: %d", longest, len(text))
	case !namePattern.MatchString(text):
		wrong = "failed validation constraint for keyword [pattern]"
	default:
		return text
	}
	o.fail(n.Line, "Properties validation failed for resource %s with message: #/%s: %s", o.id, member, wrong)
	return text
}

// integer reads a number that may be written as text; nil when it is absent.
func (o *object) integer(member string) *int {
	n := o.get(member)
	if n == nil {
		return nil
	}
	v, err := strconv.Atoi(n.Text)
	if !n.IsScalar() || err != nil {
		o.wrongKind(n, member, "Integer")
		return nil
	}
	return &v
}

// count is an integer with 0 for an absent one.
func (o *object) count(member string) int {
	if v := o.integer(member); v != nil {
		return *v
	}
	return 0
}

// positive is a count of which there must be one at least.
func (o *object) positive(member string) int {
	v := o.integer(member)
	if v == nil {
		return 0
	}
	if *v < 1 {
		o.fail(o.get(member).Line, "Properties validation failed for resource %s with message: #/%s: %d is not greater or equal to 1", o.id, member, *v)
	}
	return *v
}

func (o *object) number(member string) *float64 {
	n := o.get(member)
	if n == nil {
		return nil
	}
	v, err := strconv.ParseFloat(n.Text, 64)
	if !n.IsScalar() || err != nil {
		o.wrongKind(n, member, "Double")
		return nil
	}
	return &v
}

// boolean reads a truth value that may be written as text; nil when it is absent.
func (o *object) boolean(member string) *bool {
	n := o.get(member)
	if n == nil {
		return nil
	}
	v, err := strconv.ParseBool(strings.ToLower(n.Text))
	if !n.IsScalar() || err != nil {
		o.wrongKind(n, member, "Boolean")
		return nil
	}
	return &v
}

// items returns the members of a list. A scalar is taken for a list of one, as
// CloudFormation does.
func (o *object) items(member string) []*template.Node {
	n := o.get(member)
	switch {
	case n == nil:
		return nil
	case n.Kind == template.KindList:
		return n.Items
	case n.IsScalar():
		return []*template.Node{n}
	default:
		o.wrongKind(n, member, "List")
		return nil
	}
}

func (o *object) texts(member string) []string {
	var texts []string
	for _, item := range o.items(member) {
		switch {
		case item.Kind == template.KindUnknown:
			texts = append(texts, item.Text)
		case item.IsScalar():
			texts = append(texts, item.Text)
		default:
			o.wrongKind(item, member, "List of String")
		}
	}
	return texts
}

// object returns a nested object, nil when it is absent.
func (o *object) object(member string) *object {
	n := o.get(member)
	if n == nil {
		return nil
	}
	return o.nested(n, member)
}

func (o *object) nested(n *template.Node, member string) *object {
	if n.Kind != template.KindMap {
		o.wrongKind(n, member, "Object")
		n = template.Map(n.Line)
	}
	return &object{id: o.id, path: o.name(member), line: n.Line, node: n, problems: o.problems, used: map[string]bool{}}
}

// objects returns the nested objects of a list.
func (o *object) objects(member string) []*object {
	var list []*object
	for i, item := range o.items(member) {
		if item.Kind != template.KindUnknown {
			list = append(list, o.nested(item, fmt.Sprintf("%s.%d", member, i)))
		}
	}
	return list
}

// textMap reads a map of texts, nil when it is absent.
func (o *object) textMap(member string) map[string]string {
	inner := o.object(member)
	if inner == nil {
		return nil
	}
	values := make(map[string]string, len(inner.node.Entries))
	for _, e := range inner.node.Entries {
		values[e.Key] = inner.text(e.Key)
	}
	return values
}

// tags reads the tags of the resource, which are a list of keys and values or a
// map. The tags of the stack are added when the resource is made.
func (o *object) tags() map[string]string {
	n := o.get("Tags")
	if n == nil {
		return nil
	}
	if n.Kind == template.KindMap {
		return o.textMap("Tags")
	}
	tags := map[string]string{}
	for _, tag := range o.objects("Tags") {
		tag.require("Key", "Value")
		tags[tag.text("Key")] = tag.text("Value")
		tag.done()
	}
	return tags
}

// withStackTags adds the tags of the stack to those of a resource.
func (t Target) withStackTags(tags map[string]string) map[string]string {
	all := maps.Clone(t.StackTags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	return all
}

// only reports a member whose value is other than those that are implemented.
func (o *object) only(member string, values ...string) {
	n := o.get(member)
	if n == nil || n.IsScalar() && slices.Contains(values, n.Text) {
		return
	}
	if n.Kind == template.KindList && len(n.Items) == 0 || n.Kind == template.KindMap && len(n.Entries) == 0 {
		return
	}
	o.fail(n.Line, "property %s is not implemented with another value than %s", o.name(member), strings.Join(values, ", "))
}

// done reports the members of a nested object that nobody read.
func (o *object) done() {
	for _, e := range o.node.Entries {
		if !o.used[e.Key] {
			o.fail(e.Line, "Properties validation failed for resource %s with message: #/%s: extraneous key [%s] is not permitted or not implemented",
				o.id, strings.ReplaceAll(o.path, ".", "/"), e.Key)
		}
	}
}
