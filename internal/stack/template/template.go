package template

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of CloudFormation that Parse enforces.
const (
	// MaxBytes is the largest template, the one that CloudFormation takes by URL.
	MaxBytes       = 1 << 20
	maxResources   = 500
	maxParameters  = 200
	maxRules       = 200 // CloudFormation names no limit
	maxMappings    = 200
	maxOutputs     = 200
	maxNameLength  = 255
	maxDescription = 1024
)

// Template is a parsed template.
type Template struct {
	Description string
	Transforms  []Name // but AWS::LanguageExtensions, which Parse applies
	// Extended says that AWS::LanguageExtensions was asked for.
	Extended   bool
	Globals    *Node
	Metadata   *Node
	Parameters []*Parameter
	Rules      []*Rule
	Mappings   map[string]*Node
	Conditions map[string]*Node
	// Resources and Outputs are in the order of the text.
	Resources []*Resource
	Outputs   []*Output
	// partial says that loops are missing, as parameters are that they go over.
	partial bool
}

// Name is a name with the line it stands on.
type Name struct {
	Text string
	Line int
}

// Resource is a declared resource.
type Resource struct {
	LogicalID string
	Type      string
	Line      int
	// Properties is a map, or nil when there are none.
	Properties *Node
	DependsOn  []Name
	// Condition names a condition, "" when there is none.
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Metadata            *Node
	// Attributes holds what belongs to special types only: CreationPolicy,
	// UpdatePolicy, and for SAM resources Connectors and IgnoreGlobals.
	Attributes map[string]*Node
}

// Output is a declared output.
type Output struct {
	Name        string
	Line        int
	Description string
	Value       *Node
	// Export is the name under which other stacks can import the value, nil when
	// they cannot.
	Export    *Node
	Condition string
}

// Resource returns the resource with a logical id, nil when there is none.
func (t *Template) Resource(id string) *Resource {
	i := slices.IndexFunc(t.Resources, func(r *Resource) bool { return r.LogicalID == id })
	if i < 0 {
		return nil
	}
	return t.Resources[i]
}

