package sam

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/weirstream/weir/internal/stack/template"
)

var aliasName = regexp.MustCompile(`^[a-zA-Z0-9_-]*[a-zA-Z_-][a-zA-Z0-9_-]*$`)

// publish expands AutoPublishAlias: a version, whose logical id changes with the
// code so that a new one is made then, and an alias of it. out is the function as
// it was expanded. It returns the logical id of what is to be called: the alias, or
// the function when it has none.
func (x *expansion) publish(r *template.Resource, in, out *template.Node) string {
	alias := in.Get("AutoPublishAlias")
	name, ok := x.parameterText(alias)
	switch {
	case alias != nil && !ok:
		x.problems.Add(alias.Line, r.LogicalID, "'AutoPublishAlias' must be a string or a Ref to a template parameter")
		return r.LogicalID
	case name == "":
		if policy := in.Get("VersionDeletionPolicy"); policy != nil {
			x.problems.Add(policy.Line, r.LogicalID, "'VersionDeletionPolicy' requires 'AutoPublishAlias'.")
		}
		return r.LogicalID
	case !aliasName.MatchString(name):
		x.problems.Add(alias.Line, r.LogicalID, "AutoPublishAlias name ('%s') must contain only alphanumeric characters, hyphens, or underscores "+
			"matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.", name)
		return r.LogicalID
	}
	x.describe(in, out)
	version := x.emit(r, r.LogicalID+"Version"+x.versionHash(r, in, out), "AWS::Lambda::Version", alias.Line,
		template.Map(alias.Line).Set("FunctionName", ref(alias.Line, r.LogicalID)).Set("Description", in.Get("VersionDescription")))
	kept := "Retain"
	if policy := in.Get("VersionDeletionPolicy"); policy != nil {
		kept = scalarText(policy)
		if kept != "Delete" && kept != "Retain" {
			x.problems.Add(policy.Line, r.LogicalID, "Property 'VersionDeletionPolicy' should be a one of the strings: 'Delete' or 'Retain'.")
		}
	}
	if r.DeletionPolicy == "" { // that of the function goes to all that is made of it
		version.DeletionPolicy = kept
	}
	id := r.LogicalID + "Alias" + strings.NewReplacer("-", "D", "_", "U").Replace(name)
	number := template.Call(alias.Line, "Fn::GetAtt",
		template.List(alias.Line, template.String(alias.Line, version.LogicalID), template.String(alias.Line, "Version")))
	x.emit(r, id, "AWS::Lambda::Alias", alias.Line, template.Map(alias.Line).
		Set("Name", template.String(alias.Line, name)).
		Set("FunctionName", ref(alias.Line, r.LogicalID)).
		Set("FunctionVersion", number))
	x.generated[r.LogicalID+".Alias"], x.generated[r.LogicalID+".Version"] = id, version.LogicalID
	return id
}

// describe adds AutoPublishCodeSha256 to the description of the function, so that it
// changes with it.
func (x *expansion) describe(in, out *template.Node) {
	digest, ok := x.parameterText(in.Get("AutoPublishCodeSha256"))
	if !ok {
		return
	}
	text, old := template.String(in.Get("AutoPublishCodeSha256").Line, digest), in.Get("Description")
	switch {
	case old.IsScalar() && old.Text != "":
		text.Text = old.Text + " " + digest
	case old != nil && !old.IsScalar():
		text = template.Call(old.Line, "Fn::Join", template.List(old.Line, template.String(old.Line, " "), template.List(old.Line, old, text)))
	}
	out.Set("Description", text)
}

func ref(line int, id string) *template.Node {
	return template.Call(line, "Ref", template.String(line, id))
}

// parameterText returns a text, or the value of the parameter that a Ref names.
func (x *expansion) parameterText(n *template.Node) (string, bool) {
	if n.IsScalar() {
		return n.Text, true
	}
	if !isCall(n) || n.Entries[0].Key != "Ref" {
		return "", false
	}
	name := n.Entries[0].Value.Text
	p := x.in.Parameter(name)
	if p == nil {
		return "", false
	}
	if value, ok := x.inputs.Parameters[name]; ok {
		return value, true
	}
	if p.Default == nil {
		return "", false
	}
	return *p.Default, true
}

