package expr

import (
	"slices"

	"github.com/weirstream/weir/internal/table/attr"
)

// Legacy is the parameters that were there before expressions. Each is nil if the
// request does not have it.
type Legacy struct {
	Updates         []LegacyUpdate
	Expected        []LegacyCondition
	Filter          []LegacyCondition // QueryFilter or ScanFilter
	KeyConditions   []LegacyCondition
	AttributesToGet []string
	// Or joins the conditions of Expected or Filter with OR instead of AND.
	Or bool
}

// LegacyUpdate is an entry of AttributeUpdates.
type LegacyUpdate struct {
	Name   string
	Action string // PUT, ADD, DELETE, or "" for PUT
	Value  *LegacyValue
}

// LegacyCondition is an entry of Expected, QueryFilter, ScanFilter or KeyConditions.
// Only Expected has Exists and Value.
type LegacyCondition struct {
	Name     string
	Operator string        // EQ, NE ..., or ""
	Values   []LegacyValue // AttributeValueList, nil if not given
	Exists   *bool
	Value    *LegacyValue
}

// LegacyValue is a value; if what the request gives is not valid, Invalid tells why.
type LegacyValue struct {
	Value   attr.Value
	Invalid error
}

func invalidParameter(format string, args ...any) error {
	return attr.Invalidf("One or more parameter values were invalid: "+format, args...)
}

// Bind checks the parameters and makes the expressions of them that they stand for,
// all but the key condition.
func (l *Legacy) Bind() (Bound, error) {
	var b Bound
	if l.Updates != nil {
		update, err := l.update()
		if err != nil {
			return b, err
		}
		b.Update = update
	}
	if l.Expected != nil {
		condition, err := l.expected()
		if err != nil {
			return b, err
		}
		b.Condition = condition
	}
	if l.Filter != nil {
		for _, c := range l.Filter {
			if err := c.check(); err != nil {
				return b, err
			}
		}
		b.Filter = l.join(l.Filter)
	}
	if l.AttributesToGet != nil {
		var paths []Path
		for i, name := range l.AttributesToGet {
			if err := attr.CheckName(len(name)); err != nil {
				return b, err
			}
			if slices.Contains(l.AttributesToGet[:i], name) {
				return b, invalidParameter("Duplicate value in attribute name: %s", name)
			}
			paths = append(paths, Attribute(name))
		}
		b.Projection = NewProjection(paths)
	}
	return b, nil
}

// KeyTerms checks KeyConditions and makes the terms of them that they stand for.
func (l *Legacy) KeyTerms() ([]KeyTerm, error) {
	var terms []KeyTerm
	for _, c := range l.KeyConditions {
		if err := c.check(); err != nil {
			return nil, err
		}
		terms = append(terms, c.keyTerm())
	}
	if n := len(terms); n != 1 && n != 2 {
		return nil, attr.Invalidf("Conditions can be of length 1 or 2 only")
	}
	return terms, nil
}

// update makes an update of AttributeUpdates.
func (l *Legacy) update() (*Update, error) {
	u := &Update{syntax: &update{}}
	for _, c := range l.Updates {
		if err := c.check(); err != nil {
			return nil, err
		}
		a := action{path: len(u.env.paths)}
		u.env.paths = append(u.env.paths, Attribute(c.Name))
		switch {
		case c.Value == nil:
			a.section = sectionRemove
		case c.Action == "ADD" && c.Value.Value.Kind() == attr.List:
			a.section = sectionListAdd
		case c.Action == "ADD":
			a.section = sectionAdd
		case c.Action == "DELETE":
			a.section = sectionDelete
		}
		if c.Value != nil {
			a.term = &term{kind: termValue, id: len(u.env.values)}
			u.env.values = append(u.env.values, c.Value.Value)
		}
		u.syntax.actions = append(u.syntax.actions, a)
	}
	u.mismatch = attr.Invalidf("Type mismatch for attribute to update")
	return u, nil
}

func (c *LegacyUpdate) check() error {
	if err := attr.CheckName(len(c.Name)); err != nil {
		return err
	}
	if c.Value == nil {
		if c.Action != "DELETE" {
			return invalidParameter("Only DELETE action is allowed when no attribute value is specified")
		}
		return nil
	}
	if c.Value.Invalid != nil {
		return c.Value.Invalid
	}
	k := c.Value.Value.Kind()
	allowed := k.IsSet() || c.Action == "ADD" && (k == attr.Number || k == attr.List)
	if (c.Action == "ADD" || c.Action == "DELETE") && !allowed {
		what := "ADD action is"
		if c.Action == "DELETE" {
			what = "DELETE action with value is"
		}
		return invalidParameter("%s not supported for the type %s", what, k)
	}
	return nil
}

// expected makes a condition of Expected.
func (l *Legacy) expected() (*Condition, error) {
	conditions := make([]LegacyCondition, len(l.Expected))
	for i, c := range l.Expected {
		if err := c.checkExpected(); err != nil {
			return nil, err
		}
		conditions[i] = c.normalized()
	}
	return l.join(conditions), nil
}

// normalized says with an operator what Exists and Value say.
func (c LegacyCondition) normalized() LegacyCondition {
	if c.Operator == "" {
		c.Operator = "EQ"
		if c.Exists != nil && !*c.Exists {
			c.Operator = "NULL"
		}
	}
	if c.Value != nil {
		c.Values = []LegacyValue{*c.Value}
	}
	return c
}

