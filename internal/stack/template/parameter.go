package template

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxParameterValue is the longest value of a parameter in bytes.
const maxParameterValue = 4096

// Parameter is a declared parameter.
type Parameter struct {
	Name        string
	Line        int
	Type        string
	Description string
	// Default is nil when a value must be given.
	Default *string
	// NoEcho asks that the value is not shown.
	NoEcho                bool
	AllowedValues         []string
	ConstraintDescription string

	pattern                                  *regexp.Regexp
	patternText                              string
	minLength, maxLength, minValue, maxValue *limit
}

// limit is a number as written in the template.
type limit struct {
	value float64
	text  string
}

// isList reports whether the values of the parameter are lists.
func (p *Parameter) isList() bool {
	return p.Type == "CommaDelimitedList" || p.Type == "List<Number>" || p.Type == "List<String>"
}

func (p *Parameter) isNumber() bool { return p.Type == "Number" || p.Type == "List<Number>" }

func (s *structure) parameter(e Entry) {
	p := &Parameter{Name: e.Key, Line: e.Line}
	kind := e.Value.Get("Type")
	if !kind.IsScalar() {
		s.problems.Add(e.Line, e.Key, "Template format error: Every Parameters object must contain a Type member.")
		return
	}
	p.Type = kind.Text
	switch {
	case p.Type == "String", p.Type == storedText, p.isList(), p.isNumber():
	case strings.HasPrefix(p.Type, "AWS::"), strings.HasPrefix(p.Type, "List<AWS::"):
		s.problems = append(s.problems, Problem{Line: kind.Line, LogicalID: p.Name,
			Message: "parameter type " + p.Type + " is not implemented", Hint: "use String or CommaDelimitedList"})
	default:
		s.problems.Add(kind.Line, e.Key, "Template format error: Unrecognized parameter type: %s", p.Type)
	}
	for _, member := range e.Value.Entries {
		s.parameterMember(p, member)
	}
	s.t.Parameters = append(s.t.Parameters, p)
}

func (s *structure) parameterMember(p *Parameter, member Entry) {
	switch member.Key {
	case "Type":
	case "Default":
		text := s.text(p.Name, member)
		p.Default = &text
	case "NoEcho":
		p.NoEcho = s.text(p.Name, member) == "true"
		if !p.NoEcho && member.Value.Text != "false" {
			s.problems.Add(member.Line, p.Name, "Template format error: NoEcho must be true or false.")
		}
	case "Description":
		p.Description = s.text(p.Name, member)
	case "ConstraintDescription":
		p.ConstraintDescription = s.text(p.Name, member)
	case "AllowedValues":
		if member.Value.Kind != KindList {
			s.problems.Add(member.Line, p.Name, "Template format error: Every AllowedValues member must be a list.")
			return
		}
		for _, item := range member.Value.Items {
			p.AllowedValues = append(p.AllowedValues, s.text(p.Name, Entry{Key: "AllowedValues", Line: item.Line, Value: item}))
		}
	case "AllowedPattern":
		s.allowedPattern(p, member)
	case "MinLength":
		p.minLength = s.number(p.Name, member)
	case "MaxLength":
		p.maxLength = s.number(p.Name, member)
	case "MinValue":
		p.minValue = s.number(p.Name, member)
	case "MaxValue":
		p.maxValue = s.number(p.Name, member)
	default:
		s.problems.Add(member.Line, p.Name, "Invalid template parameter property '%s'", member.Key)
	}
}

func (s *structure) allowedPattern(p *Parameter, member Entry) {
	p.patternText = s.text(p.Name, member)
	_, err := regexp.Compile(p.patternText) // by itself, as "a)(b" must not pass
	if err == nil {
		p.pattern, err = regexp.Compile(`\A(?:` + p.patternText + `)\z`)
	}
	if err != nil {
		s.problems = append(s.problems, Problem{Line: member.Line, LogicalID: p.Name,
			Message: "AllowedPattern cannot be used: " + err.Error(),
			Hint:    "Weir knows the regular expressions of RE2, which have no look-around"})
		return
	}
}