// versionHash is the part of a version's logical id that changes when a new
// version is to be published: of a SHA-1, as in the ids that the transform of AWS
// makes.
func (x *expansion) versionHash(r *template.Resource, in, out *template.Node) string {
	const length = 10
	if digest := in.Get("AutoPublishCodeSha256"); digest != nil {
		if text, ok := x.parameterText(digest); ok && len(text) >= length {
			return text[:length]
		}
		x.problems.Add(digest.Line, r.LogicalID, "'AutoPublishCodeSha256' must be a string of a SHA-256 or a Ref to a template parameter")
		return ""
	}
	all := in.Get("AutoPublishAliasAllProperties")
	if all != nil && all.Kind != template.KindBool && !isCall(all) {
		x.problems.Add(all.Line, r.LogicalID, "Type of property 'AutoPublishAliasAllProperties' is invalid.")
	}
	var hashed *template.Node
	if all.IsScalar() && all.Text == "true" {
		hashed = template.Map(0)
		for _, e := range out.Entries {
			if e.Key != "Role" { // as it is written, without the one that is made
				hashed.Entries = append(hashed.Entries, e)
			}
		}
		hashed.Set("Role", in.Get("Role")).Set("Code", x.codeIdentity(r, out))
	} else {
		hashed = x.codeIdentity(r, out)
		if environment := out.Get("Environment"); environment != nil {
			hashed.Set("Variables", environment.Get("Variables"))
		}
		hashed.Set("MemorySize", out.Get("MemorySize"))
		hashed.Set("SnapStart", out.Get("SnapStart"))
	}
	sum := sha1.Sum(sortedJSON(hashed))
	return hex.EncodeToString(sum[:])[:length]
}

// codeIdentity returns what stands for the code of a function: where it is or, if
// it is local, what it is.
func (x *expansion) codeIdentity(r *template.Resource, out *template.Node) *template.Node {
	code := out.Get("Code")
	identity := template.Map(0)
	switch {
	case code == nil:
	case code.Kind == template.KindMap:
		identity.Entries = slices.Clone(x.withParameters(code).Entries)
	case x.inputs.Packages[r.LogicalID] != "":
		identity.Set("Package", template.String(0, x.inputs.Packages[r.LogicalID]))
	default:
		identity.Set("Path", code)
	}
	return identity
}

// withParameters is a value with what refers to parameters replaced by their values, so
// that other values of them make another version.
func (x *expansion) withParameters(n *template.Node) *template.Node {
	return rewritten(n, func(call *template.Node) *template.Node {
		if value, ok := x.parameterText(call); ok {
			return template.String(call.Line, value)
		}
		if e := &call.Entries[0]; e.Key == "Fn::Sub" {
			e.Value = x.substituted(e.Value)
		}
		return call
	})
}

var subParameter = regexp.MustCompile(`\$\{([A-Za-z0-9]+)\}`)

// substituted is the argument of an Fn::Sub with the values of parameters in its text.
func (x *expansion) substituted(arg *template.Node) *template.Node {
	return withText(arg, subParameter, func(line int, parts []string) (string, bool) {
		return x.parameterText(ref(line, parts[1]))
	})
}

// sortedJSON writes a value without white space, members by name.
func sortedJSON(n *template.Node) []byte {
	var b bytes.Buffer
	writeSorted(&b, n)
	return b.Bytes()
}

func writeSorted(b *bytes.Buffer, n *template.Node) {
	switch {
	case n != nil && n.Kind == template.KindMap:
		members := make(map[string]*template.Node, len(n.Entries))
		for _, e := range n.Entries {
			members[e.Key] = e.Value
		}
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(members)) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeScalar(b, template.String(0, name))
			b.WriteByte(':')
			writeSorted(b, members[name])
		}
		b.WriteByte('}')
	case n != nil && n.Kind == template.KindList:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeSorted(b, item)
		}
		b.WriteByte(']')
	default:
		writeScalar(b, n)
	}
}

