package expr

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirstream/weir/internal/table/attr"
)

// arity is the number of operands of the functions of conditions.
var arity = map[string]int{
	"attribute_exists":     1,
	"attribute_not_exists": 1,
	"attribute_type":       2,
	"begins_with":          2,
	"contains":             2,
	"size":                 1,
}

// Condition is a condition, filter or key condition expression of one request.
type Condition struct {
	syntax *condition
	env    env
}

func (c *condition) bind(scope *Scope) (*Condition, error) {
	b := &Condition{c, c.newEnv()}
	if err := b.bindNode(c.root, scope); err != nil {
		return nil, err
	}
	return b, nil
}

// Paths returns the paths that the expression refers to.
func (c *Condition) Paths() []Path { return c.env.paths }

// Holds reports whether the condition is true of an item.
func (c *Condition) Holds(it attr.Item) bool { return c.holds(c.syntax.root, it) }

func (c *Condition) bindNode(n *node, scope *Scope) error {
	for _, kid := range n.kids {
		if err := c.bindNode(kid, scope); err != nil {
			return err
		}
	}
	for _, a := range n.args {
		if err := c.bindOperand(a, scope); err != nil {
			return err
		}
	}
	for _, a := range n.args {
		if err := checkArity(a); err != nil {
			return err
		}
	}
	if err := c.checkDistinct(n); err != nil {
		return err
	}
	for _, a := range n.args {
		if err := c.checkCall(a); err != nil {
			return err
		}
	}
	if err := c.checkOrdered(n); err != nil {
		return err
	}
	if n.op == opBetween {
		return c.checkBounds(n.args[1], n.args[2])
	}
	return nil
}

// checkOrdered refuses to ask for the order of values that have none.
func (c *Condition) checkOrdered(n *node) error {
	switch n.op {
	case opLess, opLessEqual, opGreater, opGreaterEqual, opBetween:
	default:
		return nil
	}
	for _, a := range n.args {
		if k := c.kindOf(a); k != attr.Missing && !slices.Contains(scalarKinds, k) {
			return operandType(n.op.String(), k.String())
		}
	}
	return nil
}

func (c *Condition) bindOperand(o operand, scope *Scope) error {
	switch o.kind {
	case operandPath:
		return c.env.bindPath(&c.syntax.syntax, scope, o.id)
	case operandValue:
		return c.env.bindValue(&c.syntax.syntax, scope, o.id)
	}
	for _, a := range o.args {
		if err := c.bindOperand(a, scope); err != nil {
			return err
		}
	}
	return nil
}

func checkArity(o operand) error {
	if o.kind != operandCall {
		return nil
	}
	for _, a := range o.args {
		if err := checkArity(a); err != nil {
			return err
		}
	}
	if len(o.args) != arity[o.name] {
		return operandCount(o.name, len(o.args))
	}
	return nil
}

// checkDistinct refuses to compare a path with itself.
func (c *Condition) checkDistinct(n *node) error {
	name, args := n.op.String(), n.args
	if n.op == opCall {
		name, args = args[0].name, args[0].args
	}
	if len(args) < 2 || args[0].kind != operandPath {
		return nil
	}
	first := c.env.paths[args[0].id]
	for _, a := range args[1:] {
		if a.kind == operandPath && first.equal(c.env.paths[a.id]) {
			return notDistinct(name, first)
		}
	}
	return nil
}

func notDistinct(name string, first Path) error {
	return attr.Invalidf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", name, first)
}

// kindOf returns the type that an operand has whatever the item, or Missing.
func (c *Condition) kindOf(o operand) attr.Kind {
	switch o.kind {
	case operandValue:
		return c.env.values[o.id].Kind()
	case operandCall:
		return attr.Number
	}
	return attr.Missing
}

func (c *Condition) checkCall(o operand) error {
	if o.kind != operandCall {
		return nil
	}
	for _, a := range o.args {
		if err := c.checkCall(a); err != nil {
			return err
		}
	}
	switch o.name {
	case "attribute_exists", "attribute_not_exists":
		if o.args[0].kind != operandPath {
			return pathRequired(o.name)
		}
	case "begins_with":
		for _, a := range o.args {
			if k := c.kindOf(a); k != attr.Missing && k != attr.String && k != attr.Binary {
				return operandType(o.name, k.String())
			}
		}
	case "attribute_type":
		return c.checkTypeName(o)
	case "size":
		if k := c.kindOf(o.args[0]); k == attr.Number || k == attr.Bool || k == attr.Null {
			return operandType(o.name, k.String())
		}
	}
	return nil
}

