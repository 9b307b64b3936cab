package expr

import (
	"github.com/weirstream/weir/internal/table/attr"
)

// KeyOperator is how a key condition compares a key attribute.
type KeyOperator byte

// The operators of key conditions.
const (
	KeyEqual KeyOperator = iota
	KeyLess
	KeyLessEqual
	KeyGreater
	KeyGreaterEqual
	KeyBetween
	KeyBeginsWith
	// KeyUnsupported is an operator that a key cannot be looked up by.
	KeyUnsupported
)

// KeyTerm is the condition on one key attribute. Only BETWEEN has two values.
type KeyTerm struct {
	Name     string
	Operator KeyOperator
	Values   []attr.Value
}

// allKeyTerms returns what the expression demands of each attribute, in the order of
// the text, or an attr.InvalidError when it is not of the form of a key condition.
func (c *Condition) allKeyTerms() ([]KeyTerm, error) {
	terms, err := c.keyTerms(nil, c.syntax.root)
	if err != nil {
		return nil, err
	}
	if len(terms) > 2 {
		return nil, attr.Invalidf("Conditions can be of length 1 or 2 only")
	}
	return terms, nil
}

func (c *Condition) keyTerms(terms []KeyTerm, n *node) ([]KeyTerm, error) {
	if n.op == opAnd {
		for _, kid := range n.kids {
			var err error
			if terms, err = c.keyTerms(terms, kid); err != nil {
				return nil, err
			}
		}
		return terms, nil
	}
	t, err := c.keyTerm(n)
	if err != nil {
		return nil, err
	}
	for _, other := range terms {
		if other.Name == t.Name {
			return nil, attr.Invalidf("KeyConditionExpressions must only contain one condition per key")
		}
	}
	return append(terms, t), nil
}

// keyOperators maps operators to what they mean with the attribute on the left, and
// on the right.
var keyOperators = map[operator][2]KeyOperator{
	opEqual:        {KeyEqual, KeyEqual},
	opLess:         {KeyLess, KeyGreater},
	opLessEqual:    {KeyLessEqual, KeyGreaterEqual},
	opGreater:      {KeyGreater, KeyLess},
	opGreaterEqual: {KeyGreaterEqual, KeyLessEqual},
	opBetween:      {KeyBetween, KeyBetween},
	opCall:         {KeyBeginsWith, KeyBeginsWith},
}

func (c *Condition) keyTerm(n *node) (KeyTerm, error) {
	name, args := n.op.String(), n.args
	if n.op == opCall {
		name, args = args[0].name, args[0].args
	}
	sides, ok := keyOperators[n.op]
	if !ok || n.op == opCall && name != "begins_with" {
		return KeyTerm{}, attr.Invalidf("Invalid operator used in KeyConditionExpression: %s", name)
	}
	if (n.op == opCall || n.op == opBetween) && args[0].kind != operandPath {
		return KeyTerm{}, attr.Invalidf("Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand", name)
	}
	t := KeyTerm{Operator: sides[0]}
	for i, a := range args {
		switch a.kind {
		case operandCall:
			return t, attr.Invalidf("KeyConditionExpressions cannot contain nested operations")
		case operandValue:
			t.Values = append(t.Values, c.env.values[a.id])
			continue
		}
		if t.Name != "" {
			return t, attr.Invalidf("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		}
		path := c.env.paths[a.id]
		if len(path) > 1 {
			return t, attr.Invalidf("KeyConditionExpressions cannot have conditions on nested attributes")
		}
		t.Name = path[0].Name
		if i > 0 {
			t.Operator = sides[1]
		}
	}
	if t.Name == "" {
		return t, attr.Invalidf("Invalid condition in KeyConditionExpression: No key attribute specified")
	}
	return t, nil
}