// writeScalar writes what is not ASCII escaped, as the transform of AWS does.
func writeScalar(b *bytes.Buffer, n *template.Node) {
	doc, err := n.MarshalJSON()
	if err != nil {
		doc = []byte("null") // of a kind that templates do not have
	}
	for _, unit := range utf16.Encode([]rune(string(doc))) {
		if unit < 0x7f {
			b.WriteByte(byte(unit))
			continue
		}
		fmt.Fprintf(b, `\u%04x`, unit)
	}
}

// resolve replaces references such as "F.Alias" by logical ids.
func (x *expansion) resolve(t *template.Template) {
	if len(x.generated) == 0 {
		return
	}
	for i, r := range t.Resources {
		changed := *r
		changed.Properties = x.resolved(r.Properties)
		t.Resources[i] = &changed
	}
	t.Outputs = slices.Clone(t.Outputs)
	for i, o := range t.Outputs {
		changed := *o
		changed.Value = x.resolved(o.Value)
		t.Outputs[i] = &changed
	}
}

var subReference = regexp.MustCompile(`\$\{([A-Za-z0-9]+\.(?:Alias|Version|DestinationQueue|DestinationTopic))((?:\.[A-Za-z0-9]+)?)\}`)

func (x *expansion) resolved(n *template.Node) *template.Node {
	return rewritten(n, func(call *template.Node) *template.Node {
		e := &call.Entries[0]
		switch e.Key {
		case "Ref":
			if id, ok := x.generated[e.Value.Text]; ok {
				e.Value = template.String(e.Value.Line, id)
			}
		case "Fn::GetAtt":
			e.Value = x.resolvedAttribute(e.Value)
		case "Fn::Sub":
			e.Value = withText(e.Value, subReference, func(_ int, parts []string) (string, bool) {
				id, ok := x.generated[parts[1]]
				return "${" + id + parts[2] + "}", ok
			})
		}
		return call
	})
}

// rewritten copies a value with what change makes of its function calls, from the
// inside out.
func rewritten(n *template.Node, change func(call *template.Node) *template.Node) *template.Node {
	if n == nil || n.IsScalar() {
		return n
	}
	out := *n
	out.Items, out.Entries = slices.Clone(n.Items), slices.Clone(n.Entries)
	for i, item := range out.Items {
		out.Items[i] = rewritten(item, change)
	}
	for i, e := range out.Entries {
		out.Entries[i].Value = rewritten(e.Value, change)
	}
	if !isCall(&out) {
		return &out
	}
	return change(&out)
}

// withText is the argument of an Fn::Sub, which may be a text or a list with it, with
// what is found in the text replaced where there is something for it.
func withText(arg *template.Node, find *regexp.Regexp, replace func(line int, parts []string) (string, bool)) *template.Node {
	text := arg
	if arg.Kind == template.KindList && len(arg.Items) > 0 {
		text = arg.Items[0]
	}
	if text.Kind != template.KindString {
		return arg
	}
	filled := template.String(text.Line, find.ReplaceAllStringFunc(text.Text, func(found string) string {
		if with, ok := replace(text.Line, find.FindStringSubmatch(found)); ok {
			return with
		}
		return found
	}))
	if text == arg {
		return filled
	}
	return template.List(arg.Line, append([]*template.Node{filled}, arg.Items[1:]...)...)
}

// resolvedAttribute is the argument of an Fn::GetAtt with the generated resource in
// place of a reference such as "F.Version": "F.Version.Version" is its number.
func (x *expansion) resolvedAttribute(n *template.Node) *template.Node {
	parts := []string{n.Text}
	if n.Kind == template.KindList {
		parts = parts[:0]
		for _, item := range n.Items {
			if !item.IsScalar() {
				return n
			}
			parts = append(parts, item.Text)
		}
	}
	parts = strings.SplitN(strings.Join(parts, "."), ".", 3)
	if len(parts) < 3 {
		return n
	}
	id, ok := x.generated[parts[0]+"."+parts[1]]
	if !ok {
		return n
	}
	return template.List(n.Line, template.String(n.Line, id), template.String(n.Line, parts[2]))
}
