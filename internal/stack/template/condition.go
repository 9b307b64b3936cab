package template

// condition decides a named condition, deciding the ones it refers to first.
func (e *evaluator) condition(line int, name string) bool {
	if held, ok := e.b.conditions[name]; ok {
		return held
	}
	n, ok := e.b.Template.Conditions[name]
	if !ok {
		e.fail(line, "Template format error: Unresolved condition dependency %s in the Conditions block of the template", name)
		return false
	}
	if e.deciding[name] {
		e.fail(line, "Template format error: Circular dependencies for condition %s", name)
		return false
	}
	e.deciding[name] = true
	held := e.holds(n)
	e.b.conditions[name] = held
	return held
}

// holds decides a boolean function.
func (e *evaluator) holds(n *Node) bool {
	message := "Template format error: Every Conditions member must be a boolean function."
	if e.rule {
		message = "Template format error: Every condition and assertion of a rule must be a boolean function."
	}
	if n.Kind != KindMap || len(n.Entries) != 1 {
		e.fail(n.Line, "%s", message)
		return false
	}
	arg := n.Entries[0].Value
	switch n.Entries[0].Key {
	case "Condition":
		if e.rule {
			e.fail(arg.Line, "Template error: Condition cannot be used in the Rules block of the template")
			return false
		}
		if arg.Kind != KindString {
			e.fail(arg.Line, "%s", message)
			return false
		}
		return e.condition(arg.Line, arg.Text)
	case "Fn::Equals":
		return e.equals(arg)
	case "Fn::And", "Fn::Or":
		if arg.Kind != KindList || len(arg.Items) < 2 || len(arg.Items) > 10 {
			e.fail(arg.Line, "Template error: every %s object requires a list of at least 2 and at most 10 boolean parameters.", n.Entries[0].Key)
			return false
		}
		held := 0
		for _, item := range arg.Items {
			if e.holds(item) {
				held++
			}
		}
		return held == len(arg.Items) || held > 0 && n.Entries[0].Key == "Fn::Or"
	case "Fn::Not":
		if arg.Kind != KindList || len(arg.Items) != 1 {
			e.fail(arg.Line, "Template error: every Fn::Not object requires one boolean parameter.")
			return false
		}
		return !e.holds(arg.Items[0])
	case "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn":
		return e.member(n.Entries[0].Key, arg)
	default:
		e.fail(n.Line, "%s", message)
		return false
	}
}

func (e *evaluator) equals(arg *Node) bool {
	const message = "Template error: every Fn::Equals object requires a list of 2 string parameters."
	if arg.Kind != KindList || len(arg.Items) != 2 {
		e.fail(arg.Line, message)
		return false
	}
	a, b := e.eval(arg.Items[0]), e.eval(arg.Items[1])
	if a == nil || b == nil || a.Kind == KindMap || b.Kind == KindMap {
		e.fail(arg.Line, message)
		return false
	}
	return a.Canonical() == b.Canonical()
}

// choose computes Fn::If; the other arm is not looked at.
func (e *evaluator) choose(arg *Node) *Node {
	if arg.Kind != KindList || len(arg.Items) != 3 {
		return e.fail(arg.Line, "Template error: Fn::If requires a list argument with three elements")
	}
	if arg.Items[0].Kind != KindString {
		return e.fail(arg.Line, "Template error: Fn::If requires a list argument with the first element being a condition")
	}
	name := arg.Items[0].Text
	held, ok := e.b.conditions[name]
	if !ok && e.deciding != nil {
		held, ok = e.condition(arg.Line, name), true
	}
	if !ok {
		return e.fail(arg.Line, "Template error: unresolved condition dependency %s in Fn::If", name)
	}
	if held {
		return e.eval(arg.Items[1])
	}
	return e.eval(arg.Items[2])
}