func (c *LegacyCondition) checkExpected() error {
	if err := attr.CheckName(len(c.Name)); err != nil {
		return err
	}
	if c.Values != nil && c.Value != nil {
		return invalidParameter("Value and AttributeValueList cannot be used together for Attribute: %s", c.Name)
	}
	if c.Operator != "" {
		if c.Exists != nil {
			return invalidParameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", c.Name)
		}
		if c.Operator != "NULL" && c.Operator != "NOT_NULL" && c.Values == nil && c.Value == nil {
			return invalidParameter("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", c.Operator, c.Name)
		}
		n := c.normalized()
		return n.check()
	}
	if c.Values != nil {
		return invalidParameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", c.Name)
	}
	exists := "null"
	if c.Exists != nil {
		exists = "true"
		if !*c.Exists {
			exists = "false"
		}
	}
	switch {
	case exists != "false" && c.Value == nil:
		return invalidParameter("Value must be provided when Exists is %s for Attribute: %s", exists, c.Name)
	case exists == "false" && c.Value != nil:
		return invalidParameter("Value cannot be used when Exists is false for Attribute: %s", c.Name)
	case c.Value != nil:
		return c.Value.Invalid
	}
	return nil
}

// legacyOperator is what is known of a comparison operator.
type legacyOperator struct {
	op      operator
	call    string // function, if op is opCall
	negated bool
	least   int // number of arguments
	most    int
	kinds   []attr.Kind // that arguments may have
}

var (
	scalarKinds = []attr.Kind{attr.String, attr.Number, attr.Binary}
	textKinds   = []attr.Kind{attr.String, attr.Binary}
	partKinds   = append(scalarKinds, attr.Bool, attr.Null)
)

const anyNumber = 1 << 30

var legacyOperators = map[string]legacyOperator{
	"EQ":           {op: opEqual, least: 1, most: 1},
	"NE":           {op: opNotEqual, least: 1, most: 1},
	"LE":           {op: opLessEqual, least: 1, most: 1, kinds: scalarKinds},
	"LT":           {op: opLess, least: 1, most: 1, kinds: scalarKinds},
	"GE":           {op: opGreaterEqual, least: 1, most: 1, kinds: scalarKinds},
	"GT":           {op: opGreater, least: 1, most: 1, kinds: scalarKinds},
	"BETWEEN":      {op: opBetween, least: 2, most: 2, kinds: scalarKinds},
	"IN":           {op: opIn, least: 1, most: anyNumber, kinds: scalarKinds},
	"NULL":         {op: opCall, call: "attribute_not_exists"},
	"NOT_NULL":     {op: opCall, call: "attribute_exists"},
	"BEGINS_WITH":  {op: opCall, call: "begins_with", least: 1, most: 1, kinds: textKinds},
	"CONTAINS":     {op: opCall, call: "contains", least: 1, most: 1, kinds: partKinds},
	"NOT_CONTAINS": {op: opCall, call: "contains", negated: true, least: 1, most: 1, kinds: partKinds},
}

// check refuses arguments that the operator cannot have.
func (c *LegacyCondition) check() error {
	if err := attr.CheckName(len(c.Name)); err != nil {
		return err
	}
	for _, v := range c.Values {
		if v.Invalid != nil {
			return v.Invalid
		}
	}
	op := legacyOperators[c.Operator]
	if n := len(c.Values); n < op.least || n > op.most {
		return invalidParameter("Invalid number of argument(s) for the %s ComparisonOperator", c.Operator)
	}
	for _, v := range c.Values {
		if v.Value.Kind() != c.Values[0].Value.Kind() {
			return invalidParameter("AttributeValues inside AttributeValueList must be of same type")
		}
	}
	for _, v := range c.Values {
		if op.kinds != nil && !slices.Contains(op.kinds, v.Value.Kind()) {
			return invalidParameter("ComparisonOperator %s is not valid for %s AttributeValue type", c.Operator, v.Value.Kind())
		}
	}
	if op.op == opBetween {
		if order, ok := c.Values[0].Value.Compare(c.Values[1].Value); ok && order > 0 {
			return attr.Invalidf("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return nil
}

// join makes one condition of checked ones, and nil of none.
func (l *Legacy) join(conditions []LegacyCondition) *Condition {
	if len(conditions) == 0 {
		return nil
	}
	c := &Condition{syntax: &condition{}}
	for _, lc := range conditions {
		n := c.addLegacy(lc)
		if c.syntax.root == nil {
			c.syntax.root = n
			continue
		}
		op := opAnd
		if l.Or {
			op = opOr
		}
		c.syntax.root = &node{op: op, kids: []*node{c.syntax.root, n}}
	}
	return c
}

func (c *Condition) addLegacy(lc LegacyCondition) *node {
	op := legacyOperators[lc.Operator]
	args := []operand{{kind: operandPath, id: len(c.env.paths)}}
	c.env.paths = append(c.env.paths, Attribute(lc.Name))
	for _, v := range lc.Values {
		args = append(args, operand{kind: operandValue, id: len(c.env.values)})
		c.env.values = append(c.env.values, v.Value)
	}
	n := &node{op: op.op, args: args}
	if op.op == opCall {
		n.args = []operand{{kind: operandCall, name: op.call, args: args}}
	}
	if op.negated {
		// Unlike NOT, it wants the attribute to be there.
		exists := &node{op: opCall, args: []operand{{kind: operandCall, name: "attribute_exists", args: args[:1]}}}
		return &node{op: opAnd, kids: []*node{exists, {op: opNot, kids: []*node{n}}}}
	}
	return n
}

// keyTerm makes a key term of a condition.
func (c *LegacyCondition) keyTerm() KeyTerm {
	t := KeyTerm{Name: c.Name, Operator: KeyUnsupported}
	op := legacyOperators[c.Operator]
	if sides, ok := keyOperators[op.op]; ok && (op.op != opCall || op.call == "begins_with") {
		t.Operator = sides[0]
	}
	for _, v := range c.Values {
		t.Values = append(t.Values, v.Value)
	}
	return t
}