func (c *Condition) checkTypeName(o operand) error {
	k := c.kindOf(o.args[1])
	if k == attr.Missing {
		return operandType(o.name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if k != attr.String {
		return operandType(o.name, k.String())
	}
	if name := c.env.values[o.args[1].id].Text(); attr.KindOf(string(name)) == attr.Missing {
		return attr.Invalidf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", name)
	}
	return nil
}

// checkBounds refuses bounds of BETWEEN between which nothing can be.
func (c *Condition) checkBounds(low, high operand) error {
	if low.kind != operandValue || high.kind != operandValue {
		return nil
	}
	l, h := c.env.values[low.id], c.env.values[high.id]
	rule := ""
	if l.Kind() != h.Kind() {
		rule = "same data type for lower and upper bounds"
	} else if order, ok := l.Compare(h); ok && order > 0 {
		rule = "upper bound to be greater than or equal to lower bound"
	}
	if rule == "" {
		return nil
	}
	return attr.Invalidf("The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", rule, Describe(l), Describe(h))
}

func operandCount(name string, n int) error {
	return attr.Invalidf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, n)
}

func operandType(name, kind string) error {
	return attr.Invalidf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, kind)
}

func pathRequired(name string) error {
	return attr.Invalidf("Operator or function requires a document path; operator or function: %s", name)
}

// Describe renders a value as error messages do: {S:text}.
func Describe(v attr.Value) string {
	switch v.Kind() {
	case attr.String:
		return fmt.Sprintf("{S:%s}", v.Text())
	case attr.Number:
		return fmt.Sprintf("{N:%s}", v.NumberText())
	}
	return string(bytes.ReplaceAll(attr.AppendJSON(nil, v), []byte(`"`), nil))
}

func (c *Condition) holds(n *node, it attr.Item) bool {
	switch n.op {
	case opAnd:
		return c.holds(n.kids[0], it) && c.holds(n.kids[1], it)
	case opOr:
		return c.holds(n.kids[0], it) || c.holds(n.kids[1], it)
	case opNot:
		return !c.holds(n.kids[0], it)
	case opCall:
		return c.call(n.args[0], it)
	case opIn:
		v := c.valueOf(n.args[0], it)
		for _, a := range n.args[1:] {
			if v.Exists() && v.Equal(c.valueOf(a, it)) {
				return true
			}
		}
		return false
	case opBetween:
		v := c.valueOf(n.args[0], it)
		return compare(opGreaterEqual, v, c.valueOf(n.args[1], it)) && compare(opLessEqual, v, c.valueOf(n.args[2], it))
	}
	return compare(n.op, c.valueOf(n.args[0], it), c.valueOf(n.args[1], it))
}

// compare compares values of which each may be missing. A comparison of what
// cannot be compared is false, except that it is not equal.
func compare(op operator, v, w attr.Value) bool {
	switch op {
	case opEqual:
		return v.Exists() && v.Equal(w)
	case opNotEqual:
		return !v.Exists() || !v.Equal(w)
	}
	order, ok := v.Compare(w)
	if !ok {
		return false
	}
	switch op {
	case opLess:
		return order < 0
	case opLessEqual:
		return order <= 0
	case opGreater:
		return order > 0
	default:
		return order >= 0
	}
}

func (c *Condition) valueOf(o operand, it attr.Item) attr.Value {
	switch o.kind {
	case operandValue:
		return c.env.values[o.id]
	case operandPath:
		return c.env.paths[o.id].find(it)
	}
	return size(c.valueOf(o.args[0], it))
}

// size counts what a value is made of: UTF-16 units, bytes or elements.
func size(v attr.Value) attr.Value {
	switch k := v.Kind(); {
	case k == attr.String:
		return attr.IntValue(int64(utf16Len(v.Text())))
	case k == attr.Binary:
		return attr.IntValue(int64(len(v.Text())))
	case k == attr.List, k == attr.Map, k.IsSet():
		return attr.IntValue(int64(v.Len()))
	}
	return attr.Value{}
}

func utf16Len(s []byte) int {
	n := 0
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		n += utf16.RuneLen(r)
		s = s[size:]
	}
	return n
}

func (c *Condition) call(o operand, it attr.Item) bool {
	first := c.valueOf(o.args[0], it)
	switch o.name {
	case "attribute_exists":
		return first.Exists()
	case "attribute_not_exists":
		return !first.Exists()
	}
	second := c.valueOf(o.args[1], it)
	switch o.name {
	case "attribute_type":
		return first.Exists() && first.Kind() == attr.KindOf(string(second.Text()))
	case "begins_with":
		return beginsWith(first, second)
	default:
		return contains(first, second)
	}
}

func beginsWith(v, prefix attr.Value) bool {
	k := v.Kind()
	return k == prefix.Kind() && (k == attr.String || k == attr.Binary) && bytes.HasPrefix(v.Text(), prefix.Text())
}

func contains(v, part attr.Value) bool {
	switch k := v.Kind(); {
	case k == attr.String, k == attr.Binary:
		return part.Kind() == k && bytes.Contains(v.Text(), part.Text())
	case k == attr.List, k.IsSet():
		return v.Has(part)
	}
	return false
}
