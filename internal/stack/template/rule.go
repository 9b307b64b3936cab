package template

import "slices"

// Rule checks the values of parameters.
type Rule struct {
	Name string
	Line int
	// Condition decides whether the rule applies, nil for always.
	Condition  *Node
	Assertions []Assertion
}

// Assertion is what a rule asks for.
type Assertion struct {
	Assert      *Node
	Description string
}

const (
	unresolvedInRules = "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Rules block of the template"
	malformedRule     = "Template format error: Every Rules member must be an object with Assertions, a list of objects with Assert, and may have a RuleCondition."
)

// onlyInRules are the functions that conditions and values do not have.
var onlyInRules = []string{"Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"}

// inRules are the functions that rules have.
var inRules = append([]string{"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"}, onlyInRules...)

func (s *structure) rule(e Entry) {
	r := &Rule{Name: e.Key, Line: e.Line, Condition: e.Value.Get("RuleCondition")}
	assertions := e.Value.Get("Assertions")
	if assertions == nil || assertions.Kind != KindList {
		s.problems.Add(e.Line, e.Key, malformedRule)
		return
	}
	for _, member := range e.Value.Entries {
		if member.Key != "RuleCondition" && member.Key != "Assertions" {
			s.problems.Add(member.Line, e.Key, malformedRule)
		}
	}
	for _, item := range assertions.Items {
		a := Assertion{Assert: item.Get("Assert")}
		if a.Assert == nil {
			s.problems.Add(item.Line, e.Key, malformedRule)
			continue
		}
		if n := item.Get("AssertDescription"); n != nil {
			a.Description = s.text(e.Key, Entry{Key: "AssertDescription", Line: n.Line, Value: n})
		}
		r.Assertions = append(r.Assertions, a)
	}
	s.t.Rules = append(s.t.Rules, r)
}

// checkRules decides the rules: an assertion that is not true is a problem.
func (b *Bound) checkRules(problems *Problems) {
	for _, r := range b.Template.Rules {
		e := evaluator{b: b, problems: problems, id: r.Name, rule: true}
		if r.Condition != nil && !e.holds(r.Condition) {
			continue
		}
		for _, a := range r.Assertions {
			before := len(*problems)
			if e.holds(a.Assert) || len(*problems) > before {
				continue
			}
			message := a.Description
			if message == "" {
				message = "an assertion of the rule is not true"
			}
			e.fail(a.Assert.Line, "%s", message)
		}
	}
}

// member decides the functions of rules that look into lists.
func (e *evaluator) member(function string, arg *Node) bool {
	const message = "Template error: every %s object requires a list of 2 parameters, the first of them a list of strings."
	if arg.Kind != KindList || len(arg.Items) != 2 {
		e.fail(arg.Line, message, function)
		return false
	}
	list, with := e.eval(arg.Items[0]), e.eval(arg.Items[1])
	if list == nil || list.Kind != KindList || with == nil || (function == "Fn::EachMemberIn") != (with.Kind == KindList) {
		e.fail(arg.Line, message, function)
		return false
	}
	equals := func(n *Node) func(*Node) bool {
		return func(other *Node) bool { return other.Canonical() == n.Canonical() }
	}
	switch function {
	case "Fn::Contains":
		return slices.ContainsFunc(list.Items, equals(with))
	case "Fn::EachMemberEquals":
		return !slices.ContainsFunc(list.Items, func(n *Node) bool { return !equals(with)(n) })
	default:
		return !slices.ContainsFunc(list.Items, func(n *Node) bool { return !slices.ContainsFunc(with.Items, equals(n)) })
	}
}

// rules checks the names in the rules.
func (c *nameCheck) rules() {
	c.unresolved = unresolvedInRules
	for _, r := range c.t.Rules {
		c.id = r.Name
		c.walk(r.Condition)
		for _, a := range r.Assertions {
			c.walk(a.Assert)
		}
	}
	c.id = ""
}

// misplaced reports a function that is not for this part of the template.
func (c *nameCheck) misplaced(e Entry) bool {
	inRule := c.unresolved == unresolvedInRules
	switch {
	case inRule && !slices.Contains(inRules, e.Key):
		c.problems.Add(e.Line, c.id, "Template error: %s cannot be used in the Rules block of the template", e.Key)
	case !inRule && slices.Contains(onlyInRules, e.Key):
		c.problems.Add(e.Line, c.id, "Template error: %s cannot be used here, only in the Rules block of the template", e.Key)
	default:
		return false
	}
	return true
}
