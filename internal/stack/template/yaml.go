package template

import (
	"errors"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shortTags maps the short form of intrinsic functions to the long one.
var shortTags = longForms("Sub", "GetAtt", "Join", "Select", "Split", "FindInMap", "Base64", "Cidr", "GetAZs",
	"If", "Equals", "And", "Or", "Not", "ImportValue", "Transform", "GetStackOutput", "Length", "ToJsonString",
	"Contains", "EachMemberIn", "EachMemberEquals", "RefAll", "ValueOf", "ValueOfAll")

func longForms(names ...string) map[string]string {
	forms := map[string]string{"!Ref": "Ref", "!Condition": "Condition"}
	for _, name := range names {
		forms["!"+name] = "Fn::" + name
	}
	return forms
}

// parseYAML reads a YAML text into nodes. CloudFormation reads YAML 1.1 without
// some tags, without aliases and without merge keys.
func parseYAML(text []byte) (*Node, Problems) {
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, Problems{{Message: "Template format error: unsupported structure."}}
		}
		return nil, Problems{notWellFormedYAML(err)}
	}
	var p yamlParser
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, Problems{notWellFormedYAML(err)}
		}
		p.problems = append(p.problems, Problem{Line: next.Line,
			Message: "Template format error: YAML not well-formed.", Hint: "more than one document"})
	}
	if len(doc.Content) != 1 {
		return nil, Problems{{Message: "Template format error: unsupported structure."}}
	}
	root := p.node(doc.Content[0], 0)
	return root, p.problems
}

var yamlErrorLine = regexp.MustCompile(`^line (\d+): `)

func notWellFormedYAML(err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // all digits; too long a number is line 0
		text = text[len(m[0]):]
	}
	return Problem{Line: line, Message: "Template format error: YAML not well-formed.", Hint: text}
}

type yamlParser struct{ problems Problems }

func (p *yamlParser) node(y *yaml.Node, depth int) *Node {
	if depth > maxDepth {
		if len(p.problems) == 0 || !strings.Contains(p.problems[len(p.problems)-1].Message, "deep") {
			p.problems = append(p.problems, tooDeep(y.Line))
		}
		return String(y.Line, "")
	}
	if y.Kind == yaml.AliasNode {
		p.problems.Add(y.Line, "", "Template error: YAML aliases are not allowed in CloudFormation templates")
		return String(y.Line, "")
	}
	function, short := "", false
	if y.Style&yaml.TaggedStyle != 0 {
		function, short = shortTags[y.Tag]
		if !short && !p.coreTag(y) {
			return String(y.Line, "")
		}
	}
	var n *Node
	switch y.Kind {
	case yaml.SequenceNode:
		n = List(y.Line)
		for _, item := range y.Content {
			n.Items = append(n.Items, p.node(item, depth+1))
		}
	case yaml.MappingNode:
		n = p.mapping(y, depth)
	default:
		n = scalar(y, short)
	}
	if !short {
		return n
	}
	if function == "Fn::GetAtt" && n.Kind == KindString {
		if id, attribute, ok := strings.Cut(n.Text, "."); ok {
			n = List(y.Line, String(y.Line, id), String(y.Line, attribute))
		}
	}
	return Call(y.Line, function, n)
}

// coreTag reports whether the explicit tag of y is one that templates may use.
func (p *yamlParser) coreTag(y *yaml.Node) bool {
	switch y.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return true
	}
	p.problems = append(p.problems, Problem{Line: y.Line,
		Message: "Template format error: YAML not well-formed.", Hint: "tag " + y.Tag + " is not supported"})
	return false
}

func (p *yamlParser) mapping(y *yaml.Node, depth int) *Node {
	n := Map(y.Line)
	keys := map[string]bool{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		value := p.node(v, depth+1)
		if k.Kind != yaml.ScalarNode {
			p.problems = append(p.problems, Problem{Line: k.Line,
				Message: "Template format error: YAML not well-formed.", Hint: "a key must be a string"})
			continue
		}
		if keys[k.Value] {
			p.problems = append(p.problems, duplicateKey(k.Line, k.Value))
			continue
		}
		keys[k.Value] = true
		n.Entries = append(n.Entries, Entry{Key: k.Value, Line: k.Line, Value: value})
	}
	return n
}

// Plain scalars by the rules of YAML 1.1 as CloudFormation applies them: there
// are no time stamps, so 2010-09-09 is a string, and a number with a leading
// zero stays the text it is, as account ids are written so.
var (
	yamlInt   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9_]*)$`)
	yamlHex   = regexp.MustCompile(`^[-+]?0x[0-9a-fA-F_]+$`)
	yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$`)
)

func scalar(y *yaml.Node, tagged bool) *Node {
	n := String(y.Line, y.Value)
	if y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		n.Line++ // the text starts below its | or >
	}
	quoted := y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if tagged || quoted || y.Style&yaml.TaggedStyle != 0 && y.ShortTag() == "!!str" {
		return n
	}
	switch y.Value {
	case "", "~", "null", "Null", "NULL":
		return &Node{Kind: KindNull, Line: y.Line}
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
		return &Node{Kind: KindBool, Text: "true", Line: y.Line}
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
		return &Node{Kind: KindBool, Text: "false", Line: y.Line}
	}
	switch {
	case yamlInt.MatchString(y.Value):
		n.Kind, n.Text = KindNumber, strings.TrimPrefix(strings.ReplaceAll(y.Value, "_", ""), "+")
	case yamlHex.MatchString(y.Value):
		if v, ok := new(big.Int).SetString(strings.ReplaceAll(y.Value, "_", ""), 0); ok {
			n.Kind, n.Text = KindNumber, v.String()
		}
	case strings.ContainsAny(y.Value, ".eE") && yamlFloat.MatchString(y.Value):
		n.Kind, n.Text = KindNumber, strings.ReplaceAll(y.Value, "_", "")
	}
	return n
}