// Parameter returns the declared parameter with a name, nil when there is none.
func (t *Template) Parameter(name string) *Parameter {
	i := slices.IndexFunc(t.Parameters, func(p *Parameter) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return t.Parameters[i]
}

// Parse reads a template. A text whose first character is '{' is JSON, any other
// is YAML. The error is a Problems. Beside it comes what could be read of the
// template, so that more can be said about it, or nil.
func Parse(text []byte) (*Template, error) { return ParseFor(text, nil, Setting{}) }

// ParseFor is Parse for given parameters, on which the loops of a template with the
// transform AWS::LanguageExtensions may depend.
func ParseFor(text []byte, parameters map[string]string, setting Setting) (*Template, error) {
	if len(text) > MaxBytes {
		return nil, Problems{{Message: fmt.Sprintf("Template may not exceed %d bytes in size.", MaxBytes)}}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var root *Node
	var problems Problems
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		root, problems = parseJSON(text)
	} else {
		root, problems = parseYAML(text)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if root.Kind != KindMap {
		return nil, Problems{{Line: root.Line, Message: "Template format error: unsupported structure."}}
	}
	s := structure{t: &Template{Mappings: map[string]*Node{}, Conditions: map[string]*Node{}}}
	s.refuseNulls("", root)
	if err := s.problems.Err(); err != nil {
		return nil, err
	}
	if n := root.Get("Transform"); n != nil {
		s.transforms(n)
	}
	if s.t.Extended {
		if root = s.extend(root, parameters, setting); root == nil {
			return nil, s.problems.Err()
		}
	}
	s.sections(root)
	if !s.t.partial {
		s.conditionNames()
	}
	return s.t, s.problems.Err()
}

// structure turns a tree into a Template and notes what has no place in one.
type structure struct {
	t        *Template
	problems Problems
}

// refuseNulls reports nulls anywhere but in metadata, which is free form.
func (s *structure) refuseNulls(path string, n *Node) {
	switch n.Kind {
	case KindNull:
		s.problems.Add(n.Line, "", "[%s] 'null' values are not allowed in templates", path)
	case KindList:
		for i, item := range n.Items {
			s.refuseNulls(fmt.Sprintf("%s/%d", path, i), item)
		}
	case KindMap:
		for _, e := range n.Entries {
			if e.Key == "Metadata" && (path == "" || strings.Count(path, "/") == 2) {
				continue
			}
			s.refuseNulls(path+"/"+e.Key, e.Value)
		}
	}
}

func (s *structure) sections(root *Node) {
	var unknown []string
	unknownLine := 0
	for _, e := range root.Entries {
		switch e.Key {
		case "AWSTemplateFormatVersion":
			if e.Value.Text != "2010-09-09" || e.Value.Kind != KindString {
				s.problems.Add(e.Line, "", "Template format error: Unrecognized template version %s", e.Value.Canonical())
			}
		case "Description":
			s.description(e)
		case "Metadata":
			s.t.Metadata = e.Value
		case "Transform": // read before the others
		case "Globals":
			s.t.Globals = e.Value
		case "Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs", "Hooks":
			s.section(e)
		default:
			unknown, unknownLine = append(unknown, e.Key), e.Line
		}
	}
	if len(unknown) > 0 {
		s.problems.Add(unknownLine, "", "Invalid template property or properties [%s]", strings.Join(unknown, ", "))
	}
	if len(s.t.Resources) == 0 && len(s.problems) == 0 && !s.t.partial {
		s.problems.Add(root.Line, "", "Template format error: At least one Resources member must be defined.")
	}
}

func (s *structure) description(e Entry) {
	switch {
	case !e.Value.IsScalar():
		s.problems.Add(e.Line, "", "Template format error: Description must be a string.")
	case len(e.Value.Text) > maxDescription:
		s.problems.Add(e.Line, "", "Template format error: Template description length exceeds %d bytes.", maxDescription)
	default:
		s.t.Description = e.Value.Text
	}
}

func (s *structure) transforms(n *Node) {
	names := []*Node{n}
	if n.Kind == KindList {
		names = n.Items
	}
	for _, name := range names {
		if m := name.Get("Name"); m != nil {
			name = m
		}
		if name.Kind != KindString {
			s.problems.Add(name.Line, "", "Key Name of transform definition must be a string.")
			continue
		}
		if name.Text == languageExtensions {
			s.t.Extended = true
			continue
		}
		s.t.Transforms = append(s.t.Transforms, Name{Text: name.Text, Line: name.Line})
	}
}

var (
	alphanumeric  = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	conditionName = regexp.MustCompile(`^[A-Za-z0-9&_]+$`)
	mappingKey    = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
)

// section reads a section that is a map of named members.
func (s *structure) section(e Entry) {
	if e.Value.Kind != KindMap {
		s.problems.Add(e.Line, "", "Template format error: Every %s member must be an object.", e.Key)
		return
	}
	kinds := map[string]struct {
		noun, plural string
		max          int
		names        *regexp.Regexp
		read         func(Entry)
	}{
		"Parameters": {"Parameter", "parameters", maxParameters, alphanumeric, s.parameter},
		"Rules":      {"Rule", "rules", maxRules, alphanumeric, s.rule},
		"Mappings":   {"Mapping", "mappings", maxMappings, alphanumeric, s.mapping},
		"Conditions": {"Condition", "conditions", maxResources, conditionName, s.condition},
		"Resources":  {"Resource", "resources", maxResources, alphanumeric, s.resource},
		"Outputs":    {"Output", "outputs", maxOutputs, alphanumeric, s.output},
	}
	kind, ok := kinds[e.Key]
	if !ok {
		s.problems.Add(e.Line, "", "the section %s is not implemented", e.Key)
		return
	}
	if n := len(e.Value.Entries); n > kind.max {
		s.problems.Add(e.Line, "", "Template format error: Number of %s, %d, is greater than maximum allowed, %d", kind.plural, n, kind.max)
		return
	}
	for _, member := range e.Value.Entries {
		if !kind.names.MatchString(member.Key) {
			p := Problem{Line: member.Line, Message: fmt.Sprintf("Template format error: %s name %s is non alphanumeric.", kind.noun, member.Key)}
			if strings.HasPrefix(member.Key, loopPrefix) {
				p.Hint = needsExtension
			}
			s.problems = append(s.problems, p)
			continue
		}
		if len(member.Key) > maxNameLength {
			s.problems.Add(member.Line, "", "Template format error: %s name is longer than %d characters.", kind.noun, maxNameLength)
			continue
		}
		kind.read(member)
	}
}

func (s *structure) mapping(e Entry) {
	if e.Value.Kind != KindMap {
		s.problems.Add(e.Line, "", "Template format error: Every Mappings member %s must be a map", e.Key)
		return
	}
	for _, top := range e.Value.Entries {
		if top.Value.Kind != KindMap {
			s.problems.Add(top.Line, "", "Template format error: Every Mappings member %s must be a map", top.Key)
			continue
		}
		if !mappingKey.MatchString(top.Key) {
			s.problems.Add(top.Line, "", "Template format error: Mappings attribute name '%s' must contain only alphanumeric characters, dashes, or periods.", top.Key)
		}
		for _, second := range top.Value.Entries {
			ok := second.Value.IsScalar() || second.Value.Kind == KindList
			for _, item := range second.Value.Items {
				ok = ok && item.IsScalar()
			}
			if !ok {
				s.problems.Add(second.Line, "", "Template format error: Every Mappings attribute must be a String or a List.")
			}
		}
	}
	s.t.Mappings[e.Key] = e.Value
}

func (s *structure) condition(e Entry) {
	if e.Value.Kind != KindMap || len(e.Value.Entries) != 1 {
		s.problems.Add(e.Line, "", "Template format error: Every Conditions member must be a boolean function.")
	}
	s.t.Conditions[e.Key] = e.Value
}

func (s *structure) output(e Entry) {
	o := &Output{Name: e.Key, Line: e.Line}
	value := e.Value.Get("Value")
	if value == nil {
		s.problems.Add(e.Line, e.Key, "Template format error: Every Outputs member must contain a Value object")
		return
	}
	o.Value = value
	for _, member := range e.Value.Entries {
		switch member.Key {
		case "Value":
		case "Description":
			o.Description = s.text(e.Key, member)
		case "Condition":
			o.Condition = s.text(e.Key, member)
		case "Export":
			s.export(o, member)
		default:
			s.problems.Add(member.Line, e.Key, "Invalid template output property '%s'", member.Key)
		}
	}
	s.t.Outputs = append(s.t.Outputs, o)
}

// text is the scalar value of a member of resource or output id.
func (s *structure) text(id string, member Entry) string {
	if !member.Value.IsScalar() {
		s.problems.Add(member.Line, id, "Template format error: %s must be a string.", member.Key)
		return ""
	}
	return member.Value.Text
}

// conditionNames checks that the conditions which resources and outputs name exist.
func (s *structure) conditionNames() {
	check := func(line int, id, name string) {
		if _, ok := s.t.Conditions[name]; name != "" && !ok {
			s.problems.Add(line, id, "Template format error: Condition %s is not defined.", name)
		}
	}
	for _, r := range s.t.Resources {
		check(r.Line, r.LogicalID, r.Condition)
	}
	for _, o := range s.t.Outputs {
		check(o.Line, o.Name, o.Condition)
	}
}