func (s *structure) number(id string, member Entry) *limit {
	text := s.text(id, member)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.problems.Add(member.Line, id, "Template format error: %s must be a number.", member.Key)
		return nil
	}
	return &limit{value, text}
}

// values resolves what the parameters are: the given values, else the defaults.
func (t *Template) values(given map[string]string) (nodes map[string]*Node, texts map[string]string, problems Problems) {
	if len(t.Parameters) == 0 && len(given) > 0 {
		problems.Add(0, "", "Parameter values specified for a template which does not require them.")
		return nil, nil, problems
	}
	var undeclared, missing []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if t.Parameter(name) == nil {
			undeclared = append(undeclared, name)
		}
	}
	nodes, texts = map[string]*Node{}, map[string]string{}
	for _, p := range t.Parameters {
		text, ok := given[p.Name]
		if !ok && p.Default != nil {
			text, ok = *p.Default, true
		}
		if !ok {
			missing = append(missing, p.Name)
			continue
		}
		if message := p.check(text); message != "" {
			problems.Add(p.Line, p.Name, "%s", message)
		}
		texts[p.Name] = text
		if p.Type == storedText {
			if text, ok = stored(text); !ok {
				problems = append(problems, Problem{Line: p.Line, LogicalID: p.Name,
					Message: "Unable to fetch parameters [" + texts[p.Name] + "] from parameter store for this account.",
					Hint:    "Weir has no parameter store; use String"})
			}
		}
		nodes[p.Name] = p.node(text)
	}
	if len(undeclared) > 0 {
		problems.Add(0, "", "Parameters: [%s] do not exist in the template", strings.Join(undeclared, ", "))
	}
	if len(missing) > 0 {
		problems.Add(0, "", "Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return nodes, texts, problems
}

// node is the value of the parameter as Ref gives it.
func (p *Parameter) node(text string) *Node {
	if !p.isList() {
		return String(p.Line, text)
	}
	list := List(p.Line)
	for _, member := range p.members(text) {
		list.Items = append(list.Items, String(p.Line, member))
	}
	return list
}

// members are the values that the constraints apply to.
func (p *Parameter) members(text string) []string {
	if !p.isList() {
		return []string{text}
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// check returns what is wrong with a value, "" when nothing is.
func (p *Parameter) check(text string) string {
	if len(text) > maxParameterValue {
		return fmt.Sprintf("Parameter '%s' must not be longer than %d bytes", p.Name, maxParameterValue)
	}
	if isDynamic(text) {
		return noDynamic
	}
	for _, member := range p.members(text) {
		message := p.checkMember(member)
		if message == "" {
			continue
		}
		if p.ConstraintDescription != "" {
			return fmt.Sprintf("Parameter %s failed to satisfy constraint: %s", p.Name, p.ConstraintDescription)
		}
		return message
	}
	return ""
}

func (p *Parameter) checkMember(text string) string {
	var number float64
	if p.isNumber() {
		var err error
		if number, err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
			return fmt.Sprintf("Parameter '%s' must be a number.", p.Name)
		}
	}
	length := float64(len([]rune(text)))
	switch {
	case p.AllowedValues != nil && !slices.Contains(p.AllowedValues, text):
		return fmt.Sprintf("Parameter '%s' must be one of AllowedValues", p.Name)
	case p.pattern != nil && !p.pattern.MatchString(text):
		return fmt.Sprintf("Parameter '%s' must match pattern %s", p.Name, p.patternText)
	case p.minLength != nil && length < p.minLength.value:
		return fmt.Sprintf("Parameter '%s' must contain at least %s characters", p.Name, p.minLength.text)
	case p.maxLength != nil && length > p.maxLength.value:
		return fmt.Sprintf("Parameter '%s' must contain at most %s characters", p.Name, p.maxLength.text)
	case p.isNumber() && p.minValue != nil && number < p.minValue.value:
		return fmt.Sprintf("Parameter '%s' must be a number not less than %s", p.Name, p.minValue.text)
	case p.isNumber() && p.maxValue != nil && number > p.maxValue.value:
		return fmt.Sprintf("Parameter '%s' must be a number not greater than %s", p.Name, p.maxValue.text)
	}
	return ""
}
